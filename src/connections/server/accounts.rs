//! Adding and changing model accounts. Nothing is stored before the service has taken the key.

use serde_json::{Value, json};
use uuid::Uuid;

use super::connect::{NewConnection, at_the_key, create_as, hint};
use super::store::{self, Stored};
use super::{models, ops};
use crate::model::{CheckedAccount, ConnectionSettings, Mode, ModelAccountForm, Provider};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx, random_token};
use patchbay_providers::error::Kind;
use patchbay_providers::{ProviderError, Secret, anthropic, openai_compatible, openrouter};
use patchbay_shared::ids::ConnectionId;
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server::limits;

/// Model accounts of one workspace: pages show them all.
const MOST: usize = 20;

/// Tries what was entered, then stores it. An empty key keeps the stored one, for the same address alone: a key is never sent to another
/// address than the one that it was entered for. Errors: `Invalid` at the field that is wrong; `NotFound`; `ProviderDown`. Then nothing
/// changed.
pub(crate) async fn save(scope: &Scope, form: &ModelAccountForm) -> Result<ConnectionId, AppError> {
    let form = form.check()?;
    // Opened for its checks and for reading, and let go: the service is asked next, and no transaction waits for that.
    let mut tx = scope.write(Action::ManageConnections).await?;
    let rows = store::list(tx.reading()).await?;
    drop(tx);
    let before = known(&form, &rows)?;
    check_place(&form, &rows)?;
    let base_url = base_url(scope, &form, before)?;
    let api_key = key(scope, &form, before, &base_url)?;
    let is_own = form.mode == Mode::Sandbox;
    let client = models::client(scope.services(), form.kind, &base_url, is_own, api_key.clone());
    let asked = match client {
        Ok(client) => client.check_credentials().await.map(|_| ()),
        Err(error) => Err(error),
    };
    asked.map_err(|error| at_its_field(form.kind, error))?;

    let mut tx = scope.write(Action::ManageConnections).await?;
    // Two who add an account at one moment must not take one name.
    limits::lock(&mut tx).await?;
    let rows = store::list(tx.reading()).await?;
    let before = known(&form, &rows)?;
    check_place(&form, &rows)?;
    let id = before.map_or_else(|| ConnectionId(Uuid::now_v7()), |stored| ConnectionId(stored.id));
    let new = NewConnection {
        provider: form.kind,
        mode: form.mode,
        base_url: base_url.clone(),
        api_key,
        webhook_secrets: Vec::new(),
        public_key: None,
        settings: before.map_or_else(ConnectionSettings::default, |stored| stored.settings.0.clone()),
    };
    let after = told(form.kind.as_str(), &form.name, form.mode.as_str(), &base_url, &hint(new.api_key.expose()));
    create_as(&mut tx, new, id, &form.name).await?;
    record(&mut tx, id, before, after).await?;
    tx.commit().await?;
    Ok(id)
}

/// The row that is changed. Errors: `NotFound` for another workspace's, and for one of another kind.
fn known<'a>(form: &CheckedAccount, rows: &'a [Stored]) -> Result<Option<&'a Stored>, AppError> {
    let Some(id) = form.id else { return Ok(None) };
    let found = rows.iter().find(|row| row.id == id.0 && row.provider == form.kind.as_str());
    found.map(Some).ok_or(AppError::NotFound)
}

/// Every account has a name of its own, so that whoever chooses one knows which. And there is an end to them.
fn check_place(form: &CheckedAccount, rows: &[Stored]) -> Result<(), AppError> {
    let others: Vec<&Stored> =
        rows.iter().filter(|row| row.has_models() && form.id.is_none_or(|id| id.0 != row.id)).collect();
    let wanted = form.name.to_lowercase();
    if others.iter().any(|row| row.shown_name().to_lowercase() == wanted) {
        let said = format!("There is a model account named {} already. Give this one another name.", form.name);
        return Err(AppError::invalid("name", said));
    }
    if form.id.is_none() && others.len() >= MOST {
        let said = format!("A workspace has at most {MOST} model accounts. Change one that is no longer used.");
        return Err(AppError::Conflict(Reason::LimitReached, said));
    }
    Ok(())
}

fn base_url(scope: &Scope, form: &CheckedAccount, before: Option<&Stored>) -> Result<String, AppError> {
    // An address that was set up by hand stays.
    let same = before.filter(|stored| stored.mode == form.mode.as_str()).map(|stored| stored.base_url.clone());
    if form.mode == Mode::Live {
        return Ok(match form.kind {
            Provider::Anthropic => same.unwrap_or_else(|| anthropic::BASE_URL.to_owned()),
            Provider::OpenaiCompatible => {
                form.base_url.clone().or(same).unwrap_or_else(|| openai_compatible::BASE_URL.to_owned())
            }
            _ => same.unwrap_or_else(|| openrouter::BASE_URL.to_owned()),
        });
    }
    let sandbox = scope.services().sandbox.as_ref();
    let sandbox =
        sandbox.ok_or_else(|| AppError::invalid("mode", "The sandbox does not run on this server. Choose live."))?;
    Ok(match form.kind {
        Provider::Anthropic => sandbox.anthropic.clone(),
        Provider::OpenaiCompatible => sandbox.openai.clone(),
        _ => sandbox.openrouter.clone(),
    })
}

fn key(
    scope: &Scope,
    form: &CheckedAccount,
    before: Option<&Stored>,
    base_url: &str,
) -> Result<Secret<String>, AppError> {
    if let Some(key) = &form.api_key {
        return Ok(Secret::new(key.clone()));
    }
    let same = before.filter(|stored| stored.mode == form.mode.as_str() && stored.base_url == base_url);
    match (same, form.mode) {
        (Some(stored), _) => ops::open_key(scope.services(), scope.workspace_id(), stored),
        (None, Mode::Sandbox) => Ok(Secret::new(format!("sandbox-{}", random_token()))),
        (None, Mode::Live) => {
            let said = match before {
                Some(stored) if stored.mode == form.mode.as_str() => {
                    "Enter the key again: the stored one was entered for another address.".to_owned()
                }
                _ => format!("Enter the API key of the {} account.", form.kind.label()),
            };
            Err(AppError::invalid("api_key", said))
        }
    }
}

/// Where somebody typed the address, an answer that makes no sense is about the address.
fn at_its_field(kind: Provider, error: ProviderError) -> AppError {
    let about_address = matches!(error.kind, Kind::NotFound | Kind::Network | Kind::Garbage | Kind::Timeout);
    if kind == Provider::OpenaiCompatible && about_address {
        let said = if error.message.is_empty() { error.sentence() } else { error.message.clone() };
        let said =
            format!("No list of models is found at this address, followed by /models. {said}. Nothing was changed.");
        return AppError::invalid("base_url", said.replace("..", "."));
    }
    at_the_key(error)
}

fn told(kind: &str, name: &str, mode: &str, base_url: &str, hint: &str) -> Value {
    json!({"provider": kind, "name": name, "mode": mode, "address": base_url, "key": hint})
}

async fn record(tx: &mut WriteTx, id: ConnectionId, before: Option<&Stored>, after: Value) -> Result<(), AppError> {
    let before = before.map(|stored| {
        told(&stored.provider, &stored.shown_name(), &stored.mode, &stored.base_url, &stored.credentials_hint)
    });
    tx.audit(Change {
        action: if before.is_some() { "changed" } else { "connected" },
        entity: "connection",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::saved(before, after),
    })
    .await
}
