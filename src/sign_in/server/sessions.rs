//! Where a person is signed in.

use chrono::Utc;
use serde_json::json;
use tower_sessions::Session;
use uuid::Uuid;

use super::own::Own;
use crate::model::{SessionRow, device};
use patchbay_access::Role;
use patchbay_access::server::{
    Db, Fields, SESSION_AGENT, SESSION_IP, SESSION_OF_ADMIN, SESSION_PROVED, SESSION_USER, SystemTx, Visitor, WriteTx,
    end_session, end_sessions, session_hash,
};
use patchbay_shared::error::internal;
use patchbay_shared::ids::UserId;
use patchbay_shared::{AppError, zone};

/// Starts a fresh session for someone who has proved who they are. A new id: whoever knew the old one knows nothing.
/// `with`: what they proved it by, for the audit log. The session comes last: whoever is told that it failed has none.
pub async fn start(visitor: &Visitor, user: Uuid, with: &str) -> Result<(), AppError> {
    let mut tx = SystemTx::open(&visitor.db, "sign-in").await?;
    let account = patchbay_users::account(tx.conn(), UserId(user)).await?;
    drop(tx);
    if !visitor.may_enter(account.workspace) {
        return Err(AppError::NotSignedIn);
    }
    let mut tx = Own::at_the_door(visitor, &account, true).await?;
    patchbay_users::note_sign_in(tx.conn(), account.id).await?;
    let with = json!({
        "name": account.name, "email": account.email, "with": with,
        "device": device(visitor.user_agent.as_deref().unwrap_or_default()),
    });
    tx.commit("signed in", Fields::Happened(with)).await?;
    super::device::remember(visitor.db.services(), &account.email, user)?;
    let session = fresh(visitor).await?;
    session.insert(SESSION_USER, user).await.map_err(internal)?;
    session.insert(SESSION_AGENT, visitor.user_agent.as_deref().unwrap_or_default()).await.map_err(internal)?;
    session.insert(SESSION_IP, visitor.ip.as_deref().unwrap_or_default()).await.map_err(internal)?;
    session.insert(SESSION_PROVED, Utc::now().timestamp()).await.map_err(internal)?;
    session.insert(SESSION_OF_ADMIN, account.role == Role::Admin).await.map_err(internal)?;
    session.cycle_id().await.map_err(internal)?;
    metrics::counter!("patchbay_sign_ins_total", "result" => "done").increment(1);
    tracing::info!(user_id = %user, "signed in");
    Ok(())
}

/// A new id for this browser's session, as with every change of what it may do: whoever knew the old one knows nothing.
pub(super) async fn renew_id(visitor: &Visitor) -> Result<(), AppError> {
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    session.cycle_id().await.map_err(internal)
}

/// This browser's session, emptied.
pub(super) async fn fresh(visitor: &Visitor) -> Result<Session, AppError> {
    let session = visitor.session.clone().ok_or_else(|| internal("no session layer"))?;
    if session.id().is_some() {
        session.flush().await.map_err(internal)?;
    }
    Ok(session)
}

/// The person's sessions, the one in use first, then the last seen.
pub(crate) async fn list(visitor: &Visitor) -> Result<Vec<SessionRow>, AppError> {
    let viewer = visitor.viewer()?;
    let (zone, now, mine) = (zone::zone(&viewer.timezone), Utc::now(), own_hash(visitor));
    let mut tx = SystemTx::open(&visitor.db, "own sessions").await?;
    let rows = sqlx::query!(
        "select id_hash, user_agent, ip, created_at, last_seen_at from sessions
         where user_id = $1 and expires_at > now() order by last_seen_at desc limit 200",
        viewer.user_id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let mut rows: Vec<SessionRow> = rows
        .into_iter()
        .map(|row| SessionRow {
            is_this: mine.as_ref() == Some(&row.id_hash),
            id: hex::encode(row.id_hash),
            device: device(row.user_agent.as_deref().unwrap_or_default()),
            ip: row.ip.filter(|ip| !ip.is_empty()),
            started: zone::stamp(row.created_at, now, zone),
            seen: zone::stamp(row.last_seen_at, now, zone),
        })
        .collect();
    rows.sort_by_key(|row| !row.is_this);
    Ok(rows)
}

/// In how many places somebody is signed in.
pub async fn count(db: &Db, user: UserId) -> Result<i64, AppError> {
    let mut tx = SystemTx::open(db, "somebody's sessions").await?;
    open_ones(tx.conn(), user).await
}

/// The same in a transaction that spans.
pub(super) async fn open_ones(conn: &mut sqlx::PgConnection, user: UserId) -> Result<i64, AppError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from sessions where user_id = $1 and expires_at > now()"#,
        user.0
    );
    Ok(count.fetch_one(conn).await?)
}

/// Ends one session of the person's own. Safe to repeat.
pub(crate) async fn end(visitor: &Visitor, id: &str) -> Result<(), AppError> {
    let hash = hex::decode(id).map_err(|_| AppError::NotFound)?;
    let viewer = visitor.viewer()?.clone();
    let mut tx = Own::open(visitor, &viewer).await?;
    let what =
        sqlx::query!("select user_agent, ip from sessions where id_hash = $1 and user_id = $2", hash, viewer.user_id.0)
            .fetch_optional(tx.conn())
            .await?;
    let ended = end_session(tx.conn(), viewer.user_id, &hash).await?;
    match what.filter(|_| ended) {
        Some(row) => {
            let was =
                json!({ "device": device(row.user_agent.as_deref().unwrap_or_default()), "signed in from": row.ip });
            tx.commit("ended a session", Fields::Deleted(was)).await
        }
        None => tx.commit_unchanged().await,
    }
}

/// Ends all sessions of the visitor but the one in use; with `this`, that one too.
pub(crate) async fn end_all(visitor: &Visitor, this: bool) -> Result<(), AppError> {
    let viewer = visitor.viewer()?.clone();
    let keep = own_hash(visitor).filter(|_| !this);
    let mut tx = Own::open(visitor, &viewer).await?;
    let before = open_ones(tx.conn(), viewer.user_id).await?;
    end_sessions(tx.conn(), viewer.user_id, keep).await?;
    let after = open_ones(tx.conn(), viewer.user_id).await?;
    let fields = Fields::Changed { before: json!({ "sessions": before }), after: json!({ "sessions": after }) };
    tx.commit("signed out everywhere", fields).await
}

/// Notes that the visitor leaves with this session. Safe for somebody who has not signed in.
pub(super) async fn note_sign_out(visitor: &Visitor) -> Result<(), AppError> {
    let Some(viewer) = &visitor.viewer else { return Ok(()) };
    let device = device(visitor.user_agent.as_deref().unwrap_or_default());
    Own::open(visitor, viewer).await?.commit("signed out", Fields::Happened(json!({ "device": device }))).await
}

/// Ends somebody's sessions, and links for a new password, in the transaction of the change that demands it. `keep`: the hash of a
/// session that goes on.
pub async fn end_of(tx: &mut WriteTx, user: UserId, keep: Option<Vec<u8>>) -> Result<(), AppError> {
    tx.span("end sessions").await?;
    end_sessions(tx.conn(), user, keep).await?;
    super::resets::spend_all(tx.conn(), user).await
}

/// The key of this browser's own session.
pub(crate) fn own_hash(visitor: &Visitor) -> Option<Vec<u8>> {
    visitor.session.as_ref()?.id().map(|id| session_hash(&id))
}
