//! Hashing and verifying one password, and the memory that many log-ins at once take.

use std::hint::black_box;
use std::process::Command;
use std::sync::Barrier;
use std::{env, thread};

use donjon::password::{HasherConfig, MAX_WAIT_MS, Params, Password};
use donjon::runtime::{OsEntropy, PasswordHasher};

use crate::measure::{Runner, race, resident_bytes};
use crate::peers::argon2::{
    rust_argon2_hash, rust_argon2_verify, rust_crypto, rust_crypto_hash, rust_crypto_verify,
};
use crate::peers::libsodium::Sodium;
use crate::report::{report_all, report_bytes};

pub const MEMORY_KIB: u32 = 65_536;
pub const TIME_COST: u32 = 3;
const PASSWORD: &[u8] = b"Lanterns-over-7-Quiet-Harbours";

/// The argument that makes this program the child whose memory is measured.
pub const LOG_INS: &str = "log-ins";
const AT_ONCE: usize = 64;
const BUDGET_MIB: u64 = 256;
const MIB: u64 = 1 << 20;

pub fn measure() {
    compare();
    let child = Command::new(env::current_exe().unwrap()).arg(LOG_INS).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let growth_mib: u64 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();
    report_bytes("passwords 64 log-ins at once", growth_mib * MIB, "256 MiB", BUDGET_MIB * MIB);
}

fn compare() {
    let ours = hasher(&HasherConfig::DEFAULT);
    let (sodium, rust_crypto) = (Sodium::new(), rust_crypto());
    let stored = hash(&ours);

    // The same parameters everywhere, and what each makes the others verify.
    for made in [
        &stored,
        &sodium.hash(PASSWORD),
        &rust_crypto_hash(&rust_crypto, PASSWORD),
        &rust_argon2_hash(PASSWORD),
    ] {
        assert!(made.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{made}");
        assert!(made.split('$').skip(4).map(str::len).eq([22, 43]), "{made}");
        verify(&ours, made);
        sodium.verify(PASSWORD, made);
        rust_crypto_verify(&rust_crypto, PASSWORD, made);
        rust_argon2_verify(PASSWORD, made);
    }

    let hashed = race(&mut [
        Runner { name: "donjon", call: &mut || drop(black_box(hash(&ours))) },
        Runner { name: "libsodium", call: &mut || drop(black_box(sodium.hash(PASSWORD))) },
        Runner {
            name: "argon2 0.6",
            call: &mut || drop(black_box(rust_crypto_hash(&rust_crypto, PASSWORD))),
        },
        Runner { name: "rust-argon2 3", call: &mut || drop(black_box(rust_argon2_hash(PASSWORD))) },
    ]);
    report_all("passwords hash", &hashed, Some(1.25));
    let verified = race(&mut [
        Runner { name: "donjon", call: &mut || verify(&ours, black_box(&stored)) },
        Runner { name: "libsodium", call: &mut || sodium.verify(PASSWORD, black_box(&stored)) },
        Runner {
            name: "argon2 0.6",
            call: &mut || rust_crypto_verify(&rust_crypto, PASSWORD, black_box(&stored)),
        },
        Runner { name: "rust-argon2 3", call: &mut || rust_argon2_verify(PASSWORD, black_box(&stored)) },
    ]);
    report_all("passwords verify", &verified, None);
}

/// The child: 64 log-ins at once on the default budget. Prints by how much its memory has grown at most, in
/// whole MiB: the peak of the resident set, less what the process had once its threads were warm, each having
/// made and verified the smallest of hashes.
pub fn log_ins() {
    let smallest = HasherConfig {
        params: Params::new(8, 1, 1).unwrap(),
        memory_budget_kib: 8,
        max_wait_ms: MAX_WAIT_MS,
        allow_weak: true,
        ..HasherConfig::DEFAULT
    };
    let warm_up = hasher(&smallest);
    // Waits long enough on a busy machine: what is measured is memory.
    let hasher = hasher(&HasherConfig { max_wait_ms: MAX_WAIT_MS, ..HasherConfig::DEFAULT });
    let stored = Sodium::new().hash(PASSWORD);
    let (warm, go) = (Barrier::new(AT_ONCE + 1), Barrier::new(AT_ONCE + 1));
    let mut base = 0;
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                verify(&warm_up, &hash(&warm_up));
                warm.wait();
                go.wait();
                verify(&hasher, &stored);
            });
        }
        warm.wait();
        base = resident_bytes("VmRSS:");
        go.wait();
    });
    println!("{}", (resident_bytes("VmHWM:") - base + MIB / 2) / MIB);
}

fn hasher(config: &HasherConfig) -> PasswordHasher {
    PasswordHasher::new(config, None).unwrap()
}

fn hash(hasher: &PasswordHasher) -> String {
    hasher.hash(Password::new(PASSWORD).unwrap(), 0, &mut OsEntropy).unwrap()
}

fn verify(hasher: &PasswordHasher, stored: &str) {
    let verdict = hasher.verify(Password::new(PASSWORD).unwrap(), stored.as_bytes(), 0).unwrap();
    assert!(!verdict.needs_rehash);
}
