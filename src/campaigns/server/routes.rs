use axum::body::Body;
use axum::extract::{Extension, Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use super::store::{self, members};
use crate::{Bounded, CampaignQuery, CampaignRow, Disposition};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Scope, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::csv_cell;
use patchbay_shared::ids::CampaignId;

/// Rows read at a time, each time in a short transaction of its own.
const ROWS: i64 = 2_000;

/// Downloads. They need a signed-in visitor.
pub fn routes() -> axum::Router<Db> {
    axum::Router::new().route("/campaigns.csv", get(export)).route("/campaigns/{id}/contacts.csv", get(contacts))
}

/// The list with the filters of its address. The client's name is for agency people, as in the list.
async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<CampaignQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let in_agency = scope.client_id().is_none();
    let mut head = vec!["name", "state"];
    head.extend(in_agency.then_some("client"));
    head.extend(["for", "agent", "from", "contacts", "waiting", "created (UTC)"]);
    csv_file(scope, Action::ReadCampaigns, "campaigns.csv", head, move |mut tx, cursor| {
        let query = CampaignQuery { cursor, ..query.clone() };
        async move {
            let page = store::list(&mut tx, &query, ROWS_AT_ONCE).await?;
            Ok(page.map(|row| cells(row, in_agency)))
        }
    })
    .await
}

fn cells(row: CampaignRow, in_agency: bool) -> Vec<String> {
    let count = |count: Bounded| format!("{}{}", count.count, if count.more { "+" } else { "" });
    let mut cells = vec![row.name, row.status.label().to_owned()];
    cells.extend(in_agency.then_some(row.client_name));
    cells.extend([
        row.kind.label().to_owned(),
        row.agent_name.unwrap_or_default(),
        row.from_number.unwrap_or_default(),
        count(row.contacts),
        count(row.waiting),
        row.created.utc,
    ]);
    cells
}

/// A campaign's contacts with how they stand.
async fn contacts(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let (scope, id): (Scope, CampaignId) = (visitor.scope()?, id.parse()?);
    let mut tx = scope.read(Action::ReadCampaigns).await?;
    store::get(&mut tx, id).await?;
    drop(tx);
    let (out, body) = channel(4);
    tokio::spawn(async move {
        if let Err(error) = send(&scope, id, &out).await {
            tracing::warn!(cause = %error, "an export broke off");
            let _ = out.send(Err(std::io::Error::other("the export broke off"))).await;
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"campaign-{}.csv\"", id.0.simple())),
    ];
    Ok((headers, Body::from_stream(ReceiverStream::new(body))).into_response())
}

async fn send(scope: &Scope, id: CampaignId, out: &Sender<Result<String, std::io::Error>>) -> Result<(), AppError> {
    let head =
        csv_cell::line(["name", "phone", "company", "email", "state", "result", "last outcome", "calls", "last error"]);
    let _ = out.send(Ok(format!("\u{feff}{head}"))).await;
    let mut after = uuid::Uuid::nil();
    loop {
        let mut tx = scope.read(Action::ReadCampaigns).await?;
        let rows = members::export(&mut tx, id, after, ROWS).await?;
        drop(tx);
        let text: String = rows
            .iter()
            .map(|row| {
                let calls = row.attempts.to_string();
                csv_cell::line([
                    row.name.as_str(),
                    &row.phone,
                    row.company.as_deref().unwrap_or_default(),
                    row.email.as_deref().unwrap_or_default(),
                    row.status.label(),
                    row.result.map_or("", |result| result.label()),
                    row.outcome.map_or("", |outcome| Disposition::of(outcome, row.reached).label()),
                    &calls,
                    row.last_error.as_deref().unwrap_or_default(),
                ])
            })
            .collect();
        let is_last = (rows.len() as i64) < ROWS;
        after = rows.last().map_or(after, |row| row.id.0);
        if out.send(Ok(text)).await.is_err() || is_last {
            return Ok(());
        }
    }
}
