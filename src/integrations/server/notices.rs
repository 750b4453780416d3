//! What HubSpot tells by itself: `POST /hooks/hubspot/{workspace}/{integration}`. Outside the session: a signature by the secret of the
//! integration's own app speaks for the sender. An event is written down, and answered; what it is about is read afterwards, record by
//! record, because an event says what happened and not how it is now.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use uuid::Uuid;

use super::hooks::respond;
use super::intake::{self, Answered};
use super::jobs::TakeNotices;
use super::ops::{self, record};
use super::store::notices::{self as rows, NewNotice};
use super::store::{self, Integration, links, pending, syncs};
use super::tokens;
use crate::model::{CrmConfig, IntegrationType, SyncType};
use patchbay_access::Action;
use patchbay_access::server::{Db, Fields, Machine, Scope, WriteTx};
use patchbay_contacts::server::synced;
use patchbay_jobs::NewJob;
use patchbay_jobs::runner::Verdict;
use patchbay_providers::crm::CrmObject;
use patchbay_providers::hubspot::{HubSpotNotice, Told, read_notices};
use patchbay_providers::signature::{HUBSPOT_SIGNATURE, HUBSPOT_TIMESTAMP, SignatureError, TOLERANCE, verify_hubspot};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId, WorkspaceId};

/// Whoever speaks: what it is refused is written down beside the integration.
const CALLER: Machine =
    Machine { name: "somebody at HubSpot's address", actions: &[Action::ReadIntegrations, Action::ManageIntegrations] };
/// The largest body, in bytes: a hundred events are a tenth of it.
const MOST: usize = 1024 * 1024;
/// So many are taken at once.
const AT_ONCE: i64 = 500;
/// More records than this are not read one by one: the next reading of what changed has them all.
const FEW: usize = 100;
/// They come in crowds: so long the next ones are waited for.
const GATHERS: chrono::TimeDelta = chrono::TimeDelta::seconds(5);
/// A reading of all changes is not brought forward more often.
const SELDOM: chrono::TimeDelta = chrono::TimeDelta::minutes(2);
/// How long it waits for a sync that runs.
const RUNNING: Duration = Duration::from_secs(15);

const OTHER_ACCOUNT: &str = "It was about another account than the one that is connected.";

pub fn hooks() -> Router<Db> {
    Router::new().route("/hooks/hubspot/{workspace}/{integration}", post(receive))
}

/// Where HubSpot sends what happens.
pub(crate) fn address(public_url: &str, workspace: WorkspaceId, id: IntegrationId) -> String {
    format!("{public_url}/hooks/hubspot/{workspace}/{id}")
}

async fn receive(
    State(db): State<Db>,
    Path((workspace, integration)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Ok(integration)) = (workspace.parse::<WorkspaceId>(), integration.parse::<IntegrationId>())
    else {
        return respond(Answered::not_known());
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (Some(signature), Some(timestamp)) = (text(HUBSPOT_SIGNATURE), text(HUBSPOT_TIMESTAMP)) else {
        return respond(Answered::not_known());
    };
    let too_large = || respond(Answered::refused(413, "The body is larger than 1 MB."));
    // An announced size is refused before a byte is read.
    let announced = text(header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST) {
        return too_large();
    }
    let Ok(body) = to_bytes(body, MOST).await else { return too_large() };
    let query = uri.query().map(str::to_owned);
    let asked = Asked { workspace, integration, query, timestamp, signature, body };
    // In a task of its own: a sender who hangs up now stops nothing half-way.
    let answered = tokio::spawn(answer(db, asked)).await.unwrap_or_else(|error| {
        tracing::error!(cause = %error, "an answer to HubSpot broke");
        Answered::later()
    });
    respond(answered)
}

struct Asked {
    workspace: WorkspaceId,
    integration: IntegrationId,
    query: Option<String>,
    timestamp: String,
    signature: String,
    body: Bytes,
}

async fn answer(db: Db, asked: Asked) -> Answered {
    let integration = asked.integration;
    match heard(db, asked).await {
        Ok(answered) => answered,
        Err(AppError::NotFound) => Answered::not_known(),
        Err(error) => {
            tracing::warn!(%integration, cause = %error, "what HubSpot told could not be taken");
            Answered::later()
        }
    }
}

async fn heard(db: Db, asked: Asked) -> Result<Answered, AppError> {
    let scope = Scope::of_integration(db, asked.workspace, CALLER);
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let integration = store::get(&mut tx, asked.integration).await?;
    drop(tx);
    if integration.kind != IntegrationType::Hubspot {
        return Ok(Answered::not_known());
    }
    // Without an app nobody can sign: it was never connected, or is disconnected.
    let Some(app) = tokens::known_app(&scope, integration.id).await? else { return Ok(Answered::not_known()) };
    let address = address(&scope.services().public_url, asked.workspace, integration.id);
    let called = asked.query.as_ref().map_or_else(|| address.clone(), |query| format!("{address}?{query}"));
    let (time, signature) = (Some(asked.timestamp.as_str()), Some(asked.signature.as_str()));
    let checked = verify_hubspot(&app.secret, ("POST", &called), time, signature, &asked.body, Utc::now(), TOLERANCE);
    if let Err(why) = checked {
        let words = match why {
            SignatureError::Stale => "It was signed more than five minutes before or after it came.",
            _ => "Its signature is not by the app that is connected here, or for another address.",
        };
        refuse(&scope, &integration, words).await?;
        return Ok(Answered::not_known());
    }
    let Some(events) = read_notices(&asked.body) else {
        refuse(&scope, &integration, "It was no list of events.").await?;
        return Ok(Answered::refused(400, "A list of events is expected."));
    };
    let own = |event: &HubSpotNotice| integration.account_id.as_deref() == Some(event.portal.as_str());
    if events.iter().any(|event| !own(event)) {
        refuse(&scope, &integration, OTHER_ACCOUNT).await?;
        if !events.iter().any(own) {
            return Ok(Answered::refused(403, "This address is another account's."));
        }
    }
    let news: Vec<NewNotice> = events.iter().filter(|event| own(event)).filter_map(new).collect();
    write_down(&scope, &integration, &news).await
}

fn new(event: &HubSpotNotice) -> Option<NewNotice> {
    let (object, told) = event.about?;
    let kind = match object {
        CrmObject::Contact => "contact",
        CrmObject::Deal => "deal",
        _ => return None,
    };
    let told = match told {
        Told::Changed => "changed",
        Told::Removed => "removed",
        Told::Erased => "erased",
    };
    Some(NewNotice { key: event.key.clone(), kind, told, remote_ids: event.ids.clone(), at: event.at })
}

async fn refuse(scope: &Scope, integration: &Integration, why: &str) -> Result<(), AppError> {
    tracing::info!(workspace = %scope.workspace_id(), integration = %integration.id, why, "refused what came as HubSpot's");
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    rows::refused(&mut tx, integration.id, why).await?;
    tx.commit().await
}

async fn write_down(scope: &Scope, integration: &Integration, news: &[NewNotice]) -> Result<Answered, AppError> {
    let Some(client) = integration.client_id else { return Ok(Answered::not_known()) };
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    // What is missed meanwhile the next reading of all changes has.
    if let Some(why) = intake::rests(&mut tx, integration, client).await? {
        rows::refused(&mut tx, integration.id, why).await?;
        tx.commit().await?;
        return Ok(Answered::refused(409, why));
    }
    let new = rows::insert(&mut tx, integration.id, client, news).await?;
    if new > 0 {
        patchbay_jobs::enqueue(&mut tx, &TakeNotices { integration: integration.id }, NewJob::default()).await?;
    }
    rows::came(&mut tx, integration.id).await?;
    tx.commit().await?;
    Ok(Answered { status: 200, body: json!({ "events": news.len(), "new": new }) })
}

/// What is to be done about what was told: who was erased is not called any more, and the others are read soon.
pub(crate) async fn take(scope: &Scope, id: IntegrationId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = store::get(tx.reading(), id).await?;
    let Some(client) = integration.client_id else { return Ok(Verdict::Done) };
    let open = rows::open(tx.reading(), id, AT_ONCE).await?;
    let records = |kind: &str, is_erased: bool| -> Vec<String> {
        let some = open.iter().filter(|one| one.kind == kind && (one.told == "erased") == is_erased);
        some.flat_map(|one| one.remote_ids.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let config = integration.config::<CrmConfig>();
    let (people, erased) = (records("contact", false), records("contact", true));
    let has_deals = open.iter().any(|one| one.kind == "deal") && config.settings.types.contains(&SyncType::Deals);
    let reads_people = config.settings.types.contains(&SyncType::Contacts);
    let reads_all = has_deals || (reads_people && people.len() > FEW);
    // Before the first reading there is nothing to keep in step, and it reads all.
    let is_in_step = integration.last_sync_at.is_some() && config.settings.every_minutes > 0;
    let waits = reads_all && is_in_step && syncs::running(tx.reading(), id).await?.is_some();
    if !erased.is_empty() {
        erase(&mut tx, &integration, client, &erased).await?;
    }
    // Without a clock nothing would read them before somebody has all changes read by hand.
    let are_few = people.len() <= FEW;
    if is_in_step && reads_people && are_few {
        pending::want_records(&mut tx, id, client, &people).await?;
    }
    // What is read as a list waits for the sync that runs; who was erased, and single people, never do.
    let is_done = |one: &rows::Open| !waits || one.kind == "contact" && (one.told == "erased" || are_few);
    let ids: Vec<_> = open.iter().filter(|one| is_done(one)).map(|one| one.id).collect();
    rows::taken(&mut tx, &ids).await?;
    if waits {
        tx.notify(ops::topic(id), integration.client_id);
        tx.commit().await?;
        return Ok(Verdict::Later(RUNNING));
    }
    if is_in_step && (reads_all || (reads_people && !people.is_empty())) {
        let now = tx.reading().now().await?;
        let mut at = now + GATHERS;
        if reads_all {
            let integration = store::lock(&mut tx, id).await?;
            let config = integration.config::<CrmConfig>();
            let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
            at = time(&config.read_at).map_or(at, |read| at.max(read + SELDOM));
            // One that is wanted already has these, too.
            at = time(&config.read_soon_at).map_or(at, |soon| at.min(soon.max(now)));
            let read_soon_at = Some(at.to_rfc3339_opts(SecondsFormat::Micros, true));
            store::set_config(&mut tx, id, &json!(CrmConfig { read_soon_at, ..config })).await?;
        }
        ops::want_sync(&mut tx, &integration, Some(at)).await?;
    }
    tx.notify(ops::topic(id), integration.client_id);
    tx.commit().await?;
    Ok(if open.len() < AT_ONCE as usize { Verdict::Done } else { Verdict::Later(Duration::ZERO) })
}

/// People who had themselves erased at HubSpot: nobody calls them any more, and what came from there about them is forgotten. Their
/// contacts stay, with the calls that were made.
async fn erase(
    tx: &mut WriteTx,
    integration: &Integration,
    client: ClientId,
    remote: &[String],
) -> Result<(), AppError> {
    // A page that is being read is written before, and known to be old afterwards.
    syncs::lock_running(tx, integration.id).await?;
    let known = links::of_records(tx.reading(), integration.id, "contact", remote).await?;
    // Who was merged into one of them is the same person.
    let merged = links::living_on(tx.reading(), integration.id, remote).await?;
    let contacts: BTreeSet<Uuid> = known.iter().filter_map(|link| Some(link.contact_id?.0)).collect();
    let contacts: BTreeSet<Uuid> = contacts.into_iter().chain(merged.into_iter().map(|(_, id)| id.0)).collect();
    let contacts: Vec<ContactId> = contacts.into_iter().map(ContactId).collect();
    for contact in synced::hold(tx, client, &contacts).await?.into_iter().filter(|contact| !contact.do_not_call) {
        synced::suppress(tx, contact.id, "Erased in HubSpot at the person’s request").await?;
    }
    let records = rows::forget(tx, integration.id, remote).await?;
    rows::forget_names(tx, integration.id, &contacts).await?;
    pending::taken(tx, integration.id, "contact", &records).await?;
    let fields = Fields::Happened(json!({ "name": integration.name, "records": remote.len(), "contacts": contacts }));
    record(tx, "forgot erased records of", integration.id, integration.client_id, fields).await
}
