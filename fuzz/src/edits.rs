//! What happens to stored bytes, and long plaintexts out of few decisions.

use crate::abi::Script;

const MOST_EDITS: u8 = 4;

/// Up to three chunks of plaintext, and often just at a chunk's end.
pub fn plaintext(script: &mut Script<'_>) -> Vec<u8> {
    const CHUNK: usize = donjon::envelope::chunked::CHUNK_LEN;
    let chunks = usize::from(script.byte() % 3) * CHUNK;
    let more = usize::from(script.byte()) * usize::from(script.byte());
    let len = (chunks + more).saturating_sub(usize::from(script.byte() % 4));
    (0..len).map(|index| (index % 251) as u8).collect()
}

/// `bytes`, with bits flipped, cut off, moved, repeated or appended; or as they are.
pub fn edited(script: &mut Script<'_>, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..script.byte() % MOST_EDITS {
        let (from, to) = (place(script, bytes.len()), place(script, bytes.len()));
        match script.byte() % 5 {
            0 => bytes[from..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << (to % 8)),
            1 => bytes.truncate(from),
            2 => bytes.drain(from.min(to)..from.max(to)).for_each(drop),
            3 => bytes.extend_from_within(from.min(to)..from.max(to)),
            _ => bytes.rotate_left(from),
        }
    }
    bytes
}

/// Somewhere in `len` bytes, the end included: near either of them, or anywhere.
fn place(script: &mut Script<'_>, len: usize) -> usize {
    let near = usize::from(script.byte());
    match script.byte() % 3 {
        0 => near.min(len),
        1 => len.saturating_sub(near),
        _ => (near << 8 | usize::from(script.byte())) % (len + 1),
    }
}

/// `bytes` in pieces, whose lengths the script says.
pub fn pieces<'a>(script: &mut Script<'_>, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !script.0.is_empty() && script.byte() != 255 {
        let len = usize::from(script.byte()) << (script.byte() % 9);
        let (piece, rest) = bytes.split_at(len.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}
