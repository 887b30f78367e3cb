//! zxcvbn's estimate of how many guesses a password takes.
//!
//! Only with the feature `zxcvbn`: the crate is large, needs `std`, and reads the clock once, for the
//! year. Here the year is a constant, so that a password is as good tomorrow as it is today: what the
//! crate made of dates in the password is counted anew from the pattern that it found.

use alloc::string::String;

use super::{Password, PasswordError, UserInputs};

/// The most characters of a password that [`estimate`] looks at: its work grows with a power of their
/// number. It looks at fewer where many of them are symbols that may stand for letters, each of which
/// multiplies the work: at 42 or more, which makes no difference to the score of such a text.
pub const MAX_ESTIMATED_CHARS: usize = 100;

/// Estimates how many guesses a password takes, with zxcvbn, as JSON: `{"score":2,"guesses_log10":7.2,
/// "feedback":{"warning":null,"suggestions":["…"]}}`, the score from 0 to 4.
///
/// # Errors
/// - [`PasswordError::Unsupported`]: built without the feature `zxcvbn`.
/// - [`PasswordError::Malformed`]: not UTF-8.
pub fn estimate(password: Password<'_>, inputs: &UserInputs) -> Result<String, PasswordError> {
    let text = password.text()?;
    #[cfg(feature = "zxcvbn")]
    return Ok(with_zxcvbn::estimate(text, inputs));
    #[cfg(not(feature = "zxcvbn"))]
    {
        let _ = (text, inputs);
        Err(PasswordError::Unsupported)
    }
}

#[cfg(feature = "zxcvbn")]
mod with_zxcvbn {
    use alloc::string::{String, ToString as _};
    use alloc::vec::Vec;
    use zeroize::Zeroizing;
    use zxcvbn::feedback::Suggestion;
    use zxcvbn::matching::Match;
    use zxcvbn::matching::patterns::MatchPattern;
    use zxcvbn::{Entropy, zxcvbn};

    use super::{MAX_ESTIMATED_CHARS, UserInputs};
    use crate::json::{ObjectWriter, write_text};

    /// The year that dates in a password are counted from.
    const REFERENCE_YEAR: i32 = 2026;

    /// Fewer guesses than which a score is 0, 1, 2 and 3; as the crate has them.
    const SCORES: [f64; 4] = [1e3 + 5.0, 1e6 + 5.0, 1e8 + 5.0, 1e10 + 5.0];

    /// What the crate takes for letters: a, b, c, e, g, i, l, o, s, t, x, z. It tries every combination of
    /// those that are there, each on every stretch of the text.
    const LEET: [&str; 12] = ["4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "$5", "+7", "%", "2"];

    /// The most combinations times the square of the characters: a tenth of a second or two.
    const MAX_WORK: usize = 1 << 20;

    /// The score from which on there is nothing to say.
    const GOOD: usize = 3;

    pub(super) fn estimate(text: &str, inputs: &UserInputs) -> String {
        let text = Zeroizing::new(affordable(text));
        let inputs: Vec<&str> = inputs.texts().collect();
        let entropy = zxcvbn(&text, &inputs);
        let guesses = guesses(&entropy, text.chars().count());
        let score = SCORES.iter().take_while(|&&bound| guesses >= bound).count();

        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object.raw("score", &score.to_string());
        object.raw("guesses_log10", &guesses.max(1.0).log10().to_string());
        object.raw("feedback", &feedback(&entropy, score)).close();
        out
    }

    /// As many of the first characters as take no more than [`MAX_WORK`].
    fn affordable(text: &str) -> String {
        let mut kept: Vec<char> = text.chars().take(MAX_ESTIMATED_CHARS).collect();
        let work = |kept: &[char]| {
            let stand_ins = |letter: &&str| letter.chars().filter(|c| kept.contains(c)).count().max(1);
            LEET.iter().map(stand_ins).fold(kept.len().saturating_pow(2), usize::saturating_mul)
        };
        while work(&kept) > MAX_WORK {
            kept.pop();
        }
        Zeroizing::new(kept).iter().collect()
    }

    /// The crate's figure, unless the year had a part in it.
    fn guesses(entropy: &Entropy, chars: usize) -> f64 {
        let parts = entropy.sequence();
        if parts.iter().any(has_year) { sum(parts, chars) } else { entropy.guesses() as f64 }
    }

    fn has_year(part: &Match) -> bool {
        match &part.pattern {
            MatchPattern::Date(_) => true,
            MatchPattern::Regex(regex) => regex.regex_name == "recent_year",
            MatchPattern::Repeat(repeat) => repeat.base_matches.iter().any(has_year),
            _ => false,
        }
    }

    /// What a sequence of parts takes, as zxcvbn has it: l! · ∏ guesses + 10,000^(l − 1).
    fn sum(parts: &[Match], chars: usize) -> f64 {
        let mut product = 1.0;
        let mut factor = 0.0;
        let mut additive = 1e-4;
        for part in parts {
            factor += 1.0;
            additive *= 1e4;
            product *= factor * part_guesses(part, chars);
        }
        // Where the crate's integers end.
        (product + additive).min(u64::MAX as f64)
    }

    fn part_guesses(part: &Match, chars: usize) -> f64 {
        let guesses = match &part.pattern {
            MatchPattern::Date(date) => {
                let separators = if date.separator.is_empty() { 1.0 } else { 4.0 };
                years(date.year) * 365.0 * separators
            }
            MatchPattern::Regex(_) if has_year(part) => part.token.parse().map_or(f64::MAX, years),
            MatchPattern::Repeat(repeat) if has_year(part) => {
                sum(&repeat.base_matches, repeat.base_token.chars().count()) * repeat.repeat_count as f64
            }
            _ => part.guesses.unwrap_or(u64::MAX) as f64,
        };
        // What spans less than the password takes 50 guesses at least. The crate's own figures have that.
        if has_year(part) && part.token.chars().count() < chars { guesses.max(50.0) } else { guesses }
    }

    /// The years that are as near, of which there are 20 at least.
    fn years(year: i32) -> f64 {
        f64::from(year.saturating_sub(REFERENCE_YEAR).saturating_abs().max(20))
    }

    fn feedback(entropy: &Entropy, score: usize) -> String {
        let found = entropy.feedback().filter(|_| score < GOOD);
        let mut suggestions: Vec<Suggestion> =
            found.map_or_else(Vec::new, |found| found.suggestions().to_vec());
        if suggestions.is_empty() && score < GOOD {
            suggestions.push(Suggestion::AddAnotherWordOrTwo);
        }
        let mut list = String::new();
        for suggestion in suggestions {
            list.push(if list.is_empty() { '[' } else { ',' });
            write_text(&suggestion.to_string(), &mut list);
        }
        list.push_str(if list.is_empty() { "[]" } else { "]" });
        let warning = found.and_then(|found| found.warning()).map(|warning| warning.to_string());

        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object.optional_text("warning", warning.as_deref()).raw("suggestions", &list).close();
        out
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn json(password: &str) -> String {
            estimate(password, &UserInputs::default())
        }

        #[test]
        fn a_year_is_counted_from_the_pinned_one() {
            // 1926 is 100 years before 2026, 2020 within 20 years; the clock has no say.
            for (password, guesses) in [
                ("1926", 100.0),
                ("2020", 20.0),
                ("13.7.1926", 100.0 * 365.0 * 4.0),
                ("13071926", 100.0 * 365.0),
            ] {
                let entropy = zxcvbn(password, &[]);
                assert!(entropy.sequence().iter().any(has_year), "{password}");
                assert_eq!(self::guesses(&entropy, password.len()), guesses + 1.0, "{password}");
            }
        }

        #[test]
        fn counting_anew_gives_what_the_crate_counts_where_years_are_near() {
            // Within 20 years of both the clock and the constant, so the crate and this module must agree.
            for password in
                ["kumquat 2021", "13.7.2022 teapot", "2024-2024-", "x2020y2020", "12.3.202112.3.2021"]
            {
                let entropy = zxcvbn(password, &[]);
                let anew = sum(entropy.sequence(), password.len());
                assert!(
                    (anew - entropy.guesses() as f64).abs() < 1.0,
                    "{password}: {anew} {}",
                    entropy.guesses()
                );
            }
        }

        #[test]
        fn the_json_is_that_of_the_contract() {
            assert_eq!(
                json("password"),
                r#"{"score":0,"guesses_log10":0.47712125471966244,"feedback":{"warning":"This is a top-10 common password.","suggestions":["Add another word or two. Uncommon words are better."]}}"#
            );
            assert!(json("").starts_with(r#"{"score":0,"guesses_log10":0,"#));
            assert!(json("kumquat teapot zeppelin gravel").starts_with(r#"{"score":4,"#));
        }

        #[test]
        fn only_the_first_characters_are_looked_at() {
            let long = "x9Q!".repeat(25);
            assert_eq!(affordable(&long), long);
            assert_eq!(json(&long), json(&(long.clone() + "and so on")));
        }

        #[test]
        fn what_is_made_to_be_expensive_is_cut_shorter() {
            let expensive = "a4@b8c({[<e3g69i1!|l1|7o0s$5t+7x%z2".repeat(3);
            let kept = affordable(&expensive);
            assert_eq!(kept.chars().count(), 42);
            assert!(json(&expensive).starts_with(r#"{"score":4,"#));
        }
    }
}
