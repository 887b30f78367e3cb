//! A host of the C ABI that passes whatever a script of bytes says, and watches over its memory: every
//! input is an allocation of exactly its length, so that the sanitizer sees a read past it, and every
//! output lies before a canary.

use std::mem::MaybeUninit;
use std::ptr;

/// What a call may come to: the numbers pinned in `donjon.h`, less `internal_error`, which is a panic.
const STATUSES: [i32; 45] = [
    0, 1, 2, 3, 5, 6, 7, 8, 9, 20, 21, 22, 23, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 60,
    61, 62, 63, 80, 81, 82, 83, 84, 100, 120, 121, 140, 141, 142, 143, 144, 145,
];
const INVALID_ARGUMENT: i32 = 1;
const BUFFER_TOO_SMALL: i32 = 2;

const CANARY: u8 = 0xA5;
const CANARY_LEN: usize = 32;

/// Decisions, one byte after the other; zeros when they run out.
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number of the interesting kind, or any.
    pub fn number(&mut self) -> i64 {
        match self.byte() {
            0 => 0,
            1 => i64::MIN,
            2 => i64::MAX,
            3 => -1,
            4 => 1_700_000_000,
            5 => i64::MAX - 1,
            small @ 6..128 => small.into(),
            _ => {
                let mut bytes = [0; 8];
                let drawn = self.bytes(8);
                bytes[..drawn.len()].copy_from_slice(drawn);
                i64::from_le_bytes(bytes)
            }
        }
    }

    /// One of `items`, or nothing.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        items
            .get(usize::from(self.byte()))
            .copied()
            .or_else(|| items.last().copied().filter(|_| self.byte() != 0))
    }
}

/// A pointer and a length, honest or not.
pub struct Input {
    pub ptr: *const u8,
    pub len: usize,
    /// What the pointer points to, while the call runs.
    owned: Option<Box<[u8]>>,
}

impl Input {
    /// Bytes from the script, from `words`, or what the last output was; or a broken pair.
    pub fn draw(script: &mut Script<'_>, words: &[&str], last: &[u8]) -> Self {
        match script.byte() {
            0 => Self { ptr: ptr::null(), len: 0, owned: None },
            1 => Self { ptr: ptr::null(), len: 1 + usize::from(script.byte()), owned: None },
            2 => {
                let owned: Box<[u8]> = [0; 1].into();
                Self { ptr: owned.as_ptr(), len: isize::MAX as usize + 1, owned: Some(owned) }
            }
            3..64 => Self::of(last),
            at @ 64..192 => Self::of(
                words.get(usize::from(at - 64) % words.len().max(1)).map_or(&[], |word| word.as_bytes()),
            ),
            len => {
                let len = usize::from(len - 192) * 8;
                Self::of(script.bytes(len))
            }
        }
    }

    /// What it points to, if it says so honestly.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.owned.as_deref().filter(|owned| owned.len() == self.len)
    }

    fn of(bytes: &[u8]) -> Self {
        let owned: Box<[u8]> = bytes.into();
        Self { ptr: owned.as_ptr(), len: owned.len(), owned: Some(owned) }
    }
}

/// Who makes the calls: draws their inputs, and gives what the last one wrote to those that follow.
pub struct Host<'a> {
    pub script: Script<'a>,
    pub last: Vec<u8>,
    words: &'static [&'static str],
}

impl<'a> Host<'a> {
    pub fn new(script: &'a [u8], words: &'static [&'static str]) -> Self {
        Self { script: Script(script), last: Vec::new(), words }
    }

    pub fn input(&mut self) -> Input {
        Input::draw(&mut self.script, self.words, &self.last)
    }

    pub fn output(&mut self, call: &dyn Fn(*mut u8, usize, *mut usize) -> i32) {
        if let Some(written) = output(&mut self.script, call) {
            self.last = written;
        }
    }

    /// One of `handles`, or NULL.
    pub fn pick<T>(&mut self, handles: &[*mut T]) -> *mut T {
        self.script.pick(handles).unwrap_or(ptr::null_mut())
    }

    /// [`Host::output`] of a call that writes plaintext as it goes, and zeros over it where it fails.
    pub fn opened(&mut self, call: &dyn Fn(*mut u8, usize, *mut usize) -> i32) {
        if let Some(written) = output_or(&mut self.script, &[CANARY, 0], call) {
            self.last = written;
        }
    }
}

/// Lets `call` write bytes, and holds the contract of byte outputs: written on success alone, never past
/// the capacity; the length needed on `buffer_too_small`, and then enough of it.
pub fn output(script: &mut Script<'_>, call: &dyn Fn(*mut u8, usize, *mut usize) -> i32) -> Option<Vec<u8>> {
    output_or(script, &[CANARY], call)
}

/// [`output`], of whose buffer a failure leaves nothing but `left`.
fn output_or(
    script: &mut Script<'_>,
    left: &[u8],
    call: &dyn Fn(*mut u8, usize, *mut usize) -> i32,
) -> Option<Vec<u8>> {
    let capacity = match script.byte() {
        0 => 0,
        1 => {
            let mut len = 0;
            assert_eq!(checked(call(ptr::null_mut(), 64, &mut len)), INVALID_ARGUMENT);
            return None;
        }
        2 => {
            let mut byte = 0;
            assert_eq!(checked(call(&mut byte, 1, ptr::null_mut())), INVALID_ARGUMENT);
            return None;
        }
        small @ 3..64 => small.into(),
        _ => 1 << 17,
    };
    let (status, written, needed) = write_into(capacity, left, call);
    if status != BUFFER_TOO_SMALL {
        return written;
    }
    assert!(needed > capacity, "{needed} fit into {capacity}");
    let (status, written, _) = write_into(needed, left, call);
    assert_ne!(status, BUFFER_TOO_SMALL, "{needed} were asked for");
    written
}

fn write_into(
    capacity: usize,
    left: &[u8],
    call: &dyn Fn(*mut u8, usize, *mut usize) -> i32,
) -> (i32, Option<Vec<u8>>, usize) {
    const UNTOUCHED: usize = usize::MAX - 7;
    let untouched = vec![CANARY; capacity + CANARY_LEN];
    let mut buffer = untouched.clone();
    let mut len = UNTOUCHED;
    let status = checked(call(buffer.as_mut_ptr(), capacity, &mut len));
    // Whole slices: the fuzzer watches every comparison of a byte.
    assert!(buffer[capacity..] == untouched[capacity..], "written past the capacity");
    if status == 0 {
        buffer.truncate(len);
        return (status, Some(buffer), len);
    }
    assert!(buffer == untouched || buffer.iter().all(|byte| left.contains(byte)), "written on failure");
    assert!(status == BUFFER_TOO_SMALL || len == UNTOUCHED, "a length on failure");
    (status, None, len)
}

/// Lets `call` fill a plain struct, which it may touch on success alone; the status otherwise.
pub fn record<T: Copy>(call: impl FnOnce(*mut T) -> i32) -> Result<T, i32> {
    let mut record = MaybeUninit::<T>::uninit();
    // SAFETY: the bytes are the record's own; all of them are set before any is read.
    unsafe { ptr::write_bytes(record.as_mut_ptr(), CANARY, 1) };
    let status = checked(call(record.as_mut_ptr()));
    // SAFETY: initialised above, and a plain struct of integers takes any bytes.
    let bytes = unsafe { std::slice::from_raw_parts(record.as_ptr().cast::<u8>(), size_of::<T>()) };
    if status != 0 {
        assert!(bytes.iter().all(|byte| *byte == CANARY), "written on failure");
        return Err(status);
    }
    // SAFETY: as above.
    Ok(unsafe { record.assume_init() })
}

/// Lets `call` make a handle, which it may set on success alone.
pub fn handle<T>(call: impl FnOnce(*mut *mut T) -> i32) -> Option<*mut T> {
    let untouched = ptr::without_provenance_mut(usize::from(CANARY));
    let mut handle = untouched;
    let status = checked(call(&mut handle));
    assert_eq!(status != 0, handle == untouched);
    assert!(!handle.is_null());
    (status == 0).then_some(handle)
}

/// Holds a diagnosis against what it is about: `null` for what could be made, and a reason for all else that
/// could be read.
pub fn diagnosed<T>(made: Option<T>, call: &dyn Fn(*mut u8, usize, *mut usize) -> i32) -> Option<T> {
    if let Some(diagnosis) = output(&mut Script(&[255]), call) {
        let diagnosis: serde_json::Value = serde_json::from_slice(&diagnosis).unwrap();
        assert_eq!(diagnosis.is_null(), made.is_some(), "{diagnosis}");
    } else {
        assert!(made.is_none());
    }
    made
}

/// A status that the table has, and no panic.
pub fn checked(status: i32) -> i32 {
    assert!(STATUSES.contains(&status), "status {status}");
    status
}
