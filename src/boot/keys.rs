//! `patchbay keys`: what is sealed with which key, and `patchbay keys rotate`: everything under the first one.
//!
//! The surprising parts: a value is replaced only where it still is what was read, so this is safe beside a running product and may be broken
//! off and begun again at any time; and seals of the audit log are moved as the role that owns the tables, because the application's may not
//! change them.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::cli::App;
use super::config::Config;
use patchbay_access::Action;
use patchbay_access::server::{Change, Db, Fields, Machine, Scope, SystemTx};
use patchbay_providers::sealed::{KeyRing, SealError};
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Reason};

const KEYS: Machine = Machine { name: "key rotation", actions: &[Action::ManageConnections] };
/// Rows in a transaction.
const AT_ONCE: i64 = 200;

/// Who may change a column's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The agency's scope.
    Agency,
    /// What spans agencies.
    Everybody,
    /// The role that owns the tables, in the agency's scope.
    Owner,
}

/// A place of the database where sealed text stands.
#[derive(Debug)]
struct Place {
    /// As people read it, and as the test compares it: table and column.
    name: &'static str,
    table: &'static str,
    /// What is read, and what is set to `$4`.
    value: &'static str,
    set: &'static str,
    /// The rows' key within an agency, its type, and what comes before every one.
    key: (&'static str, &'static str, &'static str),
    reach: Reach,
    /// A column beside it names the key.
    names_key: bool,
}

const NO_ID: &str = "00000000-0000-0000-0000-000000000000";
const ID: (&str, &str, &str) = ("id", "uuid", NO_ID);

const fn text(name: &'static str, table: &'static str, column: &'static str, set: &'static str) -> Place {
    Place { name, table, value: column, set, key: ID, reach: Reach::Agency, names_key: false }
}

/// All that is sealed in the database. `tests/it/keys.rs` looks for columns that are missing here.
const SEALED: [Place; 15] = [
    text("agency_phone_numbers.calls_before", "agency_phone_numbers", "calls_before", "calls_before = $4"),
    text("agent_tools.sealed_secrets", "agent_tools", "sealed_secrets", "sealed_secrets = $4"),
    text("agent_triggers.secret", "agent_triggers", "secret", "secret = $4"),
    text("agent_triggers.old_secret", "agent_triggers", "old_secret", "old_secret = $4"),
    text("execution_targets.secret", "execution_targets", "secret", "secret = $4"),
    text("oauth_attempts.verifier", "oauth_attempts", "verifier", "verifier = $4"),
    text(
        "provider_connections.sealed_credentials",
        "provider_connections",
        "sealed_credentials",
        "sealed_credentials = $4",
    ),
    text(
        "provider_connections.sealed_webhook_secrets",
        "provider_connections",
        "sealed_webhook_secrets",
        "sealed_webhook_secrets = $4",
    ),
    Place {
        names_key: true,
        ..text(
            "user_tokens.encrypted_token_data",
            "user_tokens",
            "encrypted_token_data",
            "encrypted_token_data = $4, key_id = $5",
        )
    },
    text("webhook_endpoints.secret", "webhook_endpoints", "secret", "secret = $4"),
    text("webhook_endpoints.old_secret", "webhook_endpoints", "old_secret", "old_secret = $4"),
    // Mail that waits, or could not be sent.
    text(
        "jobs.payload",
        "jobs",
        "payload ->> 'sealed'",
        "payload = jsonb_set(payload, '{sealed}', to_jsonb($4::text))",
    ),
    Place {
        key: ("workspace_id", "uuid", NO_ID),
        ..text("audit_heads.base_seal", "audit_heads", "base_seal", "base_seal = $4")
    },
    Place {
        key: ("seq", "bigint", "-1"),
        reach: Reach::Owner,
        ..text("audit_anchors.sealed", "audit_anchors", "sealed", "sealed = $4")
    },
    // People of the platform belong to no agency.
    Place { reach: Reach::Everybody, ..text("users.totp_secret", "users", "totp_secret", "totp_secret = $4") },
];

/// How many values each key seals, by place.
#[derive(Debug, Default)]
pub struct Held {
    /// By the id of the key; values that no key opens stand under none.
    counts: BTreeMap<(Option<String>, &'static str), u64>,
}

/// What a rotation did.
#[derive(Debug, Default)]
pub struct Rotated {
    pub moved: u64,
    /// Seals of the audit log that only the owner of the tables may move.
    pub left: u64,
}

impl Rotated {
    fn add(&mut self, place: &Place, moved: u64, said: &mut impl FnMut(&str, u64)) {
        self.moved += moved;
        if moved > 0 {
            said(place.name, moved);
        }
    }
}

impl Held {
    fn add(&mut self, ring: &KeyRing, place: &'static str, sealed: &str) {
        let key = ring.key_id_of(sealed).map(str::to_owned);
        *self.counts.entry((key, place)).or_default() += 1;
    }

    /// Values that a key seals. None: those that no key opens.
    pub fn of(&self, key: Option<&str>) -> u64 {
        self.counts.iter().filter(|((id, _), _)| id.as_deref() == key).map(|(_, count)| count).sum()
    }

    fn places(&self, key: Option<&str>) -> Vec<String> {
        let own = self.counts.iter().filter(|((id, _), _)| id.as_deref() == key);
        own.map(|((_, place), count)| format!("{place} ({count})")).collect()
    }

    /// For `doctor`. Errors: what is unreadable, and what to do.
    pub fn said(&self) -> Result<String, String> {
        let all: u64 = self.counts.values().sum();
        match self.places(None) {
            missing if missing.is_empty() => Ok(format!("{all} values are sealed, and a key opens each")),
            missing => Err(format!(
                "{} values need a key that is missing in PATCHBAY_KEYS: {}. Put it back behind the others.",
                self.of(None),
                missing.join(", ")
            )),
        }
    }
}

/// `patchbay keys`.
pub async fn list(config: &Config) -> Result<(), AppError> {
    let app = App::open(config).await?;
    let held = held(&app.db).await;
    let ids: Vec<String> = app.db.services().ring.ids().into_iter().map(str::to_owned).collect();
    app.close().await;
    print(&ids, &held?);
    Ok(())
}

/// `patchbay keys rotate`.
pub async fn rotate(config: &Config) -> Result<(), AppError> {
    let app = App::open(config).await?;
    let owner = app.owner_url(config);
    let done = async {
        let rotated =
            move_all(&app.db, owner.as_deref(), |place, count| println!("{place}: {count} sealed anew")).await?;
        Ok::<_, AppError>((rotated, held(&app.db).await?))
    };
    let done = done.await;
    let ids: Vec<String> = app.db.services().ring.ids().into_iter().map(str::to_owned).collect();
    app.close().await;
    let (rotated, held) = done?;
    println!("Sealed anew: {}", rotated.moved);
    if rotated.left > 0 {
        println!(
            "{} seals of the audit log stay under older keys. Set PATCHBAY_OWNER_DATABASE_URL to the role that owns the tables, and repeat.",
            rotated.left
        );
    }
    print(&ids, &held);
    Ok(())
}

fn print(ids: &[String], held: &Held) {
    for (at, id) in ids.iter().enumerate() {
        let count = held.of(Some(id));
        match (at, count) {
            (0, _) => println!("{id}  seals; {count} values"),
            (_, 0) => println!("{id}  nothing needs it any more: take it out of PATCHBAY_KEYS"),
            _ => println!("{id}  {count} values need it: {}", held.places(Some(id)).join(", ")),
        }
    }
    if held.of(None) > 0 {
        println!("missing   {} values need a key that is not there: {}", held.of(None), held.places(None).join(", "));
    }
}

async fn workspaces(db: &Db) -> Result<Vec<WorkspaceId>, AppError> {
    let mut tx = SystemTx::open(db, "sealed values").await?;
    let ids = sqlx::query_scalar!("select id from workspaces order by id").fetch_all(tx.conn()).await?;
    Ok(ids.into_iter().map(WorkspaceId).collect())
}

/// What each key seals at this moment.
pub async fn held(db: &Db) -> Result<Held, AppError> {
    let (ring, mut held) = (&db.services().ring, Held::default());
    for place in SEALED.iter().filter(|place| place.reach == Reach::Everybody) {
        let mut from = place.key.2.to_owned();
        loop {
            let mut tx = SystemTx::open(db, "sealed values").await?;
            let rows = read(tx.conn(), place, None, &from).await?;
            let Some((last, _)) = rows.last() else { break };
            from.clone_from(last);
            rows.iter().for_each(|(_, sealed)| held.add(ring, place.name, sealed));
        }
    }
    for workspace in workspaces(db).await? {
        let scope = Scope::of_operator(db.clone(), workspace, KEYS);
        for place in SEALED.iter().filter(|place| place.reach != Reach::Everybody) {
            let mut from = place.key.2.to_owned();
            loop {
                let mut tx = scope.read(Action::ManageConnections).await?;
                let rows = read(tx.conn(), place, Some(workspace), &from).await?;
                let Some((last, _)) = rows.last() else { break };
                from.clone_from(last);
                rows.iter().for_each(|(_, sealed)| held.add(ring, place.name, sealed));
            }
        }
    }
    Ok(held)
}

/// Seals everything with the first key that is sealed with another one. `owner`: the address of the role that owns the tables. `said` is told
/// of every batch.
pub async fn move_all(db: &Db, owner: Option<&str>, mut said: impl FnMut(&str, u64)) -> Result<Rotated, AppError> {
    let (ring, mut done) = (&db.services().ring, Rotated::default());
    for place in SEALED.iter().filter(|place| place.reach == Reach::Everybody) {
        let mut from = place.key.2.to_owned();
        loop {
            let mut tx = SystemTx::open(db, "sealed values").await?;
            let Some((last, moved)) = some(tx.conn(), ring, place, None, &from).await? else { break };
            tx.commit().await?;
            from = last;
            done.add(place, moved, &mut said);
        }
    }
    for workspace in workspaces(db).await? {
        let scope = Scope::of_operator(db.clone(), workspace, KEYS);
        let mut count = 0;
        for place in SEALED.iter().filter(|place| place.reach != Reach::Everybody) {
            let mut from = place.key.2.to_owned();
            loop {
                let result = match (place.reach, owner) {
                    (Reach::Owner, None) => {
                        done.left += others(&scope, place, workspace).await?;
                        None
                    }
                    (Reach::Owner, Some(url)) => {
                        let mut conn = as_owner(url, workspace).await?;
                        let result = some(&mut conn, ring, place, Some(workspace), &from).await?;
                        conn.close().await?;
                        result
                    }
                    _ => {
                        let mut tx = scope.write(Action::ManageConnections).await?;
                        let result = some(tx.conn(), ring, place, Some(workspace), &from).await?;
                        tx.commit().await?;
                        result
                    }
                };
                let Some((last, moved)) = result else { break };
                from = last;
                count += moved;
                done.add(place, moved, &mut said);
            }
        }
        if count > 0 {
            let mut tx = scope.write(Action::ManageConnections).await?;
            let facts = serde_json::json!({"values": count, "key": ring.ids().first()});
            let change = Change {
                action: "sealed anew",
                entity: "secrets",
                entity_id: None,
                client_id: None,
                fields: Fields::Happened(facts),
            };
            tx.audit(change).await?;
            tx.commit().await?;
        }
    }
    Ok(done)
}

/// A connection as the role that owns the tables, which row security lets see this agency alone. Errors: `Conflict` when nobody answers.
async fn as_owner(url: &str, workspace: WorkspaceId) -> Result<PgConnection, AppError> {
    let broken = |error: sqlx::Error| {
        let why = format!("PATCHBAY_OWNER_DATABASE_URL: the database does not answer: {error}");
        AppError::Conflict(Reason::Configuration, why)
    };
    let options: PgConnectOptions = url.parse().map_err(broken)?;
    PgConnection::connect_with(&options.options([("app.workspace_id", workspace.to_string())])).await.map_err(broken)
}

/// The next values of a place: key of the row, and sealed text.
async fn read(
    conn: &mut PgConnection,
    place: &Place,
    workspace: Option<WorkspaceId>,
    from: &str,
) -> Result<Vec<(String, String)>, AppError> {
    let Place { table, value, key: (key, kind, _), .. } = place;
    let sql = format!(
        "select {key}::text, {value} from {table}
         where ($1::uuid is null or workspace_id = $1) and {key} > $2::{kind} and {value} <> '' order by {key} limit $3"
    );
    let rows = sqlx::query_as(AssertSqlSafe(sql)).bind(workspace.map(|id| id.0)).bind(from).bind(AT_ONCE);
    Ok(rows.fetch_all(conn).await?)
}

/// Seals the next values anew. Gives the last row that was looked at, and how many were moved. None: there are no more.
async fn some(
    conn: &mut PgConnection,
    ring: &KeyRing,
    place: &Place,
    workspace: Option<WorkspaceId>,
    from: &str,
) -> Result<Option<(String, u64)>, AppError> {
    let rows = read(conn, place, workspace, from).await?;
    let Some((last, _)) = rows.last().cloned() else { return Ok(None) };
    let Place { table, value, set, key: (key, kind, _), .. } = place;
    let first = ring.ids().first().map(|id| (*id).to_owned()).unwrap_or_default();
    let mut moved = 0;
    for (row, sealed) in rows {
        let fresh = match ring.reseal(&sealed) {
            Ok(Some(fresh)) => fresh,
            Ok(None) => continue,
            // Its key is missing: said at the end.
            Err(SealError::Unreadable) => continue,
            Err(error) => return Err(patchbay_shared::error::internal(error)),
        };
        // Only what it still is: a running process may have written another one.
        let sql = format!(
            "update {table} set {set} where ($1::uuid is null or workspace_id = $1) and {key} = $2::{kind} and {value} = $3"
        );
        let mut query =
            sqlx::query(AssertSqlSafe(sql)).bind(workspace.map(|id| id.0)).bind(&row).bind(&sealed).bind(&fresh);
        if place.names_key {
            query = query.bind(&first);
        }
        moved += query.execute(&mut *conn).await?.rows_affected();
    }
    Ok(Some((last, moved)))
}

/// How many values of an agency are not under the first key.
async fn others(scope: &Scope, place: &'static Place, workspace: WorkspaceId) -> Result<u64, AppError> {
    let (ring, mut from, mut held) = (&scope.services().ring, place.key.2.to_owned(), Held::default());
    loop {
        let mut tx = scope.read(Action::ManageConnections).await?;
        let rows = read(tx.conn(), place, Some(workspace), &from).await?;
        let Some((last, _)) = rows.last() else { break };
        from.clone_from(last);
        rows.iter().for_each(|(_, sealed)| held.add(ring, place.name, sealed));
    }
    let all: u64 = held.counts.values().sum();
    Ok(all - held.of(ring.ids().first().copied()))
}

/// The places, for a test that looks for others.
pub fn places() -> impl Iterator<Item = &'static str> {
    SEALED.iter().map(|place| place.name)
}
