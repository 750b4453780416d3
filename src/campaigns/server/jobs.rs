use serde::{Deserialize, Serialize};

use super::ops;
use crate::AddBy;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::queue::{Job, NewJob, enqueue};
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::ids::{CampaignId, ContactId};

/// Goes on adding contacts to a campaign, from the one after `after`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AddContacts {
    pub campaign: CampaignId,
    pub by: AddBy,
    pub after: ContactId,
}

impl Job for AddContacts {
    const KIND: &'static str = "AddContacts";
    const ACTIONS: &'static [Action] = &[Action::ManageCampaigns];

    /// The campaign's id comes first: its page looks for unfinished ones by it.
    fn dedupe_key(&self) -> Option<String> {
        let by = match &self.by {
            AddBy::Import(id) => id.to_string(),
            _ => "all".into(),
        };
        Some(format!("{}:{by}:{}", self.campaign, self.after))
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add::<AddContacts, _, _>(add_contacts);
}

/// Each piece is a transaction that also enqueues the next piece, so that a crash repeats at most one, which changes nothing.
async fn add_contacts(scope: Scope, job: AddContacts) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ManageCampaigns).await?;
    if let Some(after) = ops::add_more(&mut tx, &job).await? {
        enqueue(&mut tx, &AddContacts { after, ..job }, NewJob::default()).await?;
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}
