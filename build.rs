//! Packs the list of common passwords, and generates the C header, beside the build's other output; tests hold
//! both against their originals.

#![allow(clippy::expect_used, reason = "a build that cannot generate its files should stop")]

use std::path::PathBuf;
use std::{env, fs};

/// Every so many passwords one is written in full.
const BLOCK: usize = 32;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    common_passwords();
    #[cfg(feature = "ffi")]
    ffi();
}

fn folder(variable: &str) -> PathBuf {
    env::var_os(variable).expect("cargo names its folders").into()
}

/// Writes `common.bin`: per password how many bytes (below 32) it has in common with the one before, 0 at least
/// every [`BLOCK`], and then its other bytes, all of which are above 32.
fn common_passwords() {
    let list = folder("CARGO_MANIFEST_DIR").join("src/password/common.txt");
    let text = fs::read_to_string(list).expect("the list of common passwords is there");
    let mut packed = Vec::new();
    let mut before = "";
    for (index, password) in text.lines().enumerate() {
        assert!(password.bytes().all(|byte| byte.is_ascii_graphic()) && before < password, "{password:?}");
        let equal = before.bytes().zip(password.bytes()).take_while(|(a, b)| a == b).count();
        let shared = if index % BLOCK == 0 { 0 } else { equal.min(31) };
        packed.push(u8::try_from(shared).expect("it is below 32"));
        packed.extend_from_slice(password.as_bytes().get(shared..).expect("the passwords share it"));
        before = password;
    }
    fs::write(folder("OUT_DIR").join("common.bin"), packed).expect("the output folder is writable");
}

#[cfg(feature = "ffi")]
fn ffi() {
    let root = folder("CARGO_MANIFEST_DIR");
    let config = cbindgen::Config::from_root_or_default(&root);
    let header = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/ffi/mod.rs"))
        .generate()
        .expect("the C header can be generated");
    let mut text = Vec::new();
    header.write(&mut text);
    let text = String::from_utf8(text).expect("the C header is UTF-8");
    fs::write(folder("OUT_DIR").join("donjon.h"), without_safety_sections(&text))
        .expect("the output folder is writable");
}

/// What Rust wants said under `# Safety`, C is told once, in the contract at the head of the header.
#[cfg(feature = "ffi")]
fn without_safety_sections(header: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_safety = false;
    for line in header.lines() {
        is_safety = (is_safety || line == "// # Safety") && line.starts_with("//");
        if is_safety {
            // The empty comment line that set the section off goes with it.
            kept.pop_if(|last| *last == "//");
        } else {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}
