//! What envelopes promise: they open whole, in their place and under their key, or not at all; in one piece, in any
//! pieces and from the middle they are the same bytes. Named cases are data: `tests/vectors`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use donjon::entropy::FixedEntropy;
use donjon::envelope::chunked::{self, CHUNK_LEN, COMMITMENT_LEN, SALT_LEN, SEALED_CHUNK_LEN};
use donjon::envelope::{
    Context, Decryptor, Encryptor, EnvelopeError, Erasure, Inspection, Kind, MAX_PREFIX_LEN, MAX_TAIL_LEN,
    PassphraseParams, Reader, Run, Sealer, Workers,
};
use donjon::keyring::{KeyStatus, Keyring, Purpose};
use donjon::runtime::OsEntropy;
use donjon::signature::Algorithm;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const NOW: i64 = 1_800_000_000;

fn keyring() -> Keyring {
    Keyring::generate(&[(Purpose::Envelope, Algorithm::Hs256)], NOW, &mut OsEntropy).unwrap()
}

fn passphrase(words: &[u8]) -> Sealer {
    Sealer::from_passphrase(words, PassphraseParams::new(8, 1, 1).unwrap()).unwrap()
}

fn external() -> Sealer {
    Sealer::from_external(&[1; 32], "arn:aws:kms:1", b"what the KMS made").unwrap()
}

/// One of every source, by its name.
fn sealers() -> [(&'static str, Sealer); 4] {
    let keyed = Sealer::new(&keyring()).unwrap();
    let (data_key, _) = keyed.new_data_key(b"acme", NOW, &mut OsEntropy).unwrap();
    [
        ("keyring", keyed),
        ("passphrase", passphrase(b"words")),
        ("external", external()),
        ("data key", data_key),
    ]
}

fn place() -> Context<'static> {
    Context::new(&["users", "email", "42"]).unwrap()
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8 ^ (i / CHUNK_LEN) as u8).collect()
}

fn seal(sealer: &Sealer, plaintext: &[u8]) -> Vec<u8> {
    sealer.seal(&place(), NOW, plaintext, &mut OsEntropy).unwrap()
}

fn open(sealer: &Sealer, envelope: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    sealer.open(&place(), NOW, envelope)
}

fn header_len(envelope: &[u8]) -> usize {
    Inspection::new(envelope).unwrap().header_len()
}

#[test]
fn every_source_opens_what_it_sealed_of_every_size() {
    for (name, sealer) in sealers() {
        for len in [0, 1, 16_383, 16_384, 16_385, 3 * 16_384] {
            let envelope = seal(&sealer, &text(len));
            assert_eq!(sealer.sealed_len(len as u64), Some(envelope.len() as u64), "{name} {len}");
            assert_eq!(open(&sealer, &envelope).unwrap(), text(len), "{name} {len}");
            assert!(!sealer.needs_rewrap(&envelope).is_ok_and(|needs| needs), "{name}");
        }
    }
}

#[test]
fn nothing_is_sealed_twice_the_same() {
    for (name, sealer) in sealers() {
        let (one, two) = (seal(&sealer, b"the same"), seal(&sealer, b"the same"));
        assert_ne!(one[header_len(&one)..], two[header_len(&two)..], "{name}");
    }
}

#[test]
fn no_source_opens_what_another_sealed() {
    let sealers = sealers();
    for (i, (sealed_by, sealer)) in sealers.iter().enumerate() {
        let envelope = seal(sealer, b"mine");
        for (opened_by, other) in sealers.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, other)| other)
        {
            assert_eq!(open(other, &envelope), Err(EnvelopeError::DecryptFailed), "{sealed_by} {opened_by}");
        }
    }
}

/// Which bytes say what Argon2 costs: what is flipped there is worked off, if it stays inside the bounds.
fn is_cost(envelope: &[u8], at: usize) -> bool {
    Inspection::new(envelope).unwrap().kind() == Kind::Passphrase && (22..34).contains(&at)
}

#[test]
fn every_bit_of_a_small_envelope_counts() {
    for (name, sealer) in sealers() {
        let mut envelope = seal(&sealer, b"small");
        let header_len = header_len(&envelope);
        for bit in 0..8 * envelope.len() {
            if is_cost(&envelope, bit / 8) {
                continue;
            }
            envelope[bit / 8] ^= 1 << (bit % 8);
            let refused = open(&sealer, &envelope).unwrap_err();
            // Which key a header names is not secret, and an operator wants to know that it is missing.
            let is_named = refused == EnvelopeError::UnknownKey && (6..header_len).contains(&(bit / 8));
            assert!(refused == EnvelopeError::DecryptFailed || is_named, "{name}, bit {bit}: {refused:?}");
            envelope[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(open(&sealer, &envelope).is_ok());
    }
}

#[test]
fn what_argon2_costs_is_authentic_too() {
    let sealer = passphrase(b"words");
    let envelope = seal(&sealer, b"small");
    // Memory: 9 KiB, and 8 MiB more. Passes: 0, 3, 9. Lanes: 0, 3, 17.
    for (at, bit, refused) in [
        (25, 0, EnvelopeError::DecryptFailed),
        (24, 5, EnvelopeError::DecryptFailed),
        (29, 0, EnvelopeError::ParamsOutOfBounds),
        (29, 1, EnvelopeError::DecryptFailed),
        (29, 3, EnvelopeError::DecryptFailed),
        (33, 0, EnvelopeError::ParamsOutOfBounds),
        (33, 1, EnvelopeError::ParamsOutOfBounds),
        (33, 4, EnvelopeError::ParamsOutOfBounds),
        (22, 7, EnvelopeError::ParamsOutOfBounds),
        (23, 5, EnvelopeError::ParamsOutOfBounds),
        (26, 0, EnvelopeError::ParamsOutOfBounds),
        (30, 7, EnvelopeError::ParamsOutOfBounds),
    ] {
        let mut flipped = envelope.clone();
        flipped[at] ^= 1 << bit;
        assert_eq!(open(&sealer, &flipped), Err(refused), "bit {bit} of byte {at}");
    }
}

#[test]
fn every_length_but_the_whole_is_refused() {
    for (name, sealer) in sealers() {
        let envelope = seal(&sealer, b"small");
        for len in 0..envelope.len() {
            assert_eq!(open(&sealer, &envelope[..len]), Err(EnvelopeError::DecryptFailed), "{name} {len}");
        }
        for more in [&[0][..], &[0; 16], &envelope] {
            let longer = [&envelope, more].concat();
            assert_eq!(open(&sealer, &longer), Err(EnvelopeError::DecryptFailed), "{name}");
        }
    }
}

/// An envelope of three chunks, the last of one byte.
fn three_chunks() -> (Sealer, Vec<u8>) {
    let sealer = external();
    let envelope = seal(&sealer, &text(2 * CHUNK_LEN + 1));
    (sealer, envelope)
}

/// Flips every bit of one part of it.
fn flip_every_bit(part: impl Fn(usize, usize) -> core::ops::Range<usize>) {
    let (sealer, mut envelope) = three_chunks();
    for at in part(header_len(&envelope), envelope.len()) {
        for bit in 0..8 {
            envelope[at] ^= 1 << bit;
            assert_eq!(open(&sealer, &envelope), Err(EnvelopeError::DecryptFailed), "bit {bit} of byte {at}");
            envelope[at] ^= 1 << bit;
        }
    }
    assert!(open(&sealer, &envelope).is_ok());
}

const START_LEN: usize = SALT_LEN + COMMITMENT_LEN;

#[test]
fn every_bit_of_three_chunks_counts_in_salt_commitment_and_first_chunk() {
    flip_every_bit(|header, _| header..header + START_LEN + SEALED_CHUNK_LEN);
}

#[test]
fn every_bit_of_three_chunks_counts_in_the_second_chunk_and_the_last() {
    flip_every_bit(|header, end| header + START_LEN + SEALED_CHUNK_LEN..end);
}

#[test]
fn every_cut_through_three_chunks_is_refused() {
    let (sealer, envelope) = three_chunks();
    for len in 0..envelope.len() {
        assert_eq!(open(&sealer, &envelope[..len]), Err(EnvelopeError::DecryptFailed), "{len}");
    }
}

/// The sealed chunks of an envelope, and all that stands before them.
fn taken_apart(envelope: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (start, chunks) = envelope.split_at(header_len(envelope) + START_LEN);
    (start, chunks.chunks(SEALED_CHUNK_LEN).collect())
}

#[test]
fn no_other_order_or_number_of_chunks_is_a_message() {
    let (sealer, envelope) = three_chunks();
    let (start, chunks) = taken_apart(&envelope);
    let orders = (0..4_usize.pow(4)).map(|n| [n % 4, n / 4 % 4, n / 16 % 4, n / 64]);
    // 3 is no chunk: every message of up to four of the three.
    for order in orders {
        let picked: Vec<usize> = order.into_iter().filter(|i| *i < 3).collect();
        let message = picked.iter().fold(start.to_vec(), |message, i| [&message, chunks[*i]].concat());
        let expected =
            if picked == [0, 1, 2] { Ok(text(2 * CHUNK_LEN + 1)) } else { Err(EnvelopeError::DecryptFailed) };
        assert_eq!(open(&sealer, &message), expected, "{picked:?}");
    }
}

#[test]
fn both_backends_make_these_bytes() {
    let mut digest = Sha256::new();
    for len in [0, 1, 15, 16, 17, 255, 16_383, 16_384, 16_385, 32_768, 100_000, 300 * 16_384 + 5] {
        let mut salt = FixedEntropy::new(&[3; SALT_LEN]);
        digest.update(chunked::seal(&[7; 32], b"both backends", &text(len), &mut salt).unwrap());
    }
    // What the generator of the vectors makes; run with the feature `aws-lc` and without.
    let expected = "16838f405e584508b331471bd476376672691a4e97d31a32e71d5603dfe7515f";
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, expected);
}

/// Two threads, each with every other part of three chunks.
struct TwoThreads;

impl Workers for TwoThreads {
    fn run(&self, mut run: Run<'_>) -> Result<(), EnvelopeError> {
        let mut parts = Vec::new();
        while run.chunks() > 0 {
            parts.push(run.split_off_front(3));
        }
        let (mut even, mut odd) = (Vec::new(), Vec::new());
        for (i, part) in parts.into_iter().enumerate() {
            if i % 2 == 0 { even.push(part) } else { odd.push(part) }
        }
        std::thread::scope(|scope| {
            let other = scope.spawn(|| odd.into_iter().try_for_each(Run::execute));
            even.into_iter().try_for_each(Run::execute).and(other.join().unwrap())
        })
    }
}

/// `bytes` in pieces that end where `cuts` say, in thousandths.
fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut * bytes.len() / 1000).collect();
    ends.sort_unstable();
    let starts: Vec<usize> = [0].into_iter().chain(ends.iter().copied()).collect();
    starts
        .into_iter()
        .zip(ends.into_iter().chain([bytes.len()]))
        .map(|(start, end)| &bytes[start..end])
        .collect()
}

/// Opens an envelope that comes in pieces: what was released, and how it ended.
fn stream_open(sealer: &Sealer, envelope: &[u8], cuts: &[usize]) -> (Vec<u8>, Result<(), EnvelopeError>) {
    let prefix = &envelope[..envelope.len().min(MAX_PREFIX_LEN)];
    let mut released = Vec::new();
    let mut run = || {
        let (consumed, mut decryptor) = Decryptor::new(sealer, &place(), NOW, prefix)?;
        for piece in pieces(&envelope[consumed..], cuts) {
            released.extend(decryptor.push(piece)?);
        }
        released.extend(decryptor.finish()?);
        Ok(())
    };
    let ended = run();
    (released, ended)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..=1000, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streams_in_any_pieces_are_the_bytes_of_one_piece(len in 0_usize..120_000, cuts in cuts(), threads: bool) {
        let (sealer, plaintext, entropy) = (external(), text(len), [5; 24]);
        let whole = sealer.seal(&place(), NOW, &plaintext, &mut FixedEntropy::new(&entropy)).unwrap();
        let (mut envelope, mut encryptor) =
            Encryptor::new(&sealer, &place(), NOW, &mut FixedEntropy::new(&entropy)).unwrap();
        for piece in pieces(&plaintext, &cuts) {
            let sealed = if threads { encryptor.push_on(piece, &TwoThreads) } else { encryptor.push(piece) };
            envelope.extend(sealed.unwrap());
        }
        envelope.extend(encryptor.finish().unwrap());
        prop_assert!(envelope == whole);

        let (opened, ended) = stream_open(&sealer, &envelope, &cuts);
        prop_assert_eq!(ended, Ok(()));
        prop_assert!(opened == plaintext);
    }

    #[test]
    fn a_stream_releases_a_beginning_of_what_was_sealed_or_nothing(
        len in 0_usize..60_000, at in 0_usize..1000, bit in 0_u8..8, cuts in cuts(),
    ) {
        let (sealer, plaintext) = (external(), text(len));
        let mut envelope = seal(&sealer, &plaintext);
        let at = at * envelope.len() / 1000;
        envelope[at] ^= 1 << bit;
        let (released, ended) = stream_open(&sealer, &envelope, &cuts);
        prop_assert!(matches!(ended, Err(EnvelopeError::DecryptFailed | EnvelopeError::UnknownKey)));
        prop_assert!(plaintext.starts_with(&released));
        // Nothing of the flipped chunk, and nothing behind it.
        let chunk = at.saturating_sub(header_len_of(&sealer) + START_LEN) / SEALED_CHUNK_LEN;
        prop_assert!(released.len() <= chunk * CHUNK_LEN);
    }

    #[test]
    fn a_stream_that_was_cut_does_not_end_well(len in 0_usize..60_000, kept in 0_usize..1000, cuts in cuts()) {
        let (sealer, plaintext) = (external(), text(len));
        let envelope = seal(&sealer, &plaintext);
        let (released, ended) = stream_open(&sealer, &envelope[..kept * envelope.len() / 1000], &cuts);
        prop_assert_eq!(ended, Err(EnvelopeError::DecryptFailed));
        prop_assert!(plaintext.starts_with(&released));
    }

    #[test]
    fn what_is_read_from_the_middle_is_a_slice(len in 0_usize..70_000, ranges in prop::collection::vec((0_u64..80_000, 0_u64..80_000), 1..8)) {
        let (sealer, plaintext) = (external(), text(len));
        let envelope = seal(&sealer, &plaintext);
        let reader = reader(&sealer, &envelope).unwrap();
        prop_assert_eq!(reader.len(), len as u64);
        for (offset, length) in ranges {
            let span = reader.span(offset, length);
            let sealed = &envelope[span.offset as usize..(span.offset + span.len) as usize];
            let start = len.min(offset as usize);
            let end = len.min(start + length as usize);
            prop_assert!(reader.read(offset, length, sealed).unwrap() == plaintext[start..end]);
        }
    }

    #[test]
    fn no_bytes_are_an_envelope_by_chance(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for (_, sealer) in sealers() {
            let told = [b"DJN1", &bytes[..]].concat();
            prop_assert!(open(&sealer, &bytes).is_err() && open(&sealer, &told).is_err());
        }
    }
}

fn header_len_of(sealer: &Sealer) -> usize {
    sealer.sealed_len(0).unwrap() as usize - START_LEN - 16
}

fn reader(sealer: &Sealer, envelope: &[u8]) -> Result<Reader, EnvelopeError> {
    let prefix = &envelope[..envelope.len().min(MAX_PREFIX_LEN)];
    let tail = &envelope[envelope.len().saturating_sub(MAX_TAIL_LEN)..];
    Reader::new(sealer, &place(), NOW, prefix, tail, envelope.len() as u64)
}

#[test]
fn no_reader_is_made_of_an_envelope_that_was_cut() {
    let (sealer, envelope) = three_chunks();
    for len in 0..envelope.len() {
        let refused = reader(&sealer, &envelope[..len]).err();
        assert_eq!(refused, Some(EnvelopeError::DecryptFailed), "{len}");
    }
    assert!(reader(&sealer, &envelope).is_ok());
}

#[test]
fn a_failure_leaves_no_plaintext_that_came_before_it() {
    let (sealer, mut envelope) = three_chunks();
    let last = envelope.len() - 1;
    envelope[last] ^= 1;
    let (consumed, mut decryptor) =
        Decryptor::new(&sealer, &place(), NOW, &envelope[..MAX_PREFIX_LEN]).unwrap();
    // Both whole chunks are authentic, and so released; what is not comes never.
    assert_eq!(decryptor.push(&envelope[consumed..]).unwrap(), text(2 * CHUNK_LEN));
    assert_eq!(decryptor.finish(), Err(EnvelopeError::DecryptFailed));
    assert_eq!(decryptor.finish(), Err(EnvelopeError::DecryptFailed));
    assert_eq!(decryptor.push(&[]), Err(EnvelopeError::DecryptFailed));
}

#[test]
fn rotation_changes_the_wrap_and_leaves_the_payload() {
    let before = keyring();
    let old = Sealer::new(&before).unwrap();
    let envelope = seal(&old, &text(40_000));
    let after = before.rotate(Purpose::Envelope, None, NOW, 3600, &mut OsEntropy).unwrap();
    let new = Sealer::new(&after).unwrap();
    assert_eq!(open(&new, &envelope).unwrap(), text(40_000));
    assert_eq!((old.needs_rewrap(&envelope), new.needs_rewrap(&envelope)), (Ok(false), Ok(true)));

    let (header, old_header_len) =
        old.rewrap(&new, NOW, &envelope[..MAX_PREFIX_LEN], &mut OsEntropy).unwrap();
    let rewrapped = [&header, &envelope[old_header_len..]].concat();
    assert_eq!(new.needs_rewrap(&rewrapped), Ok(false));
    assert_eq!(open(&new, &rewrapped).unwrap(), text(40_000));
    let destroyed = after.with_status(old.key_id(), KeyStatus::Destroyed, None).unwrap();
    let survivor = Sealer::new(&destroyed).unwrap();
    assert_eq!(open(&survivor, &rewrapped).unwrap(), text(40_000));
    assert_eq!(open(&survivor, &envelope), Err(EnvelopeError::KeyDestroyed));
}

#[test]
fn a_passphrase_is_changed_without_the_payload() {
    let (old, new) = (passphrase(b"old words"), passphrase(b"new words"));
    let envelope = seal(&old, &text(20_000));
    let (header, old_header_len) = old.rewrap(&new, NOW, &envelope, &mut OsEntropy).unwrap();
    let rewrapped = [&header, &envelope[old_header_len..]].concat();
    assert_eq!(open(&new, &rewrapped).unwrap(), text(20_000));
    assert_eq!(open(&old, &rewrapped), Err(EnvelopeError::DecryptFailed));
    assert_eq!(new.rewrap(&old, NOW, &envelope, &mut OsEntropy).err(), Some(EnvelopeError::DecryptFailed));
}

#[test]
fn a_kms_s_wrap_is_changed_only_for_the_same_data_key() {
    let old = external();
    let envelope = seal(&old, b"outside");
    let new = Sealer::from_external(&[1; 32], "arn:aws:kms:2", b"the same key, wrapped anew").unwrap();
    assert_eq!(new.needs_rewrap(&envelope), Ok(true));
    let (header, old_header_len) = old.rewrap(&new, NOW, &envelope, &mut OsEntropy).unwrap();
    let rewrapped = [&header, &envelope[old_header_len..]].concat();
    assert_eq!(open(&new, &rewrapped).unwrap(), b"outside");
    let another = Sealer::from_external(&[2; 32], "arn:aws:kms:2", b"another key").unwrap();
    assert_eq!(
        old.rewrap(&another, NOW, &envelope, &mut OsEntropy).err(),
        Some(EnvelopeError::InvalidArgument)
    );
}

#[test]
fn an_envelope_stays_of_its_kind() {
    let sealers = sealers();
    for (i, (from_name, from)) in sealers.iter().enumerate() {
        let envelope = seal(from, b"mine");
        for (j, (to_name, to)) in sealers.iter().enumerate() {
            let is_same = i == j && *from_name != "data key";
            let rewrapped = from.rewrap(to, NOW, &envelope, &mut OsEntropy);
            assert_eq!(rewrapped.is_ok(), is_same, "{from_name} to {to_name}: {:?}", rewrapped.err());
        }
    }
}

#[test]
fn a_data_key_is_wrapped_by_every_source_and_moves_to_every_other() {
    let sources = sealers();
    for (from_name, from) in &sources[..3] {
        let (data_key, wrapped) = from.new_data_key(b"acme", NOW, &mut OsEntropy).unwrap();
        let cell = seal(&data_key, b"ann@example.com");
        for (to_name, to) in &sources[..3] {
            let moved = from.rewrap_data_key(to, b"acme", NOW, &wrapped, &mut OsEntropy).unwrap();
            let same = to.open_data_key(b"acme", NOW, &moved).unwrap();
            assert_eq!(same.key_id(), data_key.key_id(), "{from_name} to {to_name}");
            assert_eq!(open(&same, &cell).unwrap(), b"ann@example.com");
            let elsewhere = to.open_data_key(b"globex", NOW, &moved).err();
            assert_eq!(elsewhere, Some(EnvelopeError::DecryptFailed), "{from_name} to {to_name}");
        }
        // What is stored for a data key is nobody's payload, and no payload is a data key.
        for context in [&[][..], &["acme"], &["donjon/data-key/v1"]] {
            let opened = from.open(&Context::new(context).unwrap(), NOW, &wrapped);
            assert_eq!(opened, Err(EnvelopeError::DecryptFailed), "{from_name}");
        }
        let like = from.seal(&Context::new(&["acme"]).unwrap(), NOW, &[1; 32], &mut OsEntropy).unwrap();
        assert!(from.open_data_key(b"acme", NOW, &like).is_err(), "{from_name}");
        for len in 0..wrapped.len() {
            let refused = from.open_data_key(b"acme", NOW, &wrapped[..len]).err();
            assert_eq!(refused, Some(EnvelopeError::DecryptFailed), "{from_name} {len}");
        }
        let longer = [&wrapped[..], &[0]].concat();
        assert_eq!(from.open_data_key(b"acme", NOW, &longer).err(), Some(EnvelopeError::DecryptFailed));
    }
    let data_key = &sources[3].1;
    let refused = data_key.new_data_key(b"acme", NOW, &mut OsEntropy).err();
    assert_eq!(refused, Some(EnvelopeError::InvalidArgument));
}

#[test]
fn what_was_shredded_stays_shredded_when_a_backup_comes_back() {
    let keyring = keyring();
    let sealer = Sealer::new(&keyring).unwrap();
    let (ann, backup_of_ann) = sealer.new_data_key(b"ann", NOW, &mut OsEntropy).unwrap();
    let (bob, stored_of_bob) = sealer.new_data_key(b"bob", NOW, &mut OsEntropy).unwrap();
    let (of_ann, of_bob) = (seal(&ann, b"ann's"), seal(&bob, b"bob's"));
    let id = sealer.key_id().to_owned();
    let is_erased = |keyring: &Keyring| Erasure::of(keyring, &[&*id], None, NOW).unwrap().is_erased();

    // Ann is to be forgotten: bob's key moves to the next key, then the old one goes.
    let rotated = keyring.rotate(Purpose::Envelope, None, NOW, 3600, &mut OsEntropy).unwrap();
    let next = Sealer::new(&rotated).unwrap();
    let moved = sealer.rewrap_data_key(&next, b"bob", NOW, &stored_of_bob, &mut OsEntropy).unwrap();
    // The live wrapped key alone is gone: a backup brings it back.
    assert!(!is_erased(&rotated));
    let restored = next.open_data_key(b"ann", NOW, &backup_of_ann).unwrap();
    assert_eq!(open(&restored, &of_ann).unwrap(), b"ann's");

    let destroyed = rotated.with_status(&id, KeyStatus::Destroyed, None).unwrap();
    assert!(is_erased(&destroyed));
    let after = Sealer::new(&destroyed).unwrap();
    assert_eq!(after.open_data_key(b"ann", NOW, &backup_of_ann).err(), Some(EnvelopeError::KeyDestroyed));
    let survivor = after.open_data_key(b"bob", NOW, &moved).unwrap();
    assert_eq!(open(&survivor, &of_bob).unwrap(), b"bob's");
}

#[test]
fn no_secret_is_in_what_is_printed() {
    let sealers = sealers();
    for (name, sealer) in &sealers {
        let envelope = seal(sealer, b"plaintext");
        let (consumed, decryptor) = Decryptor::new(sealer, &place(), NOW, &envelope).unwrap();
        let reader = reader(sealer, &envelope).unwrap();
        for printed in [format!("{sealer:?}"), format!("{decryptor:?}"), format!("{reader:?}")] {
            assert!(!printed.contains("words") && !printed.contains("[1, 1, 1"), "{name}: {printed}");
        }
        assert!(consumed < envelope.len());
    }
}
