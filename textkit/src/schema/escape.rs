//! Sets of strings as sets of their JSON texts, without the quotes.
//!
//! Each character has one spelling, that of serde_json: then "and" and "not" of sets of texts are those
//! of the strings. (derivre's own `JsonQuote` drops what follows a literal that it has to escape.)

use llguidance::derivre::RegexAst;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// `text` as JSON writes it between quotes.
pub fn escaped(text: &str) -> String {
    let quoted = super::json::quote(text);
    quoted[1..quoted.len() - 1].to_string()
}

pub fn literal(text: &str) -> RegexAst {
    RegexAst::Literal(escaped(text))
}

/// `min` to `max` characters of any kind.
pub fn characters(min: u32, max: Option<u32>) -> RegexAst {
    let mut all = ClassUnicode::empty();
    all.negate();
    RegexAst::Repeat(Box::new(class(&all)), min, max.unwrap_or(u32::MAX))
}

/// Returns the set of all strings.
pub fn any() -> RegexAst {
    characters(0, None)
}

/// Returns the strings that the expression `text`, in the syntax of regex-syntax, matches as a
/// whole. None: it is malformed or has anchors.
pub fn regex(text: &str) -> Option<RegexAst> {
    json(&regex_syntax::parse(text).ok()?)
}

/// As `regex`. Recursion is bounded by the nesting of the expression.
pub fn json(hir: &Hir) -> Option<RegexAst> {
    let all = |parts: &[Hir]| parts.iter().map(json).collect::<Option<Vec<_>>>();
    Some(match hir.kind() {
        HirKind::Empty => RegexAst::EmptyString,
        HirKind::Literal(literal) => {
            RegexAst::Literal(escaped(std::str::from_utf8(&literal.0).ok()?))
        }
        HirKind::Class(Class::Unicode(set)) => class(set),
        HirKind::Class(Class::Bytes(set)) => class(&set.to_unicode_class()?),
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => RegexAst::Repeat(
            Box::new(json(&repetition.sub)?),
            repetition.min,
            repetition.max.unwrap_or(u32::MAX),
        ),
        HirKind::Capture(capture) => json(&capture.sub)?,
        HirKind::Concat(parts) => RegexAst::Concat(all(parts)?),
        HirKind::Alternation(parts) => RegexAst::Or(all(parts)?),
    })
}

/// One character of a set.
fn class(set: &ClassUnicode) -> RegexAst {
    let range = ClassUnicodeRange::new;
    let special = ClassUnicode::new([range('\0', '\x1f'), range('"', '"'), range('\\', '\\')]);
    let mut plain = set.clone();
    plain.difference(&special);
    let mut escapes = set.clone();
    escapes.intersect(&special);
    let mut all = Vec::new();
    if !plain.ranges().is_empty() {
        all.push(RegexAst::Regex(
            Hir::class(Class::Unicode(plain)).to_string(),
        ));
    }
    // By the part in front of the last character, so that the expression stays small.
    let mut tails: Vec<(String, String)> = Vec::new();
    for range in escapes.ranges() {
        for c in range.start()..=range.end() {
            let mut text = escaped(&c.to_string());
            let last = text.pop().unwrap_or_default();
            match tails.iter_mut().find(|(head, _)| *head == text) {
                Some((_, tail)) => tail.push(last),
                None => tails.push((text, last.to_string())),
            }
        }
    }
    for (head, tail) in tails {
        let tail: String = tail
            .chars()
            .map(|c| regex_syntax::escape(&c.to_string()))
            .collect();
        all.push(RegexAst::Regex(format!(
            "{}[{tail}]",
            regex_syntax::escape(&head)
        )));
    }
    match all.len() {
        1 => all.swap_remove(0),
        _ => RegexAst::Or(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::derivre::RegexBuilder;

    #[test]
    fn texts_are_those_of_the_strings() {
        let strings = [
            "", "a", "\"", "\\", "\n", "\u{0}", "\u{1f}", "\u{7f}", "é", "\\d", "\"x\"", "a\nb",
        ];
        let expressions = [
            r"\\[dw]",
            "\"[a-z]\"",
            r"a\nb",
            r"[^a]",
            r"[\x00-\x1f]",
            r"[\n\\é]",
            "(?s:.*)",
            r"\x7f",
            "(a|\")*",
        ];
        for expression in expressions {
            let mut builder = RegexBuilder::new();
            let expr = builder.mk(&regex(expression).unwrap()).unwrap();
            let mut ours = builder.into_regex(expr);
            let mut plain = llguidance::derivre::Regex::new(expression).unwrap();
            for text in strings {
                let matched = ours.is_match(&escaped(text));
                assert_eq!(matched, plain.is_match(text), "{expression} {text:?}");
            }
        }
    }
}
