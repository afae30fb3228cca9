//! Checks the limits of Lark grammars and regular expressions on their text, before they are
//! compiled. Rewrites the compiler's error messages in plain words.

/// Largest size of a Lark grammar in bytes.
pub const MAX_LARK: usize = 128 << 10;
/// Largest size of a regular expression in bytes.
pub const MAX_REGEX: usize = 64 << 10;
/// Largest number of `|` in a Lark grammar.
pub const MAX_ALTERNATIVES: usize = 5_000;
/// Largest number of rules and terminals of a Lark grammar. Bounds the recursion of the compiler,
/// which takes about 6 KiB of stack for each rule of a chain.
pub const MAX_DEFINITIONS: usize = 5_000;
/// Largest number of `?`, `*`, `+` and `{` in a grammar or an expression.
pub const MAX_REPETITIONS: usize = 2_000;

fn limit(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count > most {
        return Err(format!("{what}: {count}; at most {most} are accepted"));
    }
    Ok(())
}

pub fn check_regex(text: &str) -> Result<(), String> {
    limit("bytes of the regular expression", text.len(), MAX_REGEX)?;
    let mut repetitions = 0;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next().is_none() => {
                return Err("the regular expression ends in a backslash".into());
            }
            b'?' | b'*' | b'+' | b'{' => repetitions += 1,
            _ => {}
        }
    }
    limit(
        "repetitions in the regular expression",
        repetitions,
        MAX_REPETITIONS,
    )
}

pub fn check_lark(text: &str) -> Result<(), String> {
    limit("bytes of the grammar", text.len(), MAX_LARK)?;
    let (mut alternatives, mut definitions, mut repetitions) = (0, 0, 0);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match rest[0] {
            b'#' => comment(rest),
            b'/' if rest.starts_with(b"//") => comment(rest),
            b'"' => quoted(rest),
            b'/' => {
                let length = quoted(rest);
                let inside = &rest[..length];
                repetitions += inside.iter().filter(|b| b"?*+{".contains(b)).count();
                length
            }
            b'%' if rest.starts_with(b"%json") => {
                return Err(
                    "'%json' in a grammar is not supported: send the schema as 'json'".into(),
                );
            }
            b'%' if rest.starts_with(b"%llguidance") => {
                return Err("'%llguidance' in a grammar is not supported".into());
            }
            byte => {
                alternatives += usize::from(byte == b'|');
                definitions += usize::from(byte == b':');
                repetitions += usize::from(b"?*+{".contains(&byte));
                1
            }
        };
    }
    limit(
        "alternatives of the grammar",
        alternatives,
        MAX_ALTERNATIVES,
    )?;
    limit(
        "rules and terminals of the grammar",
        definitions,
        MAX_DEFINITIONS,
    )?;
    limit("repetitions in the grammar", repetitions, MAX_REPETITIONS)
}

fn comment(text: &[u8]) -> usize {
    text.iter().position(|b| *b == b'\n').unwrap_or(text.len())
}

/// Returns the length of a quoted string or expression. It ends at its end quote or at the end of
/// the line.
fn quoted(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != b'\n' {
        match text[at] {
            b'\\' => at += 2,
            byte if byte == text[0] => return at + 1,
            _ => at += 1,
        }
    }
    at.min(text.len())
}

/// Phrases in the compiler's messages, and their replacements.
const REASONS: [(&str, &str); 15] = [
    (
        "look-around",
        "look-around is not supported in regular expressions",
    ),
    (
        "backreferences",
        "back references are not supported in regular expressions",
    ),
    ("regex parse error", "a regular expression is malformed"),
    (
        "invalid regex",
        "a regular expression is malformed or not supported",
    ),
    ("unknown name", "a name is not defined"),
    ("circular reference", "a terminal refers to itself"),
    ("duplicate", "a name is defined twice"),
    ("lexer error", "unexpected character"),
    ("expecting", "syntax error"),
    ("xpected token", "syntax error"),
    ("too deeply nested", "groups are nested too deeply"),
    ("no start", "the rule 'start' is missing"),
    ("start rule", "the rule 'start' is missing"),
    ("too big", "it is too large"),
    ("too large", "it is too large"),
];

/// Rewrites an error message of a compiler. `places`: keep the line and column if the message has
/// them.
pub fn plain_error(what: &str, error: &str, places: bool) -> String {
    let reason = REASONS.iter().find(|(phrase, _)| error.contains(phrase));
    let reason = reason.map_or("it cannot be compiled", |(_, reason)| *reason);
    match place(error).filter(|_| places) {
        Some((line, column)) => format!("{what}: {reason} (line {line}, column {column})"),
        None => format!("{what}: {reason}"),
    }
}

/// Parses the line and column at the start of a message: `1(8): ...` or `at 1(8): ...`.
fn place(error: &str) -> Option<(usize, usize)> {
    let text = error.strip_prefix("at ").unwrap_or(error);
    let (line, rest) = text.split_once('(')?;
    let (column, _) = rest.split_once(')')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named() {
        assert!(check_regex("a?b*").is_ok());
        assert!(check_regex(&"a?".repeat(20_000))
            .unwrap_err()
            .contains("2000"));
        assert!(check_regex(&"a".repeat(15 << 20))
            .unwrap_err()
            .contains("65536"));
        assert!(check_lark("start: \"|\" | /|:/ // | : \n").is_ok());
        let many = format!("start: {}", "\"a\" | ".repeat(6_000));
        assert!(check_lark(&many).unwrap_err().contains("alternatives"));
        let text = format!("start: \"{}\"", "|".repeat(6_000));
        assert!(check_lark(&text).is_ok());
        assert!(check_lark(&"a: b\n".repeat(6_000))
            .unwrap_err()
            .contains("rules"));
        assert!(check_lark("start: %json {}").unwrap_err().contains("%json"));
        for broken in ["\"", "/", "\"\\", "/\\", "%", "//", "#", ""] {
            assert!(check_lark(broken).is_ok(), "{broken}");
        }
    }

    #[test]
    fn errors_are_plain() {
        let error = "at 1(8): unknown name: \"x\"\n   1 | start: x\n";
        let plain = plain_error("the grammar", error, true);
        assert_eq!(
            plain,
            "the grammar: a name is not defined (line 1, column 8)"
        );
        let plain = plain_error("the expression", "panicked at src/x.rs:1 backtrace", false);
        assert_eq!(plain, "the expression: it cannot be compiled");
    }
}
