//! Exact decimal numbers.

use std::cmp::Ordering;

const MAX_INTEGER_DIGITS: i64 = 20;
const MAX_SCALE: i64 = 17;

/// coef * 10^-scale, with the smallest scale that is not negative. Two values can always be brought
/// to one scale: 20 + 17 digits fit into an i128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    pub coef: i128,
    pub scale: u32,
}

fn power(exponent: u32) -> i128 {
    10i128.pow(exponent)
}

pub fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Decimal {
    pub const ZERO: Decimal = Decimal { coef: 0, scale: 0 };

    pub fn integer(value: i128) -> Self {
        Decimal {
            coef: value,
            scale: 0,
        }
    }

    /// Parses a JSON number. None: it has too many digits for an exact value.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent),
            None => (text, "0"),
        };
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.trim_start_matches('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let trimmed = digits.trim_start_matches('0').trim_end_matches('0');
        if trimmed.is_empty() {
            return Some(Self::ZERO);
        }
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        // An exponent that does not fit an i64 is far out of range.
        let exponent: i64 = exponent.parse().ok()?;
        let scale = (fraction.len() as i64 - zeros as i64).checked_sub(exponent)?;
        let whole_digits = (trimmed.len() as i64).checked_sub(scale)?;
        if scale > MAX_SCALE || whole_digits > MAX_INTEGER_DIGITS || trimmed.len() > 37 {
            return None;
        }
        let mut coef: i128 = trimmed.parse().ok()?;
        if scale < 0 {
            coef *= power((-scale) as u32);
        }
        Some(Self {
            coef: if negative { -coef } else { coef },
            scale: scale.max(0) as u32,
        })
    }

    pub fn is_integer(&self) -> bool {
        self.scale == 0
    }

    pub fn negated(self) -> Self {
        Self {
            coef: -self.coef,
            ..self
        }
    }

    fn at_scale(&self, scale: u32) -> i128 {
        self.coef * power(scale - self.scale)
    }

    pub fn floor(&self) -> i128 {
        self.coef.div_euclid(power(self.scale))
    }

    pub fn ceil(&self) -> i128 {
        -self.negated().floor()
    }

    /// Returns the digits after the point of a value that is not negative.
    pub fn fraction(&self) -> String {
        if self.scale == 0 {
            return String::new();
        }
        let part = self.coef.rem_euclid(power(self.scale));
        format!("{part:0width$}", width = self.scale as usize)
    }

    pub fn is_multiple_of(&self, divisor: &Decimal) -> bool {
        let scale = self.scale.max(divisor.scale);
        self.at_scale(scale) % divisor.at_scale(scale) == 0
    }

    /// Returns the least common multiple of two positive values. None: it has too many digits.
    pub fn lcm(&self, other: &Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.at_scale(scale), other.at_scale(scale));
        let coef = (a / gcd(a, b)).checked_mul(b)?;
        Self::parse(&format!("{coef}e-{scale}"))
    }

    /// Returns the largest integer that divides every integer that is a multiple of `self`.
    pub fn integer_divisor(&self) -> i128 {
        self.coef / gcd(self.coef, power(self.scale))
    }

    pub fn times(&self, factor: i128) -> Option<Decimal> {
        let coef = self.coef.checked_mul(factor)?;
        Self::parse(&format!("{coef}e-{}", self.scale))
    }

    /// floor(self / divisor) for a positive divisor.
    pub fn quotient(&self, divisor: &Decimal) -> i128 {
        let scale = self.scale.max(divisor.scale);
        self.at_scale(scale).div_euclid(divisor.at_scale(scale))
    }

    pub fn text(&self) -> String {
        if self.scale == 0 {
            return self.coef.to_string();
        }
        let sign = if self.coef < 0 { "-" } else { "" };
        let positive = Self {
            coef: self.coef.abs(),
            ..*self
        };
        format!("{sign}{}.{}", positive.floor(), positive.fraction())
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn values_are_exact() {
        assert_eq!(d("1.0"), d("1"));
        assert_eq!(d("100e-2"), d("1"));
        assert_eq!(d("-0.0"), Decimal::ZERO);
        assert_eq!(d("1e3").text(), "1000");
        assert_eq!(d("-0.25").text(), "-0.25");
        assert!(d("9007199254740993") > d("9007199254740992"));
        assert!(d("0.1") < d("0.10000000000000001"));
        assert_eq!((d("-1.5").floor(), d("-1.5").ceil()), (-2, -1));
        assert_eq!(d("1.05").fraction(), "05");
        assert!(Decimal::parse("1e300").is_none());
        assert!(Decimal::parse("1e99999999999999999999").is_none());
        assert!(Decimal::parse("1e-9223372036854775808").is_none());
    }

    #[test]
    fn multiples() {
        assert!(d("0.0075").is_multiple_of(&d("0.0001")));
        assert!(!d("0.00751").is_multiple_of(&d("0.0001")));
        assert_eq!(d("0.6").lcm(&d("0.4")).unwrap(), d("1.2"));
        assert_eq!(d("2.5").integer_divisor(), 5);
        assert_eq!(d("7").quotient(&d("2")), 3);
        assert_eq!(d("-7").quotient(&d("2")), -4);
    }
}
