//! What people do with campaigns: make and change them, move their state, and put contacts in and out.

use serde_json::json;

use super::jobs::AddContacts;
use super::store::{self, choices, members};
use crate::{AddBy, Campaign, CampaignStatus, CampaignTerms, CampaignView};
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_clients::model::ClientStatus;
use patchbay_dialling::server::contacts as dialling;
use patchbay_dialling::server::jobs::RunBatch;
use patchbay_dialling::server::settle::notify;
use patchbay_jobs::live::Topic;
use patchbay_jobs::queue::{NewJob, enqueue};
use patchbay_shared::ids::{CampaignContactId, CampaignId, ClientId, ContactId};
use patchbay_shared::{AppError, FieldErrors, Reason, zone};

/// Contacts that join in one statement.
const CHUNK: i64 = 5_000;
/// Contacts that join while the person waits; the rest joins in the background.
const AT_ONCE: u64 = 20_000;

/// Everything that one campaign's page shows. What stands in its way is the agency's business, not its client's.
pub(crate) async fn page(tx: &mut ReadTx, id: CampaignId) -> Result<CampaignView, AppError> {
    let campaign = store::get(tx, id).await?;
    let (created, updated) = store::times(tx, id).await?;
    let (now, zone_of_viewer) = (chrono::Utc::now(), tx.scope().zone());
    let in_agency = tx.scope().may(Action::ReadWorkshop);
    let (mut obstacles, mut missing_variables) = (Vec::new(), Vec::new());
    if in_agency {
        obstacles = choices::obstacles(tx, &campaign).await?;
        missing_variables = choices::missing_variables(tx, &campaign).await?;
    }
    Ok(CampaignView {
        counts: members::counts(tx, id).await?,
        obstacles,
        missing_variables,
        batches: store::newest_batches(tx, id).await?,
        adding: in_agency && store::is_adding(tx, id).await?,
        created: zone::stamp(created, now, zone_of_viewer),
        updated: zone::stamp(updated, now, zone_of_viewer),
        may_manage: tx.scope().may(Action::ManageCampaigns),
        campaign,
    })
}

/// Creates a draft. Errors: `Invalid` at `agent` or `number` when they are not for this client.
pub(crate) async fn create(tx: &mut WriteTx, client: ClientId, terms: &CampaignTerms) -> Result<CampaignId, AppError> {
    match patchbay_clients::server::get(tx.reading(), client).await {
        Ok(client) if client.status == ClientStatus::Active => {}
        Ok(_) | Err(AppError::NotFound) => {
            return Err(AppError::invalid("client", "Choose a client of the agency that is not archived."));
        }
        Err(error) => return Err(error),
    }
    check_fit(tx, client, terms, None).await?;
    let id = CampaignId::new();
    store::insert(tx, id, client, terms).await?;
    record(tx, "created", id, client, Fields::Created(summary(terms))).await?;
    Ok(id)
}

/// Changes the terms. Running batches go by the new ones from their next call on, and look at once at who waits for a time.
pub(crate) async fn change(tx: &mut WriteTx, id: CampaignId, terms: &CampaignTerms) -> Result<(), AppError> {
    // First, as dialling does: a batch that is just moving contacts by the old hours is finished before they change.
    let batches = store::hold_batches(tx, id).await?;
    let status = store::lock(tx, id).await?;
    if status == CampaignStatus::Archived {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "An archived campaign cannot be changed. Restore it first.".into(),
        ));
    }
    let before = store::get(tx.reading(), id).await?;
    check_fit(tx, before.client_id, terms, Some(&before)).await?;
    store::update(tx, id, terms).await?;
    if before.calling_window != terms.calling_window || before.retry_minutes != terms.retry_minutes {
        dialling::look_again(tx, id, terms.retry_minutes).await?;
        for batch in batches {
            enqueue(tx, &RunBatch { batch }, NewJob::default()).await?;
            notify(tx, batch, before.client_id);
        }
    }
    let old = json!({
        "name": before.name, "type": before.kind, "agent_id": before.agent_id, "number_id": before.number_id, "goal": before.goal,
        "variables": before.variables, "calling_window": before.calling_window, "max_attempts": before.max_attempts,
        "retry_minutes": before.retry_minutes,
    });
    record(tx, "changed", id, before.client_id, Fields::Changed { before: old, after: summary(terms) }).await
}

/// What was already chosen stays allowed: an agent that was switched off since must not keep a name from being corrected.
async fn check_fit(
    tx: &mut WriteTx,
    client: ClientId,
    terms: &CampaignTerms,
    before: Option<&Campaign>,
) -> Result<(), AppError> {
    let (agent, number) = choices::fit(tx.reading(), client, terms.agent_id, terms.number_id).await?;
    let mut errors = FieldErrors::default();
    if !agent && before.is_none_or(|before| before.agent_id != terms.agent_id) {
        errors.add(
            "agent",
            "This agent does not work for this client. Choose another one, or add the client on the agent's page.",
        );
    }
    if !number && before.is_none_or(|before| before.number_id != terms.number_id) {
        errors.add("number", "Choose an active number of this client or of the agency.");
    }
    errors.check()
}

/// The same as `set_status`, asked for by somebody. A client's admin moves their own campaign, which may call with the agency's agent or
/// from its number: whether these are ready is looked up beyond what they see, and told to them in general words.
pub(crate) async fn move_to(scope: &Scope, id: CampaignId, next: CampaignStatus) -> Result<(), AppError> {
    let mut own = scope.write(Action::ManageCampaigns).await?;
    store::lock(&mut own, id).await?;
    drop(own);
    let mut tx = scope.beyond_client("whether a client's own campaign can call").write(Action::ManageCampaigns).await?;
    set_status(&mut tx, id, next).await?;
    tx.commit().await
}

/// Moves a campaign to another state. Errors: `Conflict` for a move that is not legal, or while batches could still dial.
pub(crate) async fn set_status(tx: &mut WriteTx, id: CampaignId, next: CampaignStatus) -> Result<(), AppError> {
    let status = store::lock(tx, id).await?;
    if status == next {
        return Ok(());
    }
    if !status.may_become(next) {
        return Err(AppError::Conflict(
            Reason::WrongState,
            format!(
                "A campaign that is {} cannot become {}.",
                status.label().to_lowercase(),
                next.label().to_lowercase()
            ),
        ));
    }
    let campaign = store::get(tx.reading(), id).await?;
    if next == CampaignStatus::Active
        && let Some(obstacle) = choices::obstacles(tx.reading(), &campaign).await?.into_iter().next()
    {
        let told = tx.scope().shown(Field::BatchTrouble, obstacle);
        let told = told.unwrap_or_else(|| {
            "The campaign cannot call yet: its agent or its number is not ready. The agency sees why.".into()
        });
        return Err(AppError::Conflict(Reason::NotReady, told));
    }
    if next == CampaignStatus::Archived && store::open_batches(tx.reading(), id).await? > 0 {
        return Err(AppError::Conflict(
            Reason::InUse,
            "A batch of this campaign is not finished. Stop it first, then archive.".into(),
        ));
    }
    store::set_status(tx, id, next).await?;
    let verb = match next {
        CampaignStatus::Active => "activated",
        CampaignStatus::Paused if status == CampaignStatus::Archived => "restored",
        CampaignStatus::Paused => "paused",
        CampaignStatus::Archived => "archived",
        CampaignStatus::Draft => "changed",
    };
    let fields = Fields::Changed { before: json!({ "status": status }), after: json!({ "status": next }) };
    record(tx, verb, id, campaign.client_id, fields).await
}

/// Adds the first 20,000 now and leaves the rest to a job. Gives the number that joined now, and whether more follow.
pub(crate) async fn add_or_enqueue(tx: &mut WriteTx, id: CampaignId, by: &AddBy) -> Result<(u64, bool), AppError> {
    if store::lock(tx, id).await? == CampaignStatus::Archived {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "Nobody can be added to an archived campaign. Restore it first.".into(),
        ));
    }
    let campaign = store::get(tx.reading(), id).await?;
    let (added, rest) = add_some(tx, &campaign, by, nobody(), AT_ONCE).await?;
    if let Some(after) = rest {
        enqueue(tx, &AddContacts { campaign: id, by: by.clone(), after }, NewJob::default()).await?;
    }
    record_added(tx, &campaign, by, added).await?;
    Ok((added, rest.is_some()))
}

/// One job's share: the next 20,000. Gives where to go on, if there is more.
pub(crate) async fn add_more(tx: &mut WriteTx, job: &AddContacts) -> Result<Option<ContactId>, AppError> {
    let campaign = store::get(tx.reading(), job.campaign).await?;
    if campaign.status == CampaignStatus::Archived {
        return Ok(None);
    }
    let (added, rest) = add_some(tx, &campaign, &job.by, job.after, AT_ONCE).await?;
    record_added(tx, &campaign, &job.by, added).await?;
    Ok(rest)
}

async fn add_some(
    tx: &mut WriteTx,
    campaign: &Campaign,
    by: &AddBy,
    mut after: ContactId,
    most: u64,
) -> Result<(u64, Option<ContactId>), AppError> {
    let client = campaign.client_id;
    let (mut added, mut looked) = (0, 0_u64);
    loop {
        let found = match by {
            AddBy::AllOfClient => members::candidates_of_client(tx.reading(), client, after, CHUNK).await?,
            AddBy::Import(import) => members::candidates_of_import(tx.reading(), client, *import, after, CHUNK).await?,
            AddBy::Matching(words) => members::candidates_by_words(tx.reading(), client, words).await?,
            AddBy::Contacts(list) => list.clone(),
        };
        added += dialling::join(tx, campaign.id, client, &found).await?;
        looked += found.len() as u64;
        let in_pieces = matches!(by, AddBy::AllOfClient | AddBy::Import(_));
        match found.last() {
            Some(last) if in_pieces && found.len() as i64 == CHUNK => after = *last,
            _ => return Ok((added, None)),
        }
        if looked >= most {
            return Ok((added, Some(after)));
        }
    }
}

fn nobody() -> ContactId {
    ContactId(uuid::Uuid::nil())
}

async fn record_added(tx: &mut WriteTx, campaign: &Campaign, by: &AddBy, added: u64) -> Result<(), AppError> {
    if added == 0 {
        return Ok(());
    }
    let how = match by {
        AddBy::AllOfClient => json!("all of the client"),
        AddBy::Import(id) => json!({ "import": id }),
        AddBy::Matching(_) => json!("a search"),
        AddBy::Contacts(_) => json!("chosen contacts"),
    };
    record(
        tx,
        "added contacts",
        campaign.id,
        campaign.client_id,
        Fields::Happened(json!({ "added": added, "from": how })),
    )
    .await
}

/// Takes never dialled contacts out: one, or all. Gives how many went.
pub(crate) async fn remove_undialled(
    tx: &mut WriteTx,
    id: CampaignId,
    only: Option<CampaignContactId>,
) -> Result<u64, AppError> {
    store::lock(tx, id).await?;
    let campaign = store::get(tx.reading(), id).await?;
    let mut removed = 0;
    loop {
        let gone = dialling::leave(tx, id, only, 10_000).await?;
        removed += gone;
        if gone < 10_000 {
            break;
        }
    }
    if removed == 0 && only.is_some() {
        return Err(AppError::Conflict(
            Reason::InUse,
            "This contact is in a batch or was called already, so it stays.".into(),
        ));
    }
    if removed > 0 {
        record(tx, "removed contacts", id, campaign.client_id, Fields::Happened(json!({ "removed": removed }))).await?;
    }
    Ok(removed)
}

fn summary(terms: &CampaignTerms) -> serde_json::Value {
    json!({
        "name": terms.name, "type": terms.kind, "agent_id": terms.agent_id, "number_id": terms.number_id, "goal": terms.goal,
        "variables": terms.variables, "calling_window": terms.calling_window, "max_attempts": terms.max_attempts,
        "retry_minutes": terms.retry_minutes,
    })
}

async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: CampaignId,
    client: ClientId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "campaign", entity_id: Some(id.0), client_id: Some(client), fields }).await?;
    tx.notify(Topic::list("campaigns"), Some(client));
    tx.notify(Topic::one("campaign", id), Some(client));
    Ok(())
}
