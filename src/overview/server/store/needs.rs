//! What needs a person, read from the tables of the crates that it is about.

use crate::model::{Need, NeedList};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, money};

/// How many of one kind the dashboard names. The others are in that kind's own list.
pub(super) const NAMED: usize = 100;

/// Failed work is counted up to here.
const COUNTED: i64 = 1000;

/// A count that stops there, with its noun.
fn bounded(count: i64, one: &str, many: &str) -> String {
    if count > COUNTED {
        return format!("More than {}", money::counted(COUNTED, one, many));
    }
    money::counted(count, one, many)
}

/// Whether there are more than are named; those too many are taken away.
pub(super) fn are_more<T>(rows: &mut Vec<T>) -> bool {
    let are_more = rows.len() > NAMED;
    rows.truncate(NAMED);
    are_more
}

/// What a person must look at, the worst first; and the lists that hold those that are left out.
pub(crate) async fn needs(tx: &mut ReadTx, client: Option<ClientId>) -> Result<(Vec<Need>, Vec<NeedList>), AppError> {
    let (mut needs, mut lists) = (Vec::new(), Vec::new());
    let of_client = client.map(|client| format!("client={client}"));
    let mut list = |text: &str, path: &str, query: &str| {
        let query: Vec<&str> =
            [query].into_iter().filter(|part| !part.is_empty()).chain(of_client.as_deref()).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        lists.push(NeedList { text: text.into(), href: format!("{path}{mark}{}", query.join("&")) });
    };
    let need = |icon: &str, tone: &str, title: String, note: String, action: &str, href: String| Need {
        icon: icon.into(),
        tone: tone.into(),
        title,
        note,
        action: action.into(),
        href,
    };
    let w = tx.workspace_uuid();
    let connections = sqlx::query!(
        "select id, provider, name, last_error from provider_connections where workspace_id = $1 and status = 'error'",
        w
    )
    .fetch_all(tx.conn())
    .await?;
    for row in connections {
        let service = patchbay_providers::error::display_name(&row.provider).to_owned();
        let name = if row.name.is_empty() { service } else { row.name };
        // Of models there may be several accounts, each with a page of its own.
        let page =
            if matches!(row.provider.as_str(), "ultravox" | "telnyx") { row.provider } else { row.id.to_string() };
        let title = format!("The connection to {name} is failing");
        needs.push(need(
            "plug",
            "bad",
            title,
            row.last_error.unwrap_or_default(),
            "Reconnect",
            format!("/connections/{page}"),
        ));
    }
    if tx.scope().may(Action::ManageWebhooks) {
        let off = sqlx::query!(
            "select id, name, off_reason from webhook_endpoints
             where workspace_id = $1 and status = 'error' and removed_at is null and ($2::uuid is null or client_id = $2) order by off_at desc",
            w,
            client.map(|client| client.0)
        )
        .fetch_all(tx.conn())
        .await?;
        for row in off {
            let (title, why) =
                (format!("Webhooks to “{}” are switched off", row.name), row.off_reason.unwrap_or_default());
            needs.push(need("plug", "bad", title, why, "Open", format!("/settings/webhooks/{}", row.id)));
        }
    }
    if tx.scope().may(Action::ManageIntegrations) {
        let mut broken = sqlx::query!(
            r#"select i.id, i.name, i.problem, i.status = 'error' as "is_broken!",
                      (select count(*) from integration_pending p
                       where p.workspace_id = $1 and p.integration_id = i.id and p.given_up_at is not null) as "failed!"
               from integrations i
               where i.workspace_id = $1 and i.removed_at is null and ($2::uuid is null or i.client_id = $2)
                 and (i.status = 'error' or exists (
                   select from integration_pending p
                   where p.workspace_id = $1 and p.integration_id = i.id and p.given_up_at is not null))
               order by i.problem_at desc nulls last, i.id limit 101"#,
            w,
            client.map(|client| client.0)
        )
        .fetch_all(tx.conn())
        .await?;
        if are_more(&mut broken) {
            list("Integrations that fail", "/integrations", "state=needs");
        }
        for row in broken {
            let page = format!("/integrations/{}", row.id);
            if row.is_broken {
                let (title, why) = (format!("{} does not work", row.name), row.problem.unwrap_or_default());
                needs.push(need("plug", "bad", title, why, "Mend", page.clone()));
            }
            if row.failed > 0 {
                let records = money::counted(row.failed, "record", "records");
                let title = format!("{}: {records} failed", row.name);
                let why = "They are not tried any more by themselves. All others go on.".to_owned();
                needs.push(need("plug", "warn", title, why, "Look", format!("{page}/failed")));
            }
        }
    }
    let (work, of_work) = super::execution::needs(tx, client).await?;
    needs.extend(work);
    let mut batches = sqlx::query!(
        "select id, name, coalesce(error, pause_reason) as reason, status::text as status from call_batches
         where workspace_id = $1 and ($2::uuid is null or client_id = $2)
           and ((status = 'paused' and pause_reason is not null) or (status = 'failed' and completed_at > now() - interval '7 days'))
         order by id desc limit 101",
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    if are_more(&mut batches) {
        list("All paused batches", "/batches", "status=paused");
        list("All failed batches", "/batches", "status=failed");
    }
    for row in batches {
        let verb = if row.status.as_deref() == Some("failed") { "failed" } else { "is paused" };
        let title = format!("Batch “{}” {verb}", row.name);
        needs.push(need(
            "triangle-alert",
            "bad",
            title,
            row.reason.unwrap_or_default(),
            "Open",
            format!("/batches/{}", row.id),
        ));
    }
    let mut escalated = sqlx::query!(
        r#"select c.id, coalesce(nullif(c.contact_name, ''), c."to", '') as "who!", a.result ->> 'escalation_reason' as reason
           from call_analyses a join calls c on c.workspace_id = $1 and c.id = a.call_id
           where a.workspace_id = $1 and a.result ->> 'escalation' = 'true' and a.created_at > now() - interval '7 days'
             and c.reviewed_at is null and ($2::uuid is null or c.client_id = $2)
           order by a.created_at desc limit 101"#,
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    if are_more(&mut escalated) {
        list("All calls that need a person", "/calls", "view=person");
    }
    for row in escalated {
        let title = format!("{} needs a person", row.who);
        let note = row.reason.unwrap_or_else(|| "The agent could not resolve it on the call.".into());
        needs.push(need("headphones", "warn", title, note, "Review", format!("/calls/{}", row.id)));
    }
    let mut missed = patchbay_calls::server::missed::waiting(tx, client, NAMED as i64 + 1).await?;
    if are_more(&mut missed) {
        list("All missed calls", "/calls", "view=missed");
    }
    for call in missed {
        let title = format!("Missed call from {}", call.who);
        needs.push(need("phone-off", "warn", title, call.why, "Open", format!("/calls/{}", call.id)));
    }
    let mut agents = sqlx::query!(
        r#"select distinct a.id, a.name, m.sync_error as "error!" from agent_mappings m
           join agents a on a.workspace_id = $1 and a.id = m.agent_id
           where m.workspace_id = $1 and m.sync_error is not null and a.is_active and ($2::uuid is null or m.client_id = $2) limit 101"#,
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    if are_more(&mut agents) {
        list("All agents", "/agents", "");
    }
    for row in agents {
        let title = format!("“{}” could not be updated at the voice provider", row.name);
        needs.push(need("bot", "warn", title, row.error, "Review", format!("/agents/{}", row.id)));
    }
    let failed = sqlx::query!(
        r#"select (select count(*) from (select 1 from webhook_queue where workspace_id = $1 and status = 'failed' limit $2) q) as "webhooks!",
                  (select count(*) from (select 1 from enrichment_queue where workspace_id = $1 and status = 'failed' limit $2) q) as "enrichments!",
                  (select count(*) from (select 1 from jobs where workspace_id = $1 and status = 'failed' limit $2) q) as "jobs!""#,
        w,
        COUNTED + 1
    )
    .fetch_one(tx.conn())
    .await?;
    let stuck = [
        (
            failed.webhooks,
            "webhook",
            ("incoming webhook", "incoming webhooks"),
            "webhooks",
            "They are stored and can be worked through again.",
        ),
        (
            failed.enrichments,
            "file-text",
            ("transcript or analysis", "transcripts or analyses"),
            "words",
            "They can be tried again, one by one or all at once.",
        ),
        (
            failed.jobs,
            "workflow",
            ("background job", "background jobs"),
            "",
            "The list says why. They can be tried again.",
        ),
    ];
    for (count, icon, (one, many), queue, note) in stuck {
        if count > 0 {
            let title = format!("{} failed", bounded(count, one, many));
            let queue = if queue.is_empty() { String::new() } else { format!("queue={queue}&") };
            needs.push(need(icon, "warn", title, note.to_owned(), "Review", format!("/queues?{queue}status=failed")));
        }
    }
    let mut unkept = sqlx::query!(
        r#"select b.id, coalesce(nullif(p.name, ''), p.phone, nullif(c.contact_name, ''), c."from", '') as "who!", b.why
           from call_backs b
           left join contacts p on p.workspace_id = $1 and p.id = b.contact_id
           left join calls c on c.workspace_id = $1 and c.id = b.call_id
           where b.workspace_id = $1 and b.status = 'needs_person' and ($2::uuid is null or b.client_id = $2)
           order by b.id desc limit 101"#,
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    if are_more(&mut unkept) {
        list("All call-backs that need a person", "/call-backs", "status=needs_person");
    }
    for row in unkept {
        let title = format!("{} waits to be called back", row.who);
        needs.push(need(
            "phone-forwarded",
            "warn",
            title,
            row.why.unwrap_or_default(),
            "Open",
            format!("/call-backs/{}", row.id),
        ));
    }
    let mut imports = sqlx::query!(
        "select id, file_name, error from contact_imports where workspace_id = $1 and status = 'failed'
           and ($2::uuid is null or client_id = $2) and updated_at > now() - interval '7 days' order by id desc limit 101",
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    if are_more(&mut imports) {
        list("All imports", "/contacts/imports", "");
    }
    for row in imports {
        let title = format!("The import of “{}” failed", row.file_name);
        needs.push(need(
            "file-spreadsheet",
            "warn",
            title,
            row.error.unwrap_or_default(),
            "Open",
            format!("/contacts/imports/{}", row.id),
        ));
    }
    lists.extend(of_work);
    Ok((needs, lists))
}
