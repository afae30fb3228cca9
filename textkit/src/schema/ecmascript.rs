//! ECMAScript regular expressions, which JSON Schema's patterns are, for derivre.

use llguidance::derivre::RegexAst;
use regex_syntax::hir::{Hir, HirKind, Look};
use regex_syntax::ParserBuilder;

use super::escape::{any, json};
use super::translate::translated;

const MAX_PATTERN: usize = 8 << 10;
/// `?`, `*`, `+` and `{` in a pattern.
const MAX_REPETITIONS: usize = 300;
/// Nested groups of an expression. Bounds recursion.
const MAX_NESTING: u32 = 50;

/// Returns the set of all strings in which `pattern` matches somewhere, as JSON texts.
pub fn search(pattern: &str) -> Result<RegexAst, String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!(
            "a pattern of {} bytes; at most {MAX_PATTERN} are accepted",
            pattern.len()
        ));
    }
    let repetitions = pattern.bytes().filter(|b| b"?*+{".contains(b)).count();
    if repetitions > MAX_REPETITIONS {
        return Err(format!(
            "a pattern with more than {MAX_REPETITIONS} repetitions, which is the limit"
        ));
    }
    let (looks, rest) = leading_lookaheads(pattern);
    if looks.is_empty() {
        return plain_search(pattern);
    }
    let mut all = vec![plain_search(&format!("^{rest}"))?];
    for (negative, inner) in looks {
        let ahead = plain_search(&format!("^(?:{inner})"))?;
        all.push(if negative {
            RegexAst::Not(Box::new(ahead))
        } else {
            ahead
        });
    }
    all.push(any());
    Ok(RegexAst::And(all))
}

fn plain_search(pattern: &str) -> Result<RegexAst, String> {
    let hir = ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(&translated(pattern)?)
        .map_err(|_| format!("pattern '{}' is malformed or not supported", cut(pattern)))?;
    whole(&hir, true, true).ok_or_else(|| {
        format!(
            "pattern '{}': '^' and '$' are supported at the ends of alternatives only",
            cut(pattern)
        )
    })
}

fn cut(pattern: &str) -> String {
    pattern.chars().take(60).collect()
}

/// Returns the lookaheads after a leading `^`, and the text after them.
fn leading_lookaheads(pattern: &str) -> (Vec<(bool, &str)>, &str) {
    let mut looks = Vec::new();
    let Some(mut rest) = pattern.strip_prefix('^') else {
        return (looks, pattern);
    };
    while rest.starts_with("(?=") || rest.starts_with("(?!") {
        let Some(end) = group_end(rest) else { break };
        if matches!(rest.as_bytes().get(end), Some(b'*' | b'+' | b'?' | b'{')) {
            return (Vec::new(), pattern);
        }
        looks.push((rest.starts_with("(?!"), &rest[3..end - 1]));
        rest = &rest[end..];
    }
    if has_top_alternation(rest) {
        return (Vec::new(), pattern);
    }
    (looks, rest)
}

/// Calls `visit(depth, byte, index)` for each byte outside classes and escapes until it says stop.
fn scan(text: &str, mut visit: impl FnMut(usize, u8, usize) -> bool) {
    let (mut depth, mut class, mut at) = (0usize, false, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b']' => class = false,
            _ if class => {}
            b'[' => class = true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !class && bytes.get(at).is_some_and(|b| visit(depth, *b, at)) {
            return;
        }
        at += 1;
    }
}

fn group_end(text: &str) -> Option<usize> {
    let mut end = None;
    scan(text, |depth, byte, at| {
        if depth == 0 && byte == b')' {
            end = Some(at + 1);
        }
        end.is_some()
    });
    end
}

fn has_top_alternation(text: &str) -> bool {
    let mut found = false;
    scan(text, |depth, byte, at| {
        found |= depth == 0 && byte == b'|' && (at == 0 || text.as_bytes()[at - 1] != b'\\');
        found
    });
    found
}

/// Returns the strings that `hir` matches. `left`, `right`: any text may be before it or after it,
/// unless an anchor at that end forbids it. None: an anchor is at another place. Recursion is
/// bounded by MAX_NESTING.
fn whole(hir: &Hir, left: bool, right: bool) -> Option<RegexAst> {
    let has_looks = !hir.properties().look_set().is_empty();
    match hir.kind() {
        HirKind::Look(Look::Start) if left => {
            Some(if right { any() } else { RegexAst::EmptyString })
        }
        HirKind::Look(Look::End) if right => Some(if left { any() } else { RegexAst::EmptyString }),
        HirKind::Capture(capture) => whole(&capture.sub, left, right),
        HirKind::Alternation(branches) if has_looks => branches
            .iter()
            .map(|branch| whole(branch, left, right))
            .collect::<Option<Vec<_>>>()
            .map(RegexAst::Or),
        HirKind::Concat(parts) if has_looks => concat(parts, left, right),
        _ if has_looks => None,
        _ => {
            let mut all = Vec::new();
            if left {
                all.push(any());
            }
            all.push(json(hir)?);
            if right {
                all.push(any());
            }
            Some(RegexAst::Concat(all))
        }
    }
}

fn concat(parts: &[Hir], left: bool, right: bool) -> Option<RegexAst> {
    let is = |part: &Hir, look| matches!(part.kind(), HirKind::Look(l) if *l == look);
    let (mut left, mut right, mut parts) = (left, right, parts);
    while parts.first().is_some_and(|p| is(p, Look::Start)) {
        left = false;
        parts = &parts[1..];
    }
    while parts.last().is_some_and(|p| is(p, Look::End)) {
        right = false;
        parts = &parts[..parts.len() - 1];
    }
    let last = parts.len().saturating_sub(1);
    let mut all = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        if part.properties().look_set().is_empty() || (i != 0 && i != last) {
            all.push(whole(part, left && i == 0, right && i == last)?);
            continue;
        }
        // An anchor inside a group at one end. It may not look at the other end.
        let looks = part.properties().look_set();
        let wrong =
            (i != 0 && looks.contains(Look::Start)) || (i != last && looks.contains(Look::End));
        if wrong
            || (!left && i == 0 && looks.contains(Look::Start))
            || (!right && looks.contains(Look::End))
        {
            return None;
        }
        all.push(whole(part, left && i == 0, right && i == last)?);
    }
    if parts.is_empty() && (left || right) {
        all.push(any());
    }
    Some(RegexAst::Concat(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::derivre::RegexBuilder;

    fn matches(pattern: &str, text: &str) -> bool {
        let mut builder = RegexBuilder::new();
        let expr = builder.mk(&search(pattern).unwrap()).unwrap();
        builder
            .into_regex(expr)
            .is_match(&super::super::escape::escaped(text))
    }

    #[test]
    fn ecmascript_is_understood() {
        for (pattern, yes, no) in [
            ("a+", "xaay", "xy"),
            ("^a|b$", "ax", "xa"),
            ("^(a|b)$", "b", "bb"),
            ("(^a$|^b$)", "b", "ab"),
            ("^$", "", "a"),
            ("^", "x", "\u{0}never"),
            (r"^\d\w\s$", "1_\u{feff}", "\u{661}_ "),
            (r"^[\w-]+$", "a-b", "a+b"),
            (r"^[a\-z]$", "-", "b"),
            (r"^[^\d]$", "a", "1"),
            (r"^\S$", "x", "\u{a0}"),
            ("^.$", "x", "\u{2028}"),
            (r"^\cC\x41é\u{1F600}\uD83D\uDE00$", "\u{3}Aé😀😀", "C"),
            (r"^\/\-\.$", "/-.", "/-x"),
            ("^a{2}{$", "aa{", "aa"),
            ("^[[a&&b]$", "&", "x"),
            ("^(?!foo)[a-z]+$", "fox", "foot"),
            ("^(?=.*a)(?!.*b)x", "xa", "xab"),
            ("^[^]$", "\n", ""),
            (r"^\p{Letter}+$", "é", "1"),
            ("^(a$|b)", "bx", "ax"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "^" || !matches(pattern, no), "{pattern} {no}");
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for pattern in [
            r"\bword", r"(a)\1", "a(?=b)", "(?<=a)b", "a^b", "(^a)*b", "[a", "(", r"\", r"\ud800",
            "(?i)a", "b(^a|c)",
        ] {
            assert!(search(pattern).is_err(), "{pattern}");
        }
        assert!(search(&"(".repeat(4000)).is_err());
        assert!(search(&"a?".repeat(20_000)).is_err());
    }
}
