use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use super::Request;
use crate::model::{By, ClientTexts, ModelUsage, Numbers, PeriodAsked, Usage};
use patchbay_access::server::{Db, Visitor};
use patchbay_metering::model::{Sums, TextSums};
use patchbay_shared::{AppError, csv_cell};

/// `GET /usage.csv`: the days of the page, or its weeks or months with `by`, one a row; with `part=agents` the clients and agents, with `part=models` the models, with
/// `part=numbers` the phone numbers by month, with `part=texts` the text messages by client.
pub fn routes() -> Router<Db> {
    Router::new().route("/usage.csv", get(export))
}

#[derive(Deserialize)]
struct Asked {
    client: Option<String>,
    part: Option<Part>,
    by: Option<String>,
    period: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Agents,
    Models,
    Numbers,
    Texts,
}

async fn export(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let period = PeriodAsked { period: asked.period, from: asked.from, to: asked.to };
    let request = Request {
        client: asked.client.as_deref(),
        asked: &period,
        by: asked.by.as_deref(),
        sort: None,
        is_strict: true,
        most_clients: usize::MAX,
    };
    let usage = super::usage(&visitor.scope()?, request).await?;
    let only_agency = if usage.is_agency { Ok(()) } else { Err(AppError::NotFound) };
    let (name, file) = match asked.part {
        None => ("usage", days(&usage)),
        Some(Part::Agents) => ("usage-by-agent", only_agency.map(|()| agents(&usage))?),
        Some(Part::Models) => ("usage-by-model", only_agency.map(|()| models(&usage.models))?),
        Some(Part::Texts) => ("text-messages-by-client", only_agency.map(|()| texts(&usage.texts.clients))?),
        Some(Part::Numbers) => ("numbers-by-month", numbers(&usage.numbers.ok_or(AppError::NotFound)?)),
    };
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let head =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((head, file).into_response())
}

/// The columns of what is summed up.
const SUMS: [&str; 14] = [
    "calls",
    "ended",
    "answered",
    "goals reached",
    "seconds of talk",
    "characters spoken",
    "tokens",
    "voice (USD)",
    "carrier (USD)",
    "models (USD)",
    "spend (USD)",
    "calls not priced yet",
    "answers of models not priced yet",
    "failed",
];

/// The columns of what text messages come to, which are in no other column.
const TEXTS: [&str; 4] =
    ["text messages", "parts of text messages", "text messages (USD)", "text messages not priced yet"];

fn text_sums(sums: TextSums) -> Vec<String> {
    let TextSums { messages, parts, cost, unpriced } = sums;
    vec![messages.to_string(), parts.to_string(), cost.0.to_string(), unpriced.to_string()]
}

fn texts(clients: &[ClientTexts]) -> String {
    let rows = clients.iter().map(|row| [vec![row.name.clone()], text_sums(row.sums)].concat());
    csv_cell::file(&[&["client"][..], &TEXTS].concat(), rows)
}

fn sums(sums: &Sums) -> Vec<String> {
    vec![
        sums.calls.to_string(),
        sums.ended.to_string(),
        sums.answered.to_string(),
        sums.goals.to_string(),
        sums.seconds.to_string(),
        sums.characters.to_string(),
        sums.tokens.to_string(),
        sums.voice.0.to_string(),
        sums.carrier.0.to_string(),
        sums.model.0.to_string(),
        sums.spend().0.to_string(),
        sums.unpriced.to_string(),
        sums.unpriced_answers.to_string(),
        sums.failed.to_string(),
    ]
}

fn days(usage: &Usage) -> String {
    let by = usage.by;
    // Of weeks and months, which days they are: those at the ends may be short.
    let head: &[&str] = if by == By::Day { &["day"] } else { &[by.as_str(), "from", "to"] };
    let rows = usage.days.iter().map(|row| {
        let mut cells = vec![by.code(row.day)];
        if by != By::Day {
            cells.extend([row.day.to_string(), row.last.to_string()]);
        }
        [cells, sums(&row.sums), text_sums(usage.texts.on(row.day))].concat()
    });
    csv_cell::file(&[head, &SUMS, &TEXTS].concat(), rows)
}

fn agents(usage: &Usage) -> String {
    let rows = usage.clients.iter().flat_map(|client| {
        client
            .agents
            .iter()
            .filter(|agent| !agent.all.sums.is_nothing())
            .map(|agent| [vec![client.name.clone(), agent.name.clone()], sums(&agent.all.sums)].concat())
    });
    csv_cell::file(&[&["client", "agent"][..], &SUMS].concat(), rows)
}

/// What the answers cost is empty where no price was told for any of them.
fn models(models: &[ModelUsage]) -> String {
    let rows = models.iter().map(|row| {
        vec![
            row.model.clone(),
            row.purpose.clone(),
            row.answers.to_string(),
            row.prompt_tokens.to_string(),
            row.completion_tokens.to_string(),
            row.cost.map(|cost| cost.0.to_string()).unwrap_or_default(),
            row.unpriced.to_string(),
        ]
    });
    let columns =
        ["model", "for", "requests", "input tokens", "output tokens", "spend (USD)", "answers not priced yet"];
    csv_cell::file(&columns, rows)
}

/// A row for each number and month in which it was held. What it costs is empty while that is not known.
fn numbers(numbers: &Numbers) -> String {
    let rows = numbers.rows.iter().flat_map(|row| {
        numbers.months.iter().zip(&row.months).filter_map(|(month, rent)| {
            let rent = (*rent)?;
            let rent = if row.is_priced { rent.0.to_string() } else { String::new() };
            Some(vec![month.clone(), row.number.clone(), row.client.clone().unwrap_or_default(), rent])
        })
    });
    csv_cell::file(&["month", "number", "client", "rent (USD)"], rows)
}
