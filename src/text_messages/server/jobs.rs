use serde::{Deserialize, Serialize};

use super::{calls, sending, store};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::NewJob;
use patchbay_jobs::queue::{Job, enqueue_all};
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::TextMessageId;

/// Sends a text message that was written down, looks for it when its answer was lost, and asks what became of it and what it cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SendText {
    pub message: TextMessageId,
}

impl Job for SendText {
    const KIND: &'static str = "send_text";
    const ACTIONS: &'static [Action] = &[
        Action::ManageTexts,
        Action::UseConnections,
        Action::ReadContacts,
        Action::ReadIntegrations,
        Action::ManageClients,
    ];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.message.to_string())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: SendText| async move {
        match sending::send(&scope, job.message).await {
            Ok(verdict) => Ok::<Verdict, Failure>(verdict),
            Err(AppError::NotFound) => Ok(Verdict::Done),
            Err(error) => Err(error.into()),
        }
    });
}

/// Has every message seen to whose job was lost, and rules asked about calls that nobody will read.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageTexts).await?;
    calls::unread(&mut tx).await?;
    let jobs: Vec<SendText> =
        store::forgotten(tx.reading()).await?.into_iter().map(|message| SendText { message }).collect();
    enqueue_all(&mut tx, jobs.iter().map(|job| (job, NewJob::default()))).await?;
    tx.commit().await
}
