//! Regular expressions of digits between bounds.

use llguidance::derivre::RegexAst;

use super::decimal::Decimal;

const DIGITS: &str = "[0-9]*";
/// Digits of an integer without a bound, as in llama.cpp's grammars. A model that repeats a digit
/// would not end a longer one.
const MOST_DIGITS: usize = 16;

/// Integers from `low`, which is not negative, to `high`.
pub fn range(low: i128, high: Option<i128>) -> Option<String> {
    let Some(high) = high else {
        let digits = low.to_string().len();
        let nines = 10i128.pow(digits as u32) - 1;
        return Some(format!(
            "{}|[1-9][0-9]{{{digits},{}}}",
            range(low, Some(nines))?,
            digits.max(MOST_DIGITS - 1)
        ));
    };
    if low > high {
        return None;
    }
    let mut all = Vec::new();
    let mut from = low;
    // Numbers of one length at a time, without leading zeros.
    while from <= high {
        let digits = from.to_string().len();
        let to = (10i128.pow(digits as u32) - 1).min(high);
        same_length(&from.to_string(), &to.to_string(), "", &mut all);
        from = to + 1;
    }
    Some(all.join("|"))
}

/// Digit strings from `low` to `high`, which have one length, behind `prefix`.
fn same_length(low: &str, high: &str, prefix: &str, all: &mut Vec<String>) {
    let is = |text: &str, digit: u8| text.bytes().all(|b| b == digit);
    let length = low.len();
    if is(low, b'0') && is(high, b'9') {
        all.push(format!("{prefix}[0-9]{{{length}}}"));
        return;
    }
    let (l, h) = (low.as_bytes()[0], high.as_bytes()[0]);
    if length == 1 {
        all.push(format!("{prefix}[{}-{}]", l as char, h as char));
        return;
    }
    let behind = |digit: u8| format!("{prefix}{}", digit as char);
    let (low_rest, high_rest) = (&low[1..], &high[1..]);
    if l == h {
        return same_length(low_rest, high_rest, &behind(l), all);
    }
    let (mut first, mut last) = (l, h);
    if !is(low_rest, b'0') {
        same_length(low_rest, &"9".repeat(length - 1), &behind(l), all);
        first += 1;
    }
    if !is(high_rest, b'9') {
        same_length(&"0".repeat(length - 1), high_rest, &behind(h), all);
        last -= 1;
    }
    if first <= last {
        let (first, last) = (first as char, last as char);
        all.push(format!("{prefix}[{first}-{last}][0-9]{{{}}}", length - 1));
    }
}

/// Numbers with a point from `low`, which is not negative, to `high`.
pub fn fractions(low: (Decimal, bool), high: Option<(Decimal, bool)>) -> Vec<RegexAst> {
    let whole = low.0.floor();
    let above = format!(r"{whole}\.{}", at_least(&low.0.fraction(), low.1, true));
    let Some(high) = high else {
        let mut all = vec![RegexAst::Regex(above)];
        if let Some(more) = range(whole + 1, None) {
            all.push(RegexAst::Regex(format!(r"(?:{more})\.[0-9]+")));
        }
        return all;
    };
    let last = high.0.floor();
    let below = at_most(&high.0.fraction(), high.1).map(|f| format!(r"{last}\.{f}"));
    if whole == last {
        let both = below.map(|b| RegexAst::And(vec![RegexAst::Regex(above), RegexAst::Regex(b)]));
        return both.into_iter().collect();
    }
    let mut all = vec![RegexAst::Regex(above)];
    if let Some(more) = range(whole + 1, Some(last - 1)) {
        all.push(RegexAst::Regex(format!(r"(?:{more})\.[0-9]+")));
    }
    all.extend(below.map(RegexAst::Regex));
    all
}

/// Digits behind the point that are at least `bound`.
fn at_least(bound: &str, open: bool, first: bool) -> String {
    let bound = bound.trim_end_matches('0');
    let Some(digit) = bound.bytes().next() else {
        return match (open, first) {
            (true, _) => format!("{DIGITS}[1-9]{DIGITS}"),
            (false, true) => "[0-9]+".into(),
            (false, false) => DIGITS.into(),
        };
    };
    let same = format!("{}{}", digit as char, at_least(&bound[1..], open, false));
    match digit {
        b'9' => same,
        _ => format!("(?:{same}|[{}-9]{DIGITS})", (digit + 1) as char),
    }
}

/// Digits behind the point that are at most `bound`. None: there are none.
fn at_most(bound: &str, open: bool) -> Option<String> {
    let bound = bound.trim_end_matches('0');
    let Some(digit) = bound.bytes().next() else {
        return (!open).then(|| "0+".into());
    };
    let rest = bound[1..].trim_end_matches('0');
    let digit = digit as char;
    // The same first digit, then nothing or a smaller remainder.
    let same = match at_most(rest, open) {
        Some(more) => format!("{digit}(?:{more})?"),
        None => String::new(),
    };
    let mut all = Vec::new();
    if !same.is_empty() {
        all.push(same);
    }
    if digit > '0' {
        all.push(format!("[0-{}]{DIGITS}", (digit as u8 - 1) as char));
    }
    (!all.is_empty()).then(|| format!("(?:{})", all.join("|")))
}
