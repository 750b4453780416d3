//! What a token server answers: a grant, or a reason in one of many forms.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{AccountHint, ChannelHook, Grant, LONGEST, OauthApp, OauthError, OauthKind};
use crate::error::one_line;
use crate::sealed::Secret;
use crate::wire::{Fields, Remarks, count_of};

/// Zoho stops whoever asks too often for the rest of ten minutes.
const ZOHO_BLOCK: Duration = Duration::from_secs(600);

/// The document, unless it stands for an error. `Ok` for a success without a body.
pub(super) fn checked(
    app: &OauthApp,
    status: u16,
    wait: Option<Duration>,
    document: Value,
    hidden: &[&Secret<String>],
) -> Result<Value, OauthError> {
    let code = code_of(app.kind, &document);
    if (200..300).contains(&status) && code.is_none() {
        return Ok(document);
    }
    let name = app.kind.service();
    let said = shown(app, &document, hidden);
    let said = if said.is_empty() { String::new() } else { format!(" It said: {said}") };
    let code = code.unwrap_or_default();
    if status == 429 || status >= 500 || (300..400).contains(&status) || is_passing(&code) {
        let after = wait.or_else(|| (app.kind == OauthKind::Zoho && code == "access_denied").then_some(ZOHO_BLOCK));
        return Err(OauthError::TryLater { after, said: format!("{name} gives no token at the moment.{said}") });
    }
    if is_over(&code) || (status == 404 && app.kind == OauthKind::HubSpot) {
        return Err(OauthError::NeedsSignIn(format!("{name} has ended the sign-in.{said}")));
    }
    Err(OauthError::Refused(format!("{name} does not accept the app.{said}")))
}

/// The service's own short word for what went wrong, in small letters.
fn code_of(kind: OauthKind, document: &Value) -> Option<String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let found = match kind {
        OauthKind::Slack if document["ok"] == Value::Bool(false) => Some(text("error").unwrap_or("unknown")),
        OauthKind::Slack => None,
        OauthKind::HubSpot => {
            let status = text("status").filter(|status| !matches!(*status, "success" | "error" | "COMPLETE"));
            text("error").or(status).or_else(|| text("category"))
        }
        OauthKind::Zoho => text("error").or_else(|| text("status").filter(|status| *status == "failure")),
    };
    found.map(|code| code.trim().to_ascii_lowercase().replace(' ', "_"))
}

fn is_over(code: &str) -> bool {
    matches!(
        code,
        "bad_refresh_token"
            | "bad_auth_code"
            | "invalid_grant"
            | "invalid_code"
            | "invalid_token"
            | "expired_token"
            | "expired_authentication"
            | "invalid_refresh_token"
            | "code_already_used"
            | "token_revoked"
            | "token_expired"
            | "invalid_auth"
            | "not_authed"
            | "account_inactive"
    )
}

fn is_passing(code: &str) -> bool {
    matches!(
        code,
        // Zoho's for whoever asks too often; it says so with status 400 or 200.
        "access_denied"
            | "general_error"
            | "rate_limit"
            | "rate_limits"
            | "ratelimited"
            | "rate_limited"
            | "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "request_timeout"
            | "temporarily_unavailable"
            | "server_error"
    )
}

/// What the service said, for people, without any secret that was sent.
fn shown(app: &OauthApp, document: &Value, hidden: &[&Secret<String>]) -> String {
    let said = ["message", "error_description", "error", "status"]
        .iter()
        .find_map(|name| document.get(name)?.as_str().filter(|text| !text.trim().is_empty()))
        .unwrap_or_default();
    let secrets = hidden.iter().copied().chain([&app.client_secret]).map(|secret| secret.expose().trim());
    let said = secrets.filter(|s| s.len() >= 4).fold(said.to_owned(), |text, secret| text.replace(secret, "[hidden]"));
    one_line(&said).chars().take(200).collect()
}

/// Reads a grant. `former` is the refresh token that was sent.
pub(super) fn grant(
    app: &OauthApp,
    document: &Value,
    former: Option<&Secret<String>>,
    accounts: &str,
    now: DateTime<Utc>,
) -> Result<Grant, OauthError> {
    let fields = Fields::of(document);
    let mut remarks = Remarks::new();
    let mut token = |name: &str| fields.text(name, &mut remarks).filter(|token| is_token(token)).map(Secret::new);
    let access = token("access_token");
    let fresh = token("refresh_token");
    let Some(access_token) = access else {
        let said = format!("{} answered without a token that can be used.", app.kind.service());
        return Err(OauthError::TryLater { after: None, said });
    };
    // Some versions of Zoho give milliseconds in `expires_in` and seconds in `expires_in_sec`.
    let seconds = fields.get("expires_in_sec").or_else(|| fields.get("expires_in")).and_then(count_of);
    let expires_at = seconds.filter(|seconds| *seconds > 0).and_then(|seconds| {
        let seconds = i64::try_from(seconds).ok()?;
        now.checked_add_signed(TimeDelta::try_seconds(seconds)?)
    });
    let named = fields.text("api_domain", &mut remarks);
    Ok(Grant {
        access_token,
        refresh_token: fresh.or_else(|| former.cloned()),
        expires_at,
        scopes: scopes(document),
        api_base: app.api_base(named.as_deref(), accounts)?,
        accounts: (app.kind == OauthKind::Zoho).then(|| accounts.to_owned()),
        account: hint(app.kind, document),
        hook: hook(app.kind, &document["incoming_webhook"]),
    })
}

fn hook(kind: OauthKind, said: &Value) -> Option<ChannelHook> {
    if kind != OauthKind::Slack {
        return None;
    }
    let address = said["url"].as_str().filter(|address| is_token(address))?;
    let channel = said["channel_id"].as_str().filter(|id| {
        (3..=24).contains(&id.len()) && id.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
    })?;
    let name = one_line(said["channel"].as_str().unwrap_or(channel));
    let name = name.trim_start_matches(['#', '@']).chars().take(80).collect();
    Some(ChannelHook { address: Secret::from(address), channel: channel.to_owned(), name })
}

/// A text that can stand in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_graphic())
}

fn scopes(document: &Value) -> Vec<String> {
    let mut all: Vec<String> = match (&document["scopes"], &document["scope"]) {
        (Value::Array(list), _) => list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        (_, Value::String(text)) => text.split([' ', ',']).filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    all.retain(|one| one.len() <= 100 && one.bytes().all(|b| b.is_ascii_graphic()));
    all.truncate(100);
    all
}

/// What a document tells of the account.
pub(super) fn hint(kind: OauthKind, document: &Value) -> AccountHint {
    let text = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        one_line(&text).chars().take(120).collect::<String>()
    };
    match kind {
        OauthKind::HubSpot => AccountHint {
            id: text(&document["hub_id"]),
            name: text(&document["hub_domain"]),
            user: text(&document["user"]),
        },
        OauthKind::Slack => AccountHint {
            id: text(&document["team"]["id"]),
            name: text(&document["team"]["name"]),
            user: text(&document["authed_user"]["id"]),
        },
        OauthKind::Zoho => AccountHint::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::OauthAddresses;
    use super::*;
    use serde_json::json;

    fn app(kind: OauthKind) -> OauthApp {
        OauthApp {
            kind,
            client_id: "client".to_owned(),
            client_secret: Secret::from("app-secret-1"),
            redirect_uri: "https://example.test/integrations/callback".to_owned(),
            addresses: OauthAddresses::live(kind, "eu"),
        }
    }

    fn fate(kind: OauthKind, status: u16, document: Value) -> &'static str {
        match checked(&app(kind), status, None, document, &[&Secret::from("refresh-1")]) {
            Ok(_) => "fine",
            Err(OauthError::NeedsSignIn(_)) => "sign in",
            Err(OauthError::TryLater { .. }) => "later",
            Err(OauthError::Refused(_)) => "refused",
        }
    }

    #[test]
    fn every_form_of_refusal_means_what_it_means() {
        use OauthKind::{HubSpot, Slack, Zoho};
        let bad = json!({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"});
        assert_eq!(fate(HubSpot, 400, bad), "sign in");
        assert_eq!(fate(HubSpot, 400, json!({"error": "invalid_grant"})), "sign in");
        assert_eq!(fate(HubSpot, 400, json!({"status": "BAD_CLIENT_ID"})), "refused");
        assert_eq!(fate(HubSpot, 429, json!({"errorType": "RATE_LIMIT"})), "later");
        assert_eq!(fate(HubSpot, 502, Value::Null), "later");
        // Zoho answers 200 with an error, and stops whoever asks too often with words that look like a refusal.
        assert_eq!(fate(Zoho, 200, json!({"error": "invalid_code"})), "sign in");
        assert_eq!(fate(Zoho, 200, json!({"error": "invalid_client_secret"})), "refused");
        assert_eq!(fate(Zoho, 400, json!({"error": "Access Denied", "status": "failure"})), "later");
        assert_eq!(fate(Slack, 200, json!({"ok": false, "error": "invalid_refresh_token"})), "sign in");
        assert_eq!(fate(Slack, 200, json!({"ok": false, "error": "ratelimited"})), "later");
        assert_eq!(fate(Slack, 200, json!({"ok": false, "error": "bad_client_secret"})), "refused");
        assert_eq!(fate(Slack, 200, json!({"ok": true})), "fine");
    }

    #[test]
    fn a_channel_is_taken_over_as_slack_names_it() {
        let said = json!({"channel": "#calls", "channel_id": "C1", "configuration_url": "https://x.test",
            "url": "https://hooks.slack.com/services/T1/B1/x"});
        assert_eq!(hook(OauthKind::Slack, &said), None, "an id has three letters at least");
        let with = |name: &str, value: Value| {
            let mut said = said.clone();
            said["channel_id"] = json!("C024BE91L");
            said[name] = value;
            hook(OauthKind::Slack, &said)
        };
        let fine = with("channel", json!("#calls")).expect("a channel");
        assert_eq!((fine.channel.as_str(), fine.name.as_str()), ("C024BE91L", "calls"));
        assert_eq!(with("channel", json!(7)).expect("without a name").name, "C024BE91L");
        for (name, value) in [
            ("channel_id", json!("C1 <b>")),
            ("channel_id", json!(null)),
            ("url", json!("https://hooks.slack.com/a b")),
            ("url", json!(["x"])),
        ] {
            assert_eq!(with(name, value.clone()), None, "{name}: {value}");
        }
        assert_eq!(hook(OauthKind::Slack, &json!("nothing")), None);
    }

    #[test]
    fn no_secret_stands_in_the_words() {
        let said = json!({"error": "nonsense", "message": "app-secret-1 and refresh-1\nare wrong"});
        let Err(error) = checked(&app(OauthKind::HubSpot), 400, None, said, &[&Secret::from("refresh-1")]) else {
            panic!("taken");
        };
        assert_eq!(error.to_string(), "HubSpot does not accept the app. It said: [hidden] and [hidden] are wrong");
    }
}
