//! What people do about records that failed, and what they try before anything is written.

use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::crm;
use super::mapping::{self, Said};
use super::ops::{self, record};
use super::store::pending::{self, Pending};
use super::store::{self, Integration, links, syncs};
use super::sync::{self, Work, preview};
use super::tokens::{self, Lacking};
use crate::model::{CrmConfig, FieldMap, Preview, PropertyView, Reach, Remedy, SyncType};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_contacts::server::synced;
use patchbay_jobs::live::plain_topic;
use patchbay_providers::ProviderError;
use patchbay_providers::crm::{CrmObject, CrmPage, CrmProperty};
use patchbay_shared::ids::{IntegrationId, PendingRecordId};
use patchbay_shared::{AppError, Phone, Reason};

/// Records of a preview.
const PREVIEW: u16 = 20;
/// Longer than this nobody waits in front of a page.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(3);

async fn found(
    tx: &mut WriteTx,
    id: IntegrationId,
    pending_id: PendingRecordId,
) -> Result<(Integration, Pending), AppError> {
    let integration = store::get(tx.reading(), id).await?;
    let waiting = pending::lock(tx, id, pending_id).await?;
    Ok((integration, waiting))
}

/// Has what was mended tried at once, if nothing else runs: what runs takes it along, and so does the next sync.
async fn try_soon(tx: &mut WriteTx, integration: &Integration) -> Result<(), AppError> {
    let is_signed_in =
        store::tokens::newest(tx.reading(), integration.id).await?.is_some_and(|stored| stored.is_active);
    if is_signed_in && integration.paused_at.is_none() && syncs::running(tx.reading(), integration.id).await?.is_none()
    {
        sync::begin(tx, integration, SyncType::Contacts, Reach::Retry).await?;
    }
    tx.notify(ops::topic(integration.id), integration.client_id);
    Ok(())
}

fn shown(waiting: &Pending, what: &str) -> Value {
    json!({ "record": waiting.label, "problem": waiting.problem, "by": what })
}

async fn mended(
    tx: &mut WriteTx,
    integration: &Integration,
    waiting: &Pending,
    what: &str,
    said: Option<&Value>,
) -> Result<(), AppError> {
    pending::again(tx, waiting.id, said).await?;
    let fields = Fields::Happened(shown(waiting, what));
    record(tx, "mended a record of", integration.id, integration.client_id, fields).await?;
    try_soon(tx, integration).await
}

/// Tries a record again at once.
pub async fn retry(scope: &Scope, id: IntegrationId, pending_id: PendingRecordId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let (integration, waiting) = found(&mut tx, id, pending_id).await?;
    mended(&mut tx, &integration, &waiting, "retry", None).await?;
    tx.commit().await
}

/// The same for all that trying again can help. Gives how many.
pub async fn retry_all(scope: &Scope, id: IntegrationId) -> Result<i64, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = store::lock(&mut tx, id).await?;
    let many = pending::all_again(&mut tx, id).await?;
    if many > 0 {
        let fields = Fields::Happened(json!({ "name": integration.name, "records": many }));
        record(&mut tx, "retried records of", id, integration.client_id, fields).await?;
        try_soon(&mut tx, &integration).await?;
    }
    tx.commit().await?;
    Ok(many)
}

fn wrong_remedy() -> AppError {
    AppError::Conflict(Reason::WrongState, "This record has changed meanwhile. Load the page again.".into())
}

fn with_said(waiting: &Pending, change: impl FnOnce(&mut Said)) -> Value {
    let mut said: Said = waiting
        .detail
        .as_ref()
        .and_then(|detail| detail.get("said").cloned())
        .and_then(|said| serde_json::from_value(said).ok())
        .unwrap_or_default();
    change(&mut said);
    let mut detail = waiting.detail.clone().filter(Value::is_object).unwrap_or_else(|| json!({}));
    detail["said"] = json!(said);
    detail
}

/// Types a number for a record whose own cannot be read. Errors: `Invalid` at `phone`.
pub async fn edit(scope: &Scope, id: IntegrationId, pending_id: PendingRecordId, phone: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let (integration, waiting) = found(&mut tx, id, pending_id).await?;
    if waiting.remedy != Some(Remedy::Edit) {
        return Err(wrong_remedy());
    }
    let client = integration.client_id.ok_or(AppError::NotFound)?;
    let chosen = integration.config::<CrmConfig>().settings.country;
    let country = match chosen.as_str() {
        "" => synced::country(tx.reading(), client).await?.map(str::to_owned),
        country => Some(country.to_owned()),
    };
    let read = Phone::parse(phone, country.as_deref()).map_err(|words| AppError::invalid("phone", words))?;
    let said = with_said(&waiting, |said| said.phone = Some(read.to_string()));
    mended(&mut tx, &integration, &waiting, "edit", Some(&said)).await?;
    tx.commit().await
}

/// Says whose value counts where both sides changed it.
pub async fn choose(scope: &Scope, id: IntegrationId, pending_id: PendingRecordId, ours: bool) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let (integration, waiting) = found(&mut tx, id, pending_id).await?;
    let field = waiting.detail.as_ref().and_then(|detail| detail.get("field")).and_then(Value::as_str);
    let (Some(field), Some(Remedy::Choose)) = (field, waiting.remedy) else { return Err(wrong_remedy()) };
    let said = with_said(&waiting, |said| {
        said.ours.insert(field.to_owned(), ours);
    });
    mended(&mut tx, &integration, &waiting, if ours { "ours" } else { "theirs" }, Some(&said)).await?;
    tx.commit().await
}

/// Has the contact belong to the record that its own was merged into.
pub async fn follow(scope: &Scope, id: IntegrationId, pending_id: PendingRecordId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let (integration, waiting) = found(&mut tx, id, pending_id).await?;
    let into = waiting.detail.as_ref().and_then(|detail| detail.get("remote_id")).and_then(Value::as_str);
    let (Some(into), Some(Remedy::Follow)) = (into, waiting.remedy) else { return Err(wrong_remedy()) };
    if let Some(contact) = waiting.contact {
        let there = links::of_records(tx.reading(), id, "contact", &[into.to_owned()]).await?;
        for link in links::of_contacts(tx.reading(), id, &[contact]).await? {
            match (there.first(), integration.client_id) {
                (Some(lives_on), Some(client)) => {
                    links::lives_on(&mut tx, id, &link, into).await?;
                    sync::merged::one_says_for_both(&mut tx, &integration, client, &link, lives_on).await?;
                }
                _ => links::move_to(&mut tx, id, &link, into).await?,
            }
            store::activities::carry(&mut tx, id, &link.remote_id, into).await?;
        }
    }
    mended(&mut tx, &integration, &waiting, "follow", None).await?;
    tx.commit().await
}

/// What one asks a CRM for while a person waits.
enum Ask {
    Properties,
    Page(Vec<String>),
}

enum Answer {
    Properties(Vec<CrmProperty>),
    Page(CrmPage),
}

async fn asked(open: &crm::Open, ask: &Ask) -> Result<Answer, ProviderError> {
    match ask {
        Ask::Properties => open.crm.properties(CrmObject::Contact).await.map(Answer::Properties),
        Ask::Page(names) => open.crm.page(CrmObject::Contact, names, None, None, PREVIEW).await.map(Answer::Page),
    }
}

/// Somebody waits for an answer, so a sign-in that is just being renewed is waited for: whoever renews it, here or in another process,
/// gives a notice when that is over. What no notice comes of is looked at once more in the end.
async fn soon<T, F: Future<Output = Result<T, Lacking>>>(
    scope: &Scope,
    integration: &Integration,
    look: impl Fn() -> F,
) -> Result<T, AppError> {
    let mut heard = scope.db().live().subscribe();
    let topic = ops::topic(integration.id);
    let until = tokio::time::Instant::now() + LONGEST_WAIT;
    let mut is_last = false;
    loop {
        match look().await {
            Err(Lacking::Renewing) if !is_last => {}
            other => return other.map_err(crm::told),
        }
        let notice = async {
            loop {
                match heard.recv().await {
                    Ok(notice) if notice.workspace_id != scope.workspace_id() || plain_topic(&notice) != topic.0 => {}
                    // One that was missed may have been it.
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        is_last = tokio::time::timeout_at(until, notice).await.is_err();
    }
}

/// Asks with the sign-in, renewed once if it is refused.
async fn ask(scope: &Scope, integration: &Integration, ask: &Ask) -> Result<Answer, AppError> {
    let open = soon(scope, integration, || crm::open(scope, integration)).await?;
    let answer = match asked(&open, ask).await {
        Err(error) if crm::is_token_refused(&error) => {
            let token = soon(scope, integration, || tokens::refused(scope, integration, &open.token)).await?;
            let again = crm::with(scope, integration, token).map_err(crm::told)?;
            asked(&again, ask).await
        }
        other => other,
    };
    answer.map_err(|error| AppError::ProviderDown(error.sentence()))
}

async fn crm_of(scope: &Scope, id: IntegrationId) -> Result<Integration, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = store::get(tx.reading(), id).await?;
    if integration.kind.is_crm() { Ok(integration) } else { Err(AppError::NotFound) }
}

/// The properties that contacts have there, asked for now.
pub async fn properties(scope: &Scope, id: IntegrationId) -> Result<Vec<PropertyView>, AppError> {
    let integration = crm_of(scope, id).await?;
    let Answer::Properties(properties) = ask(scope, &integration, &Ask::Properties).await? else {
        return Ok(Vec::new());
    };
    let view = |one: CrmProperty| PropertyView {
        name: one.name,
        label: one.label,
        kind: one.kind.to_owned(),
        options: one.options,
        read_only: one.read_only,
    };
    Ok(properties.into_iter().map(view).collect())
}

/// A first mapping by the names of properties.
pub fn propose_mapping(properties: &[PropertyView]) -> Vec<FieldMap> {
    let known: Vec<CrmProperty> = properties
        .iter()
        .map(|one| CrmProperty {
            name: one.name.clone(),
            label: one.label.clone(),
            kind: "other",
            options: one.options.clone(),
            read_only: one.read_only,
        })
        .collect();
    mapping::propose(&known)
}

/// Twenty records as they would become with the mapping. Nothing is written.
pub async fn try_mapping(scope: &Scope, id: IntegrationId) -> Result<Preview, AppError> {
    let integration = crm_of(scope, id).await?;
    let client = integration.client_id.ok_or(AppError::NotFound)?;
    let config = integration.config::<CrmConfig>();
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let country = match config.settings.country.as_str() {
        "" => synced::country(tx.reading(), client).await?.map(str::to_owned),
        country => Some(country.to_owned()),
    };
    drop(tx);
    let lines = integration.mapping();
    let work = Work { scope, integration: &integration, client, config, lines, country };
    let names = work.rules().properties();
    let Answer::Page(page) = ask(scope, &integration, &Ask::Page(names)).await? else {
        return Ok(Preview { rows: Vec::new(), total: None });
    };
    // Rolled back: it only looks.
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let records: Vec<_> = page.records.into_iter().take(usize::from(PREVIEW)).collect();
    let rows = preview::preview(&mut tx, &work, &records).await?;
    Ok(Preview { rows, total: page.total.and_then(|total| i64::try_from(total).ok()) })
}
