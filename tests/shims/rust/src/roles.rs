//! The operations of roles and permissions.

use donjon::error::Status;
use donjon::json::{self, ObjectWriter};
use donjon::rbac::{
    CasbinImport, MatrixFormat, Mode, Permission, Policy, PolicyError, Subject, UnknownPermission,
    shipped_policy,
};

use crate::Answer;
use crate::operations::Outcome;
use crate::refusal::Refusal;
use crate::request::Request;

fn policy(text: &str) -> Result<Policy, Refusal> {
    Ok(Policy::from_json(text.as_bytes())?)
}

pub(crate) fn permission_implies(request: &Request<'_>) -> Outcome {
    let (granted, required) = (request.text("granted")?, request.text("required")?);
    let granted = Permission::parse(&granted).map_err(|_| Status::Malformed)?;
    let implies = Permission::parse(&required).is_ok_and(|required| granted.implies(required));
    Ok(Answer::empty().raw("implies", implies.to_string()))
}

/// Who asks, as the request has it. As in the C ABI, an empty tenant is none.
struct SubjectFields<'a> {
    policy: &'a str,
    roles: Vec<String>,
    tenant: Option<String>,
    token: Option<Vec<String>>,
}

impl<'a> SubjectFields<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            policy: request.raw("policy")?,
            roles: request.texts("roles")?,
            tenant: request.optional_text("tenant")?.filter(|tenant| !tenant.is_empty()),
            token: request.optional_texts("token_permissions")?,
        })
    }

    fn subject(&self) -> Result<Subject, Refusal> {
        let token: Option<Vec<&str>> =
            self.token.as_ref().map(|texts| texts.iter().map(String::as_str).collect());
        let roles = self.roles.iter().map(String::as_str);
        Ok(policy(self.policy)?.subject(roles, self.tenant.as_deref(), token.as_deref())?)
    }
}

/// What is asked. As in the C ABI, an empty instance is none.
struct Question {
    mode: String,
    permissions: Vec<String>,
    instance: Option<String>,
}

impl Question {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let mode = request.text("mode")?;
        if !["one", "any", "all"].contains(&mode.as_str()) {
            return Err(Refusal::BadRequest);
        }
        let permissions = request.texts("permissions")?;
        let instance = request.optional_text("instance")?.filter(|instance| !instance.is_empty());
        Ok(Self { mode, permissions, instance })
    }

    fn permissions(&self) -> Vec<&str> {
        self.permissions.iter().map(String::as_str).collect()
    }

    fn decide(&self, subject: &Subject) -> Result<bool, Status> {
        let (permissions, instance) = (self.permissions(), self.instance.as_deref());
        match (self.mode.as_str(), &*permissions) {
            ("any", permissions) => Ok(subject.has_any(permissions, instance)),
            ("one", [permission]) => Ok(subject.has(permission, instance)),
            ("one", _) => Err(Status::InvalidArgument),
            (_, permissions) => subject.has_all(permissions, instance).ok_or(Status::InvalidArgument),
        }
    }

    fn mode(&self) -> Mode {
        if self.mode == "any" { Mode::Any } else { Mode::All }
    }
}

pub(crate) fn rbac_check(request: &Request<'_>) -> Outcome {
    let (fields, question) = (SubjectFields::read(request)?, Question::read(request)?);
    let subject = fields.subject()?;
    let allowed = question.decide(&subject)?;
    let explained = subject.explain(question.mode(), &question.permissions(), question.instance.as_deref());
    Ok(Answer::empty().raw("allowed", allowed.to_string()).text("reason", explained.reason.name()))
}

pub(crate) fn rbac_explain(request: &Request<'_>) -> Outcome {
    let (fields, question) = (SubjectFields::read(request)?, Question::read(request)?);
    let subject = fields.subject()?;
    let explained = subject.explain(question.mode(), &question.permissions(), question.instance.as_deref());
    Ok(Answer::empty().raw("explanation", explained.to_json()))
}

pub(crate) fn what_can(request: &Request<'_>) -> Outcome {
    let permissions = SubjectFields::read(request)?.subject()?.permissions();
    Ok(Answer::empty().raw("permissions", json::text_list(permissions.iter().map(String::as_str))))
}

pub(crate) fn has_role(request: &Request<'_>) -> Outcome {
    let (fields, role) = (SubjectFields::read(request)?, request.text("role")?);
    Ok(Answer::empty().raw("has", fields.subject()?.has_role(&role).to_string()))
}

pub(crate) fn who_can(request: &Request<'_>) -> Outcome {
    let (document, permission) = (request.raw("policy")?, request.text("permission")?);
    Ok(Answer::empty().raw("roles", json::text_list(policy(document)?.who_can(&permission))))
}

pub(crate) fn check_permission(request: &Request<'_>) -> Outcome {
    let (document, permission) = (request.raw("policy")?, request.text("permission")?);
    policy(document)?.check_permission(&permission).map_err(|unknown| match unknown {
        UnknownPermission::Malformed => Status::Malformed,
        UnknownPermission::Unknown => Status::UnknownPermission,
    })?;
    Ok(Answer::empty())
}

pub(crate) fn check_role(request: &Request<'_>) -> Outcome {
    let (document, role) = (request.raw("policy")?, request.text("role")?);
    let is_known = policy(document)?.has_role(&role);
    Ok(is_known.then(Answer::empty).ok_or(Status::UnknownRole)?)
}

pub(crate) fn policy_assign(request: &Request<'_>) -> Outcome {
    let (document, roles) = (request.raw("policy")?, request.texts("roles")?);
    let (role, members) = (request.text("role")?, request.integer("members")?);
    let members = u64::try_from(members).map_err(|_| Refusal::BadRequest)?;
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    policy(document)?.check_assignment(&roles, &role, members)?;
    Ok(Answer::empty())
}

fn whole(policy: &Policy) -> Answer {
    Answer::empty().text("document", policy.document()).hex("digest_hex", &policy.digest())
}

pub(crate) fn policy_document(request: &Request<'_>) -> Outcome {
    Ok(whole(&policy(request.raw("policy")?)?))
}

pub(crate) fn policy_shipped(request: &Request<'_>) -> Outcome {
    let document = shipped_policy(&request.text("name")?).ok_or(Status::InvalidArgument)?;
    Ok(whole(&policy(document)?))
}

pub(crate) fn policy_diagnose(request: &Request<'_>) -> Outcome {
    let document = request.text("document")?;
    let Err(error) = Policy::from_json(document.as_bytes()) else {
        return Ok(Answer::empty().text("status", "ok").raw("path", "null").raw("message", "null"));
    };
    let (path, message) = match &error {
        PolicyError::Refused { path, reason } => (path.clone(), reason.clone()),
        other => (String::new(), other.to_string()),
    };
    let answer = Answer::empty().text("status", error.status().name());
    Ok(answer.text("path", &path).text("message", &message))
}

pub(crate) fn policy_diff(request: &Request<'_>) -> Outcome {
    // Both are read before either is loaded: a request that lacks one is no request.
    let (before, after) = (request.raw("before")?, request.raw("after")?);
    let (before, after) = (policy(before)?, policy(after)?);
    Ok(Answer::empty().raw("diff", before.diff(&after).ok_or(Status::TooLarge)?.to_json()))
}

pub(crate) fn policy_lint(request: &Request<'_>) -> Outcome {
    let lints = policy(request.raw("policy")?)?.lint().ok_or(Status::TooLarge)?;
    let places: Vec<String> = lints
        .iter()
        .map(|lint| {
            let mut place = String::new();
            ObjectWriter::open(&mut place).text("kind", lint.kind.name()).text("path", &lint.path).close();
            place
        })
        .collect();
    let messages = json::text_list(lints.iter().map(|lint| lint.message.as_str()));
    Ok(Answer::empty().raw("findings", format!("[{}]", places.join(","))).raw("messages", messages))
}

pub(crate) fn policy_matrix(request: &Request<'_>) -> Outcome {
    let format = match request.text("format")?.as_str() {
        "json" => MatrixFormat::Json,
        "markdown" => MatrixFormat::Markdown,
        "html" => MatrixFormat::Html,
        _ => return Err(Refusal::BadRequest),
    };
    let matrix = policy(request.raw("policy")?)?.matrix(format).ok_or(Status::TooLarge)?;
    Ok(match format {
        MatrixFormat::Json => Answer::empty().raw("matrix", matrix),
        _ => Answer::empty().text("matrix", &matrix),
    })
}

pub(crate) fn casbin_import(request: &Request<'_>) -> Outcome {
    let imported = CasbinImport::from_csv(&request.text("csv")?)?;
    Ok(Answer::empty().raw("imported", imported.to_json()))
}
