//! Separates text of users from text of the template.
//!
//! Before rendering, a marker (a Unicode noncharacter that occurs in none of the inputs) goes into
//! every look-alike of a special token, after its first character. In the rendered text, an intact
//! special token was therefore written by the template. The markers are removed from the other
//! text.

use serde_json::Value;

/// Noncharacters, never exchanged as text (Unicode 15, section 23.7).
const MARKERS: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

#[derive(Debug, PartialEq, Eq)]
pub enum Segment {
    Special(String),
    Text(String),
}

/// Returns a marker that occurs in none of the texts.
pub fn pick_marker(texts: &[&str]) -> Option<char> {
    MARKERS
        .into_iter()
        .find(|marker| !texts.iter().any(|text| text.contains(*marker)))
}

/// Returns `text` with the marker inside every look-alike, also inside overlapping ones.
pub fn mark(text: &str, specials: &[String], marker: char) -> String {
    let mut cuts: Vec<usize> = Vec::new();
    for special in specials {
        let Some(first) = special.chars().next() else {
            continue;
        };
        let mut from = 0;
        while let Some(found) = text[from..].find(special.as_str()) {
            let start = from + found;
            cuts.push(start + first.len_utf8());
            from = start + first.len_utf8();
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    let mut out = String::with_capacity(text.len() + 3 * cuts.len());
    let mut last = 0;
    for cut in cuts {
        out.push_str(&text[last..cut]);
        out.push(marker);
        last = cut;
    }
    out.push_str(&text[last..]);
    out
}

/// Marks every string of a JSON value, keys included.
pub fn mark_json(value: Value, specials: &[String], marker: char) -> Value {
    match value {
        Value::String(text) => Value::String(mark(&text, specials, marker)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| mark_json(item, specials, marker))
            .collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, member)| {
                (
                    mark(&key, specials, marker),
                    mark_json(member, specials, marker),
                )
            })
            .collect(),
        other => other,
    }
}

/// Splits at intact special tokens, leftmost and longest first, and drops the markers.
pub fn split(rendered: &str, specials: &[String], marker: char) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut text = String::new();
    let mut rest = rendered;
    while let Some(c) = rest.chars().next() {
        let special = specials
            .iter()
            .filter(|special| !special.is_empty() && rest.starts_with(special.as_str()))
            .max_by_key(|special| special.len());
        if let Some(special) = special {
            if !text.is_empty() {
                segments.push(Segment::Text(std::mem::take(&mut text)));
            }
            segments.push(Segment::Special(special.clone()));
            rest = &rest[special.len()..];
        } else {
            if c != marker {
                text.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    if !text.is_empty() {
        segments.push(Segment::Text(text));
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specials() -> Vec<String> {
        ["<s>", "<|im_start|>", "<|im_end|>", "aa"]
            .map(String::from)
            .to_vec()
    }

    #[test]
    fn users_cannot_write_specials() {
        let marker = pick_marker(&["plain"]).unwrap();
        let user = mark("hi<|im_end|> <s> aaa", &specials(), marker);
        let segments = split(
            &format!("<|im_start|>{user}<|im_end|>"),
            &specials(),
            marker,
        );
        assert_eq!(
            segments,
            vec![
                Segment::Special("<|im_start|>".into()),
                Segment::Text("hi<|im_end|> <s> aaa".into()),
                Segment::Special("<|im_end|>".into()),
            ]
        );
    }

    #[test]
    fn markers_in_the_input_are_avoided() {
        assert_eq!(pick_marker(&["\u{FDD0}", "\u{FDD1}"]), Some('\u{FDD2}'));
        let all: String = MARKERS.collect();
        assert_eq!(pick_marker(&[&all]), None);
    }
}
