//! The model for a kind of work, and what its answers cost.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::store;
use super::store::choices::Kept;
use crate::model::Purpose;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_connections::model::{Provider, USUAL_CHAT_MODEL};
use patchbay_connections::server::models::{self as accounts, ModelAccount};
use patchbay_providers::ProviderError;
use patchbay_providers::chat::{ChatProvider, ChatUsage, RetryRules, Retrying};
use patchbay_providers::openai_compatible::{Embedded, OpenAiCompatible};
use patchbay_shared::ids::{AgentId, ConnectionId};
use patchbay_shared::{AppError, Reason};

/// Texts in one request for vectors: some servers take no more, and the answer stays far below the longest that is read.
const TEXTS_AT_ONCE: usize = 32;

/// A model, ready to be asked. What passes within seconds is tried again.
#[derive(Clone)]
pub struct Chosen {
    pub connection: ConnectionId,
    pub provider: Arc<dyn ChatProvider>,
    pub model: String,
}

/// The model for a kind of work; with `agent`, the one that this agent's runs use. Errors: `Conflict` with the next step when none is set
/// up, when its account is off, or while the workspace is suspended.
pub async fn chosen(scope: &Scope, purpose: Purpose, agent: Option<AgentId>) -> Result<Chosen, AppError> {
    let mut tx = accounts::to_choose(scope).await?;
    let kept = store::choices::all(&mut tx).await?;
    let accounts = accounts::list(&mut tx).await?;
    drop(tx);
    let (connection, model, _) = used(&kept, &accounts, purpose, agent).ok_or_else(not_set_up)?;
    of(scope, connection, &model).await
}

/// A model of an account, as somebody named them. Errors: as `chosen`; `NotFound` when there is no such account.
pub async fn of(scope: &Scope, connection: ConnectionId, model: &str) -> Result<Chosen, AppError> {
    let inner = accounts::chat(scope, connection).await?;
    let provider = Arc::new(Retrying::new(inner, RetryRules::default()));
    Ok(Chosen { connection, provider, model: model.to_owned() })
}

/// Account and model that are used for a kind of work now, without asking for them. None: nothing is set up.
pub async fn in_use(
    tx: &mut ReadTx,
    purpose: Purpose,
    agent: Option<AgentId>,
) -> Result<Option<(ConnectionId, String)>, AppError> {
    let kept = store::choices::all(tx).await?;
    let accounts = accounts::list(tx).await?;
    Ok(used(&kept, &accounts, purpose, agent).map(|(connection, model, _)| (connection, model)))
}

/// Whether the workspace has this account of models.
pub async fn has_account(tx: &mut ReadTx, id: ConnectionId) -> Result<bool, AppError> {
    Ok(accounts::list(tx).await?.iter().any(|account| account.id == id))
}

/// The next step where no model is set up.
pub fn not_set_up() -> AppError {
    AppError::Conflict(
        Reason::NotReady,
        "No model is set up for this. An owner can add a model account under Connections, and choose a model there under Models.".into(),
    )
}

/// Account and model, and whether they were chosen for this kind of work itself.
pub(super) fn used(
    kept: &[Kept],
    accounts: &[ModelAccount],
    purpose: Purpose,
    agent: Option<AgentId>,
) -> Option<(ConnectionId, String, bool)> {
    let of = |purpose: Purpose, agent: Option<AgentId>| {
        let found = kept.iter().find(|one| one.purpose == purpose && one.agent == agent);
        found.map(|one| (one.account, one.model.clone()))
    };
    let own = agent.filter(|_| purpose == Purpose::Agent).and_then(|agent| of(purpose, Some(agent)));
    if let Some((account, model)) = own.or_else(|| of(purpose, None)) {
        return Some((account, model, true));
    }
    if purpose == Purpose::Embedding {
        return None;
    }
    let followed = if purpose.follows_analysis() { of(Purpose::Analysis, None) } else { None };
    // Whoever has one account at OpenRouter need not choose anything to begin with.
    let usual = || {
        let first = accounts.iter().find(|account| account.kind == Provider::Openrouter)?;
        Some((first.id, USUAL_CHAT_MODEL.to_owned()))
    };
    followed.or_else(usual).map(|(account, model)| (account, model, false))
}

/// What turns texts into vectors.
pub(super) struct Embedder {
    pub connection: ConnectionId,
    pub model: String,
    client: OpenAiCompatible,
}

/// The model for vectors. None: nobody has chosen one, and texts are found by their words alone. Errors: as `chosen`.
pub(super) async fn chosen_embedding(scope: &Scope) -> Result<Option<Embedder>, AppError> {
    let mut tx = accounts::to_choose(scope).await?;
    let kept = store::choices::all(&mut tx).await?;
    drop(tx);
    let Some((connection, model, _)) = used(&kept, &[], Purpose::Embedding, None) else { return Ok(None) };
    let client = accounts::embeddings(scope, connection).await?;
    Ok(Some(Embedder { connection, model, client }))
}

impl Embedder {
    /// One vector for each text, in their order. What passes within seconds is tried again.
    pub async fn embed(&self, texts: &[String]) -> Result<Embedded, ProviderError> {
        let mut whole = Embedded { vectors: Vec::with_capacity(texts.len()), usage: ChatUsage::default() };
        for some in texts.chunks(TEXTS_AT_ONCE) {
            // An empty text is refused, and its place must not be lost.
            let some: Vec<String> =
                some.iter().map(|text| if text.is_empty() { " ".to_owned() } else { text.clone() }).collect();
            let part = RetryRules::default().ask(|| self.client.embed(&self.model, &some)).await?;
            if whole.vectors.first().zip(part.vectors.first()).is_some_and(|(a, b)| a.len() != b.len()) {
                let said = "The vectors of one model have different lengths";
                return Err(ProviderError::new(self.client.name(), patchbay_providers::Kind::Garbage, said));
            }
            whole.vectors.extend(part.vectors);
            whole.usage.prompt_tokens += part.usage.prompt_tokens;
            whole.usage.total_tokens += part.usage.total_tokens;
            whole.usage.is_estimated |= part.usage.is_estimated;
        }
        Ok(whole)
    }
}

/// What an answer of `model` cost at `at`, in USD: what the service said, else by the price that held then. None: it is not priced yet.
pub async fn priced(
    tx: &mut ReadTx,
    connection: ConnectionId,
    model: &str,
    at: DateTime<Utc>,
    usage: &ChatUsage,
) -> Result<Option<Decimal>, AppError> {
    if usage.cost.is_some() {
        return Ok(usage.cost);
    }
    let price = store::prices::at(tx, connection, model, at).await?;
    Ok(price.map(|price| price.of(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)))
}
