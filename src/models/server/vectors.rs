//! What search in knowledge asks by its hook: vectors of texts, with what they cost written down.

use super::chosen::{Embedder, chosen_embedding};
use super::priced;
use crate::model::Purpose;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_knowledge::server::meaning::{Embedded, Texts};
use patchbay_metering::server::usage::{NewUsage, record};
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;

/// Turns texts into vectors with the model that was chosen for search in knowledge. Trouble with the service is an answer, too; what was
/// answered is paid for, and recorded before anybody uses it. Errors: as `chosen_embedding`.
pub async fn embed(scope: &Scope, asked: Texts) -> Result<Embedded, AppError> {
    let Some(embedder) = chosen_embedding(scope).await? else { return Ok(Embedded::NotChosen) };
    let answer = match tokio::time::timeout(asked.patience, embedder.embed(&asked.texts)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Ok(failed(&error)),
        Err(_) => return Ok(Embedded::Late),
    };
    let Embedder { connection, model, .. } = embedder;
    let mut usage = answer.usage;
    // Whoever may search may note what the search cost.
    let mut tx = scope.write(Action::ReadWorkshop).await?;
    let now = tx.reading().now().await?;
    usage.cost = priced(tx.reading(), connection, &model, now, &usage).await?;
    let new = NewUsage {
        agent_id: asked.agent,
        client_id: asked.client,
        call_id: None,
        session_id: None,
        user_id: scope.user_id(),
        purpose: Purpose::Embedding.as_str(),
        model: model.clone(),
        usage,
    };
    record(&mut tx, new).await?;
    tx.commit().await?;
    Ok(Embedded::Vectors { connection, model, vectors: answer.vectors })
}

fn failed(error: &ProviderError) -> Embedded {
    // It has to do with what was sent: something shorter, or less at once, may be taken.
    if error.kind == Kind::Rejected && matches!(error.status, Some(400 | 413 | 422)) {
        return Embedded::Refused { sentence: error.sentence() };
    }
    Embedded::Failed { sentence: error.sentence(), wait: error.retry_after }
}
