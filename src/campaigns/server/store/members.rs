use chrono::Utc;
use uuid::Uuid;

use crate::{
    Bounded, CampaignCounts, ContactOutcome, ContactResult, ContactStatus, Disposition, MemberQuery, MemberRow,
};
use patchbay_access::Field;
use patchbay_access::server::ReadTx;
use patchbay_access::withheld::CALL_TROUBLE;
use patchbay_calls::model::{CallBackNote, CallBackStatus};
use patchbay_calls::server::outcomes::shown_why;
use patchbay_shared::ids::{CallBackId, CallId, CampaignContactId, CampaignId, ClientId, ContactId, ImportId};
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on one page of a list.
const PAGE: usize = 50;
/// How many contacts of a campaign are counted at most.
const COUNT_BOUND: i64 = 100_000;

/// Contacts by state and outcome, over at most 100,000 of them.
pub(crate) async fn counts(tx: &mut ReadTx, campaign: CampaignId) -> Result<CampaignCounts, AppError> {
    let rows = sqlx::query!(
        r#"select status as "status: ContactStatus", outcome as "outcome?: ContactOutcome", reached, result as "result: ContactResult",
                  count(*) as "count!" from (
             select status, outcome, reached, result from campaign_contacts
             where workspace_id = $1 and campaign_id = $2 limit $3::bigint + 1) counted
           group by status, outcome, reached, result"#,
        tx.workspace_uuid(),
        campaign.0,
        COUNT_BOUND
    )
    .fetch_all(tx.conn())
    .await?;
    let mut counts = CampaignCounts {
        total: Bounded::at(rows.iter().map(|row| row.count).sum(), COUNT_BOUND),
        ..Default::default()
    };
    for status in ContactStatus::ALL {
        let count = rows.iter().filter(|row| row.status == *status).map(|row| row.count).sum();
        counts.by_status.push((*status, count));
    }
    for result in ContactResult::ALL {
        let count = rows.iter().filter(|row| row.result == Some(*result)).map(|row| row.count).sum();
        counts.by_result.push((*result, count));
    }
    for disposition in Disposition::ALL {
        let is_this = |outcome: Option<ContactOutcome>, reached| {
            outcome.map(|outcome| Disposition::of(outcome, reached)) == Some(*disposition)
        };
        let count = rows.iter().filter(|row| is_this(row.outcome, row.reached)).map(|row| row.count).sum();
        counts.by_outcome.push((*disposition, count));
    }
    Ok(counts)
}

/// What a list of members is narrowed to. A word or id that there is not matches nothing.
struct Narrowed {
    status: Option<String>,
    result: Option<String>,
    is_done: bool,
    outcome: Option<String>,
    reached: Option<bool>,
    batch: Option<Uuid>,
    tried: bool,
}

impl Narrowed {
    fn of(query: &MemberQuery) -> Self {
        let set = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let disposition = set(&query.outcome).map(|word| word.parse::<Disposition>().map(Disposition::stored));
        let (outcome, reached) = match disposition {
            None => (None, None),
            Some(Ok((outcome, reached))) => (Some(outcome.as_str().to_owned()), reached),
            Some(Err(_)) => (Some(String::new()), None),
        };
        let is_done = query.result.as_deref() == Some("done");
        Self {
            status: set(&query.status),
            result: set(&query.result).filter(|_| !is_done),
            is_done,
            outcome,
            reached,
            batch: set(&query.batch).map(|id| id.parse().unwrap_or_default()),
            tried: query.tried.as_deref() == Some("yes"),
        }
    }
}

/// Contacts of one campaign, in dialling order.
pub async fn list(tx: &mut ReadTx, campaign: CampaignId, query: &MemberQuery) -> Result<Page<MemberRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let key: Option<Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let (after, before) = if backwards { (None, key) } else { (key, None) };
    let only = Narrowed::of(query);
    tx.read_in_order().await?;
    // Two arms, of which one never runs: each reads its own direction of the index.
    let rows = sqlx::query!(
        r#"select m.id as "id!: CampaignContactId", m.contact_id as "contact_id!: ContactId", c.name, c.phone, c.company,
                  c.do_not_call, m.status as "status!: ContactStatus", m.outcome as "outcome?: ContactOutcome",
                  m.reached as "reached!", m.result as "result: ContactResult",
                  m.attempts as "attempts!", m.next_attempt_at, m.last_call_id as "last_call_id?: CallId", m.last_error,
                  b.id as "call_back?: CallBackId", b.status as "call_back_status?: CallBackStatus", b.due_at as "due_at?", b.why as "why?"
           from (
             (select * from campaign_contacts
              where workspace_id = $1 and campaign_id = $2 and $4::uuid is null and ($3::uuid is null or id > $3)
                and ($5::text is null or status::text = $5) and ($6::text is null or outcome::text = $6)
                and ($8::text is null or result = $8) and (not $9::boolean or result is not null)
                and ($10::boolean is null or reached = $10) and ($11::uuid is null or batch_id = $11)
                and (not $12::boolean or attempts > 0)
              order by id asc limit $7)
             union all
             (select * from campaign_contacts
              where workspace_id = $1 and campaign_id = $2 and id < $4
                and ($5::text is null or status::text = $5) and ($6::text is null or outcome::text = $6)
                and ($8::text is null or result = $8) and (not $9::boolean or result is not null)
                and ($10::boolean is null or reached = $10) and ($11::uuid is null or batch_id = $11)
                and (not $12::boolean or attempts > 0)
              order by id desc limit $7)
           ) m
           cross join lateral (
             select name, phone, company, do_not_call from contacts where workspace_id = $1 and id = m.contact_id limit 1) c
           left join lateral (
             select id, status, due_at, why from call_backs
             where workspace_id = $1 and campaign_contact_id = m.id and status in ('scheduled', 'dialling', 'needs_person') limit 1) b on true
           order by m.id"#,
        tx.workspace_uuid(),
        campaign.0,
        after,
        before,
        only.status,
        only.outcome,
        PAGE as i64 + 1,
        only.result,
        only.is_done,
        only.reached,
        only.batch,
        only.tried,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    let (now, zone_of_viewer, sees_error) = (Utc::now(), tx.scope().zone(), tx.scope().sees(Field::CallError));
    let mut rows: Vec<MemberRow> = rows
        .into_iter()
        .map(|row| MemberRow {
            id: row.id,
            contact_id: row.contact_id,
            name: row.name,
            phone: row.phone,
            company: row.company,
            do_not_call: row.do_not_call,
            status: row.status,
            result: row.result,
            outcome: row.outcome,
            reached: row.reached,
            attempts: row.attempts,
            next_attempt: row.next_attempt_at.map(|at| zone::stamp(at, now, zone_of_viewer)),
            call_back: row.call_back.zip(row.call_back_status).map(|(id, status)| CallBackNote {
                id,
                status,
                due: row.due_at.map(|at| zone::moment_text(at, now, zone_of_viewer)),
                why: shown_why(tx.scope(), status, row.why),
            }),
            last_call_id: row.last_call_id,
            last_error: row.last_error.map(|error| if sees_error { error } else { CALL_TROUBLE.to_owned() }),
        })
        .collect();
    if backwards {
        // `cut` wants rows in the direction they were read.
        rows.reverse();
    }
    Ok(Page::cut(rows, PAGE, cursor.as_ref(), |row| row.id.to_string()))
}

/// A contact in a campaign, for the export.
pub(crate) struct ExportRow {
    pub id: CampaignContactId,
    pub name: String,
    pub phone: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub status: ContactStatus,
    pub result: Option<ContactResult>,
    pub outcome: Option<ContactOutcome>,
    pub reached: bool,
    pub attempts: i32,
    pub last_error: Option<String>,
}

/// The next contacts after `after`, in dialling order. The members come first and each is looked up then: left to itself the planner
/// would sort the whole campaign for every piece of the file.
pub(crate) async fn export(
    tx: &mut ReadTx,
    campaign: CampaignId,
    after: Uuid,
    most: i64,
) -> Result<Vec<ExportRow>, AppError> {
    let sees_error = tx.scope().sees(Field::CallError);
    tx.read_in_order().await?;
    let mut rows = sqlx::query_as!(
        ExportRow,
        r#"select m.id as "id: CampaignContactId", c.name, c.phone, c.company, c.email, m.status as "status: ContactStatus",
                  m.result as "result: ContactResult", m.outcome as "outcome?: ContactOutcome", m.reached, m.attempts, m.last_error
           from (
             select * from campaign_contacts where workspace_id = $1 and campaign_id = $2 and id > $3 order by id limit $4) m
           cross join lateral (
             select name, phone, company, email from contacts where workspace_id = $1 and id = m.contact_id limit 1) c
           order by m.id"#,
        tx.workspace_uuid(),
        campaign.0,
        after,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    if !sees_error {
        rows.iter_mut().filter_map(|row| row.last_error.as_mut()).for_each(|error| *error = CALL_TROUBLE.to_owned());
    }
    Ok(rows)
}

/// The next contacts of the client that may join, by id, after `after`. Nobody on the do-not-call list.
pub(crate) async fn candidates_of_client(
    tx: &mut ReadTx,
    client: ClientId,
    after: ContactId,
    most: i64,
) -> Result<Vec<ContactId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: ContactId" from contacts
           where workspace_id = $1 and client_id = $2 and id > $3 and not do_not_call order by id limit $4"#,
        tx.workspace_uuid(),
        client.0,
        after.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The same, of those that one import brought or updated.
pub(crate) async fn candidates_of_import(
    tx: &mut ReadTx,
    client: ClientId,
    import: ImportId,
    after: ContactId,
    most: i64,
) -> Result<Vec<ContactId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: ContactId" from contacts
           where workspace_id = $1 and client_id = $2 and import_id = $3 and id > $4 and not do_not_call order by id limit $5"#,
        tx.workspace_uuid(),
        client.0,
        import.0,
        after.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The newest contacts of the client that match the words, at most 1,000.
pub(crate) async fn candidates_by_words(
    tx: &mut ReadTx,
    client: ClientId,
    words: &str,
) -> Result<Vec<ContactId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select c.id as "id: ContactId" from (select search_contacts($3, 1000, $2) as id) found
           cross join lateral (
             select id, client_id, do_not_call from contacts where workspace_id = $1 and id = found.id limit 1) c
           where c.client_id = $2 and not c.do_not_call order by c.id"#,
        tx.workspace_uuid(),
        client.0,
        words
    )
    .fetch_all(tx.conn())
    .await?)
}
