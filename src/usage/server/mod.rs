pub mod api;
pub mod routes;
mod store;

/// What models cost by client, for the dashboard; what the whole agency used, for the platform.
pub use store::{ModelSpend, models_by_client, total};

use chrono::{Datelike, Days, Months, NaiveTime};

use super::model::{ClientMonth, Numbers, Usage, UsageDay};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_metering::model::BudgetStatus;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money, zone};

const DAYS: u64 = 30;

/// See `server_fns::get_usage`.
pub(crate) async fn usage(scope: &Scope, client: Option<&str>) -> Result<Usage, AppError> {
    if scope.viewer().is_some_and(|viewer| !viewer.sees_cost()) {
        return Err(AppError::NotFound);
    }
    let mut tx = scope.read(Action::ReadUsage).await?;
    let client: Option<ClientId> = match (scope.client_id(), client.filter(|id| !id.is_empty())) {
        (Some(own), _) => Some(own),
        (None, Some(id)) => Some(id.parse()?),
        (None, None) => None,
    };
    let local = scope.zone();
    let today = tx.now().await?.with_timezone(&local).date_naive();
    let first = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let from = zone::instant(first, NaiveTime::MIN, local);
    let mut days: Vec<UsageDay> = (0..DAYS)
        .filter_map(|ago| first.checked_add_days(Days::new(ago)))
        .map(|day| UsageDay { day: day.to_string(), label: day.format("%-d %b").to_string(), ..UsageDay::default() })
        .collect();
    store::talk(&mut tx, client, from, local.name(), &mut days).await?;
    store::tokens(&mut tx, client, from, local.name(), &mut days).await?;
    let is_agency = scope.may(Action::ReadWorkshop);
    let models = if is_agency { store::models(&mut tx, client, from).await? } else { Vec::new() };
    let mut total = UsageDay::default();
    days.iter().for_each(|day| total.add(day));
    let numbers = if is_agency { Some(numbers(&mut tx, client).await?) } else { None };
    Ok(Usage { zone: local.name().to_owned(), days, models, total, numbers, is_agency })
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

/// See `server_fns::get_client_month`.
pub(crate) async fn client_month(tx: &mut ReadTx, id: ClientId) -> Result<ClientMonth, AppError> {
    let client = patchbay_clients::server::get(tx, id).await?;
    let local = zone::zone(&client.timezone);
    let today = tx.now().await?.with_timezone(&local).date_naive();
    let first = today.with_day(1).unwrap_or(today);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    let [from, until] = [first, next].map(|day| zone::instant(day, NaiveTime::MIN, local));
    let mut month = store::month(tx, id, from, until).await?;
    month.label = first.format("%B %Y").to_string();
    month.zone = client.timezone;
    month.first = first.to_string();
    month.last = next.pred_opt().unwrap_or(first).to_string();
    let budget = client.monthly_budget.as_deref().and_then(|text| text.parse().ok());
    month.budget_status = budget.map(|budget| BudgetStatus {
        id,
        name: client.name,
        budget: Money(budget),
        spent: month.total.spend(),
        action: client.budget_action,
        ends: next.format("%-d %B").to_string(),
    });
    Ok(month)
}
