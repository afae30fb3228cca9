//! Messages and tools, the input of chat templates.

use serde_json::{json, Map, Value};

pub struct Part {
    /// True: the part is an image. False: the part is `text`.
    pub is_image: bool,
    pub text: String,
}

pub struct Message {
    pub role: String,
    pub parts: Vec<Part>,
    /// True: the content is a list of parts. False: it is a string.
    pub as_list: bool,
}

pub struct Tool {
    pub name: String,
    pub description: String,
    /// A JSON schema; empty: the tool takes no arguments.
    pub parameters: String,
}

fn content_of(message: Message) -> Value {
    if !message.as_list {
        return message
            .parts
            .into_iter()
            .map(|part| part.text)
            .collect::<String>()
            .into();
    }
    message
        .parts
        .into_iter()
        .map(|part| match part.is_image {
            true => json!({"type": "image"}),
            false => json!({"type": "text", "text": part.text}),
        })
        .collect()
}

/// The template's `messages`.
pub fn messages_value(messages: Vec<Message>) -> Value {
    let object = |message: Message| {
        let mut members = Map::new();
        members.insert("role".into(), message.role.clone().into());
        members.insert("content".into(), content_of(message));
        Value::Object(members)
    };
    messages.into_iter().map(object).collect()
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
                as_list: false,
            },
            Message {
                role: "user".into(),
                parts: vec![image, text("c")],
                as_list: true,
            },
        ];
        assert_eq!(
            messages_value(messages).to_string(),
            r#"[{"role":"system","content":"ab"},{"role":"user","content":[{"type":"image"},{"type":"text","text":"c"}]}]"#
        );
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
