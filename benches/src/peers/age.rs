//! `rage`'s library: a file for one X25519 recipient.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::iter;
use std::path::Path;

use age::x25519::Identity;

use crate::envelopes::file::written_over;

pub struct Rage(Identity);

impl Rage {
    pub fn new() -> Self {
        Self(Identity::generate())
    }

    pub fn seal_file(&self, source: &Path, target: &Path, buffer_len: usize) {
        let recipient = self.0.to_public();
        let encryptor =
            age::Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut out = encryptor.wrap_output(written_over(target)).unwrap();
        copy(&mut File::open(source).unwrap(), &mut out, buffer_len);
        // Headers have a stanza of random length.
        let mut file = out.finish().unwrap();
        let end = file.stream_position().unwrap();
        file.set_len(end).unwrap();
    }

    pub fn open_file(&self, source: &Path, target: &Path, buffer_len: usize) {
        let decryptor =
            age::Decryptor::new_buffered(io::BufReader::new(File::open(source).unwrap())).unwrap();
        let mut plaintext = decryptor.decrypt(iter::once(&self.0 as &dyn age::Identity)).unwrap();
        copy(&mut plaintext, &mut written_over(target), buffer_len);
    }
}

fn copy(source: &mut impl Read, target: &mut impl Write, buffer_len: usize) {
    let mut buffer = vec![0; buffer_len];
    loop {
        match source.read(&mut buffer).unwrap() {
            0 => return,
            len => target.write_all(&buffer[..len]).unwrap(),
        }
    }
}
