//! Files that go out: the list as filtered, the list of imports, an import's rejected rows, the template. Streamed page
//! by page, each page its own short transaction, so that a large export holds nothing open.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use super::import::Records;
use super::store::{self, import_views};
use crate::{ContactQuery, ImportRow, ImportView, Problem};
use patchbay_access::Action;
use patchbay_access::server::{ROWS_AT_ONCE, Scope, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::csv_cell;
use patchbay_shared::ids::{ClientId, ImportId};

/// Rows read at a time.
const ROWS: i64 = 2_000;

type Out = Sender<Result<String, std::io::Error>>;

/// The contacts of a list, all of it, each variable a column of its own.
pub(crate) async fn contacts(scope: Scope, query: ContactQuery) -> Result<Response, AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let names = store::attribute_names(&mut tx, query.client.as_deref().and_then(|id| id.parse().ok())).await?;
    drop(tx);
    let fixed = [
        "name",
        "phone",
        "email",
        "company",
        "time zone",
        "do not call",
        "do not call reason",
        "client",
        "added (UTC)",
    ];
    let head = csv_cell::line(fixed.into_iter().map(str::to_owned).chain(names.iter().cloned()));
    let (out, body) = channel(4);
    tokio::spawn(async move {
        let _ = out.send(Ok(format!("\u{feff}{head}"))).await;
        let sent = send_contacts(&scope, &query, &names, &out).await;
        break_off(sent, &out).await;
    });
    Ok(csv("contacts.csv", Body::from_stream(ReceiverStream::new(body))))
}

async fn send_contacts(scope: &Scope, query: &ContactQuery, names: &[String], out: &Out) -> Result<(), AppError> {
    let mut older = None;
    loop {
        let mut tx = scope.read(Action::ReadContacts).await?;
        let found = store::find(&mut tx, query, older, None, ROWS).await?;
        drop(tx);
        let mut text = String::new();
        for row in &found {
            let added = row.created_at.format("%Y-%m-%d %H:%M:%S").to_string();
            let fixed = [
                row.name.as_str(),
                &row.phone,
                row.email.as_deref().unwrap_or_default(),
                row.company.as_deref().unwrap_or_default(),
                row.timezone.as_deref().unwrap_or_default(),
                if row.do_not_call { "yes" } else { "" },
                row.do_not_call_reason.as_deref().unwrap_or_default(),
                &row.client_name,
                &added,
            ];
            let own = names.iter().map(|name| row.attributes.0.get(name).map_or("", String::as_str));
            text += &csv_cell::line(fixed.into_iter().chain(own));
        }
        let is_last = (found.len() as i64) < ROWS;
        older = found.last().map(|row| row.id.0);
        if out.send(Ok(text)).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// The list of imports. The client's name is for agency people, as in the list.
pub async fn imports(scope: Scope, client: Option<ClientId>) -> Result<Response, AppError> {
    let in_agency = scope.client_id().is_none();
    let mut head = vec!["file"];
    head.extend(in_agency.then_some("client"));
    head.extend(["state", "new", "updated", "rejected", "by", "uploaded (UTC)"]);
    csv_file(scope, Action::ReadContacts, "imports.csv", head, move |mut tx, cursor| async move {
        let page = import_views::list(&mut tx, client, cursor.as_deref(), ROWS_AT_ONCE).await?;
        Ok(page.map(|row| import_cells(row, in_agency)))
    })
    .await
}

fn import_cells(row: ImportRow, in_agency: bool) -> Vec<String> {
    let mut cells = vec![row.file_name];
    cells.extend(in_agency.then_some(row.client_name));
    cells.extend([
        row.status.label().to_owned(),
        row.imported.to_string(),
        row.updated.to_string(),
        row.rejected.to_string(),
        row.started_by.unwrap_or_default(),
        row.created.utc,
    ]);
    cells
}

/// An import's rejected rows as they came, with line and reason in front, ready to be mended and imported again.
pub(crate) async fn rejected(scope: Scope, id: ImportId) -> Result<Response, AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let import = import_views::view(&mut tx, id).await?;
    let delimiter = store::imports::work(&mut tx, id).await?.delimiter.bytes().next().unwrap_or(b',');
    drop(tx);
    let name = format!("rejected-{}.csv", id.0.simple());
    let (out, body) = channel(4);
    tokio::spawn(async move {
        let header = import.preview.header(import.mapping.named);
        let head = csv_cell::line(["Line", "Rejected because"].into_iter().map(str::to_owned).chain(header));
        let _ = out.send(Ok(format!("\u{feff}{head}"))).await;
        let sent = send_rejected(&scope, &import, delimiter, &out).await;
        break_off(sent, &out).await;
    });
    Ok(csv(&name, Body::from_stream(ReceiverStream::new(body))))
}

async fn send_rejected(scope: &Scope, import: &ImportView, delimiter: u8, out: &Out) -> Result<(), AppError> {
    let mut after = 0;
    loop {
        let mut tx = scope.read(Action::ReadContacts).await?;
        let problems = import_views::problems(&mut tx, import.id, after, ROWS).await?;
        drop(tx);
        let text: String = problems.iter().map(|problem| rejected_line(problem, delimiter)).collect();
        let is_last = (problems.len() as i64) < ROWS;
        after = problems.last().map_or(after, |problem| problem.line);
        if out.send(Ok(text)).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// The row is cut as the import cut it. Cells that hold our own apostrophe lose it first, so that it does not double.
fn rejected_line(problem: &Problem, delimiter: u8) -> String {
    let mut cells = vec![problem.line.to_string(), problem.reason.clone()];
    let mut records = Records::new(problem.raw.as_bytes(), delimiter);
    if let Ok(Some(record)) = records.read() {
        cells.extend(record.cells.iter().map(|cell| csv_cell::plain(cell).to_owned()));
    }
    csv_cell::line(cells)
}

/// A file to start from.
pub(crate) fn template() -> Response {
    let head = ["name", "phone", "email", "company", "time zone", "do not call", "contract type"];
    let rows = [
        ["Ada Lovelace", "+41 44 668 18 00", "ada@example.com", "Example Ltd", "Europe/Zurich", "", "gold"],
        ["Rosa Diaz", "+1 312 555 0111", "", "", "America/Chicago", "", "basic"],
        ["Jon Doe", "+44 20 7946 0018", "", "", "", "yes", ""],
    ];
    let rows = rows.map(|row| row.map(str::to_owned).to_vec());
    csv("contacts-template.csv", Body::from(csv_cell::file(&head, rows)))
}

/// A stream that breaks ends as an error in the browser, not as a file that looks whole.
async fn break_off(sent: Result<(), AppError>, out: &Out) {
    if let Err(error) = sent {
        tracing::warn!(cause = %error, "an export broke off");
        let _ = out.send(Err(std::io::Error::other("the export broke off"))).await;
    }
}

fn csv(name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, body).into_response()
}
