//! Any bytes as a user's record, against a slow reading of them: what is sound is listed, and written again as it
//! was; what is not is as if it were not there.
#![no_main]

use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::session::{Client, LogIn, Moment, Reason, RefreshToken, Revoke, Sessions, Write};
use donjon_fuzz::abi::Script;
use donjon_fuzz::draws::Draws;
use donjon_fuzz::edits::edited;
use libfuzzer_sys::fuzz_target;

/// Nothing ends at this time, whatever the record says.
const DAWN: Moment = Moment { now_ms: 0, store_since_ms: 0 };
/// What an entry of [`log_in`] takes.
const ENTRY_LEN: usize = 1 + 32 + 8 + 8 + 1 + 5 + 8 + 1 + 3 + 2 + 4;

static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| {
    let epochs = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1}]}"#;
    let master = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
    let keyring = Keyring::from_master(master, epochs).unwrap();
    Sessions::from_json(&keyring, br#"{"max_per_user":64}"#).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let bytes = if script.byte() == 0 {
        script.0.to_vec()
    } else {
        let record = drawn(&mut script);
        edited(&mut script, &record)
    };
    let at = Moment { now_ms: script.number(), store_since_ms: script.number() };
    let sound = read(&bytes).filter(|(subject, _)| subject == "ann");

    let handles = |at| {
        let listed = SESSIONS.list(&bytes, "ann", b"", at)?;
        Ok::<Vec<_>, donjon::session::SessionError>(listed.into_iter().map(|one| one.0.handle).collect())
    };
    let expected = sound.as_ref().map_or(Vec::new(), |(_, handles)| handles.clone());
    assert_eq!(handles(DAWN).unwrap(), expected);

    let mut draws = Draws::default();
    let created = SESSIONS.create(&bytes, &log_in(), DAWN, &mut draws).unwrap();
    let before = if sound.is_some() { bytes.as_slice() } else { b"\x01\0\x03ann\0" };
    match expected.len() {
        64 => assert!(created.evicted.len() == 1 && created.record.len() <= SESSIONS.record_bound()),
        _ => assert_eq!(without_new(before, &created.record), before),
    }
    let mut after = read(&created.record).unwrap().1;
    after.retain(|handle| *handle != created.session.as_ref().unwrap().handle);
    assert_eq!(after, expected[created.evicted.len()..]);

    let id = created.id().unwrap().text();
    let unknown = SESSIONS.check(&bytes, id.as_bytes(), &Client::default(), DAWN, &mut draws).unwrap();
    let is_read = bytes.is_empty() || read(&bytes).is_some();
    assert_eq!(unknown.reason, if is_read { Reason::Unknown } else { Reason::Foreign });
    assert_eq!(unknown.write, Write::Nothing);

    let Ok(listed) = handles(at) else { return assert!(at.now_ms < 0 || at.store_since_ms < 0) };
    assert!(listed.iter().all(|handle| expected.contains(handle)));
    for handle in listed.iter().take(4) {
        let (one, gone) =
            SESSIONS.revoke(&bytes, "ann", Revoke::One(handle.as_bytes()), at, &mut draws).unwrap();
        assert!(one.write == Write::Must && gone.len() == 1 && gone[0].handle == *handle);
        let left: Vec<_> = listed.iter().filter(|other| *other != handle).cloned().collect();
        assert_eq!(read(&one.record).map_or(Vec::new(), |(_, handles)| handles), left);

        let token = RefreshToken { subject: "ann", family: handle, generation: 1, issued_at_s: 0 };
        let refreshed = SESSIONS.refresh(&bytes, &token, &Client::default(), at, &mut draws).unwrap();
        let next = read(&refreshed.record).map(|(_, handles)| handles);
        match (refreshed.status.name(), refreshed.write) {
            ("ok", Write::Must) => assert_eq!(next.unwrap(), listed),
            ("reuse_detected", Write::Must) => assert_eq!(next.unwrap_or_default(), left),
            (_, write) => assert!(write == Write::Nothing),
        }
    }
    let (all, gone) = SESSIONS.revoke(&bytes, "ann", Revoke::All, at, &mut draws).unwrap();
    assert!(all.record.is_empty() && (all.write == Write::Must) == !bytes.is_empty());
    assert_eq!(gone.into_iter().map(|one| one.handle).collect::<Vec<_>>(), listed);
});

fn log_in() -> LogIn<'static> {
    let client = Client { address: b"192.0.2.7", user_agent: b"" };
    LogIn { subject: "ann", client, label: "new", data: b"data" }
}

/// A record of a few entries, nearly sound.
fn drawn(script: &mut Script<'_>) -> Vec<u8> {
    let count = if script.byte() == 255 { 64 } else { script.byte() % 4 };
    let mut record = [b"\x01\0\x03ann", &[count][..]].concat();
    let mut created_ms = script.number().max(0) / 2;
    for index in 0..count {
        let draw = script.byte();
        let family =
            [&[1, draw >> 7, 0, 0, 0, 0, 0, draw & 3, 0, 0, 0, 0, 0, 0, 0, draw][..], &[index; 16]].concat();
        let hash = [index | 64; 32];
        record.push(1 + draw % 2);
        record.extend(if draw % 2 == 0 { &hash[..] } else { &family });
        created_ms += i64::from(script.byte());
        record.extend(created_ms.to_be_bytes());
        record.extend((created_ms + i64::from(script.byte())).to_be_bytes());
        record.extend(match draw >> 2 & 3 {
            0 => &b"\0"[..],
            1 => b"\x05\x18\xc0\0\x02\0",
            2 => b"\x05\x20\xc0\0\x02\x01",
            _ => b"\x11\x30\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0",
        });
        record.extend([draw; 8]);
        let (label, data) = (script.byte() % 66, u16::from(script.byte()) * 3);
        record.push(label);
        record.extend("é".repeat(33).as_bytes().iter().take(label.into()));
        record.extend(data.to_be_bytes());
        record.extend(std::iter::repeat_n(index, data.into()));
    }
    record
}

/// The subject and the handles of a sound record.
fn read(bytes: &[u8]) -> Option<(String, Vec<String>)> {
    let mut script = bytes;
    let mut take = |len: usize| {
        let (taken, rest) = script.split_at_checked(len)?;
        script = rest;
        Some(taken)
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let is_one = take(1)? == [1];
    let subject_len = number(take(2)?) as usize;
    let subject = str::from_utf8(take(subject_len)?).ok()?.to_owned();
    let count = take(1)?[0];
    let (mut handles, mut last_ms) = (Vec::new(), 0);
    for _ in 0..count {
        let (kind, credential) = (take(1)?[0], take(32)?);
        let is_family = credential.starts_with(&[1, 0, 0, 0]) || credential.starts_with(&[1, 1, 0, 0]);
        let is_state = is_family && credential[8] < 128;
        let (created_ms, seen_ms) = (number(take(8)?), number(take(8)?));
        let network_len = usize::from(take(1)?[0]);
        let is_network = match take(network_len)? {
            [] => true,
            [prefix, address @ ..] => {
                let bits = address.len() * 8;
                let address = address.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
                let host_bits = (bits as u32).checked_sub(u32::from(*prefix))?;
                // An IPv4 address is stored as one.
                matches!(bits, 32 | 128)
                    && address.trailing_zeros() >= host_bits
                    && (bits == 32 || address >> 32 != 0xffff)
            }
        };
        take(8)?;
        let label_len = usize::from(take(1)?[0]);
        let label = str::from_utf8(take(label_len)?).ok()?;
        let is_turn = |c: char| {
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
                .contains(c)
        };
        let is_label = label_len <= 64 && !label.contains(|c: char| c.is_control() || is_turn(c));
        let data_len = number(take(2)?) as usize;
        take(data_len)?;
        let handle = donjon::base64url::encode(if kind == 1 { &credential[..16] } else { &credential[16..] });
        let is_sound = (kind == 1 || (kind == 2 && is_state))
            && last_ms <= created_ms
            && created_ms <= seen_ms
            && seen_ms <= i64::MAX as u64
            && is_network
            && is_label
            && data_len <= 512
            && !handles.contains(&handle);
        if !is_sound {
            return None;
        }
        last_ms = created_ms;
        handles.push(handle);
    }
    let is_sound = is_one && subject_len <= 1024 && (1..=64).contains(&count) && script.is_empty();
    is_sound.then_some((subject, handles))
}

/// `record` without the entry that `before` has not: there is one, of [`ENTRY_LEN`].
fn without_new(before: &[u8], record: &[u8]) -> Vec<u8> {
    let subject_len = 3 + usize::from(record[2]);
    assert_eq!(record[subject_len], before[subject_len] + 1);
    let mut old = record.to_vec();
    old[subject_len] = before[subject_len];
    let at = before.iter().zip(&old).take_while(|(a, b)| a == b).count();
    old.drain(at..at + ENTRY_LEN);
    old
}
