//! A JSON number: its text, never a float.

use crate::time::NumericDate;

/// A checked JSON number. It stays text, so that nothing is rounded behind the caller's back.
#[derive(Debug, Clone, Copy)]
pub struct Number<'a> {
    // INVARIANT: the reader has checked the grammar of RFC 8259 §6.
    raw: &'a str,
}

impl<'a> Number<'a> {
    pub(super) const fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The text as it stands in the input.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// The integer, if it is written as one and fits.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        self.raw.parse().ok()
    }

    /// The moment that the number names as a `NumericDate` (RFC 7519 §2): not negative, whole seconds
    /// within `i64`, a fraction or an exponent allowed and read exactly.
    #[must_use]
    pub fn numeric_date(self) -> Option<NumericDate> {
        if self.raw.starts_with('-') {
            return None;
        }
        if self.raw.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(NumericDate::new(self.raw.parse().ok()?, false));
        }
        let (mantissa, exponent) = self.raw.split_once(['e', 'E']).unwrap_or((self.raw, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut point = i64::try_from(whole.len()).ok()?.saturating_add(exponent_of(exponent));
        let mut seconds = 0_i64;
        let mut has_fraction = false;
        for digit in whole.bytes().chain(fraction.bytes()).map(|byte| byte.wrapping_sub(b'0')) {
            if point > 0 {
                seconds = seconds.checked_mul(10)?.checked_add(i64::from(digit))?;
                point = point.saturating_sub(1);
            } else {
                has_fraction |= digit != 0;
            }
        }
        // The digits have run out before the decimal point: the zeros that the exponent stands for.
        while point > 0 && seconds != 0 {
            seconds = seconds.checked_mul(10)?;
            point = point.saturating_sub(1);
        }
        Some(NumericDate::new(seconds, has_fraction))
    }
}

/// The exponent, saturated: where it is out of range, so is the moment.
fn exponent_of(text: &str) -> i64 {
    let digits = text.trim_start_matches(['+', '-']);
    let magnitude = digits.bytes().fold(0_i64, |value, byte| {
        value.saturating_mul(10).saturating_add(i64::from(byte.wrapping_sub(b'0')))
    });
    if text.starts_with('-') { magnitude.saturating_neg() } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_date_is_read_exactly() {
        let cases = [
            ("0", Some((0, false))),
            ("1700000000", Some((1_700_000_000, false))),
            ("1.7e9", Some((1_700_000_000, false))),
            ("17E8", Some((1_700_000_000, false))),
            ("1700000000.0", Some((1_700_000_000, false))),
            ("1700000000.000000000000000000001", Some((1_700_000_000, true))),
            ("1e-1", Some((0, true))),
            ("12e-1", Some((1, true))),
            ("0e999999999999999999999", Some((0, false))),
            ("1e-999999999999999999999", Some((0, true))),
            ("9223372036854775807", Some((i64::MAX, false))),
            ("9223372036854775808", None),
            ("1e19", None),
            ("1e999999999999999999999", None),
            ("-1", None),
            ("-0", None),
        ];
        for (raw, expected) in cases {
            let date = expected.map(|(seconds, fraction)| NumericDate::new(seconds, fraction));
            assert_eq!(Number::new(raw).numeric_date(), date, "{raw}");
        }
    }
}
