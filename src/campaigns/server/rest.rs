use axum::body::Body;
use axum::extract::{Extension, Path};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use super::store::{self, members};
use crate::access::Action;
use crate::access::server::{Db, Scope, Visitor};
use crate::shared::AppError;
use crate::shared::csv_cell;
use crate::shared::ids::CampaignId;

/// Rows read at a time, each time in a short transaction of its own.
const ROWS: i64 = 2_000;

/// Downloads. They need a signed-in visitor.
pub fn routes() -> axum::Router<Db> {
    axum::Router::new().route("/campaigns/{id}/contacts.csv", get(contacts))
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
    let head = csv_cell::line(["name", "phone", "company", "email", "state", "last outcome", "calls", "last error"]);
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
                    row.outcome.map_or("", |outcome| outcome.label()),
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
