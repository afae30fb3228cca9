//! ECMAScript regular expressions, which JSON Schema's patterns are, for derivre.

use llguidance::derivre::RegexAst;
use regex_syntax::hir::{Hir, HirKind, Look};
use regex_syntax::ParserBuilder;

const MAX_PATTERN: usize = 8 << 10;
/// `?`, `*`, `+` and `{` in a pattern.
const MAX_REPETITIONS: usize = 300;
/// Nested groups of an expression. Bounds recursion.
const MAX_NESTING: u32 = 50;
const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";
const ANY: &str = "(?s:.*)";

/// The set of all strings in which `pattern` matches somewhere.
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
    all.push(RegexAst::Regex(ANY.into()));
    Ok(RegexAst::And(all))
}

fn plain_search(pattern: &str) -> Result<RegexAst, String> {
    let translated = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        out: String::new(),
    }
    .run()?;
    let hir = ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(&translated)
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

/// The lookaheads behind a leading `^`, and what follows them.
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

/// The strings that `hir` matches, with anything before it (`left`) and behind it (`right`) unless
/// an anchor at that end forbids it. None where an anchor stands elsewhere. Recursion is bounded by
/// MAX_NESTING.
fn whole(hir: &Hir, left: bool, right: bool) -> Option<RegexAst> {
    let has_looks = !hir.properties().look_set().is_empty();
    let any = || RegexAst::Regex(ANY.into());
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
            all.push(RegexAst::Regex(hir.to_string()));
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
        all.push(RegexAst::Regex(ANY.into()));
    }
    Some(RegexAst::Concat(all))
}

/// Rewrites ECMAScript's syntax into that of the regex-syntax crate.
struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Translator {
    fn run(mut self) -> Result<String, String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' => self.out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
                '(' => self.group()?,
                '{' => self.brace(),
                '}' | ']' => self.push(c),
                _ if c.is_ascii() => self.out.push(c),
                _ => self.push(c),
            }
        }
        Ok(self.out)
    }

    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.chars.get(self.at - 1).copied()
    }

    fn peek(&self) -> char {
        self.chars.get(self.at).copied().unwrap_or('\0')
    }

    fn push(&mut self, c: char) {
        self.out.push_str(&format!(r"\u{{{:X}}}", c as u32));
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.peek() != '?' {
            return Ok(());
        }
        match self.chars.get(self.at + 1) {
            Some(':') => Ok(()),
            Some('<') if !matches!(self.chars.get(self.at + 2), Some('=' | '!')) => Ok(()),
            Some('=' | '!' | '<') => {
                Err("lookaheads other than behind a leading '^', and lookbehinds, are not supported in a pattern".into())
            }
            _ => Err("a pattern with flags in a group is not supported".into()),
        }
    }

    /// `{` is a repetition where it reads as one, and stands for itself elsewhere.
    fn brace(&mut self) {
        let rest = &self.chars[self.at..];
        let inner: String = rest.iter().take_while(|c| **c != '}').take(30).collect();
        let (low, high) = inner.split_once(',').unwrap_or((inner.as_str(), ""));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if rest.contains(&'}') && !low.is_empty() && digits(low) && digits(high) {
            self.out.push('{');
            self.out.push_str(&inner);
            self.out.push('}');
            self.at += inner.len() + 1;
        } else {
            self.push('{');
        }
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.peek() == '^' {
            self.at += 1;
            self.out.push('^');
        }
        if self.peek() == ']' {
            self.at += 1;
            let negated = self.out.ends_with('^');
            self.out
                .truncate(self.out.len() - if negated { 2 } else { 1 });
            self.out
                .push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
            return Ok(());
        }
        while let Some(c) = self.next() {
            match c {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '-' => self.hyphen(),
                _ => self.push(c),
            }
        }
        Err("a character class in a pattern has no end".into())
    }

    /// A hyphen in a class is a range only between two single characters.
    fn hyphen(&mut self) {
        let before = self.chars[..self.at - 1].iter().rev().collect::<String>();
        let is_set = |c: char| matches!(c, 'd' | 'D' | 'w' | 'W' | 's' | 'S');
        let mut previous = before.chars();
        let behind_set = previous.next().is_some_and(is_set) && previous.next() == Some('\\');
        let next_set =
            self.peek() == '\\' && self.chars.get(self.at + 1).copied().is_some_and(is_set);
        let first = self.out.ends_with('[') || self.out.ends_with("[^");
        if first || behind_set || next_set || self.peek() == ']' {
            self.push('-');
        } else {
            self.out.push('-');
        }
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let c = self.next().ok_or("a pattern ends in a backslash")?;
        let set = |this: &mut Self, set: &str, negated: bool| {
            let caret = if negated { "^" } else { "" };
            if in_class && !negated {
                this.out.push_str(set);
            } else {
                this.out.push_str(&format!("[{caret}{set}]"));
            }
        };
        match c {
            'd' | 'D' => set(self, "0-9", c == 'D'),
            'w' | 'W' => set(self, "A-Za-z0-9_", c == 'W'),
            's' | 'S' => set(self, SPACE, c == 'S'),
            't' => self.push('\t'),
            'n' => self.push('\n'),
            'v' => self.push('\u{B}'),
            'f' => self.push('\u{C}'),
            'r' => self.push('\r'),
            'b' if in_class => self.push('\u{8}'),
            '0' if !self.peek().is_ascii_digit() => self.push('\0'),
            'c' if self.peek().is_ascii_alphabetic() => {
                let control = (self.peek() as u8 % 32) as char;
                self.at += 1;
                self.push(control);
            }
            'x' => {
                let code = self.hex(2).ok_or("a pattern has a malformed '\\x'")?;
                self.push(char::from(code as u8));
            }
            'u' => self.unicode()?,
            'p' | 'P' if self.peek() == '{' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' | 'B' => {
                return Err("word boundaries ('\\b') in a pattern are not supported".into())
            }
            'k' | '1'..='9' => return Err("back references in a pattern are not supported".into()),
            _ if c.is_ascii_alphanumeric() => {
                return Err(format!("'\\{c}' in a pattern is not supported"))
            }
            _ => self.push(c),
        }
        if matches!(c, 'p' | 'P') {
            while self.peek() != '\0' {
                let next = self.next().unwrap_or('}');
                self.out.push(next);
                if next == '}' {
                    break;
                }
            }
        }
        Ok(())
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.chars.get(self.at..self.at + digits)?.iter().collect();
        let code = u32::from_str_radix(&text, 16).ok()?;
        self.at += digits;
        Some(code)
    }

    fn unicode(&mut self) -> Result<(), String> {
        const BAD: &str = "a pattern has a malformed '\\u'";
        let code = if self.peek() == '{' {
            let rest = &self.chars[self.at + 1..];
            let text: String = rest.iter().take_while(|c| **c != '}').take(9).collect();
            self.at += text.len() + 2;
            u32::from_str_radix(&text, 16).map_err(|_| BAD)?
        } else {
            let high = self.hex(4).ok_or(BAD)?;
            let is_pair = (0xD800..0xDC00).contains(&high) && self.peek() == '\\';
            if is_pair && self.chars.get(self.at + 1) == Some(&'u') {
                self.at += 2;
                let low = self.hex(4).ok_or(BAD)?;
                0x10000 + ((high - 0xD800) << 10) + low.wrapping_sub(0xDC00)
            } else {
                high
            }
        };
        self.push(char::from_u32(code).ok_or(BAD)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::derivre::RegexBuilder;

    fn matches(pattern: &str, text: &str) -> bool {
        let mut builder = RegexBuilder::new();
        let expr = builder.mk(&search(pattern).unwrap()).unwrap();
        builder.into_regex(expr).is_match(text)
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
