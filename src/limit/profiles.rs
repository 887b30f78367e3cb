//! The endpoints of both requirement documents, and their limits.

use alloc::string::String;

use super::error::LimitError;
use super::limits::Limits;
use super::one::Algorithm;
use crate::json::ObjectWriter;

struct Profile {
    document: &'static str,
    endpoint: &'static str,
    limits: &'static str,
    algorithm: Algorithm,
}

const fn profile(
    document: &'static str,
    endpoint: &'static str,
    limits: &'static str,
    algorithm: Algorithm,
) -> Profile {
    Profile { document, endpoint, limits, algorithm }
}

// In the order of their documents. Those count in fixed windows, which let twice as much through around an edge;
// these come as near to what the texts say as 23 bytes allow, and log-in is exact.
const PROFILES: [Profile; 12] = [
    profile("deepinsight", "document_upload", "10/minute", Algorithm::SlidingWindow),
    profile("deepinsight", "login", "5/minute", Algorithm::SlidingLog),
    profile("deepinsight", "ontology_generate", "3/hour", Algorithm::SlidingWindow),
    profile("deepinsight", "default", "100/hour", Algorithm::SlidingWindow),
    profile("session-cluster", "session_create", "10/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "session_read", "100/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "session_update", "50/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "session_delete", "5/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "chunk_download", "1000/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "pipeline_control", "20/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "statistics", "60/minute", Algorithm::SlidingWindow),
    profile("session-cluster", "default", "100/minute", Algorithm::SlidingWindow),
];

/// The limits of `document/endpoint`.
pub(super) fn named(name: &str) -> Result<Limits, LimitError> {
    let (document, endpoint) = name.split_once('/').unwrap_or((name, ""));
    let found = PROFILES.iter().find(|found| found.document == document && found.endpoint == endpoint);
    let found = found.ok_or(LimitError::Config("the profile is not known"))?;
    Limits::parse(found.limits, found.algorithm)
}

/// The ready profiles as JSON: `{"deepinsight":{"login":{"limits":"5/minute","algorithm":"sliding_log"},…},…}`.
#[must_use]
pub fn profiles() -> String {
    let mut out = String::new();
    let mut documents = ObjectWriter::open(&mut out);
    for document in ["deepinsight", "session-cluster"] {
        let mut endpoints = String::new();
        let mut writer = ObjectWriter::open(&mut endpoints);
        for profile in PROFILES.iter().filter(|profile| profile.document == document) {
            let mut entry = String::new();
            ObjectWriter::open(&mut entry)
                .text("limits", profile.limits)
                .text("algorithm", profile.algorithm.name())
                .close();
            writer.raw(profile.endpoint, &entry);
        }
        writer.close();
        documents.raw(document, &endpoints);
    }
    documents.close();
    out
}
