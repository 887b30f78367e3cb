//! Any password under any profile, with any words of the user's own: the checks that are easy to make are
//! made again, and the answer is whole.
#![no_main]

use donjon::password::{Password, Profile, Strength, UserInputs};
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

const PROFILES: [(&str, usize); 3] = [("composition", 12), ("nist-800-63b-4", 15), ("nist-800-63b-4-mfa", 8)];

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let (name, min_chars) = PROFILES[usize::from(script.byte() % 3)];
    let inputs_len = usize::from(script.byte());
    let inputs = UserInputs::from_json(script.bytes(inputs_len)).unwrap_or_default();
    let Ok(password) = Password::new(script.0) else { return };
    let judged = Strength::of(Profile::from_name(name).unwrap(), password, &inputs);
    let Ok(text) = str::from_utf8(script.0) else { return assert!(judged.is_err()) };
    let judged = judged.unwrap();

    let answer: serde_json::Value = serde_json::from_str(&judged.to_json()).unwrap();
    let checks = answer["checks"].as_object().unwrap();
    let passed = checks.values().filter(|check| **check == true).count();
    assert_eq!(answer["score"].as_f64().unwrap(), passed as f64 / checks.len() as f64);
    assert_eq!(answer["valid"] == true, passed == checks.len());
    assert_eq!(answer["feedback"].as_array().unwrap().is_empty(), passed == checks.len());
    assert_eq!(checks["length"], text.chars().count() >= min_chars);
    if let Some(digits) = checks.get("digits") {
        assert_eq!(digits, text.contains(|c: char| c.is_ascii_digit()));
        assert_eq!(checks["special"], text.contains(|c| "!@#$%^&*()_+-=[]{}|;:,.<>?".contains(c)));
    }
    if !text.is_empty() && UserInputs::new([text]).is_ok() {
        // Whoever's own name it is should not take it; under three characters names say nothing.
        let own = Strength::of(Profile::Nist, password, &UserInputs::new([text]).unwrap()).unwrap();
        assert!(text.chars().count() < 3 || own.to_json().contains(r#""common":false"#), "{text:?}");
    }
});
