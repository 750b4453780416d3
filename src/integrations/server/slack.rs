//! Slack: signing in with a token or an incoming webhook, the channel, and sending.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::messages::{self, Outcome};
use super::ops;
use super::slack_words;
use super::store::messages::Taken;
use super::store::{self, Integration};
use super::tokens::{self, Lacking, Token, TokenDocument};
use crate::model::{IntegrationType, SlackChannel, SlackConfig, SlackConnectForm, SlackForm, TokenType, Tried};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_connections::model::{IntegrationStatus, Mode};
use patchbay_providers::Secret;
use patchbay_providers::oauth::{ChannelHook, Grant};
use patchbay_providers::slack::{self, Slack, SlackTrouble};
use patchbay_shared::ids::IntegrationId;
use patchbay_shared::{AppError, Reason};
use patchbay_webhooks::model::EventType;

/// Between two messages in a channel.
pub(super) const PACE: Duration = Duration::from_secs(1);
/// Events of calls, which are summed up when more than so many wait.
pub(super) const SUMMED_UP: [EventType; 4] =
    [EventType::CallStarted, EventType::CallCompleted, EventType::CallFailed, EventType::AnalysisCompleted];
pub(super) const MOST_CALLS: i64 = 20;
pub(super) const MOST_IN_DIGEST: i64 = 1000;
/// Where the address of an incoming webhook stands in the sealed document, and the channel that it belongs to. It has none when the address
/// was typed.
const HOOK: &str = "webhook_url";
const HOOK_CHANNEL: &str = "webhook_channel";
/// The account of an integration that writes by an incoming webhook: its address does not say whose it is.
pub(super) const BY_WEBHOOK: &str = "webhook";

/// What signs in.
enum Way {
    Bot(Box<Slack>, Box<Token>),
    Hook(Secret<String>, Option<String>),
}

/// Why a message is not there.
enum Unsent {
    Lacking(Lacking),
    Trouble(SlackTrouble),
}

/// Tries a token, or the address of an incoming webhook, and keeps it when it works. Errors: `Invalid` at `token`; `NotFound`.
pub async fn connect(scope: &Scope, id: IntegrationId, form: &SlackConnectForm) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ManageConnections).await?;
    let before = messages::one(&mut tx, id, IntegrationType::Slack).await?;
    drop(tx);
    let (token, is_sandbox) = (form.token.trim(), before.mode == Mode::Sandbox.as_str());
    let token = match token {
        // The stand-in has a workspace for each integration.
        "" if is_sandbox => format!("sandbox-{id}"),
        "" => return Err(AppError::invalid("token", "Paste the bot’s token, or the address of an incoming webhook.")),
        token => token.to_owned(),
    };
    if token.len() > 500 || !token.bytes().all(|letter| letter.is_ascii_graphic()) {
        return Err(AppError::invalid("token", "It has no spaces or line breaks. Copy it again."));
    }
    let except = stand_in(scope, &before)?;
    let by_webhook = token.starts_with("http");
    let secret = Secret::new(token);
    let account = if by_webhook {
        if !slack::is_hook(secret.expose(), except.as_deref()) {
            let why = "This is no address of Slack’s. It begins with https://hooks.slack.com/services/.";
            return Err(AppError::invalid("token", why));
        }
        // There is no other way to learn whether it works.
        let public_url = &scope.services().public_url;
        let payload = slack_words::test(&before.name, public_url, &format!("/integrations/{id}")).payload();
        slack::post_to_hook(&scope.services().http, &secret, &payload, except).await.map_err(refused)?;
        (BY_WEBHOOK.to_owned(), "Incoming webhook".to_owned(), String::new())
    } else {
        if !is_sandbox && !secret.expose().starts_with("xoxb-") && !secret.expose().starts_with("xoxe.xoxb-") {
            return Err(AppError::invalid(
                "token",
                "A bot’s token begins with xoxb-. Copy it from “OAuth & Permissions” of your app.",
            ));
        }
        let bot = bot(scope, &before, &secret)?;
        let account = bot.account().await.map_err(refused)?;
        (account.team_id, account.team, account.user)
    };
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = messages::told(&mut tx, id).await?;
    let user = tx.user_id().ok_or(AppError::Forbidden)?;
    let extra = if by_webhook { BTreeMap::from([(HOOK.to_owned(), secret.expose().clone())]) } else { BTreeMap::new() };
    let access_token = if by_webhook { Secret::new(String::new()) } else { secret };
    let document = TokenDocument { access_token, refresh_token: None, app: None, extra };
    tokens::store(&mut tx, &before, user, TokenType::ApiKey, &document, &[], None).await?;
    let old: SlackConfig = before.config();
    // Another workspace has other channels.
    let is_same =
        old.by_webhook == by_webhook && (by_webhook || before.account_id.as_deref() == Some(account.0.as_str()));
    let (channel, channel_name) = if is_same { (old.channel, old.channel_name) } else { Default::default() };
    let config = SlackConfig { by_webhook, channel, channel_name, ..old };
    store::set_config(&mut tx, id, &json!(config)).await?;
    let status = if before.paused_at.is_some() { IntegrationStatus::Inactive } else { IntegrationStatus::Active };
    store::set_account(&mut tx, id, (&account.0, &account.1, &account.2), status).await?;
    let shown = |status: IntegrationStatus, account: Option<&str>| json!({"name": before.name, "status": status, "account": account});
    let fields = Fields::Changed {
        before: shown(before.status, before.account_name.as_deref()),
        after: shown(status, Some(account.1.as_str())),
    };
    ops::record(&mut tx, "connected", id, before.client_id, fields).await?;
    messages::hurry(&mut tx, id).await?;
    ops::changed(&mut tx, &before).await?;
    tx.commit().await
}

/// The channel that was chosen while signing in, when its address is one of Slack's.
pub(super) fn own_hook(
    scope: &Scope,
    integration: &Integration,
    grant: &Grant,
) -> Result<Option<ChannelHook>, AppError> {
    let except = stand_in(scope, integration)?;
    Ok(grant.hook.clone().filter(|hook| slack::is_hook(hook.address.expose(), except.as_deref())))
}

/// Into that channel a message goes by its own address, which also works where the app was not invited.
pub(super) fn keep_hook(document: &mut TokenDocument, hook: &ChannelHook) {
    document.extra.insert(HOOK.to_owned(), hook.address.expose().clone());
    document.extra.insert(HOOK_CHANNEL.to_owned(), hook.channel.clone());
}

/// Somebody has signed in at Slack itself: messages go into the channel that was chosen there, or into the one of before if it is the same
/// workspace. Gives the channel's name of before and the new one.
pub(super) async fn signed_in(
    tx: &mut WriteTx,
    before: &Integration,
    hook: Option<&ChannelHook>,
    is_same: bool,
) -> Result<(Option<String>, Option<String>), AppError> {
    let old: SlackConfig = before.config();
    let (channel, channel_name) = match hook {
        Some(hook) => (hook.channel.clone(), hook.name.clone()),
        None if is_same => (old.channel.clone(), old.channel_name.clone()),
        None => Default::default(),
    };
    let names = (Some(old.channel_name.clone()), Some(channel_name.clone()));
    let config = SlackConfig { by_webhook: false, channel, channel_name, ..old };
    store::set_config(tx, before.id, &json!(config)).await?;
    Ok(names)
}

/// Channels that the bot may see, by name. Errors: `Conflict`, `ProviderDown`.
pub async fn channels(scope: &Scope, id: IntegrationId) -> Result<Vec<SlackChannel>, AppError> {
    let mut tx = scope.read(Action::ManageIntegrations).await?;
    let integration = messages::one(&mut tx, id, IntegrationType::Slack).await?;
    drop(tx);
    match way(scope, &integration, "").await {
        Ok(Way::Hook(..)) => Ok(Vec::new()),
        Ok(Way::Bot(bot, _)) => {
            let mut all = bot.channels().await.map_err(|why| AppError::ProviderDown(why.to_string()))?;
            all.sort_by(|one, other| (!one.is_member, &one.name).cmp(&(!other.is_member, &other.name)));
            let shown = |one: slack::Channel| SlackChannel {
                id: one.id,
                name: one.name,
                is_private: one.is_private,
                is_member: one.is_member,
            };
            Ok(all.into_iter().map(shown).collect())
        }
        Err(Lacking::SignIn) => Err(not_connected()),
        Err(Lacking::Renewing) => Err(AppError::ProviderDown(tokens::RENEWING.to_owned())),
        Err(Lacking::Later(_, why)) => Err(AppError::ProviderDown(why)),
        Err(Lacking::Error(error)) => Err(error),
    }
}

/// The channel, and what is told there. What waits is sent there from now on. Errors: `Invalid`, `NotFound`.
pub async fn save(scope: &Scope, id: IntegrationId, form: &SlackForm) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = messages::told(&mut tx, id).await?;
    if before.kind != IntegrationType::Slack {
        return Err(AppError::NotFound);
    }
    let old: SlackConfig = before.config();
    let config = form.check(&old)?;
    if config == old && before.problem.is_none() {
        return Ok(());
    }
    store::set_config(&mut tx, id, &json!(config)).await?;
    let shown = |config: &SlackConfig| json!({"name": before.name, "slack": config});
    ops::record(
        &mut tx,
        "set up",
        id,
        before.client_id,
        Fields::Changed { before: shown(&old), after: shown(&config) },
    )
    .await?;
    messages::hurry(&mut tx, id).await?;
    ops::changed(&mut tx, &before).await?;
    tx.commit().await
}

/// Sends a message that shows that it works. Errors: `Conflict` without a channel; `NotFound`.
pub async fn send_test(scope: &Scope, id: IntegrationId) -> Result<Tried, AppError> {
    let mut tx = scope.read(Action::ManageIntegrations).await?;
    let integration = messages::one(&mut tx, id, IntegrationType::Slack).await?;
    let is_suspended = patchbay_workspaces::server::is_suspended(&mut tx).await?;
    drop(tx);
    if is_suspended {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The agency’s account is suspended: nothing is sent.".to_owned(),
        ));
    }
    let config: SlackConfig = integration.config();
    if !config.has_channel() {
        return Err(AppError::Conflict(Reason::NotReady, "Choose a channel first.".to_owned()));
    }
    let public_url = &scope.services().public_url;
    let payload = slack_words::test(&integration.name, public_url, &format!("/integrations/{id}")).payload();
    let sent = match post(scope, &integration, &config.channel, &payload).await {
        Ok(answer) => Ok(answer),
        Err(Unsent::Trouble(why)) => Err(why.to_string()),
        Err(Unsent::Lacking(Lacking::SignIn)) => return Err(not_connected()),
        Err(Unsent::Lacking(Lacking::Renewing)) => Err(tokens::RENEWING.to_owned()),
        Err(Unsent::Lacking(Lacking::Later(_, why))) => Err(why),
        Err(Unsent::Lacking(Lacking::Error(error))) => return Err(error),
    };
    if sent.is_ok() && integration.status == IntegrationStatus::Error {
        let mut tx = scope.write(Action::ManageIntegrations).await?;
        ops::works(&mut tx, id).await?;
        messages::hurry(&mut tx, id).await?;
        tx.commit().await?;
    }
    let request = serde_json::to_string_pretty(&payload).unwrap_or_default();
    Ok(match sent {
        Ok(answer) => Tried { is_ok: true, request, answer, problem: String::new() },
        Err(problem) => Tried { is_ok: false, request, answer: String::new(), problem },
    })
}

/// Sends one message, or what many come to.
pub(super) async fn deliver(scope: &Scope, integration: &Integration, taken: &[Taken]) -> Result<Outcome, AppError> {
    let config: SlackConfig = integration.config();
    let broken = |problem: String, ends_sign_in| Outcome::Broken { problem, ends_sign_in, status: None };
    if !config.has_channel() {
        return Ok(broken("No channel is chosen. Choose one; what waits is sent there.".to_owned(), false));
    }
    let public_url = &scope.services().public_url;
    let message = match taken {
        [one] => slack_words::message(one, public_url),
        many => slack_words::digest(many, public_url),
    };
    let payload = message.payload();
    let why = match post(scope, integration, &config.channel, &payload).await {
        Ok(answer) => {
            return Ok(Outcome::Sent { body: payload.to_string(), status: Some(200), answer, details: Vec::new() });
        }
        Err(Unsent::Trouble(why)) => why,
        Err(Unsent::Lacking(Lacking::SignIn)) => {
            return Ok(broken(
                "Nobody is signed in at Slack any more. An owner can connect it again.".to_owned(),
                true,
            ));
        }
        Err(Unsent::Lacking(Lacking::Renewing)) => {
            let (problem, wait) = (tokens::RENEWING.to_owned(), Some(tokens::MOMENT));
            return Ok(Outcome::Later { problem, status: None, wait, asked: true });
        }
        Err(Unsent::Lacking(Lacking::Later(wait, problem))) => {
            return Ok(Outcome::Later { problem, status: None, wait: Some(wait), asked: true });
        }
        Err(Unsent::Lacking(Lacking::Error(error))) => return Err(error),
    };
    Ok(match why {
        SlackTrouble::SignIn(_) => broken(why.to_string(), true),
        SlackTrouble::Channel(_) => broken(why.to_string(), false),
        SlackTrouble::Message(_) => Outcome::Failed { problem: why.to_string(), status: None, answer: String::new() },
        SlackTrouble::Limited(wait) => {
            Outcome::Later { problem: why.to_string(), status: Some(429), wait: Some(wait.max(PACE)), asked: true }
        }
        SlackTrouble::Passing(_) => Outcome::Later { problem: why.to_string(), status: None, wait: None, asked: false },
    })
}

/// Puts a message into a channel. A token that ended before its time is renewed once, where it can be.
async fn post(scope: &Scope, integration: &Integration, channel: &str, payload: &Value) -> Result<String, Unsent> {
    let said = |ts: String| format!("ok {ts}");
    match way(scope, integration, channel).await.map_err(Unsent::Lacking)? {
        Way::Bot(bot_now, token) => match bot_now.post(channel, payload).await {
            Err(SlackTrouble::SignIn(_)) if token.document.refresh_token.is_some() => {
                let fresh = tokens::refused(scope, integration, &token).await.map_err(Unsent::Lacking)?;
                let own = &fresh.document.access_token;
                let bot = bot(scope, integration, own).map_err(|error| Unsent::Lacking(error.into()))?;
                bot.post(channel, payload).await.map(said).map_err(Unsent::Trouble)
            }
            sent => sent.map(said).map_err(Unsent::Trouble),
        },
        Way::Hook(address, except) => {
            let sent = slack::post_to_hook(&scope.services().http, &address, payload, except).await;
            sent.map(|()| "ok".to_owned()).map_err(Unsent::Trouble)
        }
    }
}

/// How a channel is reached: by its own address, where there is one, or by the bot.
async fn way(scope: &Scope, integration: &Integration, channel: &str) -> Result<Way, Lacking> {
    let token = tokens::current(scope, integration).await?;
    let extra = &token.document.extra;
    if let Some(address) = extra.get(HOOK).filter(|_| extra.get(HOOK_CHANNEL).is_none_or(|own| own == channel)) {
        return Ok(Way::Hook(Secret::new(address.clone()), stand_in(scope, integration)?));
    }
    Ok(Way::Bot(Box::new(bot(scope, integration, &token.document.access_token)?), Box::new(token)))
}

fn bot(scope: &Scope, integration: &Integration, token: &Secret<String>) -> Result<Slack, AppError> {
    let base = stand_in(scope, integration)?.map_or_else(|| slack::BASE_URL.to_owned(), |own| format!("{own}/api"));
    Slack::new(&scope.services().http, &base, token).map_err(|error| AppError::invalid("token", error.sentence()))
}

/// The stand-in's address, for integrations that talk to it.
fn stand_in(scope: &Scope, integration: &Integration) -> Result<Option<String>, AppError> {
    if integration.mode == Mode::Sandbox.as_str() {
        return tokens::sandbox_base(scope.services(), IntegrationType::Slack).map(Some);
    }
    Ok(None)
}

fn refused(why: SlackTrouble) -> AppError {
    match why {
        SlackTrouble::SignIn(_) | SlackTrouble::Channel(_) | SlackTrouble::Message(_) => {
            AppError::invalid("token", format!("Slack refuses it. {why}"))
        }
        _ => AppError::ProviderDown(format!("{why} Try again in a minute.")),
    }
}

fn not_connected() -> AppError {
    AppError::Conflict(Reason::NotConnected, "Nobody is signed in at Slack. An owner can connect it.".to_owned())
}
