//! The permission matrix: every role against every permission, for a program or for a person to read.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::entries::EntryId;
use super::hierarchy::RoleId;
use super::policy::{Policy, of_entry};
use crate::json::{self, ObjectWriter};

/// The most cells of a rendered matrix.
pub const MAX_MATRIX_CELLS: usize = 1 << 20;

/// About the longest rendered matrix, in bytes: long names count in every cell.
const MAX_MATRIX_LEN: usize = 64 << 20;

/// How a matrix is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixFormat {
    /// `{"permissions":[…],"roles":[…],"cells":{"admin":{"document:read":"granted"}}}`
    Json,
    /// A table of GitHub-flavoured Markdown.
    Markdown,
    /// A page that stands alone, without scripts.
    Html,
}

/// How a role stands to a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has it, with all instances.
    Granted,
    /// It has some instances, or all but some.
    Some,
    /// A denial takes it away, whatever else grants it.
    Denied,
    /// Nothing grants it.
    None,
}

impl Standing {
    const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Some => "some",
            Self::Denied => "denied",
            Self::None => "",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Granted => "✅",
            Self::Some => "◐",
            Self::Denied => "⛔",
            Self::None => "",
        }
    }
}

impl Policy {
    /// The roles that `permission` is granted to, sorted: whoever has one of them, and no role that denies
    /// it, may.
    #[must_use]
    pub fn who_can(&self, permission: &str) -> Vec<&str> {
        let can = |role: &&str| self.allows_role(role, permission);
        let mut roles: Vec<&str> = self.roles().filter(can).collect();
        roles.sort_unstable();
        roles
    }

    /// Renders the permission matrix: what each role comes to, whether or not its constraints let anybody
    /// be active with it. `None` over [`MAX_MATRIX_CELLS`]: nobody reads that.
    #[must_use]
    pub fn matrix(&self, format: MatrixFormat) -> Option<String> {
        let cells = self.0.roles.len().saturating_mul(self.0.catalogue.len());
        let names: usize = self.0.catalogue.ids().map(|id| self.0.catalogue.text(id).len()).sum();
        let len = names.saturating_mul(self.0.roles.len());
        (cells <= MAX_MATRIX_CELLS && len <= MAX_MATRIX_LEN).then(|| match format {
            MatrixFormat::Json => self.matrix_json(),
            MatrixFormat::Markdown => self.matrix_markdown(),
            MatrixFormat::Html => self.matrix_html(),
        })
    }

    pub(super) fn standing(&self, role: RoleId, entry: EntryId) -> Standing {
        let Some(role) = self.0.roles.get(role) else { return Standing::None };
        let rights = &role.rights;
        let allowed = rights.allow.contains(entry);
        if allowed && !rights.deny_met.contains(entry) {
            return Standing::Granted;
        }
        if rights.deny.contains(entry) {
            return Standing::Denied;
        }
        let one_left = || {
            let mut own = of_entry(&rights.allow_instances, entry).iter();
            own.any(|instance| rights.deny_instances.binary_search(instance).is_err())
        };
        if self.0.catalogue.is_open(entry) && (allowed || one_left()) {
            return Standing::Some;
        }
        if rights.deny_met.contains(entry) { Standing::Denied } else { Standing::None }
    }

    fn matrix_json(&self) -> String {
        let names: Vec<String> = self.0.catalogue.ids().map(|id| self.0.catalogue.declaration(id)).collect();
        let mut cells = String::new();
        let mut by_role = ObjectWriter::open(&mut cells);
        for (id, role) in self.0.roles.iter().enumerate() {
            let mut row = String::new();
            let mut object = ObjectWriter::open(&mut row);
            for (entry, name) in self.0.catalogue.ids().zip(&names) {
                match self.standing(id, entry) {
                    Standing::None => {}
                    standing => {
                        object.text(name, standing.name());
                    }
                }
            }
            object.close();
            by_role.raw(&role.name, &row);
        }
        by_role.close();
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object
            .raw("permissions", &json::text_list(names.iter().map(String::as_str)))
            .raw("roles", &json::text_list(self.roles()))
            .raw("cells", &cells)
            .close();
        out
    }

    fn matrix_markdown(&self) -> String {
        let mut out = String::from("| Permission |");
        self.roles().for_each(|role| out.push_str(&format!(" {} |", markdown(role))));
        out.push_str("\n|---|");
        self.roles().for_each(|_| out.push_str(":-:|"));
        out.push('\n');
        for entry in self.0.catalogue.ids() {
            out.push_str(&format!("| {} |", markdown(&self.0.catalogue.declaration(entry))));
            for id in 0..self.0.roles.len() {
                out.push_str(&format!(" {} |", self.standing(id, entry).sign()));
            }
            out.push('\n');
        }
        out.push_str("\n✅ granted · ◐ some instances · ⛔ denied\n");
        out
    }

    fn matrix_html(&self) -> String {
        let mut out = String::from(HTML_HEAD);
        self.roles().for_each(|role| out.push_str(&format!("<th scope=\"col\">{}</th>", html(role))));
        out.push_str("</tr></thead>\n<tbody>\n");
        for entry in self.0.catalogue.ids() {
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}</th>",
                html(&self.0.catalogue.declaration(entry))
            ));
            for id in 0..self.0.roles.len() {
                let standing = self.standing(id, entry);
                let (class, sign) = (standing.name(), standing.sign());
                out.push_str(&match standing {
                    Standing::None => String::from("<td></td>"),
                    _ => format!("<td class=\"{class}\" title=\"{class}\">{sign}</td>"),
                });
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table>\n<p>✅ granted · ◐ some instances · ⛔ denied</p>\n");
        let digest: String = self.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        out.push_str(&format!("<p>policy {digest}</p>\n</body></html>\n"));
        out
    }

    fn allows_role(&self, role: &str, permission: &str) -> bool {
        // One role alone: it may violate a separation by itself, and then nobody can have it.
        self.subject([role], None, None).is_ok_and(|subject| subject.has(permission, None))
    }
}

const HTML_HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Permission matrix</title>
<meta name=\"viewport\" content=\"width=device-width\">
<style>
body{font:15px/1.4 system-ui,sans-serif;margin:2rem;color:#1c1c1c;background:#fff}
table{border-collapse:collapse}
th,td{padding:.35rem .7rem;border:1px solid #d5d5d5;text-align:center}
thead th{position:sticky;top:0;background:#f2f2f2}
tbody th{text-align:left;font:14px ui-monospace,monospace}
.granted{background:#e7f6e7}.some{background:#fff6db}.denied{background:#fde8e8}
p{color:#666}
</style></head><body>
<table><thead><tr><th scope=\"col\">Permission</th>";

/// Text in a cell of a Markdown table: nothing in it is markup.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, ':' | ',' | '.' | '-' | '/') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
