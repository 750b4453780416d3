use std::collections::HashMap;

use async_trait::async_trait;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::UserId;
use sha2::{Digest, Sha256};
use tower_sessions::Session;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};

use super::{Db, SystemTx};

/// The key in a session that holds the user's id.
pub const SESSION_USER: &str = "user";
/// The key that holds the id of a platform admin's support session.
pub const SESSION_SUPPORT: &str = "support";
/// The key that holds when the person last proved who they are, in seconds since 1970.
pub const SESSION_PROVED: &str = "proved";
/// Seconds that such a proof lasts.
pub const PROOF_LASTS: i64 = 300;
/// The key that says that a session is a platform admin's, and so a short one.
pub const SESSION_OF_ADMIN: &str = "of admin";
/// The keys that hold what the browser called itself, and the address that it signed in from.
pub const SESSION_AGENT: &str = "agent";
pub const SESSION_IP: &str = "ip";
/// Where sessions that end are named: a channel of PostgreSQL's, and on it the hash of the session's id in hexadecimal digits.
pub const ENDED_SESSIONS: &str = "patchbay_ended_sessions";
/// The keys that hold when the session began and when it was last used, in seconds since 1970.
const STARTED: &str = "started";
const SEEN: &str = "seen";

/// Sessions in PostgreSQL. The row's key is the SHA-256 of the session id.
#[derive(Clone)]
pub struct SessionTable {
    db: Db,
}

impl std::fmt::Debug for SessionTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionTable")
    }
}

impl SessionTable {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn write(&self, record: &Record, is_new: bool) -> session_store::Result<()> {
        let data = rmp_serde::to_vec_named(record).map_err(|error| session_store::Error::Encode(error.to_string()))?;
        let user: Option<uuid::Uuid> =
            record.data.get(SESSION_USER).and_then(|value| serde_json::from_value(value.clone()).ok());
        let text = |key: &str| record.data.get(key).and_then(|value| value.as_str());
        let expires = chrono::DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0).unwrap_or_default();
        let mut tx = self.open().await?;
        // A session that was ended while a request of it was under way stays ended: only a new one is inserted.
        sqlx::query!(
            "with old as (
               update sessions set user_id = $2, data = $3, expires_at = $4, user_agent = $5, ip = $6, last_seen_at = now() where id_hash = $1
             )
             insert into sessions (id_hash, user_id, data, expires_at, user_agent, ip)
             select $1, $2::uuid, $3, $4, $5::text, $6::text where $7::boolean",
            session_hash(&record.id),
            user,
            data,
            expires,
            text(SESSION_AGENT),
            text(SESSION_IP),
            is_new,
        )
        .execute(tx.conn())
        .await
        .map_err(backend)?;
        tx.commit().await.map_err(backend)
    }

    async fn open(&self) -> session_store::Result<SystemTx> {
        SystemTx::open(&self.db, "sessions").await.map_err(backend)
    }
}

#[async_trait]
impl SessionStore for SessionTable {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // 128 random bits: two equal ids do not happen.
        self.write(record, true).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.write(record, false).await
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let mut tx = self.open().await?;
        let data = sqlx::query_scalar!(
            "select data from sessions where id_hash = $1 and expires_at > now()",
            session_hash(id)
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(backend)?;
        data.map(|data| rmp_serde::from_slice(&data).map_err(|error| session_store::Error::Decode(error.to_string())))
            .transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let mut tx = self.open().await?;
        let ended = sqlx::query_scalar!("delete from sessions where id_hash = $1 returning id_hash", session_hash(id))
            .fetch_all(tx.conn())
            .await
            .map_err(backend)?;
        say_ended(tx.conn(), &ended).await.map_err(backend)?;
        tx.commit().await.map_err(backend)
    }
}

/// How long a session lasts: twelve idle hours end it, and fourteen days in any case. A platform admin's ends after an idle hour, and
/// after eight in any case. All in seconds since 1970.
struct Lasting {
    started: Option<i64>,
    seen: i64,
    longest: i64,
    idle: i64,
    /// Being seen is written down once in so many seconds.
    noted: i64,
}

impl Lasting {
    fn read(value: impl Fn(&str) -> Option<serde_json::Value>) -> Self {
        let number = |key: &str| value(key).and_then(|value| value.as_i64());
        let of_admin = value(SESSION_OF_ADMIN) == Some(serde_json::Value::Bool(true));
        let (longest, idle, noted) = if of_admin { (8 * 3600, 3600, 60) } else { (14 * 24 * 3600, 12 * 3600, 600) };
        Self { started: number(STARTED), seen: number(SEEN).unwrap_or(0), longest, idle, noted }
    }

    /// When it is over, unless somebody uses it meanwhile. None: it was never used.
    fn ends(&self) -> Option<i64> {
        let idle = (self.seen > 0).then_some(self.seen + self.idle);
        let longest = self.started.map(|started| started + self.longest);
        idle.into_iter().chain(longest).min()
    }
}

/// A session in use stays alive, and one that has lasted long enough ends.
pub async fn refresh_session(request: Request, next: Next) -> Response {
    if let Some(session) = request.extensions().get::<Session>().cloned()
        && let Ok(Some(_)) = session.get::<uuid::Uuid>(SESSION_USER).await
    {
        let now = chrono::Utc::now().timestamp();
        let mut known = HashMap::new();
        for key in [STARTED, SEEN, SESSION_OF_ADMIN] {
            known.extend(session.get_value(key).await.ok().flatten().map(|value| (key, value)));
        }
        let lasting = Lasting::read(|key| known.get(key).cloned());
        if lasting.ends().is_some_and(|ends| ends < now) {
            let _ = session.flush().await;
        } else if now - lasting.seen > lasting.noted {
            let _ = session.insert(SEEN, now).await;
            let _ = session.insert(STARTED, lasting.started.unwrap_or(now)).await;
        }
    }
    next.run(request).await
}

/// When a session of somebody's is over, unless they use it meanwhile. None: it is over.
pub(super) async fn session_ends(db: &Db, id: &Id, user: UserId) -> Result<Option<DateTime<Utc>>, AppError> {
    let record = SessionTable::new(db.clone()).load(id).await.map_err(internal)?;
    let Some(record) = record else { return Ok(None) };
    let is_theirs =
        record.data.get(SESSION_USER).and_then(|value| serde_json::from_value(value.clone()).ok()) == Some(user.0);
    let stored = record.expiry_date.unix_timestamp();
    let ends = Lasting::read(|key| record.data.get(key).cloned()).ends().map_or(stored, |ends| ends.min(stored));
    let ends =
        DateTime::from_timestamp(ends, 0).filter(|ends| is_theirs && *ends >= Utc::now() - TimeDelta::seconds(1));
    Ok(ends)
}

/// Ends one session of somebody's, in a transaction that spans. False: it was none of theirs.
pub async fn end_session(conn: &mut sqlx::PgConnection, user: UserId, hash: &[u8]) -> Result<bool, AppError> {
    let ended =
        sqlx::query_scalar!("delete from sessions where id_hash = $1 and user_id = $2 returning id_hash", hash, user.0)
            .fetch_all(&mut *conn)
            .await?;
    say_ended(conn, &ended).await?;
    Ok(!ended.is_empty())
}

/// Ends somebody's sessions but `keep`, the hash of one that goes on, in a transaction that spans.
pub async fn end_sessions(conn: &mut sqlx::PgConnection, user: UserId, keep: Option<Vec<u8>>) -> Result<(), AppError> {
    let ended = sqlx::query_scalar!(
        "delete from sessions where user_id = $1 and ($2::bytea is null or id_hash <> $2) returning id_hash",
        user.0,
        keep
    )
    .fetch_all(&mut *conn)
    .await?;
    say_ended(conn, &ended).await
}

/// Names sessions that end to every process, with the commit, so that what is open for them closes. The database carries it, because
/// sessions end in programs that carry nothing, such as the command line. Sessions seldom end: what a NOTIFY costs at the commit is no matter
/// here.
async fn say_ended(conn: &mut sqlx::PgConnection, ended: &[Vec<u8>]) -> Result<(), AppError> {
    let words: Vec<String> = ended.iter().map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    if !words.is_empty() {
        sqlx::query_scalar!(
            "select pg_notify($1, word)::text from unnest($2::text[]) as words (word)",
            ENDED_SESSIONS,
            &words
        )
        .fetch_all(conn)
        .await?;
    }
    Ok(())
}

/// Removes sessions that have ended, some at a time.
pub async fn prune_sessions(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "ended sessions").await?;
    sqlx::query!(
        "delete from sessions where id_hash in (select id_hash from sessions where expires_at < now() limit 1000)"
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await
}

/// The key of a session's row.
pub fn session_hash(id: &Id) -> Vec<u8> {
    Sha256::digest(id.0.to_be_bytes()).to_vec()
}

fn backend(error: impl std::fmt::Display) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

/// 256 random bits as 43 letters, for links and secrets.
pub fn random_token() -> String {
    use base64::Engine;
    let mut bytes = [0_u8; 32];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
