mod days;
pub(crate) mod store;

use std::collections::HashMap;

use chrono::Utc;

use super::model::{ClientFigures, Figures, Need, Overview, StartStep};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_metering::model::{Period, Preset};
use patchbay_metering::server::budget;
use patchbay_metering::server::days::{Found, zones};
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money};
use patchbay_usage::model::PeriodAsked;
use patchbay_usage::server::{self as usage, Compare};

/// How many clients the dashboard names.
const CLIENTS: usize = 50;

/// Puts the dashboard together from one read transaction, so that its figures belong to one moment.
pub(crate) async fn overview(tx: &mut ReadTx, client: Option<&str>, asked: &PeriodAsked) -> Result<Overview, AppError> {
    let viewer = tx.scope().viewer().cloned().ok_or(AppError::NotSignedIn)?;
    let client: Option<ClientId> = match client.filter(|id| !id.is_empty()) {
        Some(id) if viewer.role.is_agency() => Some(id.parse()?),
        _ => None,
    };
    let own = client.or(tx.scope().client_id());
    let here = Utc::now().with_timezone(&tx.scope().zone());
    let costs = viewer.sees_cost();
    let agency = tx.scope().may(Action::ReadWorkshop);
    let compared = usage::compare(tx, own, asked, Preset::Today).await?;
    let mut page = Overview {
        title: title(compared.dates),
        zone: viewer.timezone.clone(),
        updated: here.format("%H:%M:%S").to_string(),
        client: client.map(|id| id.to_string()),
        shown: compared.shown.clone(),
        batches: store::batches(tx, client).await?,
        live: store::live(tx, client, here.to_utc()).await?,
        live_total: store::live_total(tx, client).await?,
        ..Overview::default()
    };
    if page.shown.preset == Preset::Today.as_str() {
        today(tx, own, &compared, costs, &mut page).await?;
    } else {
        page.of_days = Some(days::days(&compared, costs));
    }
    page.scope_name = match (&viewer.client, client) {
        (Some(own), _) => own.name.clone(),
        (None, Some(id)) => patchbay_clients::server::get(tx, id).await?.name,
        (None, None) => "All clients".into(),
    };
    if agency {
        let mut needs = budget_needs(tx, client).await?;
        let (others, lists) = store::needs(tx, client).await?;
        needs.extend(others);
        (page.needs, page.more_needs) = (Some(needs), lists);
        let names = store::clients(tx, client).await?;
        page.clients = Some(client_figures(names, &days::by_client(&compared, costs), costs));
        if page.today.calls == 0 {
            page.start = start_list(tx).await?;
        }
    } else if tx.scope().may(Action::DecideApprovals) {
        let (needs, lists) = store::approvals(tx, None).await?;
        (page.needs, page.more_needs) = ((!needs.is_empty()).then_some(needs), lists);
    }
    Ok(page)
}

/// The date of the clients' days, which the figures are of; both while some clients' has begun and others' has not ended.
fn title(dates: Period) -> String {
    let last = dates.last.format("%A, %-d %B");
    if dates.first == dates.last {
        last.to_string()
    } else {
        format!("{} – {last}", dates.first.format("%A, %-d %B"))
    }
}

/// Puts today into the page, and the day before up to the same time of day in each client's zone.
async fn today(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    compared: &Compare,
    costs: bool,
    page: &mut Overview,
) -> Result<(), AppError> {
    let zones = zones(tx, client).await?;
    let today = store::today(tx, &compared.shown, &zones).await?;
    let figures = |found: &Found, median_seconds| Figures { median_seconds, ..days::figures(&found.total(), costs) };
    page.today = figures(&compared.found, today.median);
    page.yesterday = figures(&compared.before, today.median_before);
    page.hours = today.hours;
    Ok(())
}

/// The clients with the most calls.
fn client_figures(
    names: Vec<(ClientId, String)>,
    figures: &HashMap<ClientId, Figures>,
    costs: bool,
) -> Vec<ClientFigures> {
    let nothing = Figures { spend: costs.then(Money::default), ..Figures::default() };
    let row = |(id, name): (ClientId, String)| ClientFigures {
        figures: figures.get(&id).copied().unwrap_or(nothing),
        id: id.to_string(),
        name,
    };
    let mut rows: Vec<ClientFigures> = names.into_iter().map(row).collect();
    // They come by name, and stay so among equals.
    rows.sort_by_key(|row| std::cmp::Reverse(row.figures.calls));
    rows.truncate(CLIENTS);
    rows
}

/// Budgets of which a good part is spent: what holds calls comes first.
async fn budget_needs(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<Need>, AppError> {
    let mut reached = budget::reached(tx, client).await?;
    reached.sort_by_key(|budget_status| !budget_status.holds());
    let needs = reached.into_iter().map(|budget_status| {
        let how_far =
            if budget_status.has_reached(100) { "has spent its monthly budget" } else { "nears its monthly budget" };
        let (tone, then) = match budget_status.holds() {
            true => ("bad", format!("no new calls start and no text messages go out until {}", budget_status.ends)),
            false => ("warn", format!("the next month begins on {}", budget_status.ends)),
        };
        Need {
            icon: "gauge".into(),
            tone: tone.into(),
            title: format!("{} {how_far}", budget_status.name),
            note: format!("{} of {} · {then}", budget_status.spent.text(), budget_status.budget.text()),
            action: "Open".into(),
            href: format!("/clients/{}", budget_status.id),
        }
    });
    Ok(needs.collect())
}

/// The steps to a first call. Empty once there has been one.
async fn start_list(tx: &mut ReadTx) -> Result<Vec<StartStep>, AppError> {
    let done = store::started(tx).await?;
    if done.calls {
        return Ok(Vec::new());
    }
    let step = |text: &str, href: &str, done| StartStep { text: text.into(), href: href.into(), done };
    Ok(vec![
        step("Add a client", "/clients/new", done.clients),
        step("Connect the voice provider", "/integrations", done.connections),
        step("Create an agent and switch it on", "/agents/new", done.agents),
        step("Get a phone number", "/numbers", done.numbers),
        step("Import contacts", "/contacts/imports/new", done.contacts),
        step("Create a campaign", "/campaigns/new", done.campaigns),
        step("Start a batch", "/batches/new", false),
    ])
}
