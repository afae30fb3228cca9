//! A JSON document as an arena of nodes. Numbers keep their text, so that no digit is lost.

use super::limits::{MAX_DEPTH, MAX_NODES, MAX_TEXT};

pub type Id = u32;

#[derive(Debug)]
pub enum Node {
    Null,
    Bool(bool),
    /// The number as written.
    Number(String),
    String(String),
    Array(Vec<Id>),
    Object(Vec<(String, Id)>),
}

#[derive(Default, Debug)]
pub struct Document {
    nodes: Vec<Node>,
    parents: Vec<Option<Id>>,
}

impl Document {
    /// Parses `text` into the nodes of a new document. The root is node 0.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!(
                "the schema has {} bytes; at most {MAX_TEXT} are accepted",
                text.len()
            ));
        }
        let mut parser = Parser {
            bytes: text.as_bytes(),
            text,
            at: 0,
            document: Self::default(),
        };
        parser.value(None, 0)?;
        parser.blanks();
        if parser.at < text.len() {
            return Err(parser.error("text behind the value"));
        }
        Ok(parser.document)
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    pub fn parent(&self, id: Id) -> Option<Id> {
        self.parents[id as usize]
    }

    pub fn get(&self, id: Id, key: &str) -> Option<Id> {
        match self.node(id) {
            Node::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| *v),
            _ => None,
        }
    }

    pub fn str(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the JSON pointer of a node, as a URI fragment: `#/properties/a`.
    pub fn pointer(&self, id: Id) -> String {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            steps.push(match self.node(parent) {
                Node::Array(items) => items.iter().position(|i| *i == at).unwrap_or(0).to_string(),
                Node::Object(members) => members
                    .iter()
                    .find(|(_, v)| *v == at)
                    .map(|(k, _)| k.replace('~', "~0").replace('/', "~1"))
                    .unwrap_or_default(),
                _ => String::new(),
            });
            at = parent;
        }
        let mut pointer = String::from("#");
        for step in steps.iter().rev() {
            pointer.push('/');
            pointer.push_str(step);
        }
        if pointer.len() > 200 {
            let mut end = 200;
            while !pointer.is_char_boundary(end) {
                end -= 1;
            }
            pointer.truncate(end);
            pointer.push_str("...");
        }
        pointer
    }

    /// Writes the value as JSON on one line, with a space after each colon and comma.
    pub fn write(&self, id: Id, out: &mut String) {
        match self.node(id) {
            Node::Null => out.push_str("null"),
            Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Node::Number(text) => out.push_str(text),
            Node::String(text) => out.push_str(&quote(text)),
            Node::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    self.write(*item, out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    out.push_str(&quote(key));
                    out.push_str(": ");
                    self.write(*value, out);
                }
                out.push('}');
            }
        }
    }
}

/// `text` as a JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct Parser<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    document: Document,
}

impl Parser<'_> {
    fn error(&self, what: &str) -> String {
        format!("the schema is not JSON: {what} at byte {}", self.at)
    }

    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn add(&mut self, node: Node, parent: Option<Id>) -> Result<Id, String> {
        if self.document.nodes.len() >= MAX_NODES {
            return Err(format!(
                "the schema has more than {MAX_NODES} values, which is the limit"
            ));
        }
        self.document.nodes.push(node);
        self.document.parents.push(parent);
        Ok(self.document.nodes.len() as Id - 1)
    }

    // The depth of the recursion is bounded by MAX_DEPTH.
    fn value(&mut self, parent: Option<Id>, depth: usize) -> Result<Id, String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "the schema is nested deeper than {MAX_DEPTH} levels, which is the limit"
            ));
        }
        self.blanks();
        match self.peek() {
            b'{' => self.object(parent, depth),
            b'[' => self.array(parent, depth),
            b'"' => {
                let text = self.string()?;
                self.add(Node::String(text), parent)
            }
            b'-' | b'0'..=b'9' => {
                let text = self.number()?;
                self.add(Node::Number(text), parent)
            }
            _ => {
                for (word, node) in [
                    ("null", Node::Null),
                    ("true", Node::Bool(true)),
                    ("false", Node::Bool(false)),
                ] {
                    if self.bytes[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return self.add(node, parent);
                    }
                }
                Err(self.error("a value is missing"))
            }
        }
    }

    fn array(&mut self, parent: Option<Id>, depth: usize) -> Result<Id, String> {
        let id = self.add(Node::Null, parent)?;
        let mut items = Vec::new();
        self.at += 1;
        self.blanks();
        while self.peek() != b']' || !items.is_empty() {
            items.push(self.value(Some(id), depth + 1)?);
            self.blanks();
            match self.peek() {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(self.error("',' or ']' is missing")),
            }
        }
        self.at += 1;
        self.document.nodes[id as usize] = Node::Array(items);
        Ok(id)
    }

    fn object(&mut self, parent: Option<Id>, depth: usize) -> Result<Id, String> {
        let id = self.add(Node::Null, parent)?;
        let mut members: Vec<(String, Id)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        self.at += 1;
        self.blanks();
        while self.peek() != b'}' || !members.is_empty() {
            self.blanks();
            if self.peek() != b'"' {
                return Err(self.error("a member's name is missing"));
            }
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(self.error("an object names a member twice"));
            }
            self.blanks();
            if self.peek() != b':' {
                return Err(self.error("':' is missing"));
            }
            self.at += 1;
            members.push((name, self.value(Some(id), depth + 1)?));
            self.blanks();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(self.error("',' or '}' is missing")),
            }
        }
        self.at += 1;
        self.document.nodes[id as usize] = Node::Object(members);
        Ok(id)
    }

    fn string(&mut self) -> Result<String, String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                b'"' => break,
                b'\\' => self.at += 2,
                0 if self.at >= self.bytes.len() => return Err(self.error("a string has no end")),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(&self.text[start..self.at])
            .map_err(|_| self.error("a string is malformed"))
    }

    fn digits(&mut self) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if start == self.at {
            return Err(self.error("a digit is missing"));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<String, String> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text[start..self.at].to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_keep_their_text() {
        let text = r#"{"a": [12345678901234567890123, -0.10e5, null], "\u0062": {"c/~": true}}"#;
        let document = Document::parse(text).unwrap();
        let mut out = String::new();
        document.write(0, &mut out);
        assert_eq!(
            out,
            r#"{"a": [12345678901234567890123, -0.10e5, null], "b": {"c/~": true}}"#
        );
        let b = document.get(0, "b").unwrap();
        let c = document.get(b, "c/~").unwrap();
        assert_eq!(document.pointer(c), "#/b/c~1~0");
    }

    #[test]
    fn bad_text_is_an_error() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "\"a",
            "\"\\",
            "{\"a\":1 \"b\":2}",
            "nul",
            "1 2",
            "{\"a\":1,\"a\":2}",
            "\"\\ud800\"",
            "{1:2}",
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
        assert!(Document::parse(&"[".repeat(1000)).is_err());
        let wide = format!("[{}0]", "0,".repeat(MAX_NODES));
        assert!(Document::parse(&wide).unwrap_err().contains("limit"));
    }
}
