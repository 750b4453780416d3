//! Entering credentials. Nothing is stored before the service has taken them.

use std::str::FromStr;

use serde_json::json;

use super::jobs::SetUpTelephony;
use super::models;
use super::ops::{self, Credentials};
use super::store::{self, Save, Stored};
use crate::model::{CheckedForm, ConnectionForm, ConnectionSettings, IntegrationStatus, Mode, Provider};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx, random_token};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_providers::error::Kind;
use patchbay_providers::signature::is_telnyx_public_key;
use patchbay_providers::{ProviderError, Secret, telnyx, ultravox};
use patchbay_services::{HookFuture, Services};
use patchbay_shared::error::internal;
use patchbay_shared::ids::{ConnectionId, WorkspaceId};
use patchbay_shared::{AppError, Reason};

/// Told, in its transaction, that an account at a service was saved, and whether it is another one than before: what the former account
/// knew by its ids is unknown to this one. Boot gives it.
pub struct AccountSaved(pub for<'a> fn(&'a mut WriteTx, Provider, bool) -> HookFuture<'a>);

/// An account to be stored, its credentials already known to work.
#[derive(Debug, Clone)]
pub struct NewConnection {
    pub provider: Provider,
    pub mode: Mode,
    pub base_url: String,
    pub api_key: Secret<String>,
    /// Voice: what its webhooks are signed with, newest first.
    pub webhook_secrets: Vec<Secret<String>>,
    /// Telnyx: base64.
    pub public_key: Option<String>,
    pub settings: ConnectionSettings,
}

/// How many webhook secrets stay good: the newest, and the one before it for events that are still under way.
const SECRETS_KEPT: usize = 2;

/// Tries what was entered, then stores it. An empty key keeps the stored one.
/// Errors: `Invalid` at the field that the service refuses; `ProviderDown` when it does not answer. Either way nothing changed.
pub(crate) async fn save(scope: &Scope, form: &ConnectionForm) -> Result<(), AppError> {
    let form = form.check()?;
    // Opened for its checks and for reading, and let go: the service is asked next, and no transaction waits for that.
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = store::get(tx.reading(), form.provider.as_str()).await?;
    drop(tx);
    let services = scope.services();
    let mut new = new_connection(scope, services, &form, before.as_ref())?;
    new.settings.account = try_account(services, &new).await?;
    if needs_webhook(&form, &new, before.as_ref()) {
        register_webhook(scope, services, &mut new, before.as_ref()).await?;
    }
    store_account(scope, new, before.as_ref(), form.api_key.is_some()).await
}

/// Registers our webhook at the voice service if none is given, then stores the account. For the demo and for tests.
pub async fn connect(scope: &Scope, mut new: NewConnection) -> Result<ConnectionId, AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = store::get(tx.reading(), new.provider.as_str()).await?;
    drop(tx);
    if new.provider == Provider::Ultravox && new.webhook_secrets.is_empty() {
        register_webhook(scope, scope.services(), &mut new, before.as_ref()).await?;
    }
    let mut tx = scope.write(Action::ManageConnections).await?;
    let id = create(&mut tx, new).await?;
    tx.commit().await?;
    Ok(id)
}

/// Seals and stores an account, replacing the one that the workspace has at the service. Asks nobody.
pub async fn create(tx: &mut WriteTx, new: NewConnection) -> Result<ConnectionId, AppError> {
    let stored = store::get(tx.reading(), new.provider.as_str()).await?;
    let name = stored.as_ref().map(|stored| stored.name.clone()).unwrap_or_default();
    let id = stored.map_or_else(|| first_id(tx.workspace_id(), new.provider), |stored| ConnectionId(stored.id));
    create_as(tx, new, id, &name).await?;
    Ok(id)
}

/// The same under an id and a name.
pub(super) async fn create_as(
    tx: &mut WriteTx,
    new: NewConnection,
    id: ConnectionId,
    name: &str,
) -> Result<(), AppError> {
    let workspace = tx.workspace_id();
    let provider = new.provider.as_str();
    let services = tx.services();
    let sealed = services
        .ring
        .seal(&ops::credentials_place(workspace, provider, id), &Credentials { api_key: new.api_key.clone() })
        .map_err(internal)?;
    let secrets: Vec<&str> = new.webhook_secrets.iter().map(|secret| secret.expose().as_str()).collect();
    let sealed_secrets = match secrets.is_empty() {
        true => None,
        false => {
            Some(services.ring.seal(&ops::place(workspace, provider, "webhook_secrets"), &secrets).map_err(internal)?)
        }
    };
    store::save(
        tx,
        Save {
            id: id.0,
            provider,
            name,
            mode: new.mode,
            base_url: &new.base_url,
            sealed_credentials: &sealed,
            credentials_hint: &hint(new.api_key.expose()),
            sealed_webhook_secrets: sealed_secrets.as_deref(),
            public_key: new.public_key.as_deref(),
            settings: &new.settings,
        },
    )
    .await?;
    store::refresh_sandbox_flag(tx).await?;
    super::catalog::forget(tx.scope());
    tx.notify(Topic::list("connections"), None);
    Ok(())
}

/// Asks the service whether the stored credentials work, and stores the answer. Errors: `Conflict` when it is not connected.
pub(crate) async fn check_now(scope: &Scope, provider: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let stored = store::get(tx.reading(), provider).await?;
    drop(tx);
    let stored = stored.ok_or_else(|| {
        AppError::Conflict(Reason::NotConnected, format!("{} is not connected yet.", ops::label(provider)))
    })?;
    let services = scope.services();
    let key = ops::open_key(services, scope.workspace_id(), &stored)?;
    let service = Provider::from_str(&stored.provider).map_err(|_| AppError::NotFound)?;
    let is_own = stored.mode == Mode::Sandbox.as_str();
    let answer = ask_account(services, service, &stored.base_url, is_own, &key).await;
    let error = answer.err().map(|error| error.sentence());
    let mut tx = scope.write(Action::ManageConnections).await?;
    store::set_health(&mut tx, ConnectionId(stored.id), error.as_deref(), true).await?;
    tx.audit(Change {
        action: "checked",
        entity: "connection",
        entity_id: Some(stored.id),
        client_id: None,
        fields: Fields::Happened(json!({ "provider": stored.provider, "name": stored.shown_name(), "answered": error.is_none(), "error": error })),
    })
    .await?;
    tx.notify(Topic::list("connections"), None);
    tx.commit().await
}

/// Switches a connection off or on. Errors: `NotFound`.
pub(crate) async fn switch(scope: &Scope, provider: &str, on: bool) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageConnections).await?;
    let before = store::get(tx.reading(), provider).await?.ok_or(AppError::NotFound)?;
    let status = if on { IntegrationStatus::Active } else { IntegrationStatus::Inactive };
    if before.status == status {
        return Ok(());
    }
    store::set_status(&mut tx, ConnectionId(before.id), status).await?;
    tx.audit(Change {
        action: if on { "switched_on" } else { "switched_off" },
        entity: "connection",
        entity_id: Some(before.id),
        client_id: None,
        fields: Fields::Changed {
            before: json!({"provider": before.provider, "name": before.shown_name(), "status": before.status}),
            after: json!({"provider": before.provider, "name": before.shown_name(), "status": status}),
        },
    })
    .await?;
    tx.notify(Topic::list("connections"), None);
    tx.commit().await
}

/// What the form and the stored connection make together.
fn new_connection(
    scope: &Scope,
    services: &Services,
    form: &CheckedForm,
    before: Option<&Stored>,
) -> Result<NewConnection, AppError> {
    let provider = form.provider;
    let same_mode = before.filter(|stored| stored.mode == form.mode.as_str());
    let api_key = match (&form.api_key, same_mode, form.mode) {
        (Some(key), _, _) => Secret::new(key.clone()),
        (None, Some(stored), _) => ops::open_key(services, scope.workspace_id(), stored)?,
        (None, None, Mode::Sandbox) => Secret::new(format!("sandbox-{}", random_token())),
        (None, None, Mode::Live) => {
            return Err(AppError::invalid(
                "api_key",
                format!("Enter the API key of your {} account.", provider.label()),
            ));
        }
    };
    let base_url = match same_mode {
        // An address that was set up by hand stays.
        Some(stored) => stored.base_url.clone(),
        None => base_url(services, provider, form.mode)?,
    };
    if form.public_key.as_deref().is_some_and(|key| !is_telnyx_public_key(key)) {
        return Err(AppError::invalid(
            "public_key",
            "This is not a public key. Copy it from the Telnyx portal, Keys & credentials, Public key: 44 characters.",
        ));
    }
    let former = before.map(|stored| stored.settings.0.clone()).unwrap_or_default();
    let settings = ConnectionSettings {
        voice_price_per_minute: form.voice_price_per_minute,
        call_connection_id: form.call_connection_id.clone(),
        webhook_id: former.webhook_id,
        account: former.account,
        telephony: same_mode.and(former.telephony),
    };
    let webhook_secrets = match before.and_then(|stored| stored.sealed_webhook_secrets.as_deref()) {
        Some(sealed) => {
            // Secrets that no key opens any more are as good as none: a new one is made below.
            ops::open_webhook_secrets(services, scope.workspace_id(), provider.as_str(), sealed).unwrap_or_default()
        }
        None => Vec::new(),
    };
    let public_key = form.public_key.clone().or_else(|| same_mode.and_then(|stored| stored.public_key.clone()));
    Ok(NewConnection { provider, mode: form.mode, base_url, api_key, webhook_secrets, public_key, settings })
}

fn base_url(services: &Services, provider: Provider, mode: Mode) -> Result<String, AppError> {
    if mode == Mode::Live {
        let live = match provider {
            Provider::Ultravox => ultravox::BASE_URL,
            Provider::Telnyx => telnyx::BASE_URL,
            // Accounts of models have a form of their own.
            _ => return Err(AppError::NotFound),
        };
        return Ok(live.to_owned());
    }
    let sandbox = services
        .sandbox
        .as_ref()
        .ok_or_else(|| AppError::invalid("mode", "The sandbox does not run on this server. Choose live."))?;
    Ok(match provider {
        Provider::Ultravox => sandbox.ultravox.clone(),
        Provider::Telnyx => sandbox.telnyx.clone(),
        _ => return Err(AppError::NotFound),
    })
}

/// Tries the credentials. Returns the account's name, when the service tells it.
async fn try_account(services: &Services, new: &NewConnection) -> Result<Option<String>, AppError> {
    let is_own = new.mode == Mode::Sandbox;
    ask_account(services, new.provider, &new.base_url, is_own, &new.api_key).await.map_err(at_the_key)
}

async fn ask_account(
    services: &Services,
    provider: Provider,
    base_url: &str,
    is_own: bool,
    key: &Secret<String>,
) -> Result<Option<String>, ProviderError> {
    match provider {
        Provider::Ultravox => {
            let account = ops::voice_client(services, base_url, key.clone())?.check_credentials().await?;
            // An account that is named after its key must not show it.
            let name = account.name.replace(key.expose().trim(), &format!("…{}", hint(key.expose())));
            Ok(Some(name).filter(|name| !name.is_empty()))
        }
        Provider::Telnyx => {
            ops::telephony_client(services, base_url, key.clone())?.check_credentials().await.map(|()| None)
        }
        // A label holds parts of the key, so it is not kept.
        _ => {
            let client = models::client(services, provider, base_url, is_own, key.clone())?;
            client.check_credentials().await.map(|_| None)
        }
    }
}

/// A refused key belongs to its field; other trouble is the service's.
pub(super) fn at_the_key(error: ProviderError) -> AppError {
    match error.kind {
        Kind::Credentials => AppError::invalid("api_key", format!("{} Nothing was changed.", error.sentence())),
        _ => ops::down(&error),
    }
}

/// A key that was just entered may belong to another account of the same name, so it gets a registration of its own. If it is
/// the same account, its events come twice, each rightly signed, and the second one is dropped by its event id.
fn needs_webhook(form: &CheckedForm, new: &NewConnection, before: Option<&Stored>) -> bool {
    let same_mode = before.is_some_and(|stored| stored.mode == form.mode.as_str());
    form.provider == Provider::Ultravox
        && (form.api_key.is_some() || !same_mode || new.webhook_secrets.is_empty() || new.settings.webhook_id.is_none())
}

/// Makes a secret and asks the voice service to report its events to us. If storing fails afterwards, the service reports with
/// a secret that nobody knows; such reports are refused, and the next save registers anew.
async fn register_webhook(
    scope: &Scope,
    services: &Services,
    new: &mut NewConnection,
    before: Option<&Stored>,
) -> Result<(), AppError> {
    let id = before.map_or_else(|| first_id(scope.workspace_id(), new.provider), |stored| ConnectionId(stored.id));
    let url = ops::webhook_url(services, scope.workspace_id(), new.provider, id.0);
    let secret = Secret::new(random_token());
    let client = ops::voice_client(services, &new.base_url, new.api_key.clone()).map_err(at_the_key)?;
    new.settings.webhook_id = Some(client.register_webhook(&url, &secret).await.map_err(at_the_key)?);
    new.webhook_secrets.insert(0, secret);
    new.webhook_secrets.truncate(SECRETS_KEPT);
    Ok(())
}

async fn store_account(
    scope: &Scope,
    new: NewConnection,
    before: Option<&Stored>,
    key_is_new: bool,
) -> Result<(), AppError> {
    let (provider, mode) = (new.provider, new.mode);
    let other_account = before.is_some_and(|stored| {
        stored.mode != mode.as_str() || (key_is_new && stored.settings.account != new.settings.account)
    });
    let after = json!({
        "provider": provider, "mode": mode, "key": hint(new.api_key.expose()), "settings": new.settings,
        "public_key": new.public_key,
    });
    let mut tx = scope.write(Action::ManageConnections).await?;
    let id = create(&mut tx, new).await?;
    let saved = tx.services().hooks.get::<AccountSaved>()?.0;
    saved(&mut tx, provider, other_account).await?;
    enqueue(&mut tx, &SetUpTelephony {}, NewJob::default()).await?;
    tx.audit(Change {
        action: if before.is_some() { "changed" } else { "connected" },
        entity: "connection",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::saved(
            before.map(|stored| {
                json!({
                    "provider": provider, "mode": stored.mode, "key": stored.credentials_hint, "settings": stored.settings.0,
                    "public_key": stored.public_key,
                })
            }),
            after,
        ),
    })
    .await?;
    tx.commit().await
}

/// A workspace's first connection to a service: the id must be known before the row exists, because it stands in the webhook's
/// address. It follows from workspace and service, so two owners who save at one moment name the same row.
pub(super) fn first_id(workspace: WorkspaceId, provider: Provider) -> ConnectionId {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("connection:{workspace}:{provider}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    ConnectionId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The last four characters, when there are enough others to hide.
pub(super) fn hint(key: &str) -> String {
    let key = key.trim();
    if key.chars().count() < 12 { String::new() } else { key.chars().skip(key.chars().count() - 4).collect() }
}
