//! Whose turn it is in a queue that is worked in batches: of each workspace one batch at a time, so that its events are worked on in the
//! order in which they came; and every workspace has a turn before any has its second.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::lease::Claim;
use patchbay_shared::ids::WorkspaceId;

#[derive(Default)]
pub(crate) struct Turns {
    busy: Arc<Mutex<HashSet<Uuid>>>,
    /// The workspace that had the last turn.
    pub last: Uuid,
    /// Only this one has a turn.
    pub only: Option<WorkspaceId>,
}

/// A batch of a workspace that goes on. Dropped, also by a panic, the workspace may have its next one.
pub(crate) struct Busy {
    workspace: Uuid,
    all: Arc<Mutex<HashSet<Uuid>>>,
}

impl Turns {
    /// Of one workspace alone.
    pub fn of(only: WorkspaceId) -> Self {
        Self { only: Some(only), ..Self::default() }
    }

    pub fn busy(&self) -> Vec<Uuid> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    pub fn begin(&self, workspace: WorkspaceId) -> Busy {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(workspace.0);
        Busy { workspace: workspace.0, all: self.busy.clone() }
    }

    /// After these batches. They were taken in the order of the workspaces behind the last one, then from the first one on.
    pub fn move_on(&mut self, taken: &[Vec<Claim>]) {
        let workspaces = || taken.iter().filter_map(|batch| Some(batch.first()?.workspace_id.0));
        let from_the_first = workspaces().filter(|workspace| *workspace <= self.last).max();
        self.last = from_the_first.or_else(|| workspaces().max()).unwrap_or(self.last);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.workspace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(workspace: u128) -> Vec<Claim> {
        let workspace_id = WorkspaceId(Uuid::from_u128(workspace));
        vec![Claim { id: Uuid::nil(), workspace_id, owner: Uuid::nil(), attempt: 1, max_attempts: 12 }]
    }

    #[test]
    fn turns_go_round() {
        let mut turns = Turns::default();
        for (taken, last) in
            [(vec![1, 3], 3), (vec![5, 7], 7), (vec![1, 9], 1), (vec![], 1), (vec![2], 2), (vec![2], 2)]
        {
            turns.move_on(&taken.into_iter().map(batch).collect::<Vec<_>>());
            assert_eq!(turns.last.as_u128(), last);
        }
    }

    #[test]
    fn a_workspace_is_busy_until_its_batch_is_over() {
        let turns = Turns::default();
        let busy = turns.begin(WorkspaceId(Uuid::from_u128(4)));
        assert_eq!(turns.busy(), [Uuid::from_u128(4)]);
        drop(busy);
        assert!(turns.busy().is_empty());
    }
}
