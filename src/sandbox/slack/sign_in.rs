//! How one signs in at Slack: a page that asks and has a channel chosen, a code, and the token of the app's bot.
//!
//! As at the real one, an app has one token per workspace, whoever signs in. The tokens of an app whose id begins with
//! `sandbox-rotating` end, and are renewed with a refresh token that is good once. `?team=T2` is another
//! workspace, and no team at all an app of a whole organization.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::Url;

use super::{CHANNELS, refused};
use crate::crm::sign_in::{Params, asking, back, base, denied, with_state};
use crate::state::Sandbox;

const PATH: &str = "/slack/oauth/v2/authorize";
const ROTATING: &str = "sandbox-rotating";

/// What belongs to sign-ins with one app.
#[derive(Debug, Default)]
pub(super) struct SignedIn {
    codes: BTreeMap<String, Code>,
    /// How often tokens were given; the newest alone is good.
    given: u32,
    /// The newest is over before its time.
    is_over: bool,
}

#[derive(Debug)]
struct Code {
    redirect_uri: String,
    scope: String,
    channel: String,
    team: String,
}

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/oauth/v2/authorize", get(page))
        .route("/oauth/v2/authorize/agree", get(agree))
        .route("/oauth/v2/authorize/deny", get(|Query(params): Query<Params>| async move { back(denied(&params)) }))
        .route("/api/oauth.v2.access", post(access))
}

/// The account that a token is of, and whether it is the newest one.
pub(super) fn account_of(sandbox: &Sandbox, token: String) -> (String, bool) {
    let Some((account, renewal)) = token.strip_prefix("xoxe.").and_then(|rest| rest.rsplit_once('~')) else {
        return (token, true);
    };
    let is_good = sandbox.with_account(account, |account| {
        let signed_in = &account.slack.signed_in;
        !signed_in.is_over && renewal == signed_in.given.to_string()
    });
    (account.to_owned(), is_good)
}

async fn page(Query(params): Query<Params>) -> Response {
    let options: String = CHANNELS
        .iter()
        .filter(|(.., is_archived)| !is_archived)
        .map(|(id, name, ..)| format!(r#"<option value="{id}">#{name}</option>"#))
        .collect();
    let field = format!(
        r#"<label for="channel">Where should it post?</label><br><select id="channel" name="channel">{options}</select>"#
    );
    asking("Slack", PATH, &params, &field)
}

async fn agree(State(sandbox): State<Arc<Sandbox>>, Query(params): Query<Params>) -> Response {
    back(agreed(&sandbox, &params))
}

/// Somebody agreed: back with a code.
fn agreed(sandbox: &Sandbox, params: &Params) -> Option<String> {
    let text = |name: &str| params.get(name).cloned().unwrap_or_default();
    let redirect_uri = text("redirect_uri");
    let mut back = Url::parse(&redirect_uri).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let account = account(&text("client_id"))?;
    let code = format!("{account}~{}", sandbox.rng("slack code").uuid().simple());
    let team = params.get("team").cloned().unwrap_or_else(|| "T1".to_owned());
    let kept = Code { redirect_uri, scope: text("scope"), channel: text("channel"), team };
    sandbox.with_account(&account, |account| account.slack.signed_in.codes.insert(code.clone(), kept));
    back.query_pairs_mut().append_pair("code", &code);
    Some(with_state(back, params))
}

fn account(client: &str) -> Option<String> {
    let is_word = !client.is_empty() && client.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    is_word.then(|| format!("xoxb-sandbox-{client}"))
}

/// Id and secret of the app, which come as Basic.
fn app(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(sent).ok()?).ok()?;
    pair.split_once(':').filter(|(_, secret)| !secret.is_empty()).map(|(id, _)| id.to_owned())
}

/// Tokens for a code or for a refresh token.
async fn access(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: Params = url::form_urlencoded::parse(&body).into_owned().collect();
    let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let Some(client) = app(&headers) else { return refused("bad_client_secret") };
    let Some(account) = account(&client) else { return refused("invalid_client_id") };
    let is_rotating = client.starts_with(ROTATING);
    let is_renewal = text("grant_type") == "refresh_token";
    // A code, and a refresh token, is good once, and for the app that it was made for.
    let (code, is_renewed, given) = sandbox.with_account(&account, |account| {
        let signed_in = &mut account.slack.signed_in;
        let newest = format!("xoxe-1-{}", signed_in.given);
        let is_renewed = is_renewal && is_rotating && text("refresh_token") == newest;
        let code = signed_in.codes.remove(text("code")).filter(|code| code.redirect_uri == text("redirect_uri"));
        if is_renewed || code.is_some() {
            signed_in.given += 1;
            signed_in.is_over = false;
        }
        (code, is_renewed, signed_in.given)
    });
    let mut document = match code {
        Some(code) => {
            sandbox.revoke_slack(&account, false);
            let mut document = json!({
                "ok": true, "token_type": "bot", "scope": code.scope, "bot_user_id": "U0BOT", "app_id": "A1", "enterprise": null,
                "team": {"id": code.team, "name": if code.team == "T1" { "Northwind" } else { "Southwind" }},
                "authed_user": {"id": "U2"},
            });
            if code.team.is_empty() {
                document["team"] = json!(null);
                document["enterprise"] = json!({"id": "E1", "name": "Northwind Group"});
            }
            let known = CHANNELS.iter().find(|(id, ..)| *id == code.channel);
            if let Some((id, name, ..)) = known.filter(|_| code.scope.contains("incoming-webhook")) {
                let address = format!("{}/services/{}/{id}/{account}", base(&headers, "slack"), code.team);
                document["incoming_webhook"] = json!({
                    "channel": format!("#{name}"), "channel_id": id, "configuration_url": "https://northwind.slack.com/services/B1",
                    "url": address,
                });
            }
            document
        }
        None if is_renewed => json!({"ok": true, "token_type": "bot", "scope": "chat:write", "team": {"id": "T1"}}),
        None => return refused(if is_renewal { "invalid_refresh_token" } else { "invalid_code" }),
    };
    document["access_token"] = json!(account);
    if is_rotating {
        document["access_token"] = json!(format!("xoxe.{account}~{given}"));
        document["refresh_token"] = json!(format!("xoxe-1-{given}"));
        document["expires_in"] = json!(43_200);
    }
    Json(document).into_response()
}

impl Sandbox {
    /// What a click on “Connect” does at the page that an address leads to, with this channel chosen: the address of the way back.
    pub fn slack_agree(&self, address: &str, channel: &str) -> Option<String> {
        self.slack_agree_in(address, channel, "T1")
    }

    /// The same in another workspace of Slack.
    pub fn slack_agree_in(&self, address: &str, channel: &str, team: &str) -> Option<String> {
        let url = Url::parse(address).ok().filter(|url| url.path() == PATH)?;
        let mut params: Params = url.query_pairs().into_owned().collect();
        params.insert("channel".to_owned(), channel.to_owned());
        params.insert("team".to_owned(), team.to_owned());
        agreed(self, &params)
    }

    /// What a click on “Cancel” does.
    pub fn slack_deny(&self, address: &str) -> Option<String> {
        let url = Url::parse(address).ok().filter(|url| url.path() == PATH)?;
        denied(&url.query_pairs().into_owned().collect())
    }

    /// The token of an app whose tokens end has ended.
    pub fn expire_slack(&self, token: &str) {
        self.with_account(token, |account| account.slack.signed_in.is_over = true);
    }

    /// Whether somebody has taken the app out of the workspace, or Patchbay has.
    pub fn is_slack_revoked(&self, token: &str) -> bool {
        self.with_account(token, |account| account.slack.is_revoked)
    }
}
