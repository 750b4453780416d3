//! Slack: messages in a channel, by a bot or by an incoming webhook.
//!
//! The surprising part: the Web API answers 200 also when it refuses, so what counts is `ok` and a short word; an incoming webhook answers
//! with a status and a plain word instead.

mod message;

use std::time::Duration;

use serde_json::{Value, json};

pub use message::{Button, SlackMessage};

use crate::error::{Kind, ProviderError, one_line};
use crate::http::{Ask, Endpoint, HttpClient};
use crate::outside::{OutsideAsk, OutsideTrouble};
use crate::sealed::Secret;

/// The service's name in errors.
pub const NAME: &str = "slack";
/// The Web API's public address.
pub const BASE_URL: &str = "https://slack.com/api";
/// Hosts of incoming webhooks.
const HOOK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
const PAGE_SIZE: &str = "200";
/// A list longer than this many pages is a loop.
const MOST_PAGES: usize = 50;
/// A wait when the service asks for one and does not say how long.
const PAUSE: Duration = Duration::from_secs(30);

/// Why a message did not get there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackTrouble {
    /// The sign-in is over.
    #[error("Slack has ended the sign-in ({0}). Connect Slack again.")]
    SignIn(String),
    /// The channel cannot be written to; another one might.
    #[error("{0}")]
    Channel(String),
    /// This message is refused; another one might not be.
    #[error("Slack does not take this message ({0}).")]
    Message(String),
    #[error("Slack is getting too many messages.")]
    Limited(Duration),
    /// It may go well another time.
    #[error("{0}")]
    Passing(String),
}

/// Whose bot it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackAccount {
    pub team_id: String,
    pub team: String,
    pub user: String,
}

/// A channel of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub is_private: bool,
    pub is_member: bool,
}

/// A bot.
#[derive(Clone)]
pub struct Slack {
    endpoint: Endpoint,
}

impl Slack {
    /// `base` is [`BASE_URL`], or a stand-in's address.
    pub fn new(http: &HttpClient, base: &str, token: &Secret<String>) -> Result<Self, ProviderError> {
        let endpoint = Endpoint::new(http, NAME, base, ("authorization", "Bearer "), token, |document| {
            document["error"].as_str().map(str::to_owned)
        })?;
        Ok(Self { endpoint })
    }

    /// Whose bot it is.
    pub async fn account(&self) -> Result<SlackAccount, SlackTrouble> {
        let said = self.ask(Ask::post(&["auth.test"], json!({})).repeatable()).await?;
        let text = |name: &str| one_line(said[name].as_str().unwrap_or_default()).chars().take(120).collect::<String>();
        Ok(SlackAccount { team_id: text("team_id"), team: text("team"), user: text("user") })
    }

    /// All channels that are not archived, as far as the bot may see them.
    pub async fn channels(&self) -> Result<Vec<Channel>, SlackTrouble> {
        let (mut all, mut cursor): (Vec<Channel>, Option<String>) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let ask = Ask::get(&["conversations.list"])
                .query("types", "public_channel,private_channel")
                .query("exclude_archived", "true")
                .query("limit", PAGE_SIZE)
                .query_some("cursor", cursor.clone());
            let said = self.ask(ask).await?;
            for one in said["channels"].as_array().into_iter().flatten() {
                let id = one["id"].as_str().unwrap_or_default();
                let fits = (3..=24).contains(&id.len())
                    && id.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
                if !fits || one["is_archived"] == true || all.iter().any(|known| known.id == id) {
                    continue;
                }
                all.push(Channel {
                    id: id.to_owned(),
                    name: one_line(one["name"].as_str().unwrap_or(id)).chars().take(80).collect(),
                    is_private: one["is_private"] == true,
                    is_member: one["is_member"] == true,
                });
            }
            let next = said["response_metadata"]["next_cursor"].as_str().filter(|next| !next.is_empty());
            // A page that leads to itself is the last one.
            if next.is_none() || next == cursor.as_deref() {
                break;
            }
            cursor = next.map(str::to_owned);
        }
        Ok(all)
    }

    /// Puts a message into a channel. Not safe to repeat after a timeout: it may stand there twice then. Gives its time stamp.
    pub async fn post(&self, channel: &str, payload: &Value) -> Result<String, SlackTrouble> {
        let mut body = payload.clone();
        body["channel"] = channel.into();
        body["unfurl_links"] = false.into();
        let said = self.ask(Ask::post(&["chat.postMessage"], body)).await?;
        Ok(said["ts"].as_str().unwrap_or_default().chars().take(40).collect())
    }

    async fn ask(&self, ask: Ask) -> Result<Value, SlackTrouble> {
        let answer = self.endpoint.answer(&ask).await.map_err(trouble)?;
        let document = answer.document();
        if let Some(kind) = Kind::of_status(answer.status) {
            let error = self.endpoint.refusal(&ask, &answer, kind);
            // The body's word says more than the status where there is one.
            return Err(match document["error"].as_str() {
                Some(word) if answer.status != 429 && answer.status < 500 => of_word(word),
                _ => trouble(error),
            });
        }
        match (document["ok"].as_bool(), document["error"].as_str()) {
            (Some(true), _) => Ok(document),
            (_, Some(word)) => {
                let wait = answer.figure("retry-after").map(|seconds| Duration::from_secs(u64::from(seconds)));
                match of_word(word) {
                    SlackTrouble::Limited(own) => Err(SlackTrouble::Limited(wait.unwrap_or(own))),
                    other => Err(other),
                }
            }
            _ => Err(SlackTrouble::Passing("Slack’s answer cannot be read.".to_owned())),
        }
    }
}

/// Puts a message into the channel of an incoming webhook, whose address is a secret. `except` is the stand-in's own address.
pub async fn post_to_hook(
    http: &HttpClient,
    address: &Secret<String>,
    payload: &Value,
    except: Option<String>,
) -> Result<(), SlackTrouble> {
    if !is_hook(address.expose(), except.as_deref()) {
        return Err(SlackTrouble::SignIn("the address is none of Slack’s".to_owned()));
    }
    let ask = OutsideAsk {
        method: "POST".to_owned(),
        url: address.expose().clone(),
        headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
        body: Some(payload.to_string().into_bytes()),
        timeout: crate::http::REQUEST_TIMEOUT,
        limit: 64 * 1024,
        except,
    };
    let answer = http.ask_outside(&ask).await.map_err(|why| match why {
        OutsideTrouble::Refused(why) => SlackTrouble::SignIn(why),
        OutsideTrouble::Timeout => SlackTrouble::Passing("Slack took too long to answer.".to_owned()),
        // Whatever it says could name the address.
        _ => SlackTrouble::Passing("Slack can’t be reached.".to_owned()),
    })?;
    let word = String::from_utf8_lossy(&answer.body);
    let word: String =
        word.trim().chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(60).collect();
    match answer.status {
        200..300 => Ok(()),
        429 => Err(SlackTrouble::Limited(answer.retry_after().map_or(PAUSE, Duration::from_secs))),
        500.. if word != "rollup_error" => {
            Err(SlackTrouble::Passing(format!("Slack is having problems (status {}).", answer.status)))
        }
        404 | 410 if !word.starts_with("channel") => {
            Err(SlackTrouble::SignIn(if word.is_empty() { "no_service".to_owned() } else { word }))
        }
        _ => Err(of_word(&word)),
    }
}

/// Whether an address is one of Slack's incoming webhooks, or the stand-in's.
pub fn is_hook(address: &str, except: Option<&str>) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let is_slacks = url.scheme() == "https"
        && url.host_str().is_some_and(|host| HOOK_HOSTS.contains(&host))
        && url.port().is_none()
        && url.path().starts_with("/services/");
    is_slacks
        || except.is_some_and(|own| {
            address.strip_prefix(own.trim_end_matches('/')).is_some_and(|rest| rest.starts_with("/services/"))
        })
}

fn trouble(error: ProviderError) -> SlackTrouble {
    match error.kind {
        Kind::RateLimited => SlackTrouble::Limited(error.retry_after.unwrap_or(PAUSE)),
        Kind::Credentials => SlackTrouble::SignIn("the token is refused".to_owned()),
        Kind::Rejected => SlackTrouble::Message(error.message),
        Kind::NotFound => SlackTrouble::Passing("Slack doesn’t know what was asked for.".to_owned()),
        _ => SlackTrouble::Passing(error.sentence()),
    }
}

/// What Slack's short words mean for us.
fn of_word(word: &str) -> SlackTrouble {
    let word = one_line(word).chars().take(80).collect::<String>();
    let channel =
        |why: &str| SlackTrouble::Channel(format!("{why} Choose another channel, or put this one right in Slack."));
    match word.as_str() {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "org_login_required"
        | "team_access_not_granted"
        | "ekm_access_denied"
        | "user_not_found"
        | "no_service"
        | "no_team"
        | "invalid_token" => SlackTrouble::SignIn(word),
        "missing_scope" | "no_permission" | "not_allowed_token_type" | "access_denied" => {
            SlackTrouble::SignIn(format!("{word}: the app may not do this"))
        }
        "channel_not_found" => channel("Slack does not know the channel, or the app may not see it."),
        "is_archived" | "channel_is_archived" => channel("The channel is archived in Slack."),
        "not_in_channel" => channel("The app is not in the channel: invite it there."),
        "restricted_action"
        | "action_prohibited"
        | "posting_to_general_channel_denied"
        | "restricted_action_read_only_channel" => channel("The app may not write in the channel."),
        "ratelimited" | "rate_limited" => SlackTrouble::Limited(PAUSE),
        "message_limit_exceeded" => SlackTrouble::Limited(Duration::from_secs(600)),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "accesslimited" => {
            SlackTrouble::Passing(format!("Slack is having problems ({word})."))
        }
        "" => SlackTrouble::Message("it did not say why".to_owned()),
        _ => SlackTrouble::Message(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_mean() {
        for word in ["channel_not_found", "is_archived", "channel_is_archived", "not_in_channel", "action_prohibited"] {
            assert!(matches!(of_word(word), SlackTrouble::Channel(_)), "{word}");
        }
        for word in ["invalid_auth", "token_revoked", "account_inactive", "missing_scope", "no_service"] {
            assert!(matches!(of_word(word), SlackTrouble::SignIn(_)), "{word}");
        }
        for word in
            ["invalid_blocks", "msg_too_long", "no_text", "too_many_attachments", "invalid_payload", "rollup_error"]
        {
            assert_eq!(of_word(word), SlackTrouble::Message(word.to_owned()));
        }
        assert!(matches!(of_word("ratelimited"), SlackTrouble::Limited(_)));
        assert!(matches!(of_word("internal_error"), SlackTrouble::Passing(_)));
    }

    #[test]
    fn only_addresses_of_slack_are_webhooks() {
        let own = Some("http://127.0.0.1:4010/slack");
        for good in ["https://hooks.slack.com/services/T1/B1/x", "http://127.0.0.1:4010/slack/services/T1/B1/x"] {
            assert!(is_hook(good, own), "{good}");
        }
        for bad in [
            "http://hooks.slack.com/services/T1/B1/x",
            "https://hooks.slack.com.evil.test/services/T1",
            "https://hooks.slack.com:8443/services/T1",
            "https://hooks.slack.com/workflows/x",
            "http://127.0.0.1:4010/slackservices/T1",
            "xoxb-1",
        ] {
            assert!(!is_hook(bad, own), "{bad}");
        }
    }
}
