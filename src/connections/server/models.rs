//! Accounts at services of language models: there may be several of each kind, told apart by their names.

use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ops::{self, For};
use super::store::{self, Stored};
use crate::model::{IntegrationStatus, Mode, Provider};
use patchbay_access::server::{ReadTx, Scope};
use patchbay_providers::anthropic::{Anthropic, AnthropicConfig};
use patchbay_providers::openai_compatible::{OpenAiCompatible, OpenAiCompatibleConfig};
use patchbay_providers::openrouter::{ANSWER_TIMEOUT, OpenRouter, OpenRouterConfig};
use patchbay_providers::{ChatProvider, ProviderError, Secret};
use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::ids::ConnectionId;

/// An account as pickers and choices need it.
#[derive(Debug, Clone)]
pub struct ModelAccount {
    pub id: ConnectionId,
    pub kind: Provider,
    /// The name that people gave it, else the service's.
    pub name: String,
    pub is_on: bool,
    pub last_error: Option<String>,
    pub changed_at: DateTime<Utc>,
}

/// Reads, on the way of an action that needs a model, for whoever chooses among the accounts.
pub async fn to_choose(scope: &Scope) -> Result<ReadTx, AppError> {
    ops::to_choose(scope).await
}

/// The workspace's model accounts, the oldest first.
pub async fn list(tx: &mut ReadTx) -> Result<Vec<ModelAccount>, AppError> {
    Ok(store::list(tx).await?.into_iter().filter_map(account).collect())
}

fn account(stored: Stored) -> Option<ModelAccount> {
    let kind = Provider::from_str(&stored.provider).ok().filter(|kind| kind.has_models())?;
    Some(ModelAccount {
        id: ConnectionId(stored.id),
        kind,
        name: stored.shown_name(),
        is_on: stored.status != IntegrationStatus::Inactive,
        last_error: stored.last_error,
        changed_at: stored.updated_at,
    })
}

/// An account's models, to ask them: every answer costs. Errors: `NotFound`; `Conflict` when the account is switched off, and while the
/// workspace is suspended.
pub async fn chat(scope: &Scope, id: ConnectionId) -> Result<Arc<dyn ChatProvider>, AppError> {
    client_of(scope, id, For::Acting).await
}

/// The same, to see what is on offer.
pub async fn chat_to_look(scope: &Scope, id: ConnectionId) -> Result<Arc<dyn ChatProvider>, AppError> {
    client_of(scope, id, For::Looking).await
}

async fn client_of(scope: &Scope, id: ConnectionId, what: For) -> Result<Arc<dyn ChatProvider>, AppError> {
    let (stored, key) = ops::account_of(scope, |row| row.id == id.0, what).await?.ok_or(AppError::NotFound)?;
    let kind = Provider::from_str(&stored.provider).map_err(|_| AppError::NotFound)?;
    client(scope.services(), kind, &stored.base_url, is_own(&stored), key).map_err(|error| ops::down(&error))
}

/// An account's vectors. Errors: as `chat`; `NotFound` for an account of another kind, too.
pub async fn embeddings(scope: &Scope, id: ConnectionId) -> Result<OpenAiCompatible, AppError> {
    let wanted = |row: &Stored| row.id == id.0 && row.provider == Provider::OpenaiCompatible.as_str();
    let (stored, key) = ops::account_of(scope, wanted, For::Acting).await?.ok_or(AppError::NotFound)?;
    let config = OpenAiCompatibleConfig::new(&stored.base_url, key, !is_own(&stored));
    OpenAiCompatible::new(&scope.services().http, &config).map_err(|error| ops::down(&error))
}

/// The stand-in that runs here. Its address was not typed.
fn is_own(stored: &Stored) -> bool {
    stored.mode == Mode::Sandbox.as_str()
}

/// The client for a kind of account. `is_own`: the address is a stand-in's; else what somebody typed is looked at before it is asked.
pub(super) fn client(
    services: &Services,
    kind: Provider,
    base_url: &str,
    is_own: bool,
    api_key: Secret<String>,
) -> Result<Arc<dyn ChatProvider>, ProviderError> {
    Ok(match kind {
        Provider::Anthropic => Arc::new(Anthropic::new(&services.http, &AnthropicConfig::new(base_url, api_key))?),
        Provider::OpenaiCompatible => {
            let config = OpenAiCompatibleConfig::new(base_url, api_key, !is_own);
            Arc::new(OpenAiCompatible::new(&services.http, &config)?)
        }
        _ => {
            let config = OpenRouterConfig {
                base_url: base_url.to_owned(),
                api_key,
                answer_timeout: ANSWER_TIMEOUT,
                title: Some("Patchbay".to_owned()),
            };
            Arc::new(OpenRouter::new(&services.http, &config)?)
        }
    })
}
