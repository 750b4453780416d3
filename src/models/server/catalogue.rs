//! What the accounts' services list, kept for ten minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;

use patchbay_access::server::Scope;
use patchbay_connections::server::models::{self as accounts, ModelAccount};
use patchbay_connections::server::ops::down;
use patchbay_providers::chat::ChatModel;
use patchbay_shared::ids::{ConnectionId, WorkspaceId};

/// How long a list is good for.
const FRESH: Duration = Duration::from_secs(600);
/// How long an account whose list could not be read is left alone.
const AWAY: Duration = Duration::from_secs(30);
/// A page does not wait longer than this for a list that it can do without.
const PATIENCE: Duration = Duration::from_secs(3);
/// What is kept of an account's list, and the longest id in it.
const MOST_LISTED: usize = 2_000;
const LONGEST_ID: usize = 200;

/// What an account's service lists, or why that is not known.
pub(super) type Listed = Result<Arc<Vec<ChatModel>>, String>;

/// Lists by account, with the moment until which they are good, and how the account was then.
#[derive(Default)]
struct Remembered(Mutex<HashMap<(WorkspaceId, ConnectionId), Kept>>);

#[derive(Clone)]
struct Kept {
    until: Instant,
    /// When the account was changed last: another key may see other models.
    of: chrono::DateTime<chrono::Utc>,
    listed: Listed,
}

/// The lists of these accounts, read at one time. Never fails because of a service.
pub(super) async fn listed(scope: &Scope, all: &[ModelAccount]) -> Vec<Listed> {
    join_all(all.iter().map(|account| one(scope, account))).await
}

/// The list of one account.
pub(super) async fn one(scope: &Scope, account: &ModelAccount) -> Listed {
    let key = (scope.workspace_id(), account.id);
    let kept = scope.services().state::<Remembered>();
    {
        let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Old lists go, so that the map holds only workspaces that somebody works in.
        all.retain(|_, kept| kept.until > Instant::now());
        if let Some(known) = all.get(&key).filter(|known| known.of == account.changed_at) {
            return known.listed.clone();
        }
    }
    let asked = tokio::time::timeout(PATIENCE, async {
        let client = accounts::chat_to_look(scope, account.id).await.map_err(|error| error.to_string())?;
        let listed = client.list_models().await.map_err(|error| down(&error).to_string());
        // It stays in memory, and a server that somebody named may answer anything.
        listed.map(|mut models| {
            models.retain(|model| model.id.len() <= LONGEST_ID);
            models.truncate(MOST_LISTED);
            models.shrink_to_fit();
            Arc::new(models)
        })
    });
    let listed = asked.await.unwrap_or_else(|_| Err("It did not answer in time.".to_owned()));
    let until = Instant::now() + if listed.is_ok() { FRESH } else { AWAY };
    let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(key, Kept { until, of: account.changed_at, listed: listed.clone() });
    listed
}
