//! Policies that are shipped, and the schema that documents are written against.

/// The JSON Schema of a policy document (draft 2020-12), for editors.
pub const POLICY_SCHEMA: &str = include_str!("shipped/policy.schema.json");

/// The policies that are shipped, by name.
pub const SHIPPED_POLICIES: [(&str, &str); 2] = [
    ("deepinsight", include_str!("shipped/deepinsight.json")),
    ("session-cluster", include_str!("shipped/session-cluster.json")),
];

/// The shipped policy of this name: a document to start from.
#[must_use]
pub fn shipped_policy(name: &str) -> Option<&'static str> {
    SHIPPED_POLICIES.iter().find(|(known, _)| *known == name).map(|(_, document)| *document)
}
