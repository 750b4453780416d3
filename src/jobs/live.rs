//! Live notices: "this changed", never what it changed to. A page that hears one asks its own server function again, so a notice can
//! show nothing that its reader may not see. Within a process they travel over a channel; between processes over one NOTIFY per
//! quarter second, on a connection of its own, because NOTIFY in a writing transaction would make commits queue up.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use patchbay_access::server::{Db, ENDED_SESSIONS};
pub use patchbay_services::live::{Notice, Topic};
use patchbay_shared::ids::WorkspaceId;

const CHANNEL: &str = "patchbay_live";
/// The topic of a notice about a session, with the hash of its id in hexadecimal digits. Without one: any session may have ended.
pub const SESSION: &str = "session";

#[derive(Serialize, Deserialize)]
struct Payload {
    from: Uuid,
    notices: Vec<Notice>,
}

/// Carries notices to and from the other processes until `stop`.
pub async fn bridge(db: Db, stop: CancellationToken) {
    let me = Uuid::now_v7();
    let (outward, inward) = (send_out(db.clone(), me, stop.clone()), take_in(db, me, stop));
    tokio::join!(outward, inward);
}

/// Notices that came from elsewhere carry this mark in their topic while they are on this process's channel.
fn is_foreign(notice: &Notice) -> bool {
    notice.topic.0.starts_with('~')
}

async fn send_out(db: Db, me: Uuid, stop: CancellationToken) {
    let mut heard = db.live().subscribe();
    let mut waiting: HashSet<Notice> = HashSet::new();
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            notice = heard.recv() => {
                if let Ok(notice) = notice && !is_foreign(&notice) {
                    waiting.insert(notice);
                }
            }
            _ = tick.tick() => {
                // A payload holds 8,000 bytes; twenty notices fit well.
                while !waiting.is_empty() {
                    let some: Vec<Notice> = waiting.iter().take(20).cloned().collect();
                    for notice in &some {
                        waiting.remove(notice);
                    }
                    if let Ok(text) = serde_json::to_string(&Payload { from: me, notices: some })
                        && let Err(error) = send(&db, &text).await
                    {
                        tracing::warn!(cause = %error, "live notices did not leave");
                        break;
                    }
                }
            }
        }
    }
}

async fn send(db: &Db, text: &str) -> Result<(), patchbay_shared::AppError> {
    let mut tx = patchbay_access::server::SystemTx::open(db, "live notices").await?;
    sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(text).execute(tx.conn()).await?;
    tx.commit().await
}

async fn take_in(db: Db, me: Uuid, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = listen(&db, me, &stop).await {
            tracing::warn!(cause = %error, "live notices are not heard; trying again");
            tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(Duration::from_secs(2)) => {} }
        }
    }
}

async fn listen(db: &Db, me: Uuid, stop: &CancellationToken) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&db.listener_pool().await?).await?;
    listener.listen_all([CHANNEL, ENDED_SESSIONS]).await?;
    // What was said before this is lost.
    let _ = db.live().send(about_session(None));
    loop {
        let message = tokio::select! { () = stop.cancelled() => return Ok(()), message = listener.recv() => message? };
        if message.channel() == ENDED_SESSIONS {
            let _ = db.live().send(about_session(Some(message.payload())));
        } else if let Ok(parcel) = serde_json::from_str::<Payload>(message.payload())
            && parcel.from != me
        {
            for mut notice in parcel.notices {
                notice.topic.0.insert(0, '~');
                let _ = db.live().send(notice);
            }
        }
    }
}

/// Sessions belong to no workspace. Every process hears of them from the database, so none passes it on.
fn about_session(hash: Option<&str>) -> Notice {
    let topic = hash.map_or_else(|| Topic::list(SESSION), |hash| Topic::one(SESSION, hash));
    Notice { workspace_id: WorkspaceId(Uuid::nil()), client_id: None, topic: Topic(format!("~{}", topic.0)) }
}

/// The topic as a page knows it, wherever it came from.
pub fn plain_topic(notice: &Notice) -> &str {
    notice.topic.0.trim_start_matches('~')
}
