//! A file as long as memory has room for, from and to memory, so that no disk is measured; and how much
//! memory of its own sealing and opening it takes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, process};

use donjon::envelope::{Context, Decryptor, Encryptor, MAX_PREFIX_LEN, PassphraseParams, Sealer};
use donjon::runtime::OsEntropy;

use super::{BACKEND, now_s, sealer};
use crate::measure::{Runner, race, resident_bytes};
use crate::peers::age::Rage;
use crate::report::{report_all, report_bytes};

/// The argument that makes this program the child whose memory is measured.
pub const SEAL_AND_OPEN: &str = "seal-and-open";
const MIB: u64 = 1 << 20;
const BOUND_MIB: u64 = 32;
/// What both sides read and write at a time.
const BUFFER_LEN: usize = 1 << 20;

pub fn measure() {
    let folder = Folder::new();
    let (len, size) = if folder.has_room_for(1 << 30) { (1 << 30, "1 GiB") } else { (1 << 28, "256 MiB") };
    let [plain, ours, theirs, opened] = ["plain", "donjon", "age", "opened"].map(|name| folder.0.join(name));
    write_zeros(&plain, len);
    let (sealer, rage) = (sealer(), Rage::new());

    seal_file(&sealer, &plain, &ours);
    rage.seal_file(&plain, &theirs, BUFFER_LEN);
    for open in [&|| open_file(&sealer, &ours, &opened), &|| rage.open_file(&theirs, &opened, BUFFER_LEN)]
        as [&dyn Fn(); 2]
    {
        open();
        assert_eq!(fs::metadata(&opened).unwrap().len(), len);
    }

    let sealed = race(&mut [
        Runner { name: "donjon", call: &mut || seal_file(&sealer, &plain, &ours) },
        Runner { name: "rage (age 0.11)", call: &mut || rage.seal_file(&plain, &theirs, BUFFER_LEN) },
    ]);
    report_all(&format!("envelopes {size} file seal, {BACKEND}"), &sealed, Some(0.5));
    let read = race(&mut [
        Runner { name: "donjon", call: &mut || open_file(&sealer, &ours, &opened) },
        Runner { name: "rage (age 0.11)", call: &mut || rage.open_file(&theirs, &opened, BUFFER_LEN) },
    ]);
    report_all(&format!("envelopes {size} file open, {BACKEND}"), &read, Some(0.5));

    let child = Command::new(env::current_exe().unwrap()).arg(SEAL_AND_OPEN).arg(&folder.0).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let peak: u64 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();
    let name = format!("envelopes {size} file, resident, {BACKEND}");
    report_bytes(&name, peak, &format!("{BOUND_MIB} MiB"), BOUND_MIB * MIB);
}

/// The child: seals and opens the file `plain` of the folder that is the next argument, and prints the most
/// memory that the whole process ever had.
pub fn seal_and_open() {
    let folder = PathBuf::from(env::args_os().nth(2).unwrap());
    let [plain, sealed, opened] = ["plain", "donjon", "opened"].map(|name| folder.join(name));
    let sealer = Sealer::from_passphrase(b"correct horse", PassphraseParams::new(8, 1, 1).unwrap()).unwrap();
    seal_file(&sealer, &plain, &sealed);
    open_file(&sealer, &sealed, &opened);
    println!("{}", resident_bytes("VmHWM:"));
}

fn seal_file(sealer: &Sealer, source: &Path, target: &Path) {
    let (mut source, mut target) = (File::open(source).unwrap(), written_over(target));
    let context = Context::new(&["reports", "42"]).unwrap();
    let (prefix, mut encryptor) = Encryptor::new(sealer, &context, now_s(), &mut OsEntropy).unwrap();
    target.write_all(&prefix).unwrap();
    let mut buffer = vec![0; BUFFER_LEN];
    loop {
        match source.read(&mut buffer).unwrap() {
            0 => return target.write_all(&encryptor.finish().unwrap()).unwrap(),
            len => target.write_all(&encryptor.push(&buffer[..len]).unwrap()).unwrap(),
        }
    }
}

fn open_file(sealer: &Sealer, source: &Path, target: &Path) {
    let (mut source, mut target) = (File::open(source).unwrap(), written_over(target));
    let context = Context::new(&["reports", "42"]).unwrap();
    let mut buffer = vec![0; BUFFER_LEN];
    let len = source.read(&mut buffer[..MAX_PREFIX_LEN]).unwrap();
    let (consumed, mut decryptor) = Decryptor::new(sealer, &context, now_s(), &buffer[..len]).unwrap();
    target.write_all(&decryptor.push(&buffer[consumed..len]).unwrap()).unwrap();
    loop {
        match source.read(&mut buffer).unwrap() {
            0 => return target.write_all(&decryptor.finish().unwrap()).unwrap(),
            len => target.write_all(&decryptor.push(&buffer[..len]).unwrap()).unwrap(),
        }
    }
}

/// A file to write over what is there, so that the system finds no new pages for it.
pub fn written_over(path: &Path) -> File {
    OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap()
}

fn write_zeros(path: &Path, len: u64) {
    let mut file = File::create(path).unwrap();
    let zeros = vec![0; BUFFER_LEN];
    (0..len / BUFFER_LEN as u64).for_each(|_| file.write_all(&zeros).unwrap());
}

/// A folder in memory where there is one, that goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let shared_memory = Path::new("/dev/shm");
        let parent = if shared_memory.is_dir() { shared_memory.to_owned() } else { env::temp_dir() };
        let folder = parent.join(format!("donjon-benches-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// Whether four files of this length fit, and some more.
    fn has_room_for(&self, len: u64) -> bool {
        let available = Command::new("df").args(["--output=avail", "-B1"]).arg(&self.0).output().unwrap();
        let available = String::from_utf8(available.stdout).unwrap();
        available.lines().nth(1).and_then(|bytes| bytes.trim().parse::<u64>().ok()) > Some(5 * len)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
