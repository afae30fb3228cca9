//! Writes JSON like Python's `json.dumps`, because published templates expect that of `tojson`: a
//! space after commas and colons, only the escapes that JSON requires, keys in their order.

use serde_json::Value;

/// `indent`: spaces per level, or None for one line.
pub fn dumps(value: &Value, indent: Option<usize>) -> String {
    let mut out = String::new();
    write(value, indent, 0, &mut out);
    out
}

fn newline(indent: Option<usize>, level: usize, out: &mut String) {
    if let Some(width) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * level));
    }
}

fn write(value: &Value, indent: Option<usize>, level: usize, out: &mut String) {
    let separator = if indent.is_some() { "," } else { ", " };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(separator);
                }
                newline(indent, level + 1, out);
                write(item, indent, level + 1, out);
            }
            newline(indent, level, out);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (i, (key, member)) in members.iter().enumerate() {
                if i > 0 {
                    out.push_str(separator);
                }
                newline(indent, level + 1, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                write(member, indent, level + 1, out);
            }
            newline(indent, level, out);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        let value: Value =
            serde_json::from_str(r#"{"b":[1,2.5,"é\n<"],"a":{},"c":[],"d":null}"#).unwrap();
        assert_eq!(
            dumps(&value, None),
            "{\"b\": [1, 2.5, \"é\\n<\"], \"a\": {}, \"c\": [], \"d\": null}"
        );
        let two: Value = serde_json::from_str(r#"{"a":[1]}"#).unwrap();
        assert_eq!(dumps(&two, Some(2)), "{\n  \"a\": [\n    1\n  ]\n}");
    }
}
