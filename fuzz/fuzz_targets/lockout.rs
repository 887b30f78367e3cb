//! Who tries to log in, and from where: equal names have equal counters, which tell nothing; a device token is
//! good as it was made, where it was made for, until it ends, and else as if it were not there.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::keyring::Keyring;
use donjon::lockout::{Attempt, Device, Lockout};
use donjon_fuzz::abi::Script;
use donjon_fuzz::edits::edited;
use donjon_fuzz::sealers::{ENTROPY, NOW_S};
use libfuzzer_sys::fuzz_target;

static LOCKOUT: LazyLock<Lockout> = LazyLock::new(|| {
    let epochs = r#"{"keys":[{"purpose":"device","epoch":1}]}"#;
    let master = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
    Lockout::new(&Keyring::from_master(master, epochs).unwrap()).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut drawn = || {
        let len = usize::from(script.byte());
        script.bytes(len).to_vec()
    };
    let [account, other, address, state, changed] = [(); 5].map(|()| drawn());
    let subject = String::from_utf8_lossy(&drawn()).into_owned();
    let (ttl_s, later_s) = (script.number(), script.number());
    let names = |account: &[u8], device| {
        let attempt = Attempt { account, address: &address, device };
        let counters = LOCKOUT.counters(&attempt, NOW_S.saturating_add(later_s)).ok()?;
        Some(counters.into_iter().map(|counter| counter.key).collect::<Vec<_>>())
    };
    let Some(plain) = names(&account, None) else { return assert!(account.is_empty()) };
    let kinds: &[_] = if address.is_empty() { &["account:"] } else { &["address:", "account:"] };
    assert!(plain.len() == kinds.len() && plain.iter().zip(kinds).all(|(key, kind)| key.starts_with(kind)));
    assert_eq!(names(&other, None).is_some_and(|names| names.last() == plain.last()), other == account);

    let made = LOCKOUT.device_token(&subject, &state, ttl_s, NOW_S, &mut FixedEntropy::new(&ENTROPY));
    let Ok(token) = made else { return };
    let read = edited(&mut script, token.as_bytes());
    for (offered, state_now) in [(token.as_bytes(), &state), (&read, &state), (token.as_bytes(), &changed)] {
        let device = Device { token: offered, subject: &subject, state: state_now };
        let names = names(&account, Some(device)).unwrap();
        let is_known = names.len() == 1 && names[0].starts_with("device:");
        let is_good = offered == token.as_bytes() && *state_now == state;
        assert!(is_known || names == plain);
        assert!(is_good || !is_known);
        // To a clock that is behind, it may not be there yet.
        assert!(later_s < 0 || is_known == (is_good && later_s < ttl_s), "{later_s} {ttl_s}");
    }
});
