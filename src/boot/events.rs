//! The live stream of a tab: `GET /events?topics=calls,batch:0193…`. Notices only name what changed.
//!
//! A stream goes on for hours, so it ends when whoever opened it is not let in any more: at once when their session ends, in whatever
//! process, and by the clock when it runs out.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::Query;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use patchbay_access::server::{Visitor, session_hash, stays_until};
use patchbay_jobs::live::{Notice, SESSION, plain_topic};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, UserId, WorkspaceId};

/// Streams that one session may have open, and one person with all their sessions, in this process. Each tab has one. Beyond that the
/// oldest ends: it is the likeliest to be forgotten, and whoever opens a page sees that page live.
const PER_SESSION: usize = 30;
const PER_PERSON: usize = 60;
/// What a tab waits before it opens its stream again, when others took its place.
const LATER: Duration = Duration::from_secs(60);
/// Lists whose change may mean that the viewer is not let in any more: a client is archived, a support session ends.
const DOORS: [&str; 3] = ["clients", "members", "support"];

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
    let session = visitor.session.as_ref().and_then(|session| session.id()).ok_or(AppError::NotSignedIn)?;
    let session = hex::encode(session_hash(&session));
    // Listens first and looks then: a session that ends in between is not missed.
    let heard = scope.db().live().subscribe();
    let until = stays_until(&visitor).await?.ok_or(AppError::NotSignedIn)?;
    let seat = visitor.db.services().state::<Seats>().take(visitor.viewer()?.user_id, &session);
    let open = Open {
        workspace: scope.workspace_id(),
        client: scope.client_id(),
        session: format!("{SESSION}:{session}"),
        visitor,
        topics,
        heard,
        until,
        seat,
        is_over: false,
    };
    let events = stream::unfold(open, |mut open| async move {
        let event = open.next().await?;
        Some((Ok(event), open))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// An open stream.
struct Open {
    visitor: Visitor,
    workspace: WorkspaceId,
    client: Option<ClientId>,
    /// The topic of this session's end.
    session: String,
    topics: HashSet<String>,
    heard: Receiver<Notice>,
    /// When to look again whether the viewer is still let in.
    until: DateTime<Utc>,
    seat: Seat,
    is_over: bool,
}

impl Open {
    /// What the tab is told next. None: the stream is over.
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over {
            // A moment, not a span that each notice of somebody else would begin anew.
            let wait = (self.until + TimeDelta::seconds(1) - Utc::now()).to_std().unwrap_or_default();
            if wait.is_zero() {
                self.look().await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.seat.taken.cancelled() => {
                    self.is_over = true;
                    return Some(Event::default().event("full").data("full").retry(LATER));
                }
                heard = self.heard.recv() => match heard {
                    Ok(notice) => {
                        let topic = plain_topic(&notice);
                        if topic == self.session {
                            return None;
                        }
                        let is_ours = notice.workspace_id == self.workspace;
                        if topic == SESSION || (is_ours && DOORS.contains(&topic)) {
                            self.look().await?;
                        }
                        let is_told = is_ours && (self.client.is_none() || self.client == notice.client_id);
                        if is_told && self.topics.contains(topic) {
                            return Some(Event::default().id(uuid::Uuid::now_v7().to_string()).data(topic));
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        self.look().await?;
                        return Some(Event::default().event("gap").data("gap"));
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
        None
    }

    /// Asks whether the viewer is still let in. None: no, or it cannot be said.
    async fn look(&mut self) -> Option<()> {
        self.until = stays_until(&self.visitor).await.ok().flatten()?;
        Some(())
    }
}

/// Who has how many streams open in this process.
#[derive(Default)]
struct Seats(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    next: u64,
    by_person: HashMap<UserId, VecDeque<Row>>,
}

struct Row {
    id: u64,
    session: String,
    taken: CancellationToken,
}

/// A place for a stream; given back when the stream ends.
struct Seat {
    id: u64,
    person: UserId,
    /// Cancelled when another stream took it.
    taken: CancellationToken,
    seats: Arc<Mutex<Taken>>,
}

impl Seats {
    fn take(&self, person: UserId, session: &str) -> Seat {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.next += 1;
        let (id, taken) = (all.next, CancellationToken::new());
        let rows = all.by_person.entry(person).or_default();
        rows.push_back(Row { id, session: session.to_owned(), taken: taken.clone() });
        let of_session = rows.iter().filter(|row| row.session == session).count();
        let oldest = if of_session > PER_SESSION {
            rows.iter().position(|row| row.session == session)
        } else {
            (rows.len() > PER_PERSON).then_some(0)
        };
        if let Some(row) = oldest.and_then(|index| rows.remove(index)) {
            row.taken.cancel();
        }
        Seat { id, person, taken, seats: self.0.clone() }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = all.by_person.get_mut(&self.person) {
            rows.retain(|row| row.id != self.id);
            if rows.is_empty() {
                all.by_person.remove(&self.person);
            }
        }
    }
}
