//! A message of the bare construction: byte for byte what a slow reading of the specification gives, and
//! after any edit, or under another context, nothing.
#![no_main]

use donjon::entropy::FixedEntropy;
use donjon::envelope::chunked;
use donjon_fuzz::abi::Script;
use donjon_fuzz::cobblestone;
use donjon_fuzz::edits::{edited, plaintext};
use libfuzzer_sys::fuzz_target;

const KEY: [u8; 32] = [5; 32];
const SALT: [u8; 24] = [9; 24];

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let plaintext = plaintext(&mut script);
    let mut context = || {
        let len = usize::from(script.byte());
        script.bytes(len)
    };
    let (context, other) = (context(), context());
    let message = chunked::seal(&KEY, context, &plaintext, &mut FixedEntropy::new(&SALT)).unwrap();
    assert_eq!(message, cobblestone::seal(&KEY, &SALT, context, &plaintext));
    assert_eq!(chunked::sealed_len(plaintext.len() as u64), Some(message.len() as u64));
    assert_eq!(chunked::opened_len(message.len() as u64), Some(plaintext.len() as u64));
    assert_eq!(chunked::open(&KEY, other, &message).is_ok(), other == context);

    let read = edited(&mut script, &message);
    let opened = chunked::open(&KEY, context, &read).ok();
    assert_eq!(opened, (read == message).then_some(plaintext));
    // Nor does anything else that is no message of this key.
    assert!(chunked::open(&KEY, context, script.0).is_err());
});
