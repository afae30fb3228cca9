//! Resolves the references of a schema. Only references inside the document are followed.

use std::collections::HashMap;

use super::json::{Document, Id, Node};

pub struct References {
    /// JSON Schema draft 7 or older: keywords beside `$ref` are ignored.
    pub legacy: bool,
    /// Absolute URI of each schema that has one.
    resources: HashMap<Id, String>,
    roots: HashMap<String, Id>,
    anchors: HashMap<(String, String), Id>,
    /// Number of schemas with this `$dynamicAnchor`.
    dynamic: HashMap<String, usize>,
    pub recursive_anchor: bool,
    pub has_unevaluated: bool,
}

/// Keywords whose value is a schema, an array of schemas, or an object of schemas.
const SCHEMA: [&str; 13] = [
    "not",
    "if",
    "then",
    "else",
    "items",
    "additionalItems",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
    "extends",
];
const LIST: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
const MAP: [&str; 6] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];

impl References {
    pub fn new(document: &Document) -> Self {
        let dialect = document
            .get(0, "$schema")
            .and_then(|id| document.str(id))
            .unwrap_or("");
        let legacy = ["draft-03", "draft-04", "draft-05", "draft-06", "draft-07"]
            .iter()
            .any(|draft| dialect.contains(draft));
        let mut references = Self {
            legacy,
            resources: HashMap::from([(0, String::new())]),
            roots: HashMap::from([(String::new(), 0)]),
            anchors: HashMap::new(),
            dynamic: HashMap::new(),
            recursive_anchor: false,
            has_unevaluated: false,
        };
        let mut todo = vec![(0, String::new())];
        while let Some((id, base)) = todo.pop() {
            let base = references.register(document, id, base);
            for child in subschemas(document, id) {
                todo.push((child, base.clone()));
            }
        }
        references
    }

    fn register(&mut self, document: &Document, id: Id, mut base: String) -> String {
        let text = |key| document.get(id, key).and_then(|id| document.str(id));
        if self.legacy && document.get(id, "$ref").is_some() {
            return base;
        }
        let name = text("$id").or(if self.legacy { text("id") } else { None });
        if let Some(name) = name {
            let (uri, fragment) = name.split_once('#').unwrap_or((name, ""));
            if !uri.is_empty() {
                base = join(&base, uri);
                self.resources.insert(id, base.clone());
                self.roots.insert(base.clone(), id);
            }
            if !fragment.is_empty() {
                self.anchors.insert((base.clone(), fragment.into()), id);
            }
        }
        if let Some(anchor) = text("$anchor") {
            self.anchors.insert((base.clone(), anchor.into()), id);
        }
        if let Some(anchor) = text("$dynamicAnchor") {
            self.anchors.insert((base.clone(), anchor.into()), id);
            *self.dynamic.entry(anchor.into()).or_insert(0) += 1;
        }
        if let Some(anchor) = document.get(id, "$recursiveAnchor") {
            self.recursive_anchor |= matches!(document.node(anchor), Node::Bool(true));
        }
        self.has_unevaluated |= document.get(id, "unevaluatedProperties").is_some()
            || document.get(id, "unevaluatedItems").is_some();
        base
    }

    fn base(&self, document: &Document, id: Id) -> &str {
        let mut at = Some(id);
        while let Some(id) = at {
            if let Some(base) = self.resources.get(&id) {
                return base;
            }
            at = document.parent(id);
        }
        ""
    }

    /// Returns the schema that `reference`, a keyword of schema `id`, refers to.
    pub fn resolve(&self, document: &Document, id: Id, reference: &str) -> Result<Id, String> {
        let shown: String = reference.chars().take(100).collect();
        let base = self.base(document, id);
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let uri = if uri.is_empty() {
            base.to_string()
        } else {
            join(base, uri)
        };
        let root =
            self.roots.get(&uri).copied().ok_or_else(|| {
                format!("'{shown}' leads out of the schema, which is not supported")
            })?;
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() {
            return Ok(root);
        }
        let found = if fragment.starts_with('/') {
            walk(document, root, &fragment)
        } else {
            self.anchors.get(&(uri, fragment)).copied()
        };
        found.ok_or_else(|| format!("'{shown}' leads to nothing in the schema"))
    }

    /// Resolves a `$dynamicRef` as `resolve` does. Refuses it if several schemas have the same `$dynamicAnchor`,
    /// because the result then depends on the dynamic scope.
    pub fn resolve_dynamic(&self, document: &Document, id: Id, at: &str) -> Result<Id, String> {
        let anchor = at.split_once('#').map_or("", |(_, anchor)| anchor);
        if self.dynamic.get(anchor).copied().unwrap_or(0) > 1 {
            return Err("several schemas have this $dynamicAnchor, which is not supported".into());
        }
        self.resolve(document, id, at)
    }
}

fn subschemas(document: &Document, id: Id) -> Vec<Id> {
    let Node::Object(members) = document.node(id) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in members {
        let key = key.as_str();
        match document.node(*value) {
            Node::Object(map) if MAP.contains(&key) => found.extend(map.iter().map(|(_, v)| *v)),
            Node::Object(_) if SCHEMA.contains(&key) => found.push(*value),
            Node::Array(list) if LIST.contains(&key) => found.extend(list),
            _ => {}
        }
    }
    found
}

fn walk(document: &Document, root: Id, pointer: &str) -> Option<Id> {
    let mut at = root;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        at = match document.node(at) {
            Node::Object(_) => document.get(at, &step)?,
            Node::Array(items) => *items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_string())
}

/// `uri` against `base`, by RFC 3986.
fn join(base: &str, uri: &str) -> String {
    let scheme = |text: &str| {
        text.find(':')
            .filter(|end| !text[..*end].contains('/'))
            .map(|end| end + 1)
    };
    if scheme(uri).is_some() {
        return uri.to_string();
    }
    let Some(start) = scheme(base) else {
        return tail(base, 0, uri);
    };
    if let Some(rest) = uri.strip_prefix("//") {
        return format!("{}//{rest}", &base[..start]);
    }
    let path = match base[start..].strip_prefix("//") {
        Some(rest) => base.len() - rest.len() + rest.find('/').unwrap_or(rest.len()),
        None => start,
    };
    tail(base, path, uri)
}

/// Replaces the path of `base`, which begins at `path`, by `uri`, which may be relative to it.
fn tail(base: &str, path: usize, uri: &str) -> String {
    let old = &base[path..];
    let merged = if uri.starts_with('/') {
        uri.to_string()
    } else {
        let folder = old.rfind('/').map_or("", |end| &old[..=end]);
        let slash = if folder.is_empty() && path > 0 {
            "/"
        } else {
            ""
        };
        format!("{slash}{folder}{uri}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in merged.split('/') {
        match part {
            "." => {}
            ".." => {
                if parts.len() > 1 {
                    parts.pop();
                }
            }
            _ => parts.push(part),
        }
    }
    format!("{}{}", &base[..path], parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str, reference: &str) -> Result<String, String> {
        let document = Document::parse(text).unwrap();
        let references = References::new(&document);
        references
            .resolve(&document, 0, reference)
            .map(|id| document.pointer(id))
    }

    #[test]
    fn references_are_found() {
        let text = r##"{"$id": "http://x.org/root.json", "$defs": {"a/b": {}, "c%d": {},
            "e": {"$anchor": "here"}, "f": {"$id": "sub/item.json", "$defs": {"g": {}}}}}"##;
        assert_eq!(target(text, "#").unwrap(), "#");
        assert_eq!(target(text, "#/$defs/a~1b").unwrap(), "#/$defs/a~1b");
        assert_eq!(target(text, "#/%24defs/c%25d").unwrap(), "#/$defs/c%d");
        assert_eq!(target(text, "#here").unwrap(), "#/$defs/e");
        assert_eq!(target(text, "sub/item.json").unwrap(), "#/$defs/f");
        assert_eq!(
            target(text, "http://x.org/sub/item.json#/$defs/g").unwrap(),
            "#/$defs/f/$defs/g"
        );
        assert!(target(text, "#/$defs/none")
            .unwrap_err()
            .contains("nothing"));
        assert!(target(text, "http://y.org/")
            .unwrap_err()
            .contains("out of"));
    }
}
