//! Messages and tools, the input of chat templates.

use serde_json::{json, Map, Value};

pub struct Part {
    /// True: the part is an image. False: the part is `text`.
    pub is_image: bool,
    pub text: String,
}

#[derive(Default)]
pub struct Message {
    pub role: String,
    pub parts: Vec<Part>,
    /// True: the content is a list of parts. False: it is a string.
    pub as_list: bool,
    pub calls: Vec<Call>,
    /// Of the function that a tool's message answers for; may be empty.
    pub name: String,
    /// The call that a tool's message answers; may be empty.
    pub call_id: String,
    /// The thoughts of the model before its content; may be empty.
    pub reasoning: String,
}

/// A call of a tool by the model.
pub struct Call {
    pub id: String,
    pub name: String,
    /// A JSON object.
    pub arguments: String,
}

pub struct Tool {
    pub name: String,
    pub description: String,
    /// A JSON schema; empty: the tool takes no arguments.
    pub parameters: String,
}

fn content_of(parts: Vec<Part>, as_list: bool) -> Value {
    if !as_list {
        return parts
            .into_iter()
            .map(|part| part.text)
            .collect::<String>()
            .into();
    }
    parts
        .into_iter()
        .map(|part| match part.is_image {
            true => json!({"type": "image"}),
            false => json!({"type": "text", "text": part.text}),
        })
        .collect()
}

fn call_value(call: Call, arguments_as_text: bool) -> Result<Value, String> {
    let arguments = match arguments_as_text {
        true => call.arguments.into(),
        false => serde_json::from_str(&call.arguments)
            .map_err(|e| format!("the arguments of a call of {}: {e}", call.name))?,
    };
    let mut members = Map::new();
    if !call.id.is_empty() {
        members.insert("id".into(), call.id.into());
    }
    members.insert("type".into(), "function".into());
    let mut function = Map::new();
    function.insert("name".into(), call.name.into());
    function.insert("arguments".into(), arguments);
    members.insert("function".into(), function.into());
    Ok(members.into())
}

fn message_value(message: Message, arguments_as_text: bool) -> Result<Value, String> {
    let mut members = Map::new();
    members.insert("role".into(), message.role.into());
    members.insert("content".into(), content_of(message.parts, message.as_list));
    for (key, text) in [
        ("name", message.name),
        ("tool_call_id", message.call_id),
        ("reasoning_content", message.reasoning),
    ] {
        if !text.is_empty() {
            members.insert(key.into(), text.into());
        }
    }
    if !message.calls.is_empty() {
        let calls = message.calls.into_iter();
        let calls: Result<Value, String> = calls
            .map(|call| call_value(call, arguments_as_text))
            .collect();
        members.insert("tool_calls".into(), calls?);
    }
    Ok(members.into())
}

/// The template's `messages`. Arguments of calls are objects, or JSON texts.
pub fn messages_value(messages: Vec<Message>, arguments_as_text: bool) -> Result<Value, String> {
    let messages = messages.into_iter();
    messages
        .map(|message| message_value(message, arguments_as_text))
        .collect()
}

/// The template's `tools`. Null if there are none, because transformers passes None.
pub fn tools_value(tools: Vec<Tool>) -> Result<Value, String> {
    if tools.is_empty() {
        return Ok(Value::Null);
    }
    let object = |tool: Tool| {
        let mut function = Map::new();
        function.insert("name".into(), tool.name.clone().into());
        if !tool.description.is_empty() {
            function.insert("description".into(), tool.description.into());
        }
        if !tool.parameters.is_empty() {
            let parameters = serde_json::from_str(&tool.parameters)
                .map_err(|e| format!("tool {}, parameters: {e}", tool.name))?;
            function.insert("parameters".into(), parameters);
        }
        Ok(json!({"type": "function", "function": function}))
    };
    tools.into_iter().map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part {
            is_image: false,
            text: text.into(),
        }
    }

    #[test]
    fn contents_are_strings_or_lists() {
        let image = Part {
            is_image: true,
            text: String::new(),
        };
        let messages = vec![
            Message {
                role: "system".into(),
                parts: vec![text("a"), text("b")],
                ..Message::default()
            },
            Message {
                role: "user".into(),
                parts: vec![image, text("c")],
                as_list: true,
                ..Message::default()
            },
        ];
        assert_eq!(
            messages_value(messages, false).unwrap().to_string(),
            r#"[{"role":"system","content":"ab"},{"role":"user","content":[{"type":"image"},{"type":"text","text":"c"}]}]"#
        );
    }

    #[test]
    fn calls_have_the_shape_of_openai() {
        let messages = || {
            vec![Message {
                role: "assistant".into(),
                calls: vec![Call {
                    id: "c1".into(),
                    name: "f".into(),
                    arguments: r#"{"a": 1}"#.into(),
                }],
                ..Message::default()
            }]
        };
        assert_eq!(
            messages_value(messages(), false).unwrap().to_string(),
            r#"[{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":{"a":1}}}]}]"#
        );
        assert!(messages_value(messages(), true)
            .unwrap()
            .to_string()
            .contains(r#""arguments":"{\"a\": 1}""#));
    }

    #[test]
    fn tools_have_the_shape_of_openai() {
        let tool = |parameters: &str| Tool {
            name: "f".into(),
            description: "d".into(),
            parameters: parameters.into(),
        };
        assert_eq!(tools_value(vec![]).unwrap(), Value::Null);
        assert_eq!(
            tools_value(vec![tool(r#"{"type":"object"}"#)])
                .unwrap()
                .to_string(),
            r#"[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]"#
        );
        let error = tools_value(vec![tool("{")]).unwrap_err();
        assert!(error.starts_with("tool f, parameters: EOF"), "{error}");
    }
}
