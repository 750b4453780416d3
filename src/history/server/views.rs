//! What pages of the past show.

use chrono::{Days, NaiveDate};

use super::check::{self, CheckCalls};
use super::ops;
use super::store::{self, checks, gaps, lists, views};
use crate::model::{
    CarrierCall, CheckView, FailureQuery, GapList, GapQuery, HistoryPage, SpanChoice, SyncPage, SyncQuery, SyncRow,
};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_connections::model::Provider;
use patchbay_shared::ids::{ConnectionId, HistoricalSyncId};
use patchbay_shared::{AppError, Page, zone};
use patchbay_workspaces::server as workspaces;

/// Gaps that the page of the past shows itself.
const FIRST_GAPS: usize = 5;
/// Calls that only the carrier told of and that the page shows.
const CARRIER_CALLS: i64 = 10;
/// The usual span, in days.
const USUAL: u64 = 56;

/// The page of the past. Without days in the address it is about the last eight weeks.
pub(crate) async fn history(
    scope: &Scope,
    provider: &str,
    from: Option<String>,
    to: Option<String>,
) -> Result<HistoryPage, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let connection = ops::connection(&mut tx, provider).await?;
    let today = tx.now().await?.with_timezone(&scope.zone()).date_naive();
    let (from, to) = asked_days(from, to, today);
    let spans = [("30 days", Some(30)), ("8 weeks", Some(USUAL)), ("90 days", Some(90)), ("All", None)];
    let spans = spans.map(|(label, days)| {
        let first = days.map(|days| back(today, days)).unwrap_or_default();
        let is_chosen = first == from && to == today.to_string();
        SpanChoice { label: label.to_owned(), from: first, to: today.to_string(), is_chosen }
    });
    let shown = match views::shown(&mut tx, connection).await? {
        Some(id) => Some(views::view(&mut tx, connection, id).await?),
        None => None,
    };
    let is_on = store::connection(&mut tx, provider).await?.is_some_and(|(_, is_on)| is_on);
    let obstacle = if workspaces::is_suspended(&mut tx).await? {
        Some("The workspace is suspended, so nothing is imported.".to_owned())
    } else {
        (!is_on).then(|| "Ultravox is switched off. An owner can switch it on under Integrations.".to_owned())
    };
    let first = GapQuery::default();
    Ok(HistoryPage {
        service: service(),
        from,
        to,
        spans: spans.into(),
        zone: scope.zone().name().replace('_', " "),
        agents: views::agents(&mut tx, provider).await?,
        shown,
        waiting: views::waiting(&mut tx, connection).await?,
        check: last_check(&mut tx, connection).await?,
        gaps: gaps::counts(&mut tx, connection).await?,
        first_gaps: gaps::list(&mut tx, connection, &first, FIRST_GAPS).await?.rows,
        carrier: carrier_alone(&mut tx).await?,
        obstacle,
        may_start: scope.may(Action::ManageConnections),
        may_close: scope.may(Action::ReplayQueues),
    })
}

/// Calls of the last thirty days that the carrier told of and nobody else has, but for those that may yet be heard of.
async fn carrier_alone(tx: &mut ReadTx) -> Result<Vec<CarrierCall>, AppError> {
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let legs = store::calls::carrier_alone(tx, now - check::FAR, now - check::STUCK, CARRIER_CALLS).await?;
    Ok(legs
        .into_iter()
        .map(|leg| CarrierCall {
            from: leg.from,
            to: leg.to,
            started: zone::exact(leg.started_at, now, zone_of_viewer),
            leg: leg.leg,
        })
        .collect())
}

/// The days of the address as text; without any the last eight weeks.
pub(crate) fn asked_days(from: Option<String>, to: Option<String>, today: NaiveDate) -> (String, String) {
    match (from, to) {
        (None, None) => (back(today, USUAL), today.to_string()),
        (from, to) => (from.unwrap_or_default(), to.unwrap_or_else(|| today.to_string())),
    }
}

/// The first of so many days, the last of which is today.
fn back(today: NaiveDate, days: u64) -> String {
    today.checked_sub_days(Days::new(days - 1)).unwrap_or(today).to_string()
}

fn service() -> String {
    Provider::Ultravox.label().to_owned()
}

/// A page of imports.
pub(crate) async fn imports(
    tx: &mut ReadTx,
    provider: &str,
    query: &SyncQuery,
    limit: usize,
) -> Result<Page<SyncRow>, AppError> {
    let connection = ops::connection(tx, provider).await?;
    lists::imports(tx, connection, query, limit).await
}

/// One import with a page of what failed in it. Errors: `NotFound`.
pub(crate) async fn import(
    tx: &mut ReadTx,
    provider: &str,
    id: HistoricalSyncId,
    query: &FailureQuery,
    limit: usize,
) -> Result<SyncPage, AppError> {
    let connection = ops::connection(tx, provider).await?;
    let sync = views::view(tx, connection, id).await?;
    let failures = lists::failures(tx, id, query, limit).await?;
    Ok(SyncPage { service: service(), sync, failures, failed_agents: lists::failed_agents(tx, id).await? })
}

/// A page of gaps with what stands around it.
pub(crate) async fn gaps(tx: &mut ReadTx, provider: &str, query: &GapQuery, limit: usize) -> Result<GapList, AppError> {
    let connection = ops::connection(tx, provider).await?;
    Ok(GapList {
        service: service(),
        page: gaps::list(tx, connection, query, limit).await?,
        counts: gaps::counts(tx, connection).await?,
        check: last_check(tx, connection).await?,
        agents: gaps::agents(tx, connection).await?,
        may_close: tx.scope().may(Action::ReplayQueues),
    })
}

async fn last_check(tx: &mut ReadTx, connection: ConnectionId) -> Result<CheckView, AppError> {
    let Some(state) = checks::get(tx, connection).await? else { return Ok(CheckView::default()) };
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let stamp = |at| zone::stamp(at, now, zone_of_viewer);
    let mut is_running = false;
    for looks_far in [false, true] {
        let job = CheckCalls { connection, looks_far };
        is_running |= patchbay_jobs::queue::unfinished(tx, &job).await?.is_some();
    }
    Ok(CheckView {
        checked: state.checked_at.map(stamp),
        from: state.checked_from.map(stamp),
        compared: state.compared,
        next: (state.next_at > now).then(|| stamp(state.next_at)),
        error: state.error,
        is_running,
    })
}
