//! donjon beside its peers, natively: JSON lines on standard output. README.md has the method.

mod measure;
mod passwords;
mod peers;
mod report;
mod roles;
mod tokens;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(passwords::LOG_INS) {
        return passwords::log_ins();
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, measure) in
        [("tokens", tokens::measure as fn()), ("passwords", passwords::measure), ("roles", roles::measure)]
    {
        if only.is_empty() || only == name {
            measure();
        }
    }
}
