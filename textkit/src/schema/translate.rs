//! Rewrites the syntax of ECMAScript's regular expressions into that of the regex-syntax crate.

const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

pub fn translated(pattern: &str) -> Result<String, String> {
    let translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        out: String::new(),
    };
    translator.run()
}

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

    /// `{` begins a repetition if a valid one follows. Otherwise it is a literal.
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
