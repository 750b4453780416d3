//! Days of one client or of all, from the rows of usage by day.

pub mod api;
mod by_client;
mod forecast;
pub(crate) mod period;
pub mod routes;
mod store;
mod texts;

use chrono::{Datelike, Months};
use rust_decimal::prelude::ToPrimitive;

use super::model::{By, ClientPeriod, ModelUsage, Numbers, PeriodAsked, Usage};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_metering::model::{BudgetStatus, Period, Preset, Sums};
use patchbay_metering::server::days::{self, Asked, Found, ModelCell};
use patchbay_metering::server::texts::read as read_texts;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money, zone};
use period::Resolved;

/// Into how many parts a line without axes divides the days.
const PARTS: u64 = 8;

/// What is said where days shall stand together by something else.
const NO_BY: &str = "Choose day, week or month.";

/// What is asked of usage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub client: Option<&'a str>,
    pub asked: &'a PeriodAsked,
    /// What stands together: a `By`.
    pub by: Option<&'a str>,
    /// What the table of clients is sorted by: `-spend`.
    pub sort: Option<&'a str>,
    /// Days that there are not are an error, and not a remark beside other days.
    pub is_strict: bool,
    /// How many clients are named.
    pub most_clients: usize,
}

/// See `server_fns::get_usage`.
pub(crate) async fn usage(scope: &Scope, request: Request<'_>) -> Result<Usage, AppError> {
    if scope.viewer().is_some_and(|viewer| !viewer.sees_cost()) {
        return Err(AppError::NotFound);
    }
    let mut tx = scope.read(Action::ReadUsage).await?;
    let client: Option<ClientId> = match (scope.client_id(), request.client.filter(|id| !id.is_empty())) {
        (Some(own), _) => Some(own),
        (None, Some(id)) => Some(id.parse()?),
        (None, None) => None,
    };
    let tx = &mut tx;
    let by = request.by.map(str::trim).filter(|word| !word.is_empty()).map(str::parse::<By>).transpose();
    let mut resolved = if request.is_strict {
        by.as_ref().map_err(|_| AppError::invalid("by", NO_BY))?;
        period::resolve(tx, client, request.asked, Preset::Month).await?
    } else {
        period::lenient(tx, client, request.asked, Preset::Month).await?
    };
    if by.is_err() && resolved.shown.problem.is_none() {
        resolved.shown.problem = Some(("by".to_owned(), NO_BY.to_owned()));
    }
    let by = by.ok().flatten().unwrap_or_default();
    let is_agency = scope.may(Action::ReadWorkshop);
    let found = days::read(tx, resolved.asked(client, PARTS)).await?;
    let before = days::read(tx, resolved.asked_before(client)).await?;
    let mut usage = Usage {
        by,
        days: by.together(resolved.period, resolved.today, |day| found.days.get(&day).copied().unwrap_or_default()),
        days_before: spend_at_places(&before, &resolved, by),
        total: found.total(),
        before: before.total(),
        parts: parts_of(&found),
        month: forecast::month(tx, client, resolved.today).await?,
        viewer_zone: scope.zone().name().to_owned(),
        updated: resolved.now.with_timezone(&scope.zone()).format("%H:%M:%S").to_string(),
        is_agency,
        ..Usage::default()
    };
    usage.texts = texts::texts(tx, &resolved, client, by, is_agency).await?;
    if let Some(id) = client {
        usage.client = store::client_names(tx, &[id.0]).await?.into_values().next();
    }
    if is_agency {
        (usage.clients, usage.others) = by_client::by_client(tx, &found, &before, &request).await?;
        usage.models = models(days::read_models(tx, resolved.asked(client, 1)).await?);
        usage.numbers = Some(numbers(tx, client).await?);
    }
    usage.shown = resolved.shown;
    Ok(usage)
}

/// The spend of the days before, put together by their places as the days beside them are.
fn spend_at_places(before: &Found, resolved: &Resolved, by: By) -> Vec<Money> {
    let spend = |day| before.days.get(&day).map_or_else(Money::default, Sums::spend);
    let mut days = resolved.before.days().map(spend);
    let parts = by.parts(resolved.period).into_iter();
    parts.map(|part| Money(part.days().map_while(|_| days.next()).map(|money| money.0).sum())).collect()
}

fn parts_of(found: &Found) -> Vec<Sums> {
    let mut parts: Vec<Sums> = Vec::new();
    for row in found.agents.values() {
        parts.resize(row.len().max(parts.len()), Sums::default());
        parts.iter_mut().zip(row).for_each(|(part, sums)| part.add(sums));
    }
    parts
}

/// For drawings; what is said is a `Money`.
pub(crate) fn number(money: Money) -> f64 {
    money.0.to_f64().unwrap_or_default()
}

/// The most expensive first.
fn models(cells: Vec<ModelCell>) -> Vec<ModelUsage> {
    let mut rows: Vec<ModelUsage> = cells
        .into_iter()
        .map(|cell| ModelUsage {
            model: cell.model,
            purpose: cell.purpose,
            answers: cell.answers,
            prompt_tokens: cell.prompt_tokens,
            completion_tokens: cell.completion_tokens,
            is_estimated: cell.is_estimated,
            cost: cell.cost.map(Money),
            unpriced: cell.unpriced,
        })
        .collect();
    rows.sort_by(|one, other| {
        other.cost.cmp(&one.cost).then_with(|| (&one.model, &one.purpose).cmp(&(&other.model, &other.purpose)))
    });
    rows
}

/// What the numbers cost this month and in the one before.
async fn numbers(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Numbers, AppError> {
    let today = tx.now().await?.date_naive();
    let this = today.with_day(1).unwrap_or(today);
    let before = this.checked_sub_months(Months::new(1)).unwrap_or(this);
    let months = [before, this];
    Ok(Numbers {
        months: months.iter().map(|month| month.format("%B %Y").to_string()).collect(),
        rows: store::numbers(tx, client, before, &months).await?,
    })
}

/// The last thirty days of the whole agency, today included: for the platform.
pub async fn last_thirty_days(tx: &mut ReadTx) -> Result<Sums, AppError> {
    let resolved = period::resolve(tx, None, &PeriodAsked::default(), Preset::Month).await?;
    Ok(days::read(tx, resolved.asked(None, 1)).await?.total())
}

/// Days of some clients, and the days before: for pages that show no usage but what it says of calls.
pub struct Compare {
    pub shown: super::model::Shown,
    /// The date of now in the clients' zones: two days while one client's has begun and another's has not ended.
    pub dates: Period,
    pub found: Found,
    pub before: Found,
}

/// What was asked for, of one client or of all; as a page reads it: days that there are not are remarked on.
pub async fn compare(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    asked: &PeriodAsked,
    default: Preset,
) -> Result<Compare, AppError> {
    let resolved = period::lenient(tx, client, asked, default).await?;
    let found = days::read(tx, resolved.asked(client, 1)).await?;
    let before = days::read(tx, resolved.asked_before(client)).await?;
    Ok(Compare { shown: resolved.shown, dates: resolved.dates, found, before })
}

/// See `server_fns::get_client_usage`.
pub(crate) async fn client_usage(tx: &mut ReadTx, id: ClientId, asked: &PeriodAsked) -> Result<ClientPeriod, AppError> {
    let client = patchbay_clients::server::get(tx, id).await?;
    let Compare { shown, found, before, .. } = compare(tx, Some(id), asked, Preset::MonthToDate).await?;
    let period = Period { first: shown.first, last: shown.last };
    let texts = read_texts(tx, Asked { client: Some(id), period, days_ago: None, parts: 1 }).await?.total();
    let today = tx.now().await?.with_timezone(&zone::zone(&client.timezone)).date_naive();
    let month = Preset::MonthToDate.period(today);
    let next = month.first.checked_add_months(Months::new(1)).unwrap_or(today);
    let budget = client.monthly_budget.as_deref().and_then(|text| text.parse().ok());
    let spent = match budget {
        None => Money::default(),
        Some(_) => {
            let asked = Asked { client: Some(id), period: month, days_ago: None, parts: 1 };
            let calls = days::read(tx, asked).await?.total().spend();
            Money(calls.0 + read_texts(tx, asked).await?.total().cost.0)
        }
    };
    Ok(ClientPeriod {
        shown,
        total: found.total(),
        before: before.total(),
        texts,
        budget_status: budget.map(|budget| BudgetStatus {
            id,
            name: client.name,
            budget: Money(budget),
            spent,
            action: client.budget_action,
            ends: next.format("%-d %B").to_string(),
        }),
    })
}
