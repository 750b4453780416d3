//! The live stream of a tab: `GET /events?topics=calls,batch:0193…`. Notices only name what changed.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::Query;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use patchbay_access::server::Visitor;
use patchbay_jobs::live::{Notice, plain_topic};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WorkspaceId};

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    topics: String,
}

/// Streams notices of the asked topics that belong to the viewer's workspace and, for client roles, client. After a gap it says
/// `gap`, and the page asks for everything again.
pub async fn events(
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, AppError> {
    let scope = visitor.scope()?;
    let topics: HashSet<String> = asked.topics.split(',').take(50).map(str::to_owned).collect();
    let (workspace, client) = (scope.workspace_id(), scope.client_id());
    let heard = BroadcastStream::new(scope.db().live().subscribe());
    let events = heard.filter_map(move |notice| {
        let event = match notice {
            Ok(notice) if concerns(&notice, workspace, client) && topics.contains(plain_topic(&notice)) => {
                Some(Event::default().id(uuid::Uuid::now_v7().to_string()).data(plain_topic(&notice)))
            }
            Ok(_) => None,
            Err(BroadcastStreamRecvError::Lagged(_)) => Some(Event::default().event("gap").data("gap")),
        };
        futures::future::ready(event.map(Ok))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

fn concerns(notice: &Notice, workspace: WorkspaceId, client: Option<ClientId>) -> bool {
    notice.workspace_id == workspace && (client.is_none() || client == notice.client_id)
}
