//! Keys by connection, kept for some seconds: opening them costs more than checking a signature with them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use patchbay_access::server::Scope;
use patchbay_connections::server::ops::{self, WebhookKeys};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ConnectionId, WorkspaceId};

/// How long a withdrawn secret may still open the door.
const KEPT: Duration = Duration::from_secs(5);
/// Only connections that exist are kept, so this is never reached by the unauthenticated.
const MOST: usize = 10_000;

type Kept = HashMap<(WorkspaceId, ConnectionId), (Instant, WebhookKeys)>;

/// What this process has opened lately.
#[derive(Default)]
struct Opened(Mutex<Kept>);

/// The connection's keys. `fresh`: as they are in the database now. Errors: `NotFound`.
pub(crate) async fn of(
    scope: &Scope,
    connection: ConnectionId,
    provider: &str,
    fresh: bool,
) -> Result<(WebhookKeys, bool), AppError> {
    let opened = scope.services().state::<Opened>();
    let place = (scope.workspace_id(), connection);
    if !fresh && let Some(keys) = kept(&opened, &place).filter(|keys| fits(keys, provider)) {
        return Ok((keys, true));
    }
    let keys = match ops::webhook_keys(scope, connection, provider).await {
        Ok(keys) => keys,
        Err(error) => {
            opened.lock().remove(&place);
            return Err(error);
        }
    };
    let mut all = opened.lock();
    if all.len() >= MOST {
        all.clear();
    }
    all.insert(place, (Instant::now(), keys.clone()));
    Ok((keys, false))
}

fn kept(opened: &Opened, place: &(WorkspaceId, ConnectionId)) -> Option<WebhookKeys> {
    opened.lock().get(place).filter(|(at, _)| at.elapsed() < KEPT).map(|(_, keys)| keys.clone())
}

/// A connection's address names its service; another service's name in it is refused.
fn fits(keys: &WebhookKeys, provider: &str) -> bool {
    matches!((keys, provider), (WebhookKeys::Ultravox(_), "ultravox") | (WebhookKeys::Telnyx(_), "telnyx"))
}

impl Opened {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
