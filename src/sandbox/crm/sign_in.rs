//! How one signs in at a CRM: a page that asks, a code, and tokens for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use url::Url;

use super::book::Code;
use super::{CrmKind, tokens};
use crate::rng::Rng;
use crate::state::Sandbox;

pub(crate) type Params = BTreeMap<String, String>;

/// The account that an app signs in to, unless another is named.
fn account_of(params: &Params) -> String {
    let named = params.get("account").filter(|name| tokens::is_account(name));
    let app = params.get("client_id").map(String::as_str).unwrap_or_default();
    named.cloned().unwrap_or_else(|| match tokens::is_account(app) {
        true => app.to_owned(),
        false => {
            let plain: String = app.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
            format!("sandbox-{plain}")
        }
    })
}

/// The page that asks.
pub(crate) fn page(kind: CrmKind, path: &str, params: &Params) -> Response {
    let name = match kind {
        CrmKind::Hubspot => "HubSpot",
        CrmKind::Zoho => "Zoho CRM",
    };
    let account = escaped(&account_of(params));
    let field =
        format!(r#"<label for="account">Account</label><br><input id="account" name="account" value="{account}">"#);
    asking(name, path, params, &field)
}

/// The page of a service that asks whether somebody agrees; `field` is what is chosen there.
pub(crate) fn asking(name: &str, path: &str, params: &Params, field: &str) -> Response {
    if Url::parse(params.get("redirect_uri").map(String::as_str).unwrap_or_default()).is_err() {
        return (
            StatusCode::BAD_REQUEST,
            Html("<!doctype html><title>No way back</title><h1>redirect_uri is none</h1>"),
        )
            .into_response();
    }
    let hidden: String = params
        .iter()
        .filter(|(name, _)| !["account", "channel"].contains(&name.as_str()))
        .map(|(name, value)| format!(r#"<input type="hidden" name="{}" value="{}">"#, escaped(name), escaped(value)))
        .collect();
    let scopes: String = params
        .get("scope")
        .map(String::as_str)
        .unwrap_or_default()
        .split([' ', ','])
        .filter(|one| !one.is_empty())
        .map(|one| format!("<li>{}</li>", escaped(one)))
        .collect();
    Html(format!(
        r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Connect to {name} (sandbox)</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }} input, select, button {{ font: inherit; padding: .4rem .8rem; }} input, select {{ width: 100%; box-sizing: border-box; }}</style></head>
<body><main>
<h1>Connect to {name}</h1>
<p>This is the sandbox: no account is needed, and nothing leaves this machine.</p>
<form method="get" action="{path}/agree">{hidden}
<p>{field}</p>
<p>Patchbay asks to be allowed:</p><ul>{scopes}</ul>
<p><button type="submit">Connect</button> <button type="submit" formaction="{path}/deny">Cancel</button></p>
</form>
</main></body></html>"#
    ))
    .into_response()
}

/// Somebody agreed: back with a code.
pub(crate) fn agreed(sandbox: &Sandbox, kind: CrmKind, base: &str, params: &Params) -> Option<String> {
    let redirect_uri = params.get("redirect_uri")?;
    let mut back = Url::parse(redirect_uri).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let account = account_of(params);
    let code = sandbox.rng("crm code").uuid().simple().to_string();
    let challenge = params.get("code_challenge").cloned();
    let kept =
        Code { redirect_uri: redirect_uri.clone(), challenge, scope: params.get("scope").cloned().unwrap_or_default() };
    let code = format!("{account}~{code}");
    sandbox.crm_book(kind, &account, |book| book.codes.insert(code.clone(), kept));
    back.query_pairs_mut().append_pair("code", &code);
    if kind == CrmKind::Zoho {
        back.query_pairs_mut().append_pair("location", "us").append_pair("accounts-server", base);
    }
    Some(with_state(back, params))
}

/// Somebody did not agree.
pub(crate) fn denied(params: &Params) -> Option<String> {
    let mut back = Url::parse(params.get("redirect_uri")?).ok()?;
    back.query_pairs_mut()
        .append_pair("error", "access_denied")
        .append_pair("error_description", "The user did not authorize the request");
    Some(with_state(back, params))
}

pub(crate) fn with_state(mut back: Url, params: &Params) -> String {
    if let Some(state) = params.get("state") {
        back.query_pairs_mut().append_pair("state", state);
    }
    back.into()
}

/// Sends the browser back.
pub(crate) fn back(address: Option<String>) -> Response {
    address.map_or_else(|| StatusCode::BAD_REQUEST.into_response(), |address| Redirect::to(&address).into_response())
}

/// The address of the stand-in itself, as it was asked.
pub(crate) fn base(headers: &HeaderMap, name: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}/{name}")
}

/// Tokens for a code or for a refresh token.
pub(crate) async fn token(sandbox: &Arc<Sandbox>, kind: CrmKind, base: &str, form: &Params) -> Response {
    let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (is_refresh, given) = match text("grant_type") {
        "authorization_code" => (false, text("code")),
        "refresh_token" => (true, text("refresh_token")),
        _ => return bad(kind, "unsupported_grant_type"),
    };
    let account = match is_refresh {
        true => tokens::account_of(kind, given),
        false => given.split('~').next().filter(|account| tokens::is_account(account)).map(str::to_owned),
    };
    let Some(account) = account else { return over(kind, is_refresh) };
    if text("client_id").is_empty() || text("client_secret").is_empty() {
        return bad(kind, "invalid_client");
    }
    let (wait, is_down) = sandbox.crm_book(kind, &account, |book| {
        let is_down = book.faults.no_tokens > 0;
        book.faults.no_tokens = book.faults.no_tokens.saturating_sub(1);
        (book.faults.token_ms, is_down)
    });
    if wait > 0 {
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    if is_down {
        return (StatusCode::SERVICE_UNAVAILABLE, "<html><h1>503</h1></html>").into_response();
    }
    let granted: Option<Value> = sandbox.crm_book(kind, &account, |book| {
        if is_refresh {
            if !book.renews(given) {
                return None;
            }
            book.refreshes += 1;
        } else {
            // A code is good once, for the address that it was made for, and for whoever began.
            let code = book.codes.remove(given)?;
            let verifier = super::challenge(text("code_verifier"));
            let is_theirs = code.challenge.as_ref().is_none_or(|challenge| *challenge == verifier);
            if code.redirect_uri != text("redirect_uri") || !is_theirs {
                return None;
            }
            book.scope = code.scope;
        }
        let access = book.access_token();
        let mut document = json!({"access_token": access, "expires_in": book.token_secs(), "token_type": "bearer"});
        let scopes: Vec<&str> = book.scope.split([' ', ',']).filter(|one| !one.is_empty()).collect();
        match kind {
            CrmKind::Hubspot => {
                document["refresh_token"] = json!(book.refresh_token());
                document["hub_id"] = json!(portal(&account));
                document["scopes"] = json!(scopes);
                document["token_use"] = json!("access_token");
            }
            CrmKind::Zoho => {
                // A refresh brings no new refresh token.
                if !is_refresh {
                    document["refresh_token"] = json!(book.refresh_token());
                }
                document["api_domain"] = json!(base);
                document["scope"] = json!(scopes.join(" "));
            }
        }
        Some(document)
    });
    granted.map_or_else(|| over(kind, is_refresh), |document| Json(document).into_response())
}

/// A token is ended.
pub(crate) fn revoke(sandbox: &Sandbox, kind: CrmKind, form: &Params) -> Response {
    let account = form.get("token").and_then(|token| tokens::account_of(kind, token));
    let Some(account) = account else { return over(kind, true) };
    sandbox.crm_book(kind, &account, |book| {
        book.revocations += 1;
        book.revoke();
    });
    match kind {
        CrmKind::Hubspot => StatusCode::NO_CONTENT.into_response(),
        CrmKind::Zoho => Json(json!({"status": "success"})).into_response(),
    }
}

/// Whose token it is (HubSpot).
pub(crate) fn introspect(sandbox: &Sandbox, form: &Params) -> Response {
    let kind = CrmKind::Hubspot;
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let Some(account) = tokens::account_of(kind, token) else { return Json(json!({"active": false})).into_response() };
    let (is_good, scope) = sandbox.crm_book(kind, &account, |book| (book.is_good(token), book.scope.clone()));
    if !is_good {
        return Json(json!({"active": false})).into_response();
    }
    let portal = portal(&account);
    let document = json!({
        "active": true,
        "token_type": "access_token",
        "hub_id": portal,
        "hub_domain": "cobalt.example",
        "user": "r.kessler@cobalt.example",
        "user_id": 4_410_227,
        "scopes": scope.split(' ').collect::<Vec<_>>(),
    });
    Json(document).into_response()
}

/// The number of an account at HubSpot.
pub(crate) fn portal(account: &str) -> u64 {
    24_000_000 + Rng::new(5, account).roll() % 900_000
}

/// The sign-in, or the code, is good no more.
fn over(kind: CrmKind, is_refresh: bool) -> Response {
    match (kind, is_refresh) {
        (CrmKind::Hubspot, true) => {
            let body = json!({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        (CrmKind::Hubspot, false) => {
            let body = json!({"status": "BAD_AUTH_CODE", "message": "missing or unknown auth code"});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        (CrmKind::Zoho, _) => Json(json!({"error": "invalid_code"})).into_response(),
    }
}

fn bad(kind: CrmKind, code: &str) -> Response {
    match kind {
        CrmKind::Hubspot => {
            let body = json!({"status": "BAD_CLIENT_ID", "message": "missing or unknown client id", "error": code});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        CrmKind::Zoho => Json(json!({"error": code})).into_response(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Sandbox {
    /// What a click on “Connect” does at the page that an address leads to: the address of the way back, with code and state. None: the
    /// address is none of a CRM here.
    pub fn crm_agree(&self, address: &str) -> Option<String> {
        let (kind, base, params) = asked(address)?;
        agreed(self, kind, &base, &params)
    }

    /// The same, for another account than the app's own.
    pub fn crm_agree_as(&self, address: &str, account: &str) -> Option<String> {
        let (kind, base, mut params) = asked(address)?;
        params.insert("account".to_owned(), account.to_owned());
        agreed(self, kind, &base, &params)
    }

    /// What a click on “Cancel” does.
    pub fn crm_deny(&self, address: &str) -> Option<String> {
        denied(&asked(address)?.2)
    }
}

fn asked(address: &str) -> Option<(CrmKind, String, Params)> {
    let url = Url::parse(address).ok()?;
    let name = url.path_segments()?.next()?.to_owned();
    let base = format!("{}/{name}", url.origin().ascii_serialization());
    Some((CrmKind::of(&name)?, base, url.query_pairs().into_owned().collect()))
}
