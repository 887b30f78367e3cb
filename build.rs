//! Generates the C header beside the build's other output; a test holds it against `include/donjon.h`.

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    #[cfg(feature = "ffi")]
    ffi();
}

#[cfg(feature = "ffi")]
#[allow(clippy::expect_used, reason = "a build that cannot generate its header should stop")]
fn ffi() {
    use std::path::Path;
    use std::{env, fs};

    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder");
    let out = env::var("OUT_DIR").expect("cargo names the output folder");
    let config = cbindgen::Config::from_root_or_default(&root);
    let header = cbindgen::Builder::new()
        .with_config(config)
        .with_src(Path::new(&root).join("src/ffi/mod.rs"))
        .generate()
        .expect("the C header can be generated");
    let mut text = Vec::new();
    header.write(&mut text);
    let text = String::from_utf8(text).expect("the C header is UTF-8");
    fs::write(Path::new(&out).join("donjon.h"), without_safety_sections(&text))
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
