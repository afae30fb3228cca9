//! Renders chat templates like `apply_chat_template` of transformers.

use minijinja::value::{Kwargs, Value as JinjaValue};
use minijinja::{Environment, Error, ErrorKind};
use serde_json::Value;

use crate::conversation::{messages_value, tools_value, Message, Tool};
use crate::python_json;
use crate::segments::{self, Segment};

/// Largest number of instructions of one rendering. Published templates need far fewer.
const FUEL: u64 = 20_000_000;

pub struct Template {
    environment: Environment<'static>,
    specials: Vec<String>,
    globals: Value,
}

pub enum RenderError {
    Invalid(String),
    TooLong(String),
}

pub struct Input<'a> {
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    /// A JSON object, or empty.
    pub kwargs: &'a str,
    pub add_generation_prompt: bool,
    /// Arguments of calls are JSON texts; else objects.
    pub arguments_as_text: bool,
}

fn raise_exception(message: String) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn strftime_now(format: String) -> Result<String, Error> {
    use std::fmt::Write;
    let mut out = String::new();
    write!(out, "{}", chrono::Local::now().format(&format))
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "strftime_now: bad format"))?;
    Ok(out)
}

fn tojson(value: JinjaValue, options: Kwargs) -> Result<JinjaValue, Error> {
    let indent: Option<usize> = options.get("indent")?;
    for name in ["ensure_ascii", "separators", "sort_keys"] {
        let _: Option<JinjaValue> = options.get(name)?;
    }
    options.assert_all_used()?;
    let json = serde_json::to_value(&value)
        .map_err(|e| Error::new(ErrorKind::InvalidOperation, format!("tojson: {e}")))?;
    Ok(JinjaValue::from_safe_string(python_json::dumps(
        &json,
        indent.map(|n| n.min(16)),
    )))
}

/// transformers' `{% generation %}` only marks a span for training.
fn without_generation_tags(source: &str) -> String {
    let mut out = source.to_string();
    for (open, close) in [("{%", "%}"), ("{%-", "%}"), ("{%", "-%}"), ("{%-", "-%}")] {
        out = out
            .replace(
                &format!("{open} generation {close}"),
                &format!("{open} if true {close}"),
            )
            .replace(
                &format!("{open} endgeneration {close}"),
                &format!("{open} endif {close}"),
            );
    }
    out
}

/// Largest size of one tag in bytes, without its string literals. The parser takes time quadratic
/// in the depth of an expression.
const MAX_TAG: usize = 8000;

/// Returns an error if a tag is longer than `MAX_TAG`.
fn check_tags(source: &str) -> Result<(), String> {
    let bytes = source.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] != b'{' || !matches!(bytes[at + 1], b'{' | b'%') {
            at += 1;
            continue;
        }
        let (start, close) = (at, [if bytes[at + 1] == b'{' { b'}' } else { b'%' }, b'}']);
        let (mut size, mut quote) = (0, None);
        at += 2;
        while at < bytes.len() && (quote.is_some() || !bytes[at..].starts_with(&close)) {
            match (quote, bytes[at]) {
                (Some(_), b'\\') => at += 1,
                (Some(open), byte) if byte == open => quote = None,
                (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
                (None, _) => size += 1,
                _ => {}
            }
            at += 1;
        }
        if size > MAX_TAG {
            let line = 1 + bytes[..start].iter().filter(|b| **b == b'\n').count();
            return Err(format!(
                "chat template, line {line}: the tag has more than {MAX_TAG} bytes"
            ));
        }
    }
    Ok(())
}

fn parse_kwargs(json: &str) -> Result<Value, RenderError> {
    if json.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(json)
        .map_err(|e| RenderError::Invalid(format!("chat_template_kwargs: {e}")))
}

impl Template {
    pub fn new(source: &str, specials: &str, globals: &str) -> Result<Self, String> {
        check_tags(source)?;
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(100);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", tojson);
        environment
            .add_template_owned("chat_template", without_generation_tags(source))
            .map_err(|e| format!("chat template: {e:#}"))?;
        Ok(Self {
            environment,
            specials: serde_json::from_str(specials).map_err(|e| e.to_string())?,
            globals: serde_json::from_str(globals).map_err(|e| e.to_string())?,
        })
    }

    pub fn render(&self, input: Input) -> Result<Vec<Segment>, RenderError> {
        let values = [
            messages_value(input.messages, input.arguments_as_text)
                .map_err(RenderError::Invalid)?,
            tools_value(input.tools).map_err(RenderError::Invalid)?,
            parse_kwargs(input.kwargs)?,
        ];
        // JSON may escape any character, so the marker is chosen from the decoded strings.
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let marker = segments::pick_marker(&texts).ok_or_else(|| {
            RenderError::Invalid("messages use every Unicode noncharacter U+FDD0 to U+FDEF".into())
        })?;
        let [messages, tools, kwargs] =
            values.map(|value| segments::mark_json(value, &self.specials, marker));

        let mut context = serde_json::Map::new();
        for source in [self.globals.clone(), kwargs] {
            if let Value::Object(members) = source {
                context.extend(members);
            }
        }
        context.insert("messages".into(), messages);
        context.insert("tools".into(), tools);
        context
            .entry("add_generation_prompt")
            .or_insert(Value::Bool(input.add_generation_prompt));
        let template = self
            .environment
            .get_template("chat_template")
            .map_err(|e| RenderError::Invalid(e.to_string()))?;
        let rendered = template
            .render(JinjaValue::from_serialize(&context))
            .map_err(|e| match e.kind() {
                ErrorKind::OutOfFuel => RenderError::TooLong("chat template ran too long".into()),
                _ => RenderError::Invalid(format!(
                    "chat template: {}",
                    e.detail().map_or_else(|| e.to_string(), String::from)
                )),
            })?;
        Ok(segments::split(&rendered, &self.specials, marker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Part;

    /// Renders with one message of the user, or with no message if `text` is None.
    fn render(source: &str, text: Option<&str>) -> Result<String, String> {
        let template = Template::new(source, r#"["<|end|>"]"#, r#"{"bos_token":"<s>"}"#)?;
        let message = |text: &str| Message {
            role: "user".into(),
            parts: vec![Part {
                is_image: false,
                text: text.into(),
            }],
            ..Message::default()
        };
        let input = Input {
            messages: text.into_iter().map(message).collect(),
            tools: vec![],
            kwargs: "",
            add_generation_prompt: true,
            arguments_as_text: false,
        };
        match template.render(input) {
            Ok(segments) => Ok(segments
                .into_iter()
                .map(|segment| match segment {
                    Segment::Special(text) | Segment::Text(text) => text,
                })
                .collect()),
            Err(RenderError::Invalid(message) | RenderError::TooLong(message)) => Err(message),
        }
    }

    #[test]
    fn behaves_as_transformers_does() {
        let source = "{{ bos_token }}{% for m in messages %}\n  {% if m.role.startswith('u') %}\n\
                      [{{ m['content'] | trim }}]\n  {% endif %}\n{% endfor %}\n\
                      {% generation %}{{ {'a': [1, true]} | tojson }}{% endgeneration %}\n";
        let out = render(source, Some(" x ")).unwrap();
        assert_eq!(out, "<s>[x]\n{\"a\": [1, true]}");
    }

    #[test]
    fn long_tags_are_refused_and_long_literals_are_not() {
        for piece in ["not ", "x|string", ".a", "1+"] {
            let source = format!("\n{{{{ {}x }}}}", piece.repeat(100_000));
            assert_eq!(
                render(&source, None).unwrap_err(),
                "chat template, line 2: the tag has more than 8000 bytes"
            );
        }
        let literal = "{{ 'it\\'s ".to_string() + &"}} ".repeat(10_000) + "' }}";
        assert!(render(&literal, None).unwrap().starts_with("it's }} }} "));
    }

    #[test]
    fn raise_and_runaway_are_errors() {
        assert!(render("{{ raise_exception('no system') }}", None)
            .unwrap_err()
            .contains("no system"));
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}\
                       {% endfor %}{% endfor %}{% endfor %}";
        assert!(render(endless, None).unwrap_err().contains("too long"));
        assert!(render("{% if %}", None).is_err());
    }
}
