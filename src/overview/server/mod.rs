pub(crate) mod store;

use std::collections::HashMap;

use chrono::{Duration, NaiveTime, Utc};

use super::model::{ClientFigures, Figures, Need, Overview, StartStep};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_metering::server::budget;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, zone};
use patchbay_usage::server::{ModelSpend, models_by_client};

/// How many clients the dashboard names.
const CLIENTS: usize = 50;

/// Puts the dashboard together from one read transaction, so that its figures belong to one moment.
pub(crate) async fn overview(tx: &mut ReadTx, client: Option<&str>) -> Result<Overview, AppError> {
    let viewer = tx.scope().viewer().cloned().ok_or(AppError::NotSignedIn)?;
    let client: Option<ClientId> = match client.filter(|id| !id.is_empty()) {
        Some(id) if viewer.role.is_agency() => Some(id.parse()?),
        _ => None,
    };
    let (local, now) = (tx.scope().zone(), Utc::now());
    let here = now.with_timezone(&local);
    let from = zone::instant(here.date_naive(), NaiveTime::MIN, local);
    let before = zone::instant(here.date_naive() - Duration::days(1), NaiveTime::MIN, local);
    let costs = viewer.sees_cost();
    let agency = tx.scope().may(Action::ReadWorkshop);
    let then = before + (now - from);
    let today = store::today(tx, client, from, &viewer.timezone).await?;
    let mut page = Overview {
        title: here.format("%A, %-d %B").to_string(),
        zone: viewer.timezone.clone(),
        updated: here.format("%H:%M:%S").to_string(),
        day: here.date_naive().to_string(),
        client: client.map(|id| id.to_string()),
        today: today.all,
        yesterday: store::figures(tx, client, before, then).await?,
        hours: today.hours,
        batches: store::batches(tx, client).await?,
        ..Overview::default()
    };
    page.live = store::live(tx, client, now).await?;
    page.live_total = store::live_total(tx, client).await?;
    // As the usage page counts it: calls by their start, answers of models by their own time.
    let models = if costs { Some(models_by_client(tx, client, from, None).await?) } else { None };
    page.today = with_models(page.today, models.as_ref());
    let models_then = if costs { Some(models_by_client(tx, client, before, Some(then)).await?) } else { None };
    page.yesterday = with_models(page.yesterday, models_then.as_ref());
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
        page.clients = Some(client_figures(names, &today.clients, models.as_ref()));
        if page.today.calls == 0 {
            page.start = start_list(tx).await?;
        }
    }
    Ok(page)
}

/// What models cost, by client.
type Models = HashMap<Option<ClientId>, ModelSpend>;

/// The figures with the whole spend. None for whoever may not see cost: then there are no models.
fn with_models(talk: Figures, models: Option<&Models>) -> Figures {
    let Some(models) = models else { return Figures { spend: None, ..talk } };
    let (mut sum, mut unpriced_answers) = (talk.spend.unwrap_or_default(), 0);
    for part in models.values() {
        sum.0 += part.cost.0;
        unpriced_answers += part.unpriced;
    }
    Figures { spend: Some(sum), unpriced_answers, ..talk }
}

/// The clients with the most calls today.
fn client_figures(
    names: Vec<(ClientId, String)>,
    figures: &HashMap<ClientId, Figures>,
    models: Option<&Models>,
) -> Vec<ClientFigures> {
    let mut rows: Vec<ClientFigures> = names
        .into_iter()
        .map(|(id, name)| {
            let talk = figures.get(&id).copied().unwrap_or_default();
            let own = models.map(|models| models.get(&Some(id)).map(|part| (Some(id), *part)).into_iter().collect());
            ClientFigures { id: id.to_string(), name, figures: with_models(talk, own.as_ref()) }
        })
        .collect();
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
            true => ("bad", format!("no new calls start until {}", budget_status.ends)),
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
        step("Connect the voice provider", "/connections", done.connections),
        step("Create an agent and switch it on", "/agents/new", done.agents),
        step("Get a phone number", "/numbers", done.numbers),
        step("Import contacts", "/contacts/imports/new", done.contacts),
        step("Create a campaign", "/campaigns/new", done.campaigns),
        step("Start a batch", "/batches/new", false),
    ])
}
