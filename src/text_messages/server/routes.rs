use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::door::{self, Answer, Delivery};
use super::store::{list, rules};
use crate::model::{RuleQuery, Switched, TextQuery, TextRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// The largest body that is read, in bytes.
const MOST: usize = 64 * 1024;

/// Messages and rules as files. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/messages/export.csv", get(export_texts))
        .route("/messages/rules/export.csv", get(export_rules))
}

/// `POST /hooks/texts/{carrier}/{workspace}/{integration}`. Outside the session: a signature speaks for the sender.
pub fn hooks() -> Router<Db> {
    Router::new().route("/hooks/texts/{carrier}/{workspace}/{integration}", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((carrier, workspace, integration)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // An announced size is refused before a byte is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let Ok(body) = to_bytes(body, MOST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let delivery = Delivery { carrier, workspace, integration, query, headers, body: body.to_vec() };
    // In a task of its own: a sender who hangs up now stops nothing half-way.
    let answer = tokio::spawn(door::take(db, delivery)).await.unwrap_or(Answer::TryLater);
    match answer {
        // What comes in may be answered with XML; nothing is said.
        Answer::Taken => ([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response(),
        Answer::Rejected => StatusCode::UNAUTHORIZED.into_response(),
        Answer::TryLater => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response(),
    }
}

async fn export_texts(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<TextQuery>,
) -> Result<Response, AppError> {
    let head = vec![
        "at (UTC)",
        "direction",
        "by",
        "state",
        "problem",
        "client",
        "contact",
        "contact number",
        "our number",
        "message",
        "parts",
        "cost (USD)",
        "rule",
        "call",
        "keyword",
        "done (UTC)",
    ];
    csv_file(visitor.scope()?, Action::ReadContacts, "messages.csv", head, move |mut tx, cursor| {
        let query = TextQuery { cursor, ..query.clone() };
        async move { Ok(list::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: TextRow) -> Vec<String> {
    vec![
        row.at.utc,
        row.direction.as_str().to_owned(),
        row.source.as_str().to_owned(),
        row.state.as_str().to_owned(),
        row.problem.unwrap_or_default(),
        row.client,
        row.contact.map(|(_, name)| name).unwrap_or_default(),
        row.other,
        row.number.unwrap_or_default(),
        row.body,
        row.parts.map(|parts| parts.to_string()).unwrap_or_default(),
        row.cost.map(|cost| cost.column()).unwrap_or_default(),
        row.rule.map(|(_, name)| name).unwrap_or_default(),
        row.call.map(|id| id.to_string()).unwrap_or_default(),
        row.keyword.unwrap_or_default(),
        row.done.map(|at| at.utc).unwrap_or_default(),
    ]
}

async fn export_rules(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<RuleQuery>,
) -> Result<Response, AppError> {
    let head = vec![
        "rule",
        "client",
        "state",
        "after",
        "message",
        "number",
        "delay (minutes)",
        "from",
        "to",
        "last message (UTC)",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "text-rules.csv", head, move |mut tx, cursor| {
        let query = RuleQuery { cursor, ..query.clone() };
        async move {
            Ok(rules::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(|row| {
                let outcomes: Vec<&str> = row.outcomes.iter().map(|outcome| outcome.as_str()).collect();
                vec![
                    row.name,
                    row.client,
                    Switched::of(row.enabled).as_str().to_owned(),
                    outcomes.join(" "),
                    row.template,
                    row.number.unwrap_or_default(),
                    row.delay_minutes.to_string(),
                    row.hours.0,
                    row.hours.1,
                    row.last.map(|at| at.utc).unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}
