//! donjon beside its peers, natively: JSON lines on standard output. README.md has the method.

mod envelopes;
mod limits;
mod measure;
mod passwords;
mod peers;
mod report;
mod roles;
mod sessions;
mod tokens;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(passwords::LOG_INS) => return passwords::log_ins(),
        Some(limits::FILL) => return limits::fill(),
        Some(envelopes::file::SEAL_AND_OPEN) => return envelopes::file::seal_and_open(),
        _ => {}
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, measure) in [
        ("tokens", tokens::measure as fn()),
        ("passwords", passwords::measure),
        ("roles", roles::measure),
        ("envelopes", envelopes::measure),
        ("limits", limits::measure),
        ("sessions", sessions::measure),
    ] {
        if only.is_empty() || only == name {
            measure();
        }
    }
}
