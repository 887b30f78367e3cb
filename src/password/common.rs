//! Passwords that everybody tries first: the common ones, counting, and what the user is called.
//!
//! A password is *common* when, in lower case, forwards or backwards,
//!
//! 1. it is on the list of the 20,000 most common ones;
//! 2. a **core** of it is: a stretch of at least four characters that has all of its letters, so that only
//!    digits and symbols are left off at the ends (where there are no letters, all of its digits); as it
//!    stands, or with the usual replacements undone (`@`→a, `4`→a, `3`→e, `1`→i or l, `!`→i, `0`→o, `5`→s,
//!    `$`→s, `7`→t);
//! 3. it, or everything from its first letter to its last, counts up or down, repeats fewer than four
//!    characters, or repeats something that is common by the rules above;
//! 4. it is made of the user's own words, as they stand or with the usual replacements undone: without them
//!    it has fewer than four letters, or is common by the rules above.
//!
//! The user's words are the texts that were given and their parts between everything but letters and
//! digits, from three characters on: of `ann.miller@example.com` also `ann`, `miller`, `example`, `com`.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;
use memchr::{memchr, memrchr};
use zeroize::Zeroizing;

use super::PasswordError;
use crate::json::{self, Limits, Value};

/// The most user inputs.
pub const MAX_USER_INPUTS: usize = 16;

/// The longest user input, in bytes.
pub const MAX_USER_INPUT_LEN: usize = 256;

/// The longest JSON list of user inputs, in bytes: all of them, with every byte escaped.
const MAX_USER_INPUTS_JSON_LEN: usize = 32 * 1024;

/// The passwords of `common.txt`, sorted, as the build packs them: each as a byte below [`TEXT`], which says how
/// many bytes it shares with the one before, and the rest of it. Where they are from: `COMMON.md`.
const LIST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/common.bin"));

/// Bytes from here on are a password's; those below say what is shared.
const TEXT: u8 = 0x20;

/// The characters of the longest password on the list.
const LONGEST: usize = 20;

/// The fewest characters of a core, and the fewest letters that make a password more than the user's words.
/// Shorter words are in everything.
const SHORTEST: usize = 4;

/// The fewest characters of a user's word.
const SHORTEST_USER_WORD: usize = 3;

/// What the user is called, and what else his password should not be made of: the service's name.
#[derive(Debug, Clone, Default)]
pub struct UserInputs {
    texts: Vec<String>,
}

impl UserInputs {
    /// Takes texts.
    ///
    /// # Errors
    /// - [`PasswordError::TooLarge`]: over [`MAX_USER_INPUTS`] or [`MAX_USER_INPUT_LEN`].
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, PasswordError> {
        let mut inputs = Vec::new();
        for text in texts {
            if inputs.len() == MAX_USER_INPUTS || text.len() > MAX_USER_INPUT_LEN {
                return Err(PasswordError::TooLarge);
            }
            inputs.push(text.to_lowercase());
        }
        Ok(Self { texts: inputs })
    }

    /// Reads a JSON list of texts; an empty text is an empty list.
    ///
    /// # Errors
    /// - [`PasswordError::Malformed`]: no list of texts.
    /// - [`PasswordError::TooLarge`]: as [`UserInputs::new`]; a list over 32 KiB.
    pub fn from_json(text: &[u8]) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > MAX_USER_INPUTS_JSON_LEN {
            return Err(PasswordError::TooLarge);
        }
        match json::parse(text, Limits::DOCUMENT) {
            Ok(Value::Array(list)) if list.is_all_text() => {
                let texts: Vec<_> = list.texts().take(MAX_USER_INPUTS.saturating_add(1)).collect();
                let texts: Vec<_> = texts.into_iter().map(json::Text::decode).collect();
                Self::new(texts.iter().map(|text| &**text))
            }
            _ => Err(PasswordError::Malformed),
        }
    }

    /// The texts, in lower case.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// The texts and their parts, the longest first.
    fn words<'a>(&'a self) -> Vec<&'a str> {
        let parts = |text: &'a str| text.split(|c: char| !c.is_alphanumeric()).chain([text]);
        let mut words: Vec<&str> = self.texts().flat_map(parts).collect();
        words.retain(|word| word.chars().count() >= SHORTEST_USER_WORD);
        words.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        words
    }
}

/// Why a password is common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Common {
    /// It, or its core, is on the list.
    Listed,
    /// It repeats or counts.
    Predictable,
    /// It is made of the user's own words.
    Own,
}

/// Whether a password is common, and why.
pub(super) fn find(password: &str, inputs: &UserInputs) -> Option<Common> {
    let forwards = Zeroizing::new(password.to_lowercase());
    let backwards = Zeroizing::new(forwards.chars().rev().collect::<String>());
    let words = inputs.words();
    let texts = [forwards, backwards];
    let listed = texts.iter().any(|text| is_listed(text) || has_listed_core(text));
    let predictable = || texts.iter().any(|text| is_predictable(text));
    let own = || texts.iter().any(|text| is_own(text, &words));
    if listed {
        Some(Common::Listed)
    } else if predictable() {
        Some(Common::Predictable)
    } else {
        own().then_some(Common::Own)
    }
}

/// Rule 1.
fn is_listed(text: &str) -> bool {
    let text = text.as_bytes();
    // INVARIANT: `rest` is whole blocks: it begins, as each block does, with a password that shares nothing.
    let (mut rest, mut block) = (LIST, LIST);
    while let Some((front, back)) = rest.split_at_checked(rest.len().div_ceil(2)).filter(|_| !rest.is_empty())
    {
        let start = memrchr(0, front).unwrap_or_default();
        let end = memchr(0, back).map_or(rest.len(), |len| front.len().saturating_add(len));
        let (Some(before), Some(here), Some(behind)) =
            (rest.get(..start), rest.get(start..end), rest.get(end..))
        else {
            break;
        };
        (rest, block) = match first(here).cmp(text) {
            Ordering::Equal => return true,
            Ordering::Greater => (before, block),
            Ordering::Less => (behind, here),
        };
    }
    is_in_block(text, block)
}

/// The password that a block begins with.
fn first(block: &[u8]) -> &[u8] {
    let text = block.get(1..).unwrap_or_default();
    text.iter().position(|&byte| byte < TEXT).and_then(|len| text.get(..len)).unwrap_or(text)
}

/// Whether a text is one of a block's passwords.
fn is_in_block(text: &[u8], mut block: &[u8]) -> bool {
    // How many bytes the text shares with the password before, which is less than it.
    let mut equal = 0;
    while let Some((&shared, _)) = block.split_first() {
        let rest = first(block);
        block = block.get(rest.len().saturating_add(1)..).unwrap_or_default();
        match usize::from(shared).cmp(&equal) {
            // As the one before, it is less than the text where that one was.
            Ordering::Greater => {}
            // It is greater than the one before at a byte that the text shares with that.
            Ordering::Less => return false,
            Ordering::Equal => {
                let wanted = text.get(equal..).unwrap_or_default();
                match rest.cmp(wanted) {
                    Ordering::Equal => return true,
                    Ordering::Greater => return false,
                    Ordering::Less => {
                        let pairs = rest.iter().zip(wanted);
                        equal = equal.saturating_add(pairs.take_while(|(a, b)| a == b).count());
                    }
                }
            }
        }
    }
    false
}

/// Rule 2.
fn has_listed_core(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().collect::<Vec<char>>());
    let Some(Range { start: first, end: last }) = letters(&chars) else { return false };
    let starts = last.saturating_sub(LONGEST)..=first;
    let ends = |start: usize| last..=start.saturating_add(LONGEST).min(chars.len());
    let mut cores =
        starts.flat_map(|start| ends(start).filter_map(|end| chars.get(start..end)).collect::<Vec<_>>());
    cores.any(|core| core.len() >= SHORTEST && is_listed_but_for_replacements(core))
}

/// From the first letter to behind the last one; of a text without letters, of its digits.
fn letters(chars: &[char]) -> Option<Range<usize>> {
    let range = |test: fn(char) -> bool| {
        let first = chars.iter().position(|&c| test(c))?;
        let last = chars.iter().rposition(|&c| test(c))?;
        Some(first..last.saturating_add(1))
    };
    range(char::is_alphabetic).or_else(|| range(char::is_numeric))
}

fn is_listed_but_for_replacements(core: &[char]) -> bool {
    let undone = |one: char| core.iter().map(|&c| undo_replacement(c, one)).collect::<String>();
    [undone('1'), undone('i'), undone('l')].into_iter().map(Zeroizing::new).any(|text| is_listed(&text))
        || is_listed(&Zeroizing::new(core.iter().collect::<String>()))
}

/// The letter that a character stands for, `one` if it is a 1.
const fn undo_replacement(c: char, one: char) -> char {
    match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' => one,
        '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Rule 3.
fn is_predictable(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().collect::<Vec<char>>());
    let core = letters(&chars).and_then(|range| chars.get(range)).unwrap_or_default();
    [chars.as_slice(), core].into_iter().any(|text| {
        let repeats = |unit: &[char]| {
            let unit_text = Zeroizing::new(unit.iter().collect::<String>());
            unit.len() < SHORTEST || counts(unit) || is_listed(&unit_text) || has_listed_core(&unit_text)
        };
        text.len() >= SHORTEST && (counts(text) || repeated_unit(text).is_some_and(repeats))
    })
}

/// Whether each character follows the one before it, or precedes it; 0 follows 9.
fn counts(text: &[char]) -> bool {
    let follows =
        |a: char, b: char| u32::from(a).checked_add(1) == Some(u32::from(b)) || (a, b) == ('9', '0');
    let pairs = || text.iter().zip(text.iter().skip(1));
    pairs().all(|(&a, &b)| follows(a, b)) || pairs().all(|(&a, &b)| follows(b, a))
}

/// The shortest text that the whole is, two times or more.
fn repeated_unit(text: &[char]) -> Option<&[char]> {
    let mut units = (1..=text.len() / 2).filter_map(|len| text.get(..len));
    units.find(|unit| {
        text.len().is_multiple_of(unit.len())
            && text.iter().zip(text.iter().skip(unit.len())).all(|(a, b)| a == b)
    })
}

/// Rule 4.
fn is_own(text: &str, words: &[&str]) -> bool {
    let undone = |one| text.chars().map(|c| undo_replacement(c, one)).collect::<String>();
    let texts = [String::from(text), undone('1'), undone('i'), undone('l')].map(Zeroizing::new);
    texts.iter().any(|text| {
        let rest = without(text, words);
        let is_rest = rest.len() < text.len() || *rest != **text;
        let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
        is_rest && (letters < SHORTEST || is_listed(&rest) || has_listed_core(&rest) || is_predictable(&rest))
    })
}

/// The text with a space in the place of each of the words.
fn without(text: &str, words: &[&str]) -> Zeroizing<String> {
    words.iter().fold(Zeroizing::new(String::from(text)), |text, word| {
        if text.contains(word) { Zeroizing::new(text.replace(word, " ")) } else { text }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = include_str!("common.txt");

    fn inputs() -> UserInputs {
        UserInputs::new(["Ann Miller", "ann.miller@example.com"]).unwrap()
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_as_long_as_it_says() {
        assert!(LINES.lines().is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        assert_eq!(LINES.lines().count(), 20_000);
        assert_eq!(LINES.lines().map(|line| line.chars().count()).max(), Some(LONGEST));
        let all: alloc::collections::BTreeSet<&str> = LINES.lines().collect();
        for line in LINES.lines() {
            assert!(is_listed(line) && line == line.to_lowercase(), "{line}");
            // What is almost on the list is on it only if it is a line itself.
            let next = alloc::format!("{line}0");
            let other = line.replace('a', "b");
            for near in [line.split_at(line.len() - 1).0, line.split_at(1).1, &next, &other] {
                assert_eq!(is_listed(near), all.contains(near), "{near}");
            }
        }
        for absent in ["", "\n", "zzzzzzzzz9", "!", "correct horse", "passworx", "password\n", "~"] {
            assert!(!is_listed(absent), "{absent:?}");
        }
    }

    #[test]
    fn decoration_and_replacements_hide_nothing() {
        for password in [
            "password",
            "Password123!",
            "P@ssw0rd2024!",
            "!!Pa$$w0rd!!",
            "2024-Summer",
            "$3cr3t!!!1",
            "@dmin1234567",
            "Qwerty123456!",
            "1qaz2wsx!!!!",
            "1Qaz@wsx",
            "drowssaP99",
            "L3tme1n!2345",
            "Welc0me!2024",
            "!!123456789!!",
        ] {
            assert_eq!(find(password, &UserInputs::default()), Some(Common::Listed), "{password}");
        }
    }

    #[test]
    fn repeating_and_counting_are_seen() {
        for password in [
            "aaaaaaaaaaaaaaa",
            "abababababababab",
            "xyqxyqxyqxyqxyq",
            "passwordpassword",
            "DragonDragon77!",
            "abcdefghijklmnop",
            "98765432109876543",
            "zyxwvutsrqponm12",
        ] {
            let found = find(password, &UserInputs::default());
            assert!(matches!(found, Some(Common::Predictable | Common::Listed)), "{password}");
        }
    }

    #[test]
    fn the_users_own_words_are_not_enough() {
        for password in [
            "AnnMiller2024!",
            "ann.miller@example.com",
            "miller-ann-84!",
            "M1ll3r!Ann99",
            "relliM.nnA.1990",
            "Miller+password1",
            "example.com/42",
        ] {
            assert_eq!(find(password, &inputs()), Some(Common::Own), "{password}");
            assert_eq!(find(password, &UserInputs::default()), None, "{password}");
        }
        // A 1 that is one, beside letters that were replaced.
        let numbered = UserInputs::new(["mark1"]).unwrap();
        assert_eq!(find("M@rk1-M4rk1-99!", &numbered), Some(Common::Own));
        let short = UserInputs::new(["Jo", "x@y.z"]).unwrap();
        assert_eq!(find("jo-84!x/y,z-2931", &short), None);
    }

    #[test]
    fn user_inputs_are_a_short_list_of_short_texts() {
        let read = |text: &str| UserInputs::from_json(text.as_bytes()).map(|inputs| inputs.texts.len());
        let list = |count: usize, len: usize| {
            alloc::format!("[{}]", alloc::vec![alloc::format!("\"{}\"", "a".repeat(len)); count].join(","))
        };
        assert_eq!(read(""), Ok(0));
        assert_eq!(read("[]"), Ok(0));
        assert_eq!(read(r#"["Ann","\u00e4"]"#), Ok(2));
        assert_eq!(read(&list(MAX_USER_INPUTS, MAX_USER_INPUT_LEN)), Ok(MAX_USER_INPUTS));
        for large in [list(MAX_USER_INPUTS + 1, 1), list(1, MAX_USER_INPUT_LEN + 1), list(10_000, 8)] {
            assert_eq!(read(&large), Err(PasswordError::TooLarge));
        }
        for bad in ["x", "{}", "\"Ann\"", "[1]", r#"["Ann",null]"#, r#"["Ann"] "x""#, r#"["\ud800"]"#] {
            assert_eq!(read(bad), Err(PasswordError::Malformed), "{bad}");
        }
    }

    #[test]
    fn what_is_chosen_well_passes() {
        for password in [
            "correct horse battery staple",
            "Correct-horse-9-battery",
            "annabelle eats tulips",
            "miller's tale of woe",
            "xK9#mQ2$vL7!",
            "Tq4&vz8!Lm2@",
            "7f3a9c1e5b8d2046",
            "Wh4le-Song-Basalt",
            "grüße aus dem süden",
            "пароль который не угадать",
        ] {
            assert_eq!(find(password, &inputs()), None, "{password}");
        }
    }

    proptest::proptest! {
        #[test]
        // With a handful of letters, one in 100,000 would be three of them and the user's `com`.
        fn random_passwords_pass(password in "[A-Za-z]{6}[-_A-Za-z0-9]{5}[A-Za-z]{5}") {
            assert_eq!(find(&password, &inputs()), None);
        }

        #[test]
        fn nothing_panics(password in ".{0,40}", input in ".{0,20}") {
            let inputs = UserInputs::new([input.as_str()]).unwrap();
            let _ = find(&password, &inputs);
        }
    }
}
