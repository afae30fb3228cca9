//! Regular expressions of the numbers that meet a rule.

use llguidance::derivre::RegexAst;

use super::case::{NumberRule, FRACTION, INTEGER};
use super::decimal::Decimal;
use super::digits::{fractions, range};
use super::limits::{MAX_DIVISOR, MAX_MULTIPLES};

/// Bounds of integers; None is unbounded.
type Range = (Option<i128>, Option<i128>);

impl NumberRule {
    fn integers(&self) -> Range {
        let low = self
            .min
            .map(|(bound, open)| bound.ceil() + i128::from(open && bound.is_integer()));
        let high = self
            .max
            .map(|(bound, open)| bound.floor() - i128::from(open && bound.is_integer()));
        (low, high)
    }

    fn is_empty_range(&self) -> bool {
        match (self.min, self.max) {
            (Some((low, a)), Some((high, b))) => low > high || (low == high && (a || b)),
            _ => false,
        }
    }

    pub fn accepts(&self, value: &Decimal) -> bool {
        self.min
            .is_none_or(|(b, open)| *value > b || (!open && *value == b))
            && self
                .max
                .is_none_or(|(b, open)| *value < b || (!open && *value == b))
            && self.multiple.is_none_or(|m| value.is_multiple_of(&m))
            && !self.not_equal.contains(value)
    }

    /// True if a quick search finds a number that can be written.
    pub fn has_witness(&self, types: u8) -> bool {
        let bounds = self.min.iter().chain(&self.max).map(|bound| bound.0);
        let near =
            bounds.flat_map(|b| [b, Decimal::integer(b.floor()), Decimal::integer(b.ceil())]);
        let near = near.chain([Decimal::ZERO]);
        let step = self.multiple.unwrap_or(Decimal::integer(1));
        let half = [step, Decimal { coef: 5, scale: 1 }];
        let found = near.flat_map(|from| {
            let shifted = half.into_iter().filter_map(move |step| {
                let whole = from.quotient(&step);
                step.times(whole).zip(step.times(whole + 1))
            });
            shifted.flat_map(|(a, b)| [a, b]).chain([from])
        });
        found.into_iter().any(|value| {
            let kind = if value.is_integer() {
                INTEGER
            } else {
                FRACTION
            };
            types & kind != 0 && self.accepts(&value) && value.text().len() <= 16
        })
    }

    /// Returns the types, of INTEGER and FRACTION, that may have numbers. Only simple
    /// contradictions are detected.
    pub fn possible(&self) -> u8 {
        let mut types = INTEGER | FRACTION;
        if self.is_empty_range() {
            return 0;
        }
        if matches!(self.integers(), (Some(low), Some(high)) if low > high) {
            types &= !INTEGER;
        }
        if self.min.is_some() && self.min.map(|b| b.0) == self.max.map(|b| b.0) {
            let integer = self.min.is_some_and(|b| b.0.is_integer());
            types &= if integer { INTEGER } else { FRACTION };
        }
        if self.multiple.is_some_and(|m| m.is_integer()) {
            types &= INTEGER;
        }
        if let Some(multiples) = self.multiples(types) {
            let any = |integer: bool| multiples.iter().any(|m| m.is_integer() == integer);
            types &= if any(true) { INTEGER } else { 0 } | if any(false) { FRACTION } else { 0 };
        }
        types
    }

    /// Returns all numbers of the rule. None: there are too many multiples between the bounds.
    fn multiples(&self, types: u8) -> Option<Vec<Decimal>> {
        let multiple = match self.multiple {
            Some(multiple) => multiple,
            None if types & FRACTION == 0 => Decimal::integer(1),
            None => return None,
        };
        let (low, high) = (self.min?.0, self.max?.0);
        let (first, last) = (low.quotient(&multiple), high.quotient(&multiple));
        if last - first > MAX_MULTIPLES {
            return None;
        }
        let all: Option<Vec<_>> = (first..=last).map(|k| multiple.times(k)).collect();
        Some(all?.into_iter().filter(|m| self.accepts(m)).collect())
    }

    /// Returns the numbers of the rule that have one of `types`. May match nothing.
    pub fn regex(&self, types: u8) -> Result<RegexAst, String> {
        let types = types & self.possible();
        if let Some(multiples) = self.multiples(types) {
            let of_type =
                |m: &&Decimal| types & if m.is_integer() { INTEGER } else { FRACTION } != 0;
            let texts = multiples
                .iter()
                .filter(of_type)
                .map(|m| RegexAst::Literal(m.text()));
            return Ok(RegexAst::Or(texts.collect()));
        }
        if types == INTEGER | FRACTION && self.is_free() {
            let any = r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,16})?(?:[eE][+-]?[0-9]{1,2})?";
            return Ok(RegexAst::Regex(any.into()));
        }
        let mut all = Vec::new();
        if types & INTEGER != 0 {
            all.push(self.integer_regex()?);
        }
        if types & FRACTION != 0 {
            all.push(self.fraction_regex(types & INTEGER == 0)?);
        }
        let mut ast = RegexAst::Or(all);
        if !self.not_equal.is_empty() {
            let spelled = self.not_equal.iter().map(|value| {
                let zeros = if value.is_integer() {
                    r"(?:\.0*)?"
                } else {
                    "0*"
                };
                RegexAst::Regex(value.text().replace('.', r"\.") + zeros)
            });
            let not = RegexAst::Not(Box::new(RegexAst::Or(spelled.collect())));
            ast = RegexAst::And(vec![ast, not]);
        }
        Ok(ast)
    }

    fn integer_regex(&self) -> Result<RegexAst, String> {
        let divisor = self.multiple.map_or(1, |m| m.integer_divisor());
        check_divisor(divisor)?;
        let (low, high) = self.integers();
        let divisible = |range: Option<String>| {
            let ast = RegexAst::Regex(range?);
            Some(match divisor {
                1 => ast,
                _ => RegexAst::And(vec![ast, RegexAst::MultipleOf(divisor as u32, 0)]),
            })
        };
        let mut all = Vec::new();
        if low.is_none_or(|low| low < 0) {
            let negative = (high.map_or(1, |h| (-h).max(1)), low.map(|l| -l));
            all.extend(divisible(range(negative.0, negative.1)).map(minus));
        }
        all.extend(divisible(range(low.unwrap_or(0).max(0), high)));
        Ok(RegexAst::Or(all))
    }

    /// Numbers with a fraction of up to 15 digits in all, which are distinct as doubles too.
    /// `proper`: the fraction is not zero.
    fn fraction_regex(&self, proper: bool) -> Result<RegexAst, String> {
        let mut common = vec![RegexAst::Regex("[0-9.]{3,16}".into())];
        if proper {
            common.push(RegexAst::Regex(r"[0-9]+\.[0-9]*[1-9][0-9]*".into()));
        }
        if let Some(multiple) = self.multiple {
            check_divisor(multiple.coef)?;
            if multiple.scale > 6 {
                return Err("a 'multipleOf' of more than 6 decimals is not supported".into());
            }
            common.push(RegexAst::MultipleOf(multiple.coef as u32, multiple.scale));
        }
        let meet = |ranges: Vec<RegexAst>| {
            let mut all = common.clone();
            all.push(RegexAst::Or(ranges));
            RegexAst::And(all)
        };
        let zero = (Decimal::ZERO, true);
        let mut all = Vec::new();
        if self.min.is_none_or(|(bound, _)| bound < Decimal::ZERO) {
            let flip = |(bound, open): (Decimal, bool)| (bound.negated(), open);
            let low = self.max.map(flip).filter(|b| b.0 > Decimal::ZERO);
            let ranges = fractions(low.unwrap_or(zero), self.min.map(flip));
            all.push(minus(meet(ranges)));
        }
        if self.max.is_none_or(|(bound, _)| bound >= Decimal::ZERO) {
            let low = self.min.filter(|(bound, _)| *bound >= Decimal::ZERO);
            all.push(meet(fractions(
                low.unwrap_or((Decimal::ZERO, false)),
                self.max,
            )));
        }
        Ok(RegexAst::Or(all))
    }
}

fn check_divisor(divisor: i128) -> Result<(), String> {
    if divisor > MAX_DIVISOR {
        return Err(format!(
            "'multipleOf' needs {divisor} states; at most {MAX_DIVISOR} are accepted, or at most \
             {MAX_MULTIPLES} multiples between 'minimum' and 'maximum'"
        ));
    }
    Ok(())
}

fn minus(ast: RegexAst) -> RegexAst {
    RegexAst::Concat(vec![RegexAst::Literal("-".into()), ast])
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::derivre::RegexBuilder;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn expressions_agree_with_the_rule() {
        let bounds = [
            "-120", "-10.5", "-1", "-0.25", "0", "0.05", "0.3", "1", "2.25", "10", "99", "100.01",
        ];
        let multiples = [None, Some("3"), Some("0.5"), Some("0.15")];
        let mut values: Vec<String> = (-130..=130).map(|n| n.to_string()).collect();
        values.extend(
            (-4200..=4200)
                .step_by(5)
                .map(|n| format!("{:.3}", f64::from(n) / 40.0)),
        );
        let mut seed = 7u32;
        let mut random = |n: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % n
        };
        for _ in 0..300 {
            let mut bound = || match random(bounds.len() + 2) {
                i if i < bounds.len() => Some((d(bounds[i]), random(2) == 0)),
                _ => None,
            };
            let rule = NumberRule {
                min: bound(),
                max: bound(),
                multiple: multiples[random(4)].map(d),
                not_equal: vec![d(bounds[random(bounds.len())])],
            };
            let types = [INTEGER, FRACTION, INTEGER | FRACTION][random(3)];
            let mut builder = RegexBuilder::new();
            let expr = builder.mk(&rule.regex(types).unwrap()).unwrap();
            let mut regex = builder.into_regex(expr);
            for text in &values {
                let value = d(text);
                let kind = if value.is_integer() {
                    INTEGER
                } else {
                    FRACTION
                };
                let valid = rule.accepts(&value) && types & kind != 0;
                let written = regex.is_match(text);
                assert!(valid || !written, "{rule:?} {types} {text}");
                let plain = value.text() == *text;
                assert!(!valid || written || !plain, "{rule:?} {types} {text}");
            }
        }
    }

    #[test]
    fn large_integers_are_exact() {
        let rule = NumberRule {
            min: Some((d("9007199254740993"), false)),
            max: Some((d("18446744073709551617"), true)),
            ..NumberRule::default()
        };
        let mut builder = RegexBuilder::new();
        let expr = builder.mk(&rule.regex(INTEGER).unwrap()).unwrap();
        let mut regex = builder.into_regex(expr);
        for (text, valid) in [
            ("9007199254740992", false),
            ("9007199254740993", true),
            ("18446744073709551616", true),
            ("18446744073709551617", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(regex.is_match(text), valid, "{text}");
        }
    }

    #[test]
    fn large_divisors_are_refused_or_few() {
        let mut rule = NumberRule {
            multiple: Some(d("62615533")),
            ..NumberRule::default()
        };
        assert!(rule.regex(INTEGER).unwrap_err().contains("1000"));
        rule.min = Some((d("0"), true));
        rule.max = Some((d("200000000"), false));
        assert!(matches!(rule.regex(INTEGER), Ok(RegexAst::Or(all)) if all.len() == 3));
    }
}
