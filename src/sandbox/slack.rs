//! Slack: a workspace per token. Bots' messages, channels in pages, incoming webhooks, the sign-in. Every post is looked at as strictly as
//! the real one does, and kept.
//!
//! | channel | answers |
//! |---|---|
//! | `C0CALLS`, `C0SALES`, `C0LEADS` (private), `C0TEAM` | fine |
//! | `C0LOST` | `not_in_channel` |
//! | `C-ARCHIVED` | `is_archived` |
//! | any other | `channel_not_found` |
//!
//! An incoming webhook is `/slack/services/T1/B1/<token>`; `B-ARCHIVED` and `B-GONE` in the middle answer as their names say.
//! Whoever signs in chooses a channel, whose webhook is `/slack/services/T1/<channel>/<token>`.
//! `Sandbox::slack_says` has the next posts answered with words of its own: `ratelimited` is a 429, `http_500` a 500, anything
//! else a refusal of that name.

mod sign_in;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::state::Sandbox;

/// Channels: id, name, private, the bot is in it, archived.
const CHANNELS: [(&str, &str, bool, bool, bool); 6] = [
    ("C0CALLS", "calls", false, true, false),
    ("C0SALES", "sales", false, true, false),
    ("C0LEADS", "leads", true, true, false),
    ("C0TEAM", "team", false, true, false),
    ("C0LOST", "not-invited", false, false, false),
    ("C-ARCHIVED", "old-calls", false, true, true),
];
/// Channels on a page at most, whatever is asked for: few, so that pages are read on.
const PAGE: usize = 3;
/// Posts that are kept of a workspace.
const KEPT: usize = 500;

/// What belongs to one token.
#[derive(Debug, Default)]
pub(super) struct SlackWorkspace {
    posts: VecDeque<SlackPost>,
    says: VecDeque<String>,
    archived: BTreeSet<String>,
    is_revoked: bool,
    signed_in: sign_in::SignedIn,
}

/// A message that was posted.
#[derive(Debug, Clone)]
pub struct SlackPost {
    /// The channel; the middle of the address for an incoming webhook.
    pub channel: String,
    pub payload: Value,
}

impl Sandbox {
    /// What was posted with a token, oldest first.
    pub fn slack_posts(&self, token: &str) -> Vec<SlackPost> {
        self.with_account(token, |account| account.slack.posts.iter().cloned().collect())
    }

    /// The next posts with a token are answered with these words, one each.
    pub fn slack_says(&self, token: &str, words: &[&str]) {
        self.with_account(token, |account| account.slack.says.extend(words.iter().map(|word| (*word).to_owned())));
    }

    /// Somebody archives a channel, or takes it out of the archive.
    pub fn archive_slack_channel(&self, token: &str, channel: &str, is_archived: bool) {
        self.with_account(token, |account| match is_archived {
            true => account.slack.archived.insert(channel.to_owned()),
            false => account.slack.archived.remove(channel),
        });
    }

    /// Somebody takes the app out of the workspace, or puts it in again.
    pub fn revoke_slack(&self, token: &str, is_revoked: bool) {
        self.with_account(token, |account| account.slack.is_revoked = is_revoked);
    }
}

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .merge(sign_in::routes())
        .route("/api/auth.test", post(test))
        .route("/api/auth.revoke", post(revoke).get(revoke))
        .route("/api/conversations.list", get(channels))
        .route("/api/chat.postMessage", post(message))
        .route("/services/{team}/{hook}/{token}", post(hook))
}

/// What begins with `sandbox-` or `xoxb-sandbox-`, also as a token that ends.
fn token(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let plain = text.strip_prefix("xoxe.").unwrap_or(text);
    (plain.starts_with("sandbox-") || plain.starts_with("xoxb-sandbox-")).then(|| text.to_owned())
}

fn refused(word: &str) -> Response {
    Json(json!({"ok": false, "error": word})).into_response()
}

/// The token, if the app is still in the workspace.
fn known(sandbox: &Sandbox, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let Some(token) = token(headers) else {
        let word = if headers.contains_key(header::AUTHORIZATION) { "invalid_auth" } else { "not_authed" };
        return Err(Box::new(refused(word)));
    };
    let (token, is_good) = sign_in::account_of(sandbox, token);
    if !is_good {
        return Err(Box::new(refused("token_expired")));
    }
    if sandbox.with_account(&token, |account| account.slack.is_revoked) {
        return Err(Box::new(refused("token_revoked")));
    }
    Ok(token)
}

async fn test(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap) -> Response {
    if let Err(refused) = known(&sandbox, &headers) {
        return *refused;
    }
    Json(json!({
        "ok": true, "url": "https://northwind.slack.com/", "team": "Northwind", "user": "patchbay", "team_id": "T1", "user_id": "U0BOT",
        "bot_id": "B1",
    }))
    .into_response()
}

async fn revoke(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap) -> Response {
    match known(&sandbox, &headers) {
        Ok(token) => {
            sandbox.revoke_slack(&token, true);
            Json(json!({"ok": true, "revoked": true})).into_response()
        }
        Err(refused) => *refused,
    }
}

async fn channels(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let token = match known(&sandbox, &headers) {
        Ok(token) => token,
        Err(refused) => return *refused,
    };
    let text = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let archived = sandbox.with_account(&token, |account| account.slack.archived.clone());
    let hides = text("exclude_archived") == "true";
    let all: Vec<Value> = CHANNELS
        .iter()
        .map(|(id, name, private, member, old)| (*id, *name, *private, *member, *old || archived.contains(*id)))
        .filter(|(_, _, private, _, old)| {
            !(hides && *old) && (text("types").is_empty() || text("types").contains(if *private { "private_channel" } else { "public_channel" }))
        })
        .map(|(id, name, private, member, old)| {
            json!({"id": id, "name": name, "is_channel": !private, "is_private": private, "is_member": member, "is_archived": old})
        })
        .collect();
    let from = text("cursor").strip_prefix("from-").and_then(|at| at.parse::<usize>().ok()).unwrap_or_default();
    let most = text("limit").parse::<usize>().unwrap_or(100).clamp(1, PAGE);
    let page: Vec<&Value> = all.iter().skip(from).take(most).collect();
    let next = if from + page.len() < all.len() { format!("from-{}", from + page.len()) } else { String::new() };
    Json(json!({"ok": true, "channels": page, "response_metadata": {"next_cursor": next}})).into_response()
}

async fn message(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let token = match known(&sandbox, &headers) {
        Ok(token) => token,
        Err(refused) => return *refused,
    };
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else { return refused("invalid_json") };
    let channel = payload["channel"].as_str().unwrap_or_default().to_owned();
    let says = sandbox.with_account(&token, |account| account.slack.says.pop_front());
    match says.as_deref() {
        Some("ratelimited") => {
            let mut response =
                (StatusCode::TOO_MANY_REQUESTS, Json(json!({"ok": false, "error": "ratelimited"}))).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(30));
            return response;
        }
        Some("http_500") => return (StatusCode::INTERNAL_SERVER_ERROR, "oops").into_response(),
        Some("ok") | None => {}
        Some(word) => return refused(word),
    }
    let is_archived = sandbox.with_account(&token, |account| account.slack.archived.contains(&channel));
    match CHANNELS.iter().find(|(id, ..)| *id == channel) {
        None => return refused("channel_not_found"),
        Some((.., true)) => return refused("is_archived"),
        Some(_) if is_archived => return refused("is_archived"),
        Some((_, _, _, false, _)) => return refused("not_in_channel"),
        Some(_) => {}
    }
    if let Some(word) = fault(&payload) {
        return refused(word);
    }
    keep(&sandbox, &token, &channel, payload.clone());
    Json(json!({"ok": true, "channel": channel, "ts": "1772460446.000200", "message": {"text": payload["text"], "type": "message"}})).into_response()
}

async fn hook(
    State(sandbox): State<Arc<Sandbox>>,
    Path((_, hook, token)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let plain = |status: StatusCode, word: &'static str| (status, word).into_response();
    let says = sandbox.with_account(&token, |account| account.slack.says.pop_front());
    match (hook.as_str(), says.as_deref()) {
        ("B-GONE", _) => return plain(StatusCode::NOT_FOUND, "no_service"),
        ("B-ARCHIVED", _) => return plain(StatusCode::GONE, "channel_is_archived"),
        (_, Some("ratelimited")) => {
            let mut response = (StatusCode::TOO_MANY_REQUESTS, "ratelimited").into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(30));
            return response;
        }
        (_, Some("http_500")) => return plain(StatusCode::INTERNAL_SERVER_ERROR, "oops"),
        _ => {}
    }
    if sandbox.with_account(&token, |account| account.slack.archived.contains(&hook)) {
        return plain(StatusCode::GONE, "channel_is_archived");
    }
    if sandbox.with_account(&token, |account| account.slack.is_revoked) {
        return plain(StatusCode::FORBIDDEN, "invalid_token");
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else {
        return plain(StatusCode::BAD_REQUEST, "invalid_payload");
    };
    if fault(&payload).is_some() {
        return plain(StatusCode::BAD_REQUEST, "invalid_blocks");
    }
    keep(&sandbox, &token, &hook, payload);
    plain(StatusCode::OK, "ok")
}

fn keep(sandbox: &Sandbox, token: &str, channel: &str, payload: Value) {
    sandbox.with_account(token, |account| {
        let posts = &mut account.slack.posts;
        posts.push_back(SlackPost { channel: channel.to_owned(), payload });
        if posts.len() > KEPT {
            posts.pop_front();
        }
    });
}

/// What Slack refuses in a message.
fn fault(payload: &Value) -> Option<&'static str> {
    let long =
        |value: &Value, most: usize| value.as_str().is_none_or(|text| text.is_empty() || text.chars().count() > most);
    let Some(blocks) = payload["blocks"].as_array() else {
        return payload["text"].as_str().is_none_or(str::is_empty).then_some("no_text");
    };
    let is_bad = |block: &Value| match block["type"].as_str() {
        Some("header") => block["text"]["type"] != "plain_text" || long(&block["text"]["text"], 150),
        Some("section") => {
            let fields = block["fields"].as_array();
            let bad_fields = fields
                .is_some_and(|all| all.is_empty() || all.len() > 10 || all.iter().any(|one| long(&one["text"], 2000)));
            bad_fields || (fields.is_none() && long(&block["text"]["text"], 3000))
        }
        Some("context") => block["elements"].as_array().is_none_or(|all| all.is_empty() || all.len() > 10),
        Some("actions") => block["elements"].as_array().is_none_or(|all| {
            all.is_empty()
                || all.iter().any(|one| {
                    long(&one["text"]["text"], 75) || one["url"].as_str().is_some_and(|url| url.len() > 3000)
                })
        }),
        Some("divider") => false,
        _ => true,
    };
    (blocks.len() > 50 || blocks.iter().any(is_bad)).then_some("invalid_blocks")
}
