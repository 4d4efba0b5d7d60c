//! Exact decimal numbers of AWS IoT SQL: 34 digits, magnitudes from 1E-999 to 9.99E999.
//!
//! In SQL version 2016-03-23 every integral number is an Int, also one written as `10.0`.

use std::cmp::Ordering;

use bigdecimal::{BigDecimal, FromPrimitive, RoundingMode, Signed, ToPrimitive, Zero};

const MAX_DIGITS: u64 = 34;
const MAX_EXPONENT: i64 = 999;
/// Longer numbers are not parsed, because parsing takes quadratic time.
const MAX_NUMBER_BYTES: usize = 2_048;

/// An Int or a Decimal.
#[derive(Clone, Debug, PartialEq, PartialOrd, Eq, Ord)]
pub struct Number(BigDecimal);

impl Number {
    /// Parses a number of JSON or SQL; `None` if it is out of range.
    pub fn parse(text: &str) -> Option<Self> {
        Self::in_range(text.get(..MAX_NUMBER_BYTES).map_or(text, |_| "").parse().ok()?)
    }

    /// Converts text that matches `-?\d+(\.\d+)?(E-?\d+)?` to a number.
    pub fn from_text(text: &str) -> Option<Self> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let unsigned = |part: &'_ str| digits(part.strip_prefix('-').unwrap_or(part));
        (unsigned(whole) && digits(fraction) && unsigned(exponent)).then(|| Self::parse(text)).flatten()
    }

    pub fn from_f64(n: f64) -> Option<Self> {
        n.is_finite().then(|| Self::parse(&format!("{n:e}"))).flatten()
    }

    fn in_range(n: BigDecimal) -> Option<Self> {
        if n.is_zero() {
            return Some(Self(BigDecimal::zero()));
        }
        // Without rounding, sums of numbers with distant magnitudes would have huge numbers of digits.
        (n.order_of_magnitude().abs() <= MAX_EXPONENT)
            .then(|| Self(if n.digits() > MAX_DIGITS { n.with_prec(MAX_DIGITS) } else { n }))
    }

    pub fn is_int(&self) -> bool {
        self.0.is_integer()
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    pub fn compare(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }

    pub fn plus(&self, other: &Self) -> Option<Self> {
        Self::in_range(&self.0 + &other.0)
    }

    pub fn minus(&self, other: &Self) -> Option<Self> {
        Self::in_range(&self.0 - &other.0)
    }

    pub fn times(&self, other: &Self) -> Option<Self> {
        Self::in_range(&self.0 * &other.0)
    }

    /// The quotient; of two Ints, truncated to an Int. `None` for a division by zero.
    pub fn divided_by(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let quotient = &self.0 / &other.0;
        let both_ints = self.is_int() && other.is_int();
        Self::in_range(if both_ints { quotient.with_scale_round(0, RoundingMode::Down) } else { quotient })
    }

    pub fn remainder(&self, other: &Self) -> Option<Self> {
        if other.is_zero() { None } else { Self::in_range(&self.0 % &other.0) }
    }

    pub fn negative(&self) -> Self {
        Self(-&self.0)
    }

    pub fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    pub fn sign(&self) -> Self {
        Self(self.0.signum())
    }

    pub fn floor(&self) -> Self {
        self.rounded(0, RoundingMode::Floor)
    }

    pub fn ceil(&self) -> Self {
        self.rounded(0, RoundingMode::Ceiling)
    }

    /// Rounds to the nearest Int, halves away from zero.
    pub fn round(&self) -> Self {
        self.rounded(0, RoundingMode::HalfUp)
    }

    /// Truncates to a number of decimals.
    pub fn truncated(&self, decimals: i64) -> Self {
        self.rounded(decimals, RoundingMode::Down)
    }

    fn rounded(&self, decimals: i64, mode: RoundingMode) -> Self {
        if self.0.fractional_digit_count() <= decimals {
            return self.clone();
        }
        Self(self.0.with_scale_round(decimals, mode))
    }

    /// Rounds down, and limits to the range of `i64`.
    pub fn to_i64(&self) -> i64 {
        let edge = if self.0.is_negative() { i64::MIN } else { i64::MAX };
        self.floor().0.to_i64().unwrap_or(edge)
    }

    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Self(BigDecimal::from_i64(n).unwrap_or_default())
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n = self.0.normalized();
        // Plain notation for Ints of at most 34 digits, as in AWS IoT.
        match n.order_of_magnitude() {
            -7..34 => f.write_str(&n.to_plain_string()),
            _ => f.write_str(&n.to_scientific_notation()),
        }
    }
}
