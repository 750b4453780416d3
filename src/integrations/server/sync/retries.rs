//! Records of theirs that could not be taken, asked for one by one again.

use super::read::{self, gone_entry};
use super::{Step, Trouble, Work, here, holds, merged, written};
use crate::server::mapping::Problem;
use crate::server::store::links;
use crate::server::store::pending;
use crate::server::store::syncs::{Entry, Sync, Tally};
use patchbay_access::Action;
use patchbay_providers::crm::{Crm, CrmObject};
use patchbay_providers::{Kind, ProviderError};

/// So many are asked for in a step.
const AT_ONCE: i64 = 20;

/// So often in a row the service itself may be in trouble; afterwards it is the record that it cannot give.
const PATIENCE: u32 = 3;

/// Whether an answer is to keep back the one record alone, and not the sync.
pub(super) fn is_of_one(error: &ProviderError, troubles: u32) -> bool {
    match error.kind {
        Kind::Rejected => true,
        Kind::Unavailable | Kind::Garbage | Kind::Timeout => troubles >= PATIENCE,
        _ => false,
    }
}

pub(super) async fn again(work: &Work<'_>, sync: &Sync, crm: &dyn Crm) -> Result<Step, Trouble> {
    let integration = work.integration.id;
    let mut tx = work.scope.read(Action::ReadIntegrations).await?;
    let due = pending::due(&mut tx, integration, "read", "contact", AT_ONCE).await?;
    drop(tx);
    if due.is_empty() {
        return Ok(Step::Through);
    }
    let (properties, troubles) = (work.rules().properties(), here(sync)?.troubles);
    let (mut records, mut gone, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for one in &due {
        let Some(id) = &one.remote_id else { continue };
        match crm.get(CrmObject::Contact, id, &properties).await {
            Ok(Some(record)) => {
                if record.id != *id {
                    gone.push((id.clone(), Some(record.id.clone())));
                }
                records.push(record);
            }
            Ok(None) => gone.push((id.clone(), None)),
            Err(error) if is_of_one(&error, troubles) => refused.push((one, error)),
            Err(error) => return Err(error.into()),
        }
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let mut entries = Vec::new();
    for (id, into) in &gone {
        for link in links::of_records(tx.reading(), integration, "contact", std::slice::from_ref(id)).await? {
            match into {
                Some(into) => entries.extend(merged::merge(&mut tx, work, &link, into).await?),
                None if links::remove(&mut tx, link.id).await? => entries.push(gone_entry(work, "contact", &link)),
                None => {}
            }
        }
    }
    let ids: Vec<String> = gone.iter().map(|(id, _)| id.clone()).collect();
    pending::taken(&mut tx, integration, "contact", &ids).await?;
    let (mut tally, taken) = read::take(&mut tx, work, &records).await?;
    entries.extend(taken);
    for (one, error) in refused {
        let (id, problem) = (one.remote_id.clone().unwrap_or_default(), Problem::retry(error.sentence()));
        read::failed(&mut tx, work, "contact", &id, &one.label, &problem).await?;
        tally = Tally { failed: tally.failed + 1, ..tally };
        let (label, message) = (one.label.clone(), problem.words);
        let entry =
            Entry { action: "read", result: "failed", kind: "contact", remote_id: Some(id), ..Entry::default() };
        entries.push(Entry { label, message, ..entry });
    }
    written(&mut tx, work, sync, &here(sync)?, tally, &entries).await?;
    tx.commit().await?;
    Ok(Step::More)
}
