//! What is sent is read together for what was taken together, of each agency by itself: once, by whichever try comes to it first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::Claimed;
use super::sent::{self, Parcel};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_shared::AppError;
use patchbay_shared::ids::{DeliveryId, WorkspaceId};

/// Deliveries of one agency that were taken together.
pub(in crate::server) struct Parcels {
    ids: Vec<DeliveryId>,
    read: OnceCell<Mutex<HashMap<DeliveryId, Parcel>>>,
}

/// Each of these, and what was taken with it.
pub(in crate::server) fn of_each(taken: Vec<Claimed>) -> impl Iterator<Item = (Claimed, Arc<Parcels>)> {
    let mut ids: HashMap<WorkspaceId, Vec<DeliveryId>> = HashMap::new();
    for one in &taken {
        ids.entry(one.workspace).or_default().push(one.id);
    }
    let together: HashMap<WorkspaceId, Arc<Parcels>> =
        ids.into_iter().map(|(workspace, ids)| (workspace, Arc::new(Parcels { ids, read: OnceCell::new() }))).collect();
    taken.into_iter().filter_map(move |one| Some((one, together.get(&one.workspace)?.clone())))
}

impl Parcels {
    /// What is sent of this one. None: there is no such delivery, or it does not wait.
    pub(super) async fn take(&self, scope: &Scope, id: DeliveryId) -> Result<Option<Parcel>, AppError> {
        let read = self
            .read
            .get_or_try_init(|| async {
                let mut tx = scope.read(Action::ManageWebhooks).await?;
                let all = sent::parcels(&mut tx, &self.ids).await?;
                Ok::<_, AppError>(Mutex::new(all.into_iter().map(|one| (one.id, one)).collect()))
            })
            .await?;
        Ok(read.lock().unwrap_or_else(PoisonError::into_inner).remove(&id))
    }
}
