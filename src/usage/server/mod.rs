//! Days of one client or of all, from the rows of usage by day.

pub mod api;
mod by_client;
mod forecast;
pub(crate) mod period;
pub mod routes;
mod store;

/// What models cost by client now, for the dashboard.
pub use store::{ModelSpend, models_by_client};

use chrono::{Datelike, Months};
use rust_decimal::prelude::ToPrimitive;

use super::model::{ClientPeriod, ModelUsage, Numbers, PeriodAsked, Usage, UsageDay};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_metering::model::{BudgetStatus, Period, Preset, Sums};
use patchbay_metering::server::days::{self, Asked, Found, ModelCell};
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money, zone};
use period::Resolved;

/// Into how many parts a line without axes divides the days.
const PARTS: u64 = 8;

/// What is asked of usage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub client: Option<&'a str>,
    pub asked: &'a PeriodAsked,
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
    let resolved = if request.is_strict {
        period::resolve(tx, client, request.asked, Preset::Month).await?
    } else {
        period::lenient(tx, client, request.asked, Preset::Month).await?
    };
    let is_agency = scope.may(Action::ReadWorkshop);
    let found = days::read(tx, resolved.asked(client, PARTS)).await?;
    let before = days::read(tx, resolved.asked_before(client)).await?;
    let mut usage = Usage {
        days: days_of(&found, resolved.period),
        days_before: spend_at_places(&before, &resolved),
        total: found.total(),
        before: before.total(),
        parts: parts_of(&found),
        month: forecast::month(tx, client, resolved.today).await?,
        updated: resolved.now.with_timezone(&scope.zone()).format("%H:%M:%S").to_string(),
        is_agency,
        ..Usage::default()
    };
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

/// Every day of the period, those without anything too.
fn days_of(found: &Found, period: Period) -> Vec<UsageDay> {
    let day = |day: chrono::NaiveDate| UsageDay {
        day,
        label: day.format("%-d %b").to_string(),
        sums: found.days.get(&day).copied().unwrap_or_default(),
    };
    period.days().map(day).collect()
}

/// The spend of the days before, in their order.
fn spend_at_places(before: &Found, resolved: &Resolved) -> Vec<Money> {
    let spend = |day| before.days.get(&day).map_or_else(Money::default, Sums::spend);
    resolved.before.days().map(spend).collect()
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

/// The days that a page shows.
pub async fn shown(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    asked: &PeriodAsked,
    default: Preset,
) -> Result<super::model::Shown, AppError> {
    Ok(period::lenient(tx, client, asked, default).await?.shown)
}

/// Days of some clients, and the days before: for pages that show no usage but what it says of calls.
pub struct Compare {
    pub shown: super::model::Shown,
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
    Ok(Compare { shown: resolved.shown, found, before })
}

/// See `server_fns::get_client_usage`.
pub(crate) async fn client_usage(tx: &mut ReadTx, id: ClientId, asked: &PeriodAsked) -> Result<ClientPeriod, AppError> {
    let client = patchbay_clients::server::get(tx, id).await?;
    let Compare { shown, found, before } = compare(tx, Some(id), asked, Preset::MonthToDate).await?;
    let today = tx.now().await?.with_timezone(&zone::zone(&client.timezone)).date_naive();
    let month = Preset::MonthToDate.period(today);
    let next = month.first.checked_add_months(Months::new(1)).unwrap_or(today);
    let budget = client.monthly_budget.as_deref().and_then(|text| text.parse().ok());
    let spent = match budget {
        None => Money::default(),
        Some(_) => {
            let asked = Asked { client: Some(id), period: month, days_ago: None, parts: 1 };
            days::read(tx, asked).await?.total().spend()
        }
    };
    Ok(ClientPeriod {
        shown,
        total: found.total(),
        before: before.total(),
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
