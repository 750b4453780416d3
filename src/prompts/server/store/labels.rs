//! Statements about labels: where they are, where they were, and moves that wait for a second person.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::{LabelState, MoveQuery, MoveRow, MoveStatus, PRODUCTION, WaitingMove, in_order};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{PromptId, PromptMoveId, UserId};
use patchbay_shared::search::filled;
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page, read_time_key, time_key};

/// Where a prompt's labels are, in their order.
pub(crate) async fn list(tx: &mut ReadTx, id: PromptId) -> Result<Vec<LabelState>, AppError> {
    let (now, zone, workspace) = (tx.now().await?, tx.scope().zone(), tx.workspace_uuid());
    let rows = sqlx::query!(
        r#"select l.label as "label!", v.version, m.from_version as "before?", m.at as "at?", u.name as "by?"
           from prompt_versions v
           cross join lateral unnest(v.labels) l (label)
           left join lateral (
             select from_version, coalesce(decided_at, created_at) as at, user_id from prompt_label_moves
             where workspace_id = $1 and prompt_id = $2 and label = l.label and status = 'done'
             order by coalesce(decided_at, created_at) desc, id desc limit 1) m on true
           left join users u on u.id = m.user_id
           where v.workspace_id = $1 and v.prompt_id = $2 and v.labels <> '{}'"#,
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let mut labels: Vec<LabelState> = rows
        .into_iter()
        .map(|row| LabelState {
            label: row.label,
            version: row.version,
            before: row.before.filter(|before| *before != row.version),
            moved: row.at.map(|at| stamp(at, now, zone)),
            by: row.by,
        })
        .collect();
    labels.sort_by(|one, other| in_order(&one.label).cmp(&in_order(&other.label)));
    Ok(labels)
}

/// The version that has a label.
pub(crate) async fn labelled(tx: &mut ReadTx, id: PromptId, label: &str) -> Result<Option<i32>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "select version from prompt_versions where workspace_id = $1 and prompt_id = $2 and $3 = any(labels) limit 1",
        workspace,
        id.0,
        label
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// How many labels a prompt's versions have.
pub(crate) async fn count(tx: &mut ReadTx, id: PromptId) -> Result<i64, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select coalesce(sum(cardinality(labels)), 0) as "count!" from prompt_versions where workspace_id = $1 and prompt_id = $2"#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Puts a label on a version, and takes it off every other one; without a version off all. The caller holds the prompt's lock.
pub(crate) async fn put(tx: &mut WriteTx, id: PromptId, label: &str, version: Option<i32>) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update prompt_versions
         set labels = case when version = $3 then array_append(array_remove(labels, $4), $4) else array_remove(labels, $4) end
         where workspace_id = $1 and prompt_id = $2 and (version = $3 or $4 = any(labels))",
        workspace,
        id.0,
        version,
        label
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A move that was made or is asked for.
pub(crate) struct NewMove<'a> {
    pub prompt: PromptId,
    pub label: &'a str,
    pub from: Option<i32>,
    pub to: Option<i32>,
    pub note: &'a str,
    pub status: MoveStatus,
}

/// Writes a move down. Its moment is the clock's, for one transaction may make several.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewMove<'_>) -> Result<PromptMoveId, AppError> {
    let (workspace, user, id) = (tx.workspace_uuid(), tx.user_id().map(|user| user.0), PromptMoveId::new());
    sqlx::query!(
        "insert into prompt_label_moves (workspace_id, id, prompt_id, label, from_version, to_version, note, status, user_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp())",
        workspace,
        id.0,
        new.prompt.0,
        new.label,
        new.from,
        new.to,
        new.note,
        new.status.as_str(),
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// An asked-for move, held until the commit.
pub(crate) struct AskedMove {
    pub from: Option<i32>,
    pub to: i32,
    pub note: String,
    pub status: MoveStatus,
    pub user: Option<UserId>,
}

/// The prompt that a move is about. Errors: `NotFound`.
pub(crate) async fn prompt_of(tx: &mut ReadTx, id: PromptMoveId) -> Result<PromptId, AppError> {
    let workspace = tx.workspace_uuid();
    let prompt = sqlx::query_scalar!(
        "select prompt_id from prompt_label_moves where workspace_id = $1 and id = $2",
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(PromptId(prompt))
}

/// An asked-for move of a prompt whose lock the caller holds. Errors: `NotFound`, also for a move of another label.
pub(crate) async fn asked(tx: &mut ReadTx, id: PromptMoveId) -> Result<AskedMove, AppError> {
    let workspace = tx.workspace_uuid();
    let row = sqlx::query!(
        r#"select from_version, to_version as "to!", note, status as "status: MoveStatus", user_id from prompt_label_moves
           where workspace_id = $1 and id = $2 and label = 'production' and to_version is not null"#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(AskedMove {
        from: row.from_version,
        to: row.to,
        note: row.note,
        status: row.status,
        user: row.user_id.map(UserId),
    })
}

/// Answers a move that waits.
pub(crate) async fn decide(
    tx: &mut WriteTx,
    id: PromptMoveId,
    status: MoveStatus,
    answer: &str,
) -> Result<(), AppError> {
    let (workspace, user) = (tx.workspace_uuid(), tx.user_id().map(|user| user.0));
    sqlx::query!(
        "update prompt_label_moves set status = $3, answer = $4, decided_by = $5, decided_at = clock_timestamp()
         where workspace_id = $1 and id = $2 and status = 'waiting'",
        workspace,
        id.0,
        status.as_str(),
        answer,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The move of a prompt that waits for a second person.
pub(crate) async fn waiting(tx: &mut ReadTx, id: PromptId) -> Result<Option<WaitingMove>, AppError> {
    let (now, zone, workspace) = (tx.now().await?, tx.scope().zone(), tx.workspace_uuid());
    let viewer = tx.scope().user_id();
    let row = sqlx::query!(
        r#"select m.id, m.from_version, m.to_version as "to!", m.note, m.created_at, m.user_id, u.name as "by?"
           from prompt_label_moves m left join users u on u.id = m.user_id
           where m.workspace_id = $1 and m.prompt_id = $2 and m.status = 'waiting'"#,
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| WaitingMove {
        id: PromptMoveId(row.id),
        from: row.from_version,
        to: row.to,
        note: row.note,
        asked_by: row.by.unwrap_or_else(|| "Patchbay".to_owned()),
        asked: stamp(row.created_at, now, zone),
        is_own: row.user_id.is_some() && row.user_id == viewer.map(|user| user.0),
    }))
}

/// Labels that a prompt has or had, for the filter.
pub(crate) async fn labels_moved(tx: &mut ReadTx, id: PromptId) -> Result<Vec<String>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "select distinct label from prompt_label_moves where workspace_id = $1 and prompt_id = $2 order by label limit 100",
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Names of people of the agency.
async fn names(tx: &mut ReadTx, ids: &[Uuid]) -> Result<BTreeMap<Uuid, String>, AppError> {
    let rows = sqlx::query!("select id, name from users where id = any($1)", ids).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Whoever made or asked for a move, and whoever answered it.
type People = (Option<Uuid>, Option<Uuid>);

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! moves_in {
    ($after:tt, $way:tt, $tx:expr, $prompt:expr, $label:expr, $status:expr, $at:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select m.id, m.label, m.from_version, m.to_version, m.note, m.status as "status: MoveStatus", m.user_id, m.decided_by,
                      m.answer, m.created_at
               from prompt_label_moves m
               where m.workspace_id = $1 and m.prompt_id = $2
                 and ($3::text is null or m.label = $3) and ($4::text is null or m.status = $4)
                 and ($5::timestamptz is null or (m.created_at, m.id) "# + $after + r#" ($5, $6::uuid))
               order by m.created_at "# + $way + r#", m.id "# + $way + r#" limit $7"#,
            $tx.workspace_uuid(), $prompt.0, $label, $status, $at, $id, $limit
        )
    };
}

/// Moves of a prompt's labels. `limit` rows on a page.
pub(crate) async fn moves(
    tx: &mut ReadTx,
    prompt: PromptId,
    query: &MoveQuery,
    limit: usize,
) -> Result<Page<MoveRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place: Option<(DateTime<Utc>, Uuid)> = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let (at, id) = (place.map(|(at, _)| at), place.map(|(_, id)| id));
    let (label, status) = (filled(query.label.as_deref()), filled(query.status.as_deref()));
    let most = limit as i64 + 1;
    // The two statements' rows are of two types, so each is turned into the page's row at once.
    macro_rules! row {
        ($row:expr) => {{
            let row = $row;
            let people = (row.user_id, row.decided_by);
            let move_row = MoveRow {
                id: PromptMoveId(row.id),
                label: row.label,
                from: row.from_version,
                to: row.to_version,
                note: row.note,
                status: row.status,
                by: None,
                decided_by: None,
                answer: row.answer,
                at: stamp(row.created_at, now, zone),
            };
            (move_row, time_key(row.created_at, row.id), people)
        }};
    }
    let oldest_first = query.sort.as_deref() == Some("at");
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let mut rows: Vec<(MoveRow, String, People)> = if oldest_first == backwards {
        let found = moves_in!("<", "desc", tx, prompt, label, status, at, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    } else {
        let found = moves_in!(">", "asc", tx, prompt, label, status, at, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    };
    let people: Vec<Uuid> = rows.iter().flat_map(|(_, _, (by, decided))| [*by, *decided]).flatten().collect();
    let people = names(tx, &people).await?;
    for (row, _, (by, decided)) in &mut rows {
        row.by = by.and_then(|id| people.get(&id).cloned());
        row.decided_by = decided.and_then(|id| people.get(&id).cloned());
    }
    let page = Page::cut(rows, limit, cursor.as_ref().filter(|_| place.is_some()), |(_, key, _)| key.clone());
    Ok(page.map(|(row, _, _)| row))
}

/// The version labelled `production`.
pub(crate) async fn production(tx: &mut ReadTx, id: PromptId) -> Result<Option<i32>, AppError> {
    labelled(tx, id, PRODUCTION).await
}
