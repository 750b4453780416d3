mod days;
pub(crate) mod store;

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveTime, Utc};

use super::model::{ClientFigures, Figures, Need, Overview, StartStep};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_metering::model::Preset;
use patchbay_metering::server::budget;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money, zone};
use patchbay_usage::model::PeriodAsked;
use patchbay_usage::server::{self as usage, ModelSpend, models_by_client};

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
    let mut page = Overview {
        title: here.format("%A, %-d %B").to_string(),
        zone: viewer.timezone.clone(),
        updated: here.format("%H:%M:%S").to_string(),
        day: here.date_naive().to_string(),
        client: client.map(|id| id.to_string()),
        shown: usage::shown(tx, own, asked, Preset::Today).await?,
        batches: store::batches(tx, client).await?,
        live: store::live(tx, client, here.to_utc()).await?,
        live_total: store::live_total(tx, client).await?,
        ..Overview::default()
    };
    let by_client = if page.shown.preset == Preset::Today.as_str() {
        // Today is the viewer's own day here, and so is what stands over it.
        let (day, before) = (here.date_naive(), here.date_naive() - Duration::days(1));
        let text = |day: chrono::NaiveDate| day.format("%-d %b").to_string();
        (page.shown.first, page.shown.last, page.shown.text) = (day, day, text(day));
        (page.shown.before_first, page.shown.before_last, page.shown.before_text) = (before, before, text(before));
        (page.shown.days, page.shown.zone) = (1, Some(page.zone.clone()));
        today(tx, client, here.to_utc(), costs, &mut page).await?
    } else {
        let compared = usage::compare(tx, own, asked, Preset::Today).await?;
        page.of_days = Some(days::days(&compared, costs));
        days::by_client(&compared, costs)
    };
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
        page.clients = Some(client_figures(names, &by_client, costs));
        if page.today.calls == 0 {
            page.start = start_list(tx).await?;
        }
    }
    Ok(page)
}

/// Puts the viewer's day up to now into the page, and the day before up to the same time. Gives today's figures by client.
async fn today(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    now: DateTime<Utc>,
    costs: bool,
    page: &mut Overview,
) -> Result<HashMap<ClientId, Figures>, AppError> {
    let local = tx.scope().zone();
    let here = now.with_timezone(&local);
    let midnight = |day| zone::instant(day, NaiveTime::MIN, local);
    let (from, before) = (midnight(here.date_naive()), midnight(here.date_naive() - Duration::days(1)));
    let then = before + (now - from);
    let today = store::today(tx, client, from, &page.zone).await?;
    // As the usage page counts it: calls by their start, answers of models by their own time.
    let models = if costs { Some(models_by_client(tx, client, from, None).await?) } else { None };
    let models_then = if costs { Some(models_by_client(tx, client, before, Some(then)).await?) } else { None };
    page.today = with_models(today.all, models.as_ref());
    page.yesterday = with_models(store::figures(tx, client, before, then).await?, models_then.as_ref());
    page.hours = today.hours;
    let mut by_client = today.clients;
    for id in models.iter().flat_map(HashMap::keys).filter_map(|id| *id) {
        by_client.entry(id).or_insert_with(|| Figures { spend: Some(Money::default()), ..Figures::default() });
    }
    for (id, figures) in &mut by_client {
        let own =
            models.as_ref().map(|models| models.get(&Some(*id)).map(|part| (Some(*id), *part)).into_iter().collect());
        *figures = with_models(*figures, own.as_ref());
    }
    Ok(by_client)
}

/// What models cost, by client.
type Models = HashMap<Option<ClientId>, ModelSpend>;

/// The figures with the whole spend. None for whoever may not see cost: then there are no models.
fn with_models(talk: Figures, models: Option<&Models>) -> Figures {
    let Some(models) = models else { return Figures { spend: None, unpriced: 0, ..talk } };
    let (mut sum, mut unpriced_answers) = (talk.spend.unwrap_or_default(), 0);
    for part in models.values() {
        sum.0 += part.cost.0;
        unpriced_answers += part.unpriced;
    }
    Figures { spend: Some(sum), unpriced_answers, ..talk }
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
