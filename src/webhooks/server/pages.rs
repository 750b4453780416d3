//! What the pages of webhooks show, read in one transaction, and the secret that is shown once.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};

use super::store::{views, views_of_deliveries};
use crate::model::{
    DeliveryQuery, DeliveryRow, EndpointForm, EndpointPage, EventType, NewSecret, RangeView, WebhooksPage,
    WebhooksQuery,
};
use patchbay_access::server::{ReadTx, Visitor, once};
use patchbay_shared::ids::{DeliveryId, WebhookEndpointId};
use patchbay_shared::zone::{Tz, instant};
use patchbay_shared::{AppError, Page};

/// Rows on a page of the list.
const ROWS: usize = 25;
const SHOWN: &str = "webhook secret";
/// A local time, as a field for it has it.
const FIELD: &str = "%Y-%m-%dT%H:%M";

/// The endpoints, the chosen one or else the first, its deliveries, and the opened one of them. Errors: `NotFound`.
pub(crate) async fn page(
    tx: &mut ReadTx,
    endpoint: Option<WebhookEndpointId>,
    delivery: Option<DeliveryId>,
    query: &WebhooksQuery,
) -> Result<WebhooksPage, AppError> {
    let endpoints = views::endpoints(tx).await?;
    let found = match endpoint {
        Some(id) => Some(endpoints.iter().find(|row| row.id == id).ok_or(AppError::NotFound)?),
        None => endpoints.first(),
    };
    let (mut list, mut opened, mut chosen) = (Page::default(), None, None);
    let mut range = range(query, tx.now().await?, tx.scope().zone());
    if let Some(row) = found {
        let id = row.id;
        chosen = Some(views::endpoint(tx, row.clone()).await?);
        list = views_of_deliveries::list(tx, id, &query.list, ROWS).await?;
        if let Some(delivery) = delivery {
            let number = query.attempt.as_deref().and_then(|number| number.parse().ok());
            opened = Some(views_of_deliveries::opened(tx, id, delivery, number).await?);
        }
        if let (Some((from, to)), None) = (range.1, &range.0.wrong) {
            range.0.count = views::matching(tx, id, from, to, range.0.only_failed).await?;
        }
    }
    let is_mailed = tx.scope().services().mail.is_some();
    Ok(WebhooksPage { endpoints, chosen, list, opened, range: range.0, rest: rest(tx), is_mailed })
}

/// Why nothing is sent.
fn rest(tx: &ReadTx) -> Option<String> {
    let home = tx.scope().viewer()?.workspace.as_ref()?;
    home.suspended.then(|| {
        "This workspace is suspended: nothing is sent, and nothing is lost. What waits is sent when the workspace works again.".to_owned()
    })
}

/// From the first moment until before the second.
type Span = (DateTime<Utc>, DateTime<Utc>);
/// A field, and what is wrong with it.
type BadField = (&'static str, &'static str);

/// The range of the address: the last 24 hours when it says nothing.
fn range(query: &WebhooksQuery, now: DateTime<Utc>, zone: Tz) -> (RangeView, Option<Span>) {
    let field = |at: DateTime<Utc>| at.with_timezone(&zone).format(FIELD).to_string();
    let minute = now.with_second(0).unwrap_or(now);
    let typed = |text: &Option<String>, usual: DateTime<Utc>| text.clone().unwrap_or_else(|| field(usual));
    let from = typed(&query.range_from, minute - TimeDelta::days(1));
    let to = typed(&query.range_to, minute + TimeDelta::minutes(1));
    let read = read_range(&from, &to, zone);
    let view = RangeView {
        from,
        to,
        only_failed: query.range_of.as_deref() != Some("all"),
        count: 0,
        wrong: read.as_ref().err().map(|(_, why)| (*why).to_owned()),
        zone: zone.name().to_owned(),
    };
    (view, read.ok())
}

/// The range that is to be replayed, as its fields have it. Errors: `Invalid` at `from` or `to`.
pub(crate) fn times(from: &str, to: &str, zone: Tz) -> Result<(DateTime<Utc>, DateTime<Utc>), AppError> {
    read_range(from, to, zone).map_err(|(field, why)| AppError::invalid(field, why))
}

fn read_range(from: &str, to: &str, zone: Tz) -> Result<Span, BadField> {
    const WRONG: &str = "Write a day and a time, for example 2026-11-20T14:20.";
    let read = |text: &str| {
        let text = text.trim().get(..16)?;
        let local = NaiveDateTime::parse_from_str(text, FIELD).ok()?;
        let is_near = (2000..=2999).contains(&chrono::Datelike::year(&local));
        is_near.then(|| instant(local.date(), local.time(), zone))
    };
    let (from, to) = (read(from).ok_or(("from", WRONG))?, read(to).ok_or(("to", WRONG))?);
    if from >= to {
        return Err(("to", "Choose an end after the beginning."));
    }
    Ok((from, to))
}

/// The form of a new endpoint, or of one that is there. Errors: `NotFound`.
pub(crate) async fn form(tx: &mut ReadTx, id: Option<WebhookEndpointId>) -> Result<EndpointPage, AppError> {
    match id {
        Some(id) => {
            let fields = views::fields(tx, id).await?;
            Ok(EndpointPage { form: fields.form(id.to_string()), name: Some(fields.name) })
        }
        None => {
            let events = [EventType::CallCompleted, EventType::CallFailed, EventType::AnalysisCompleted];
            let events = events.map(|kind| kind.as_str().to_owned()).to_vec();
            Ok(EndpointPage { form: EndpointForm { events, ..EndpointForm::default() }, name: None })
        }
    }
}

/// A page of deliveries for a file. Errors: `NotFound`.
pub(crate) async fn rows(
    tx: &mut ReadTx,
    endpoint: WebhookEndpointId,
    query: &DeliveryQuery,
    limit: usize,
) -> Result<Page<DeliveryRow>, AppError> {
    views::fields(tx, endpoint).await?;
    views_of_deliveries::list(tx, endpoint, query, limit).await
}

/// Leads to the page that shows the secret this once.
pub(crate) async fn show(visitor: &Visitor, new: &NewSecret) -> Result<(), AppError> {
    once::keep(visitor, SHOWN, new).await?;
    leptos_axum::redirect("/settings/webhooks/made");
    Ok(())
}

/// What that page shows.
pub(crate) async fn take(visitor: &Visitor) -> Result<Option<NewSecret>, AppError> {
    once::take(visitor, SHOWN).await
}

/// Where a form of the endpoint's page leads back to: the address that it was sent from, if it is one of these pages.
pub(crate) fn back(endpoint: &str, from: &str) -> String {
    let base = format!("/settings/webhooks/{endpoint}");
    let rest = from.strip_prefix(&base).filter(|rest| rest.is_empty() || rest.starts_with(['?', '/']));
    let is_plain =
        |rest: &&str| rest.len() <= 2000 && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    rest.filter(is_plain).map_or(base.clone(), |rest| format!("{base}{rest}"))
}
