//! Breached passwords, by k-anonymity: five digits of a SHA-1 go out, a list of suffixes comes back.
//!
//! The host fetches the range (such as <https://haveibeenpwned.com/API/v3#PwnedPasswords>); this module
//! says which one, and finds the password in it. SHA-1 is what such ranges are keyed by; nothing rests
//! on its strength.
//!
//! ```
//! use donjon::password::{Password, breach};
//!
//! let password = Password::new(b"password")?;
//! assert_eq!(breach::prefix(password), *b"5BAA6");
//! let range = b"1E4C9B93F3F0682250B6CF8331B7EE68FD8:52256179\r\n003D68EB55068C33ACE09247EE4C639306B:3\r\n";
//! assert_eq!(breach::count(password, range)?, 52_256_179);
//! # Ok::<(), donjon::password::PasswordError>(())
//! ```

use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use super::{Password, PasswordError};
use crate::ct;

/// The digits of a prefix.
pub const PREFIX_LEN: usize = 5;

/// The longest range response that is read, in bytes; real ones take some 40 KiB.
pub const MAX_RANGE_LEN: usize = 1024 * 1024;

const DIGITS: usize = 40;
const SUFFIX_LEN: usize = DIGITS - PREFIX_LEN;
type Suffix = [u8; SUFFIX_LEN];

/// The range that the password lies in: five upper-case hexadecimal digits.
#[must_use]
pub fn prefix(password: Password<'_>) -> [u8; PREFIX_LEN] {
    digits(password).first_chunk().copied().unwrap_or_default()
}

/// How often the password was seen in breaches, by the response for its range: lines of the remaining
/// 35 digits, a colon and a count. 0: not in it, or there as padding. Where a suffix stands twice, the
/// larger count is meant: padding must not hide a breach.
///
/// # Errors
/// - [`PasswordError::TooLarge`]: over [`MAX_RANGE_LEN`].
/// - [`PasswordError::Malformed`]: any line is something else, or there is none: an error page is not an
///   all-clear.
pub fn count(password: Password<'_>, range: &[u8]) -> Result<u64, PasswordError> {
    if range.len() > MAX_RANGE_LEN {
        return Err(PasswordError::TooLarge);
    }
    let digits = digits(password);
    let suffix = digits.get(PREFIX_LEN..).unwrap_or_default();
    let text = range.strip_suffix(b"\n").unwrap_or(range);
    let mut found = 0;
    for line in text.split(|&byte| byte == b'\n') {
        let (line_suffix, times) = read_line(line.strip_suffix(b"\r").unwrap_or(line))?;
        if ct::eq(&line_suffix, suffix) {
            found = times.max(found);
        }
    }
    Ok(found)
}

fn read_line(line: &[u8]) -> Result<(Suffix, u64), PasswordError> {
    let (suffix, rest) = line.split_first_chunk::<SUFFIX_LEN>().ok_or(PasswordError::Malformed)?;
    let count = rest.strip_prefix(b":").ok_or(PasswordError::Malformed)?;
    let is_number = !count.is_empty() && count.iter().all(u8::is_ascii_digit);
    if !is_number || !suffix.iter().all(u8::is_ascii_hexdigit) {
        return Err(PasswordError::Malformed);
    }
    let count = core::str::from_utf8(count).ok().and_then(|count| count.parse().ok());
    Ok((suffix.map(|digit| digit.to_ascii_uppercase()), count.ok_or(PasswordError::Malformed)?))
}

/// The SHA-1 of the password in upper-case hexadecimal.
fn digits(password: Password<'_>) -> Zeroizing<[u8; DIGITS]> {
    let digest = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(password.as_bytes())));
    let mut digits = Zeroizing::new([0; DIGITS]);
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    for (digit, nibble) in digits.iter_mut().zip(nibbles) {
        *digit = b"0123456789ABCDEF".get(usize::from(nibble)).copied().unwrap_or_default();
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    // SHA-1 of "password" is 5BAA6 1E4C9B93F3F0682250B6CF8331B7EE68FD8.
    const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
    const OTHER: &str = "003D68EB55068C33ACE09247EE4C639306B:3";

    fn count_in(range: &str) -> Result<u64, PasswordError> {
        count(Password::new(b"password").unwrap(), range.as_bytes())
    }

    #[test]
    fn lines_end_in_either_way_and_digits_are_of_either_case() {
        for range in [
            alloc::format!("{SUFFIX}:42"),
            alloc::format!("{OTHER}\n{SUFFIX}:42\n"),
            alloc::format!("{OTHER}\r\n{SUFFIX}:42\r\n"),
            alloc::format!("{}:42\r\n{OTHER}", SUFFIX.to_lowercase()),
        ] {
            assert_eq!(count_in(&range), Ok(42), "{range}");
        }
        assert_eq!(count_in(OTHER), Ok(0));
        assert_eq!(count_in(&alloc::format!("{SUFFIX}:0")), Ok(0), "padding");
    }

    #[test]
    fn padding_hides_no_breach() {
        for range in [[42, 0, 7], [0, 42, 7], [7, 0, 42], [0, 7, 42]] {
            let range = range.map(|times| alloc::format!("{SUFFIX}:{times}")).join("\n");
            assert_eq!(count_in(&range), Ok(42), "{range}");
        }
    }

    #[test]
    fn an_error_page_is_no_all_clear() {
        for range in [
            "",
            "\n",
            "\r\n",
            "Too many requests",
            "<html></html>",
            "{\"statusCode\":429}",
            "003D68EB55068C33ACE09247EE4C639306B",
            "003D68EB55068C33ACE09247EE4C639306B:",
            "003D68EB55068C33ACE09247EE4C639306B:-1",
            "003D68EB55068C33ACE09247EE4C639306B:+1",
            "003D68EB55068C33ACE09247EE4C639306B:1 ",
            "003D68EB55068C33ACE09247EE4C639306B:18446744073709551616",
            "003D68EB55068C33ACE09247EE4C639306:1",
            "003D68EB55068C33ACE09247EE4C639306BB:1",
            "G03D68EB55068C33ACE09247EE4C639306B:1",
            "003D68EB55068C33ACE09247EE4C639306B:3\n\n003D68EB55068C33ACE09247EE4C639306B:3",
            "003D68EB55068C33ACE09247EE4C639306B:3\r\r\n",
            "003D68EB55068C33ACE09247EE4C639306B:3\r\nnext",
        ] {
            assert_eq!(count_in(range), Err(PasswordError::Malformed), "{range:?}");
        }
        let large = alloc::format!("{OTHER}\n").repeat(MAX_RANGE_LEN / 38 + 1);
        assert_eq!(count_in(&large), Err(PasswordError::TooLarge));
    }
}
