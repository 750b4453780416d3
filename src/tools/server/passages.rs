//! Which passages of knowledge were used in a call or run, for their pages.

use patchbay_access::server::ReadTx;
use patchbay_knowledge::model::{ChunkId, EntryId};
use patchbay_knowledge::server::still_there;
use patchbay_runs::model::GivenPassage;
use patchbay_shared::AppError;
use patchbay_shared::ids::RunId;

use super::store::passages;

/// The passages that an agent was given in a run, each once, in their order. A file that was deleted since keeps its name here.
pub async fn knowledge_used(tx: &mut ReadTx, run: RunId) -> Result<Vec<GivenPassage>, AppError> {
    let kept = passages::of_run(tx, run).await?;
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let mut entries: Vec<EntryId> = kept.iter().flat_map(|(_, given)| given.iter().map(|one| one.entry)).collect();
    entries.sort_unstable();
    entries.dedup();
    let there = still_there(tx, &entries).await?;
    let mut seen: Vec<((EntryId, ChunkId), GivenPassage)> = Vec::new();
    for (used, given) in kept {
        for one in given {
            let key = (one.entry, one.chunk);
            if let Some((_, known)) = seen.iter_mut().find(|(known, _)| *known == key) {
                known.times += 1;
                continue;
            }
            let is_deleted = !there.contains(&one.entry);
            let shown = GivenPassage {
                href: (!is_deleted).then(|| format!("/knowledge/{}/files/{}", one.collection, one.entry)),
                use_href: format!("/tool-calls/{used}"),
                file: one.file,
                place: one.place,
                found_by: one.found_by.label().to_lowercase(),
                is_deleted,
                times: 1,
            };
            seen.push((key, shown));
        }
    }
    Ok(seen.into_iter().map(|(_, shown)| shown).collect())
}
