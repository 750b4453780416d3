//! Systems with a JSON interface of their own: what they are told, by template and signed; and the secrets of both directions.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::RngCore;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::custom_words::{details, said, shown, why};
use super::messages::{self, Outcome};
use super::ops;
use super::store::messages::Taken;
use super::store::{self, Integration, tokens as stored_tokens};
use super::tokens::{self, TokenDocument};
use crate::model::{CustomConfig, CustomForm, IntegrationType, NewIntegrationSecret, TokenType, Tried, example, fill};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, Scope, WriteTx};
use patchbay_connections::model::IntegrationStatus;
use patchbay_contacts::server::{synced, told};
use patchbay_providers::Secret;
use patchbay_providers::outside::{OutsideAsk, OutsideTrouble, refused_at_sight};
use patchbay_providers::signature::{STANDARD_ID, STANDARD_SIGNATURE, STANDARD_TIMESTAMP, sign_standard};
use patchbay_shared::ids::{ContactId, IntegrationId, WebhookEventId};
use patchbay_shared::{AppError, Reason};
use patchbay_webhooks::model::{EventType, message_id};

/// From the beginning of a request to the end of its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// The most of an answer that is read.
const MOST_READ: usize = 256 * 1024;
/// Longest value of an answer that becomes a contact's detail, in characters.
pub(super) const LONGEST_DETAIL: usize = 2000;
/// Hours that a secret goes on after another one has taken its place.
const OVERLAP: i64 = 24;
const SIGNING: &str = "signing";
const INCOMING: &str = "incoming";
pub(super) const HEADER: &str = "header:";

/// Which secret is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// Signs what we send.
    Outgoing,
    /// Signs what the system sends.
    Incoming,
    /// Speaks for a system that cannot sign.
    Key,
}

/// Sets up what the system is told, and what is taken from it. Errors: `Invalid`, `NotFound`.
pub async fn save(scope: &Scope, id: IntegrationId, form: &CustomForm) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = messages::told(&mut tx, id).await?;
    if before.kind != IntegrationType::CustomApi {
        return Err(AppError::NotFound);
    }
    let old: CustomConfig = before.config();
    let checked = form.check(&old)?;
    let (config, secrets) = (checked.config, checked.secrets);
    address_fits(scope, &config.url)?;
    // Credentials are an owner's, as all sign-ins are.
    let may_sign_in = scope.may(Action::ManageConnections);
    if !may_sign_in && secrets.iter().any(|(_, value)| value.is_some()) {
        return Err(AppError::Forbidden);
    }
    if origin(&config.url) != origin(&old.url) && secrets.iter().any(|(_, value)| value.is_none()) {
        return Err(match may_sign_in {
            true => AppError::invalid(
                "secret_headers",
                "The address is another one. Type the values again that are sent there.",
            ),
            false => {
                AppError::invalid("url", "Secret headers are sent to this address. An owner can give another one.")
            }
        });
    }
    if !config.incoming.is_empty() && before.client_id.is_none() {
        let why = "Contacts belong to a client, and this integration to none. Make one for the client.";
        return Err(AppError::invalid("incoming", why));
    }
    let mut document = document(tx.reading(), scope, id).await?;
    let kept = document.extra.clone();
    document.extra.retain(|name, _| !name.starts_with(HEADER));
    for (name, value) in secrets {
        let name = format!("{HEADER}{name}");
        if let Some(value) = value.or_else(|| kept.get(&name).cloned()) {
            document.extra.insert(name, value);
        }
    }
    if !config.url.is_empty() && !document.extra.contains_key(SIGNING) {
        document.extra.insert(SIGNING.to_owned(), new_signing_secret());
    }
    let has_new = document.extra != kept;
    let is_used = !config.url.is_empty() || !config.incoming.is_empty();
    let status = match before.paused_at {
        None if is_used => IntegrationStatus::Active,
        _ => IntegrationStatus::Inactive,
    };
    if config == old && !has_new && before.problem.is_none() && before.status == status {
        return Ok(());
    }
    // An owner has disconnected it: an owner connects it again.
    let was_left = before.status == IntegrationStatus::Inactive
        && before.paused_at.is_none()
        && before.account_id.is_some()
        && stored_tokens::newest(tx.reading(), id).await?.is_none_or(|stored| !stored.is_active);
    if was_left && status == IntegrationStatus::Active && !may_sign_in {
        return Err(AppError::Conflict(
            Reason::NotConnected,
            "It was disconnected. An owner of the agency can connect it again.".into(),
        ));
    }
    if has_new {
        keep(&mut tx, &before, &document).await?;
    }
    store::set_config(&mut tx, id, &json!(config)).await?;
    let host = url::Url::parse(&config.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| "incoming".to_owned());
    store::set_account(&mut tx, id, (&host, &host, ""), status).await?;
    let shown = |config: &CustomConfig| json!({"name": before.name, "custom": config.summary()});
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

/// Makes another secret, which is shown once. The one before goes on for a day; a key ends at once. Errors: `NotFound`.
pub async fn new_secret(scope: &Scope, id: IntegrationId, kind: SecretKind) -> Result<NewIntegrationSecret, AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = messages::told(&mut tx, id).await?;
    if before.kind != IntegrationType::CustomApi {
        return Err(AppError::NotFound);
    }
    let mut config: CustomConfig = before.config();
    let mut document = document(tx.reading(), scope, id).await?;
    let (word, secret) = match kind {
        SecretKind::Outgoing | SecretKind::Incoming => {
            let word = if kind == SecretKind::Outgoing { SIGNING } else { INCOMING };
            let secret = new_signing_secret();
            if let Some(old) = document.extra.insert(word.to_owned(), secret.clone()) {
                let until = tx.reading().now().await? + TimeDelta::hours(OVERLAP);
                document.extra.insert(format!("{word}_old"), old);
                document.extra.insert(format!("{word}_until"), until.to_rfc3339_opts(SecondsFormat::Secs, true));
            }
            config.has_incoming_secret |= kind == SecretKind::Incoming;
            (if kind == SecretKind::Outgoing { "outgoing" } else { "incoming" }, secret)
        }
        SecretKind::Key => {
            let mut bytes = [0_u8; 32];
            rand::rng().fill_bytes(&mut bytes);
            let key = format!("pbi_{}", URL_SAFE_NO_PAD.encode(bytes));
            config.key_digest = Some(digest(&key));
            ("key", key)
        }
    };
    keep(&mut tx, &before, &document).await?;
    store::set_config(&mut tx, id, &json!(config)).await?;
    let facts = json!({"name": before.name, "secret": word});
    ops::record(&mut tx, "rotated", id, before.client_id, Fields::Happened(facts)).await?;
    ops::changed(&mut tx, &before).await?;
    tx.commit().await?;
    let address = match kind {
        SecretKind::Outgoing => config.url,
        _ => CustomConfig::intake_address(&scope.services().public_url, scope.workspace_id(), id),
    };
    Ok(NewIntegrationSecret { integration: id.to_string(), name: before.name, kind: word.to_owned(), secret, address })
}

/// Sends an example as the form says, and shows what was sent and answered. Nothing is stored. Errors: `Invalid`, `NotFound`.
pub async fn try_out(scope: &Scope, id: IntegrationId, form: &CustomForm) -> Result<Tried, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let before = messages::told(&mut tx, id).await?;
    let is_suspended = patchbay_workspaces::server::is_suspended(tx.reading()).await?;
    if before.kind != IntegrationType::CustomApi {
        return Err(AppError::NotFound);
    }
    if is_suspended {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The agency’s account is suspended: nothing is sent.".to_owned(),
        ));
    }
    let old: CustomConfig = before.config();
    let checked = form.check(&old)?;
    let config = checked.config;
    if config.url.is_empty() {
        return Err(AppError::invalid("url", "Give the address that is told the events."));
    }
    address_fits(scope, &config.url)?;
    let kept = document(tx.reading(), scope, id).await?;
    drop(tx);
    let mut extra = kept.extra.clone();
    for (name, value) in checked.secrets {
        match value {
            Some(value) => drop(extra.insert(format!("{HEADER}{name}"), value)),
            None if origin(&config.url) != origin(&old.url) => {
                let why = "The address is another one. Type the values again that are sent there.";
                return Err(AppError::invalid("secret_headers", why));
            }
            None => {}
        }
    }
    let document = TokenDocument { extra, ..kept };
    let event = example(config.events.first().copied().unwrap_or(EventType::CallCompleted));
    let event = event.to_string();
    let request = request(scope, &config, &document, "msg_try", &event, Utc::now())
        .map_err(|why| AppError::invalid("template", why))?;
    let shown = shown(&request, &config, &document);
    Ok(match scope.services().http.ask_outside(&request).await {
        Ok(answer) => {
            let said = said(&answer, &document);
            let is_ok = (200..300).contains(&answer.status);
            let problem = if is_ok { String::new() } else { format!("It answered with status {}.", answer.status) };
            Tried { is_ok, request: shown, answer: format!("HTTP {}\n\n{said}", answer.status), problem }
        }
        Err(trouble) => Tried { is_ok: false, request: shown, answer: String::new(), problem: why(&trouble) },
    })
}

/// Sends one event.
pub(super) async fn deliver(scope: &Scope, integration: &Integration, taken: &Taken) -> Result<Outcome, AppError> {
    let config: CustomConfig = integration.config();
    let broken = |problem: &str| Outcome::Broken { problem: problem.to_owned(), ends_sign_in: false, status: None };
    if config.url.is_empty() {
        return Ok(broken("It has no address any more. Give it one; what waits is sent there."));
    }
    let mut tx = scope.read(Action::ManageIntegrations).await?;
    let document = match document(&mut tx, scope, integration.id).await {
        Ok(document) => document,
        Err(AppError::Conflict(_, why)) => return Ok(broken(&why)),
        Err(error) => return Err(error),
    };
    drop(tx);
    if secrets(&document, SIGNING, Utc::now()).is_empty() {
        return Ok(broken("It has no secret that signs. Make one in its settings; what waits is sent then."));
    }
    let event = taken.external_id.as_deref().and_then(|id| id.parse::<WebhookEventId>().ok());
    let webhook = event.map_or_else(|| format!("msg_{}", taken.id.0.simple()), message_id);
    let request = match request(scope, &config, &document, &webhook, &taken.body, Utc::now()) {
        Ok(request) => request,
        Err(problem) => return Ok(Outcome::Failed { problem, status: None, answer: String::new() }),
    };
    let body = request.body.as_deref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
    let answer = match scope.services().http.ask_outside(&request).await {
        Ok(answer) => answer,
        Err(trouble @ OutsideTrouble::Refused(_)) => return Ok(broken(&why(&trouble))),
        Err(trouble) => {
            return Ok(Outcome::Later { problem: why(&trouble), status: None, wait: None, asked: false });
        }
    };
    let (said, status) = (said(&answer, &document), answer.status);
    let problem = format!("It answered with status {status}.");
    Ok(match status {
        200..300 => {
            let details = details(&config, &answer);
            Outcome::Sent { body, status: Some(status), answer: said, details }
        }
        429 | 503 if answer.retry_after().is_some() => {
            let wait = answer.retry_after().map(Duration::from_secs);
            Outcome::Later { problem, status: Some(status), wait, asked: status == 429 }
        }
        408 | 425 | 429 | 500.. => Outcome::Later { problem, status: Some(status), wait: None, asked: false },
        300..=399 => Outcome::Broken {
            problem: format!(
                "It points to another address (status {status}), which is not followed. Put the right one in."
            ),
            ends_sign_in: false,
            status: Some(status),
        },
        401 | 403 => Outcome::Broken {
            problem: format!("It refuses the credentials (status {status}). Check the headers."),
            ends_sign_in: false,
            status: Some(status),
        },
        404 | 410 => Outcome::Broken {
            problem: format!("There is nothing at the address any more (status {status}). Check it."),
            ends_sign_in: false,
            status: Some(status),
        },
        _ => Outcome::Failed { problem, status: Some(status), answer: said },
    })
}

/// Writes what an answer said about the event's contact, in the transaction that settles the message.
pub(super) async fn set_details(
    tx: &mut WriteTx,
    integration: &Integration,
    taken: &Taken,
    details: &[(String, String)],
) -> Result<(), AppError> {
    let body: Value = serde_json::from_str(&taken.body).unwrap_or(Value::Null);
    let contact = body["data"]["contact_id"].as_str().and_then(|id| id.parse::<ContactId>().ok());
    let (Some(contact), Some(client)) = (contact, taken.client_id) else { return Ok(()) };
    let Some(mut held) = synced::hold(tx, client, &[contact]).await?.into_iter().next() else { return Ok(()) };
    let before = held.attributes.clone();
    held.attributes.extend(details.iter().cloned());
    if held.attributes == before || synced::fault(&held).is_some() {
        return Ok(());
    }
    if synced::update(tx, client, &held).await? {
        synced::written(tx, client, &integration.name, 0, 1).await?;
        // A value that changes each time would have itself told of itself without end.
        if taken.event_type != EventType::ContactChanged.as_str() {
            told::changed(tx, &[contact]).await?;
        }
    }
    Ok(())
}

/// What is sent: signed, with all headers. Errors: the template does not fit, in words.
fn request(
    scope: &Scope,
    config: &CustomConfig,
    document: &TokenDocument,
    id: &str,
    event: &str,
    now: DateTime<Utc>,
) -> Result<OutsideAsk, String> {
    let body = if config.template.is_empty() {
        event.to_owned()
    } else {
        let event: Value = serde_json::from_str(event).map_err(|error| error.to_string())?;
        fill(&config.template, &event)?.to_string()
    };
    let timestamp = now.timestamp().to_string();
    let signatures: Vec<String> = secrets(document, SIGNING, now)
        .iter()
        .filter_map(|secret| sign_standard(secret.expose(), id, &timestamp, body.as_bytes()))
        .collect();
    let mut headers = config.headers.clone();
    let sealed = config.secret_headers.iter();
    headers.extend(
        sealed.filter_map(|name| Some((name.clone(), document.extra.get(&format!("{HEADER}{name}"))?.clone()))),
    );
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    headers.push((STANDARD_ID.to_owned(), id.to_owned()));
    headers.push((STANDARD_TIMESTAMP.to_owned(), timestamp));
    if !signatures.is_empty() {
        headers.push((STANDARD_SIGNATURE.to_owned(), signatures.join(" ")));
    }
    Ok(OutsideAsk {
        method: config.method.as_str().to_owned(),
        url: config.url.clone(),
        headers,
        body: Some(body.into_bytes()),
        timeout: PATIENCE,
        limit: MOST_READ,
        except: except(scope),
    })
}

/// The installation's own stand-in of a receiver.
fn except(scope: &Scope) -> Option<String> {
    scope.services().sandbox.as_ref().map(|sandbox| sandbox.receiver.clone())
}

fn address_fits(scope: &Scope, url: &str) -> Result<(), AppError> {
    if url.is_empty() {
        return Ok(());
    }
    match refused_at_sight(url, except(scope).as_deref()) {
        Some(why) => Err(AppError::invalid("url", format!("This address cannot be used: {why}."))),
        None => Ok(()),
    }
}

fn origin(url: &str) -> Option<url::Origin> {
    url::Url::parse(url).ok().map(|url| url.origin())
}

/// The secrets that sign at this moment, the newest first.
pub(super) fn secrets(document: &TokenDocument, word: &str, now: DateTime<Utc>) -> Vec<Secret<String>> {
    let text = |name: &str| document.extra.get(name).cloned();
    let until = text(&format!("{word}_until")).and_then(|until| DateTime::parse_from_rfc3339(&until).ok());
    let old = until.filter(|until| *until > now).and_then(|_| text(&format!("{word}_old")));
    text(word).into_iter().chain(old).map(Secret::new).collect()
}

/// The secrets of what comes in.
pub(super) fn incoming(document: &TokenDocument, now: DateTime<Utc>) -> Vec<Secret<String>> {
    secrets(document, INCOMING, now)
}

/// What is sealed of a system; nothing, when there is nothing yet.
pub(super) async fn document(tx: &mut ReadTx, scope: &Scope, id: IntegrationId) -> Result<TokenDocument, AppError> {
    match stored_tokens::newest(tx, id).await?.filter(|stored| stored.is_active) {
        Some(stored) => tokens::open(scope, id, &stored.sealed),
        None => {
            let access_token = Secret::new(String::new());
            Ok(TokenDocument { access_token, refresh_token: None, app: None, extra: BTreeMap::new() })
        }
    }
}

async fn keep(tx: &mut WriteTx, integration: &Integration, document: &TokenDocument) -> Result<(), AppError> {
    let user = tx.user_id().ok_or(AppError::Forbidden)?;
    tokens::store(tx, integration, user, TokenType::ApiKey, document, &[], None).await
}

/// As Standard Webhooks writes them: 256 random bits.
fn new_signing_secret() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("whsec_{}", STANDARD.encode(bytes))
}

/// What is stored of a key. It has 256 random bits, so a plain digest is enough.
pub(super) fn digest(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
