pub mod rest;
pub mod store;

use chrono::{Days, NaiveTime};

pub use store::{NewUsage, record};

use super::model::{Usage, UsageDay};
use crate::access::Action;
use crate::access::server::Scope;
use crate::shared::ids::ClientId;
use crate::shared::{AppError, zone};

const DAYS: u64 = 30;

/// See `server_fns::get_usage`.
pub async fn usage(scope: &Scope, client: Option<&str>) -> Result<Usage, AppError> {
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
    let unpriced = store::talk(&mut tx, client, from, local.name(), &mut days).await?;
    store::tokens(&mut tx, client, from, local.name(), &mut days).await?;
    let is_agency = scope.may(Action::ReadWorkshop);
    let models = if is_agency { store::models(&mut tx, client, from).await? } else { Vec::new() };
    let mut total = UsageDay::default();
    days.iter().for_each(|day| total.add(day));
    Ok(Usage { zone: local.name().to_owned(), days, models, total, unpriced, is_agency })
}
