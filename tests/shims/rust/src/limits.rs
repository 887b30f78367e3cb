//! The operations of limits, lock-out and the client's address.

use donjon::client_address::Proxies;
use donjon::entropy::FixedEntropy;
use donjon::json::{ObjectWriter, text_list};
use donjon::limit::{
    Algorithm, Fields, LimitError, Limits, Outcome as Decision, StateBuf, Verdict, compare_and_set_script,
    profiles, refusal_body,
};
use donjon::lockout::{Attempt, Device, Lockout};

use crate::Answer;
use crate::operations::{Outcome, keyring};
use crate::refusal::Refusal;
use crate::request::Request;

fn limits(config: &str) -> Result<Limits, Refusal> {
    Ok(Limits::from_json(config.as_bytes())?)
}

/// The amount, the period and, if it is wanted, the burst of every limit.
fn rows(limits: &Limits, with_burst: bool) -> String {
    let row = |limit: &donjon::limit::Limit| {
        let mut row = String::new();
        let mut object = ObjectWriter::open(&mut row);
        object.integer("amount", limit.amount().into()).integer("period_s", limit.period_s().into());
        if with_burst {
            object.integer("burst", limit.capacity().into());
        }
        object.close();
        row
    };
    format!("[{}]", limits.list().iter().map(row).collect::<Vec<_>>().join(","))
}

pub(crate) fn limit_parse(request: &Request<'_>) -> Outcome {
    let limits = Limits::parse(&request.text("spec")?, Algorithm::Gcra)?;
    Ok(Answer::empty().raw("limits", rows(&limits, false)))
}

/// What is spent, and of what.
struct Spending {
    state: Vec<u8>,
    now_ms: i64,
    cost: u32,
}

impl Spending {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let state = request.state("state_hex")?.unwrap_or_default();
        Ok(Self { state, now_ms: request.integer("now_ms")?, cost: request.u32("cost")? })
    }

    fn spend(&self, limits: &Limits) -> Result<(Verdict, StateBuf), LimitError> {
        let mut next = StateBuf::new();
        let verdict = limits.spend(&self.state, self.now_ms, self.cost, &mut next)?;
        Ok((verdict, next))
    }
}

/// The members of a verdict; some are wanted of lists alone.
fn told(verdict: &Verdict, of_list: bool) -> Answer {
    let retry_after_ms = match verdict.outcome {
        Decision::Allowed => "0".to_owned(),
        Decision::RetryAfterMs(ms) => ms.to_string(),
        Decision::NeverAllowed => "null".to_owned(),
    };
    let is_never = verdict.outcome == Decision::NeverAllowed;
    let answer = Answer::empty()
        .raw("allowed", verdict.allowed().to_string())
        .raw("never_allowed", is_never.to_string())
        .raw("limit", verdict.limit.to_string())
        .raw("remaining", verdict.remaining.to_string());
    let answer = if of_list { answer.raw("index", verdict.index.to_string()) } else { answer };
    let answer = answer
        .raw("reset_after_ms", verdict.reset_after_ms.to_string())
        .raw("retry_after_ms", retry_after_ms);
    if of_list { answer.raw("keep_ms", verdict.keep_ms.to_string()) } else { answer }
}

pub(crate) fn limit_apply(request: &Request<'_>) -> Outcome {
    let algorithm = request.text("algorithm")?;
    let (amount, period_s) = (request.integer("amount")?, request.integer("period_s")?);
    let burst = request.optional_integer("burst")?;
    let spending = Spending::read(request)?;
    let mut config = String::new();
    let mut object = ObjectWriter::open(&mut config);
    object.text("limits", &format!("{amount} per {period_s} second")).text("algorithm", &algorithm);
    if let Some(burst) = burst {
        object.integer("burst", burst);
    }
    object.close();
    let (verdict, next) = spending.spend(&limits(&config)?)?;
    Ok(told(&verdict, false).hex("state_hex", next.as_bytes()))
}

pub(crate) fn limits_describe(request: &Request<'_>) -> Outcome {
    let limits = limits(request.raw("config")?)?;
    let mut description = String::new();
    ObjectWriter::open(&mut description)
        .text("algorithm", limits.algorithm().name())
        .raw("limits", &rows(&limits, true))
        .close();
    Ok(Answer::empty().raw("description", description))
}

pub(crate) fn limits_diagnose(request: &Request<'_>) -> Outcome {
    let config = request.text("config")?;
    let Err(error) = Limits::from_json(config.as_bytes()) else {
        return Ok(Answer::empty().text("status", "ok").raw("path", "null").raw("message", "null"));
    };
    let (path, message) = match error {
        LimitError::Spec { .. } => ("limits", error.to_string()),
        LimitError::Config(reason) => ("", reason.to_owned()),
        other => ("", other.to_string()),
    };
    let answer = Answer::empty().text("status", error.status().name());
    Ok(answer.text("path", path).text("message", &message))
}

pub(crate) fn limits_spend(request: &Request<'_>) -> Outcome {
    let (config, spending) = (request.raw("config")?, Spending::read(request)?);
    let (verdict, next) = spending.spend(&limits(config)?)?;
    Ok(told(&verdict, true).hex("state_hex", next.as_bytes()))
}

pub(crate) fn limits_give_back(request: &Request<'_>) -> Outcome {
    let (config, spending) = (request.raw("config")?, Spending::read(request)?);
    let spent_at_ms = request.integer("spent_at_ms")?;
    let mut next = StateBuf::new();
    let Spending { state, now_ms, cost } = spending;
    limits(config)?.give_back(&state, spent_at_ms, now_ms, cost, &mut next)?;
    Ok(Answer::empty().hex("state_hex", next.as_bytes()))
}

pub(crate) fn limits_headers(request: &Request<'_>) -> Outcome {
    let (config, spending) = (request.raw("config")?, Spending::read(request)?);
    let fields = if request.boolean("ietf")? { Fields::Both } else { Fields::X };
    let limits = limits(config)?;
    let (verdict, _) = spending.spend(&limits)?;
    let headers = limits.headers(&verdict, spending.now_ms, fields)?;
    let pairs: Vec<String> = headers.iter().map(|(name, value)| text_list([*name, value])).collect();
    Ok(Answer::empty().raw("headers", format!("[{}]", pairs.join(","))))
}

pub(crate) fn limits_refusal(request: &Request<'_>) -> Outcome {
    let (config, spending) = (request.raw("config")?, Spending::read(request)?);
    let code = request.optional_text("code")?.unwrap_or_default();
    let (verdict, _) = spending.spend(&limits(config)?)?;
    Ok(Answer::empty().raw("body", refusal_body(&verdict, spending.now_ms, &code)?))
}

pub(crate) fn limits_script(request: &Request<'_>) -> Outcome {
    Ok(Answer::empty().text("script", &limits(request.raw("config")?)?.script()))
}

pub(crate) fn limits_script_args(request: &Request<'_>) -> Outcome {
    let (config, cost) = (request.raw("config")?, request.u32("cost")?);
    let now_ms = request.time("now_ms")?;
    let args = limits(config)?.script_args(cost, now_ms)?;
    Ok(Answer::empty().texts("args", args.iter().map(String::as_str)))
}

pub(crate) fn compare_and_set(_: &Request<'_>) -> Outcome {
    Ok(Answer::empty().text("script", compare_and_set_script()))
}

pub(crate) fn limit_profiles(_: &Request<'_>) -> Outcome {
    Ok(Answer::empty().raw("profiles", profiles()))
}

pub(crate) fn lockout_counters(request: &Request<'_>) -> Outcome {
    let (keys, account, address) =
        (request.raw("keyring")?, request.text("account")?, request.text("address")?);
    let (subject, state, token) = (request.text("subject")?, request.text("state")?, request.text("device")?);
    let now_s = request.integer("now_s")?;
    let lockout = Lockout::new(&keyring(keys)?)?;
    let device = Device { token: token.as_bytes(), subject: &subject, state: state.as_bytes() };
    // As in the C ABI, an empty token is none.
    let device = Some(device).filter(|_| !token.is_empty());
    let attempt = Attempt { account: account.as_bytes(), address: address.as_bytes(), device };
    let counters = lockout.counters(&attempt, now_s)?;
    let rows: Vec<String> = counters
        .iter()
        .map(|counter| {
            let mut row = String::new();
            let on_success = counter.on_success.name();
            ObjectWriter::open(&mut row).text("key", &counter.key).text("on_success", on_success).close();
            row
        })
        .collect();
    Ok(Answer::empty().raw("counters", format!("[{}]", rows.join(","))))
}

pub(crate) fn lockout_device_token(request: &Request<'_>) -> Outcome {
    let (keys, subject, state) = (request.raw("keyring")?, request.text("subject")?, request.text("state")?);
    let (ttl_s, now_s) = (request.integer("ttl_s")?, request.integer("now_s")?);
    let entropy = request.hex("entropy_hex")?;
    let lockout = Lockout::new(&keyring(keys)?)?;
    let mut entropy = FixedEntropy::new(&entropy);
    let token = lockout.device_token(&subject, state.as_bytes(), ttl_s, now_s, &mut entropy)?;
    Ok(Answer::empty().text("token", &token))
}

pub(crate) fn client_ip(request: &Request<'_>) -> Outcome {
    let (peer, lines) = (request.text("peer")?, request.texts("lines")?);
    let mut config = String::new();
    let mut object = ObjectWriter::open(&mut config);
    for name in ["header", "trusted", "hops", "ipv6_prefix"] {
        if let Some(raw) = request.optional_raw(name) {
            object.raw(name, raw);
        }
    }
    object.close();
    let client =
        Proxies::from_json(config.as_bytes())?.client(peer.as_bytes(), lines.join("\n").as_bytes())?;
    let answer =
        Answer::empty().text("ip", &client.ip.to_string()).text("bucket", &client.bucket.to_string());
    Ok(answer.raw("from_header", client.from_header.to_string()))
}
