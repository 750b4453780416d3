//! What other crates ask of connections: clients for the services, prices, webhook keys, and where to report trouble.

use std::str::FromStr;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

pub use super::connect::{NewConnection, connect, create};
use super::store::{self, Stored};
use crate::model::{Connection, ConnectionSettings, IntegrationStatus, Mode, Provider, USUAL_VOICE_PRICE};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::Failure;
use patchbay_providers::sealed::in_the_clear;
use patchbay_providers::telnyx::{Telnyx, TelnyxConfig};
use patchbay_providers::ultravox::{Carrier, Ultravox, UltravoxConfig};
use patchbay_providers::{Binding, ProviderError, SealError, Secret, TelephonyProvider, TextCarrier, VoiceProvider};
use patchbay_runs::model::ErrorSource;
use patchbay_runs::server::{NewError, failed};
use patchbay_services::Services;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{ConnectionId, WorkspaceId};
use patchbay_shared::money::counted;
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// The document that is sealed: nothing but the key.
#[derive(Serialize, Deserialize)]
pub(super) struct Credentials {
    #[serde(with = "in_the_clear")]
    pub api_key: Secret<String>,
}

/// What a webhook's sender is checked with.
#[derive(Debug, Clone)]
pub enum WebhookKeys {
    /// Any of these secrets.
    Ultravox(Vec<Secret<String>>),
    /// The account's public key, base64.
    Telnyx(String),
}

/// Prices and choices that go with the accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountSettings {
    /// USD per minute of talk.
    pub voice_price_per_minute: Decimal,
    /// Telnyx: what incoming calls of new numbers go to.
    pub call_connection_id: Option<String>,
    /// Telnyx: our application, which the calls of a number that is answered go to. None: it is not set up.
    pub application_id: Option<String>,
}

/// What a service is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Looking: facts of calls that were placed, what is on offer, what the account has. Costs nothing.
    Looking,
    /// Whatever the agency pays for, or what is changed at the service. Refused while the workspace is suspended.
    Acting,
}

/// The voice service with the workspace's account, to call and to change agents. Errors: `Conflict` when it is not connected, with what
/// to do, or while the workspace is suspended.
pub async fn voice(scope: &Scope) -> Result<Arc<dyn VoiceProvider>, AppError> {
    let (stored, key) = account(scope, Provider::Ultravox, For::Acting).await?;
    voice_client(scope.services(), &stored.base_url, key).map_err(|error| down(&error))
}

/// The same, to ask how calls went and to end them: what was placed before a suspension is still known to the end.
pub async fn voice_to_look(scope: &Scope) -> Result<Arc<dyn VoiceProvider>, AppError> {
    let (stored, key) = account(scope, Provider::Ultravox, For::Looking).await?;
    voice_client(scope.services(), &stored.base_url, key).map_err(|error| down(&error))
}

/// The same while the workspace is suspended, to end what must not go on. None: it is active.
pub async fn voice_while_suspended(scope: &Scope) -> Result<Option<Arc<dyn VoiceProvider>>, AppError> {
    let mut tx = scope.read(Action::UseConnections).await?;
    let suspended = workspaces::is_suspended(&mut tx).await?;
    drop(tx);
    if suspended { voice_to_look(scope).await.map(Some) } else { Ok(None) }
}

/// The carrier with the workspace's account, to rent numbers and give them back. Errors: as `voice`.
pub async fn telephony(scope: &Scope) -> Result<Arc<dyn TelephonyProvider>, AppError> {
    let (stored, key) = account(scope, Provider::Telnyx, For::Acting).await?;
    telephony_client(scope.services(), &stored.base_url, key).map_err(|error| down(&error))
}

/// The same, to see what is on offer and what the account has.
pub async fn telephony_to_look(scope: &Scope) -> Result<Arc<dyn TelephonyProvider>, AppError> {
    let (stored, key) = account(scope, Provider::Telnyx, For::Looking).await?;
    telephony_client(scope.services(), &stored.base_url, key).map_err(|error| down(&error))
}

/// The telephone service again, to send text messages.
pub async fn texts(scope: &Scope) -> Result<Arc<dyn TextCarrier>, AppError> {
    let (stored, key) = account(scope, Provider::Telnyx, For::Acting).await?;
    let config = TelnyxConfig { base_url: stored.base_url, api_key: key };
    Ok(Arc::new(Telnyx::new(&scope.services().http, &config).map_err(|error| down(&error))?))
}

/// What was changed at carrier or voice service since they were set up together, and what to do.
pub async fn telephony_drift(tx: &mut ReadTx) -> Result<Option<String>, AppError> {
    let telnyx = store::get(tx, Provider::Telnyx.as_str()).await?;
    Ok(telnyx.and_then(|stored| stored.settings.0.telephony).and_then(|setup| setup.drift))
}

/// Where the carrier tells how legs go. None: it is not connected.
pub async fn carrier_news_url(tx: &mut ReadTx) -> Result<Option<String>, AppError> {
    let telnyx = store::get(tx, Provider::Telnyx.as_str()).await?;
    let url = |stored: Stored| webhook_url(tx.services(), tx.workspace_id(), Provider::Telnyx, stored.id);
    Ok(telnyx.filter(|stored| stored.status != IntegrationStatus::Inactive).map(url))
}

/// Prices and choices; the usual ones where nothing is set.
pub async fn settings(scope: &Scope) -> Result<AccountSettings, AppError> {
    let stored = all(scope).await?;
    let of = |provider: Provider| {
        stored
            .iter()
            .find(|row| row.provider == provider.as_str())
            .map(|row| row.settings.0.clone())
            .unwrap_or_default()
    };
    Ok(AccountSettings {
        voice_price_per_minute: of(Provider::Ultravox).voice_price_per_minute.unwrap_or(USUAL_VOICE_PRICE),
        call_connection_id: of(Provider::Telnyx).call_connection_id,
        application_id: of(Provider::Telnyx).telephony.and_then(|setup| setup.application_id),
    })
}

/// What webhooks to this connection are checked with. Errors: `NotFound` when the workspace has no such connection at this
/// service, so that whoever is not authenticated learns nothing; also for a service that sends none.
pub async fn webhook_keys(scope: &Scope, id: ConnectionId, provider: &str) -> Result<WebhookKeys, AppError> {
    let stored = all(scope)
        .await?
        .into_iter()
        .find(|row| row.id == id.0 && row.provider == provider)
        .ok_or(AppError::NotFound)?;
    match Provider::from_str(provider) {
        Ok(Provider::Ultravox) => {
            let sealed = stored.sealed_webhook_secrets.as_deref().ok_or(AppError::NotFound)?;
            Ok(WebhookKeys::Ultravox(open_webhook_secrets(scope.services(), scope.workspace_id(), provider, sealed)?))
        }
        Ok(Provider::Telnyx) => stored.public_key.map(WebhookKeys::Telnyx).ok_or(AppError::NotFound),
        _ => Err(AppError::NotFound),
    }
}

/// Records that a service, or the connection of this id, refuses us or is down, with a sentence for people. The same sentence twice writes nothing.
pub async fn mark_failing(scope: &Scope, provider: &str, error: &str) -> Result<(), AppError> {
    health(scope, provider, Some(error)).await
}

/// Records that a service works again. Writes nothing while it was working.
pub async fn mark_working(scope: &Scope, provider: &str) -> Result<(), AppError> {
    health(scope, provider, None).await
}

/// A service's error as the product says it.
pub fn down(error: &ProviderError) -> AppError {
    AppError::ProviderDown(error.sentence())
}

/// A service's error as the outcome of a job: passing trouble is tried again when the service asked for it.
pub fn failure(error: &ProviderError) -> Failure {
    // A request that may have had its effect is tried again too: every job looks at the service before it repeats one.
    Failure { error: error.sentence(), retry_after: error.retry_after, permanent: !error.is_passing_trouble() }
}

/// The services for the page, connected or not: voice and carrier, then the accounts of models.
pub async fn list(scope: &Scope) -> Result<Vec<Connection>, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (rows, now) = (store::list(&mut tx).await?, tx.now().await?);
    let (agents, numbers) = store::uses(&mut tx).await?;
    let purposes = store::purposes(&mut tx).await?;
    drop(tx);
    let show = |provider: Provider, row: Option<&Stored>| {
        let used_by = match provider {
            Provider::Ultravox => vec![(counted(agents, "agent", "agents"), "/agents".to_owned())],
            Provider::Telnyx => vec![(counted(numbers, "phone number", "phone numbers"), "/numbers".to_owned())],
            _ => {
                let of = |row: &&Stored| purposes.iter().filter(move |(id, _)| id.0 == row.id).count();
                let uses = row.as_ref().map_or(0, of);
                vec![(counted(uses as i64, "kind of work", "kinds of work"), "/connections/models".to_owned())]
            }
        };
        Connection { used_by, ..shown(scope, scope.services(), provider, row, now) }
    };
    let single = |provider: Provider| show(provider, rows.iter().find(|row| row.provider == provider.as_str()));
    let mut all = vec![single(Provider::Ultravox), single(Provider::Telnyx)];
    for row in rows.iter().filter(|row| row.has_models()) {
        all.extend(Provider::from_str(&row.provider).ok().map(|provider| show(provider, Some(row))));
    }
    if all.len() == 2 {
        all.push(show(Provider::Openrouter, None));
    }
    Ok(all)
}

/// One service by its name, or one account of models by its id. Errors: `NotFound` for an unknown name.
pub(crate) async fn get(scope: &Scope, key: &str) -> Result<Connection, AppError> {
    let all = list(scope).await?;
    let found = all.iter().find(|one| one.provider.as_str() == key || one.id.is_some_and(|id| id.to_string() == key));
    found.cloned().ok_or(AppError::NotFound)
}

fn shown(
    scope: &Scope,
    services: &Services,
    provider: Provider,
    row: Option<&Stored>,
    now: chrono::DateTime<chrono::Utc>,
) -> Connection {
    let settings = row.map(|row| row.settings.0.clone()).unwrap_or_default();
    let webhook_url =
        row.filter(|_| !provider.has_models()).map(|row| webhook_url(services, scope.workspace_id(), provider, row.id));
    Connection {
        provider,
        id: row.map(|row| ConnectionId(row.id)),
        name: row.map_or_else(|| provider.label().to_owned(), Stored::shown_name),
        base_url: row
            .filter(|row| provider == Provider::OpenaiCompatible && row.mode == Mode::Live.as_str())
            .map(|row| row.base_url.clone()),
        mode: row.and_then(|row| Mode::from_str(&row.mode).ok()).unwrap_or(Mode::Live),
        status: row.map(|row| row.status),
        hint: row.map(|row| row.credentials_hint.clone()).unwrap_or_default(),
        account: settings.account.clone().filter(|name| !name.is_empty()),
        last_checked: row.and_then(|row| row.last_checked_at).map(|at| stamp(at, now, scope.zone())),
        last_error: row.and_then(|row| row.last_error.clone()),
        telephony_checked: settings
            .telephony
            .as_ref()
            .and_then(|setup| setup.checked_at.as_deref()?.parse().ok())
            .map(|at| stamp(at, now, scope.zone())),
        settings: ConnectionSettings { webhook_id: None, ..settings },
        public_key: row.and_then(|row| row.public_key.clone()),
        webhook_url,
        has_sandbox: services.sandbox.is_some() || row.is_some_and(|row| row.mode == Mode::Sandbox.as_str()),
        used_by: Vec::new(),
        may_edit: scope.may(Action::ManageConnections),
        may_call: scope.may(Action::ManageAgents),
    }
}

/// Where a service reports the events of this connection.
pub(super) fn webhook_url(services: &Services, workspace: WorkspaceId, provider: Provider, id: Uuid) -> String {
    format!("{}/webhooks/{provider}/{workspace}/{id}", services.public_url)
}

pub(super) fn voice_client(
    services: &Services,
    base_url: &str,
    api_key: Secret<String>,
) -> Result<Arc<dyn VoiceProvider>, ProviderError> {
    let config = UltravoxConfig { base_url: base_url.to_owned(), api_key, carrier: Carrier::Telnyx };
    Ok(Arc::new(Ultravox::new(&services.http, &config)?))
}

pub(super) fn telephony_client(
    services: &Services,
    base_url: &str,
    api_key: Secret<String>,
) -> Result<Arc<dyn TelephonyProvider>, ProviderError> {
    Ok(Arc::new(Telnyx::new(&services.http, &TelnyxConfig { base_url: base_url.to_owned(), api_key })?))
}

/// Where a workspace's secrets of one service belong: a token copied to another row or another column does not open.
pub(super) fn place(workspace: WorkspaceId, provider: &str, name: &str) -> Binding {
    Binding::new(workspace.0, format!("connection:{provider}"), name)
}

/// The same for the key of one row. Where there may be several of a service, each is bound to its own; the first ever was the only one,
/// and is bound to the service.
pub(super) fn credentials_place(workspace: WorkspaceId, provider: &str, id: ConnectionId) -> Binding {
    let kind = Provider::from_str(provider).ok().filter(|kind| kind.has_models());
    match kind {
        Some(kind) if super::connect::first_id(workspace, kind) != id => {
            place(workspace, &format!("{provider}:{id}"), "credentials")
        }
        _ => place(workspace, provider, "credentials"),
    }
}

pub(super) fn open_key(
    services: &Services,
    workspace: WorkspaceId,
    stored: &Stored,
) -> Result<Secret<String>, AppError> {
    let place = credentials_place(workspace, &stored.provider, ConnectionId(stored.id));
    let credentials: Credentials =
        services.ring.open(&place, &stored.sealed_credentials).map_err(|error| unopened(error, stored))?;
    Ok(credentials.api_key)
}

pub(super) fn open_webhook_secrets(
    services: &Services,
    workspace: WorkspaceId,
    provider: &str,
    sealed: &str,
) -> Result<Vec<Secret<String>>, AppError> {
    let texts: Vec<String> =
        services.ring.open(&place(workspace, provider, "webhook_secrets"), sealed).map_err(internal)?;
    Ok(texts.into_iter().map(Secret::new).collect())
}

fn unopened(error: SealError, stored: &Stored) -> AppError {
    tracing::warn!(provider = %stored.provider, connection = %stored.id, cause = %error, "stored credentials do not open");
    AppError::Conflict(
        Reason::NotConnected,
        format!(
            "The stored credentials for {} cannot be opened with this server's encryption keys. An owner can enter them again under Connections.",
            label(&stored.provider)
        ),
    )
}

/// The connection of a service and its key, ready to use.
async fn account(scope: &Scope, provider: Provider, what: For) -> Result<(Stored, Secret<String>), AppError> {
    let found = account_of(scope, |row| row.provider == provider.as_str(), what).await?;
    found.ok_or_else(|| {
        let name = provider.label();
        AppError::Conflict(
            Reason::NotConnected,
            format!("{name} is not connected yet. An owner can connect it under Connections."),
        )
    })
}

/// The first connection that is meant, and its key, ready to use. None: there is none.
pub(super) async fn account_of(
    scope: &Scope,
    is_meant: impl Fn(&Stored) -> bool,
    what: For,
) -> Result<Option<(Stored, Secret<String>)>, AppError> {
    let mut tx = scope.read(Action::UseConnections).await?;
    let is_suspended = what == For::Acting && workspaces::is_suspended(&mut tx).await?;
    let stored = store::list(&mut tx).await?.into_iter().find(is_meant);
    drop(tx);
    if is_suspended {
        let name = stored.map_or_else(|| "The account".to_owned(), |stored| stored.shown_name());
        return Err(AppError::Conflict(
            Reason::Suspended,
            format!("The workspace is suspended: {name} is not used until it is reactivated."),
        ));
    }
    let Some(stored) = stored else { return Ok(None) };
    if stored.status == IntegrationStatus::Inactive {
        let name = stored.shown_name();
        return Err(AppError::Conflict(
            Reason::NotConnected,
            format!("{name} is switched off. An owner can switch it on under Connections."),
        ));
    }
    let key = open_key(scope.services(), scope.workspace_id(), &stored)?;
    Ok(Some((stored, key)))
}

/// For whoever chooses among accounts, on the way of an action that needs one.
pub(super) async fn to_choose(scope: &Scope) -> Result<ReadTx, AppError> {
    scope.read(Action::UseConnections).await
}

/// The workspace's connections, for a verb that needs one of them and has checked its own action already.
async fn all(scope: &Scope) -> Result<Vec<Stored>, AppError> {
    let mut tx = scope.read(Action::UseConnections).await?;
    store::list(&mut tx).await
}

async fn health(scope: &Scope, provider: &str, error: Option<&str>) -> Result<(), AppError> {
    let mut tx = scope.write(Action::UseConnections).await?;
    let Some(stored) = store::get(tx.reading(), provider).await? else { return Ok(()) };
    if store::set_health(&mut tx, ConnectionId(stored.id), error, false).await? {
        tx.notify(Topic::list("connections"), None);
        if let Some(message) = error {
            let error = NewError {
                run: None,
                agent: None,
                client: None,
                source: ErrorSource::Integration,
                code: &stored.provider,
                message,
                metadata: json!({ "connection": stored.id, "service": label(&stored.provider) }),
            };
            failed(&mut tx, &error).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

pub(super) fn label(provider: &str) -> &str {
    Provider::from_str(provider).map_or("the service", Provider::label)
}
