//! What people do with contacts and imports: add, change, suppress, check, run and stop.

use std::collections::BTreeMap;

use serde_json::json;

use super::jobs::{CheckImport, RunImport};
use super::store::{self, Values, imports};
use super::{files, import::Rows, import::sniff, told};
use crate::{
    ContactForm, ImportChoices, ImportStatus, ImportTerms, MAX_KEPT, MAX_KEPT_OF_CLIENT, MAX_WAITING,
    MAX_WAITING_OF_CLIENT, Pick, Preview, ReadingForm, UploadProblem, check_reason, countries, guess,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_calls::server::link_caller;
use patchbay_jobs::live::Topic;
use patchbay_jobs::queue::{Job, NewJob, enqueue, unfinished, withdraw};
use patchbay_shared::error::internal;
use patchbay_shared::ids::{CampaignId, ClientId, ContactId, ImportId};
use patchbay_shared::zone_names::{check_zone, read_zone};
use patchbay_shared::{AppError, FieldErrors, Phone, Reason};

/// A contact's form, read: everything checked, the number in E.164.
struct Checked {
    name: String,
    phone: Phone,
    email: Option<String>,
    company: Option<String>,
    timezone: Option<String>,
    attributes: BTreeMap<String, String>,
}

impl Checked {
    fn values(&self) -> Values<'_> {
        Values {
            name: &self.name,
            phone: &self.phone,
            email: self.email.as_deref(),
            company: self.company.as_deref(),
            timezone: self.timezone.as_deref(),
            attributes: &self.attributes,
        }
    }
}

/// Writes a new contact. Errors: `Invalid` at the field, also when the client already has the number.
pub(crate) async fn create(tx: &mut WriteTx, client: ClientId, form: &ContactForm) -> Result<ContactId, AppError> {
    let timezone = store::client_timezone(tx.reading(), client)
        .await
        .map_err(|error| error.at_choice("client", "Choose a client of the agency."))?;
    let checked = check(form, countries::of_timezone(&timezone))?;
    let id = ContactId::new();
    store::insert(tx, id, client, &checked.values()).await?;
    let linked = link(tx, client, id, &checked).await?;
    let mut after = summary(&checked);
    after["past_calls"] = json!(linked);
    record(tx, "created", id, client, Fields::Created(after)).await?;
    Ok(id)
}

pub(crate) async fn change(tx: &mut WriteTx, id: ContactId, form: &ContactForm) -> Result<(), AppError> {
    let before = store::get(tx.reading(), id).await?;
    let checked = check(form, countries::of_timezone(&before.client_timezone))?;
    // The new number may have called before. Calls are locked before their contact, as everywhere.
    link(tx, before.client_id, id, &checked).await?;
    store::update(tx, id, &checked.values()).await?;
    let old = json!({
        "name": before.name, "phone": before.phone, "email": before.email, "company": before.company, "timezone": before.timezone,
        "attributes": before.attributes,
    });
    let fields = Fields::Changed { before: old, after: summary(&checked) };
    record(tx, "changed", id, before.client_id, fields).await
}

/// Calls that came from the contact's number before anybody knew whose it was are the contact's from now on. Gives how many.
async fn link(tx: &mut WriteTx, client: ClientId, id: ContactId, checked: &Checked) -> Result<usize, AppError> {
    let calls = link_caller(tx, client, id, checked.phone.as_str(), &checked.name).await?;
    for call in &calls {
        tx.notify(Topic::one("call", *call), Some(client));
    }
    if !calls.is_empty() {
        tx.notify(Topic::list("calls"), Some(client));
    }
    Ok(calls.len())
}

/// Puts a contact on the do-not-call list. A contact that is on it already keeps its first reason.
pub(crate) async fn suppress(tx: &mut WriteTx, id: ContactId, reason: &str) -> Result<(), AppError> {
    let reason = check_reason(reason)?;
    let contact = store::get(tx.reading(), id).await?;
    if store::set_suppressed(tx, id, Some(&reason)).await? {
        let after = json!({ "do_not_call": true, "reason": reason });
        let fields = Fields::Changed { before: json!({ "do_not_call": false }), after };
        record(tx, "suppressed", id, contact.client_id, fields).await?;
    }
    Ok(())
}

/// Takes a contact off the do-not-call list.
pub(crate) async fn allow(tx: &mut WriteTx, id: ContactId) -> Result<(), AppError> {
    let contact = store::get(tx.reading(), id).await?;
    if store::set_suppressed(tx, id, None).await? {
        let before = json!({ "do_not_call": true, "reason": contact.do_not_call_reason });
        let fields = Fields::Changed { before, after: json!({ "do_not_call": false }) };
        record(tx, "allowed", id, contact.client_id, fields).await?;
    }
    Ok(())
}

fn check(form: &ContactForm, country: Option<&str>) -> Result<Checked, AppError> {
    let mut errors = FieldErrors::default();
    let attributes = form.check(&mut errors);
    let chosen = Some(form.country.trim()).filter(|code| !code.is_empty());
    let phone = Phone::parse(&form.phone, chosen.or(country));
    if let Err(message) = &phone {
        errors.add("phone", message.clone());
    }
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let timezone = match (some(&form.timezone), &phone) {
        (Some(zone), Ok(phone)) => read_zone(&zone, phone).map(|zone| Some(zone.to_owned())),
        // Everything that is wrong is said at once.
        (Some(zone), Err(_)) => check_zone(&zone).map(|()| None),
        (None, _) => Ok(None),
    };
    if let Err(message) = &timezone {
        errors.add("timezone", format!("{message} Or leave it empty for the client's."));
    }
    match (errors.0.is_empty(), phone, timezone) {
        (true, Ok(phone), Ok(timezone)) => Ok(Checked {
            name: form.name.trim().to_owned(),
            phone,
            email: some(&form.email),
            company: some(&form.company),
            timezone,
            attributes,
        }),
        _ => Err(AppError::Invalid(errors)),
    }
}

fn summary(checked: &Checked) -> serde_json::Value {
    json!({
        "name": checked.name, "phone": checked.phone, "email": checked.email, "company": checked.company,
        "timezone": checked.timezone, "attributes": checked.attributes,
    })
}

pub(crate) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: ContactId,
    client: ClientId,
    fields: Fields,
) -> Result<(), AppError> {
    told::recorded(tx, action, id, &fields).await?;
    tx.audit(Change { action, entity: "contact", entity_id: Some(id.0), client_id: Some(client), fields }).await?;
    tx.notify(Topic::list("contacts"), Some(client));
    tx.notify(Topic::one("contact", id), Some(client));
    Ok(())
}

/// What the first two steps of an import offer: clients for agency people, and for a known client its campaigns.
pub(crate) async fn choices(tx: &mut ReadTx, client: Option<ClientId>) -> Result<ImportChoices, AppError> {
    let own = tx.scope().client_id();
    let mut choices = ImportChoices::default();
    if own.is_none() {
        let names = patchbay_clients::server::names(tx).await?;
        choices.clients = names.into_iter().map(|row| Pick { id: row.id.to_string(), label: row.name }).collect();
    }
    // Whose role only reads campaigns adds nobody to one.
    if let Some(client) = own.or(client).filter(|_| tx.scope().may(Action::ManageCampaigns)) {
        choices.campaigns = store::open_campaigns(tx, client).await?;
    }
    Ok(choices)
}

/// A file that lies under its key and was looked at.
pub(crate) struct Uploaded {
    pub id: ImportId,
    pub client: ClientId,
    pub campaign: Option<CampaignId>,
    pub file_name: String,
    pub sniffed: sniff::Sniffed,
}

/// Makes an import of an uploaded file, with a first mapping from the column names and the client's last import.
/// What is in the way is given inside: too many files, or too much of them.
pub(crate) async fn take_upload(tx: &mut WriteTx, upload: Uploaded) -> Result<Result<(), UploadProblem>, AppError> {
    let Uploaded { id, client, campaign, file_name, sniffed } = upload;
    imports::lock_counts(tx).await?;
    if let Some(problem) = no_room(tx.reading(), client, 1, sniffed.bytes as i64).await? {
        return Ok(Err(problem));
    }
    let timezone = store::client_timezone(tx.reading(), client).await?;
    let (known, country) = imports::remembered(tx.reading(), client).await?;
    let campaign = usable_campaign(tx, client, campaign).await?;
    let country = country.or_else(|| countries::of_timezone(&timezone).map(str::to_owned));
    let mapping = guess::mapping(&sniffed.preview, &known);
    let delimiter = char::from(sniffed.delimiter).to_string();
    let new = imports::NewImport {
        id,
        client_id: client,
        campaign_id: campaign,
        file_name: &file_name,
        file_key: &files::key(tx.workspace_id(), id),
        file_bytes: sniffed.bytes as i64,
        encoding: sniffed.encoding,
        delimiter: &delimiter,
        preview: &sniffed.preview,
        mapping: &mapping,
        country: country.as_deref(),
    };
    imports::insert(tx, &new).await?;
    let uploaded = Fields::Created(json!({ "file": file_name, "bytes": sniffed.bytes }));
    record_import(tx, "uploaded", id, client, uploaded).await?;
    Ok(Ok(()))
}

/// Whether so many files and bytes more are too much for the client or the agency.
pub(crate) async fn no_room(
    tx: &mut ReadTx,
    client: ClientId,
    files: i64,
    bytes: i64,
) -> Result<Option<UploadProblem>, AppError> {
    let waiting = imports::waiting(tx, client).await?;
    if waiting.of_client + files > MAX_WAITING_OF_CLIENT || waiting.all + files > MAX_WAITING {
        return Ok(Some(UploadProblem::Waiting));
    }
    let is_full = waiting.bytes_of_client + bytes > MAX_KEPT_OF_CLIENT || waiting.bytes + bytes > MAX_KEPT;
    Ok(is_full.then_some(UploadProblem::Quota))
}

/// Reads the head of a file again in the way that a person chose, and guesses its columns anew.
///
/// Errors: `Conflict` when its import has started; `Invalid` when it cannot be read like that.
pub(crate) async fn reread_import(scope: &Scope, id: ImportId, form: &ReadingForm) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let work = imports::work(tx.reading(), id).await?;
    may_change(work.status)?;
    drop(tx);
    let reading = form.check(work.preview.sheets.len(), &work.delimiter)?;
    let path = files::path(scope.services(), &work.file_key)?;
    // A sheet is written beside what is read now, which may be read by a check in this moment.
    let fresh = files::path(scope.services(), &files::fresh_key(scope.workspace_id(), id))?;
    let turn = files::turn(scope.services(), scope.workspace_id()).await;
    let (from, to, preview, encoding) = (path.clone(), fresh.clone(), work.preview.clone(), work.encoding.clone());
    let delimiter = work.delimiter.bytes().next().unwrap_or(b',');
    let look = move || sniff::again(&from, &to, &preview, (&encoding, delimiter), &reading);
    // Deleted at the end, unless it has taken the place of the other by then.
    let ((turn, _fresh), looked) = files::work((turn, files::Unclaimed::new(fresh.clone())), look).await?;
    drop(turn);
    let field = if work.preview.sheets.is_empty() { "encoding" } else { "sheet" };
    let sniffed = looked?.map_err(|problem| AppError::invalid(field, problem.label()))?;
    let mut tx = scope.write(Action::ManageContacts).await?;
    imports::lock_counts(&mut tx).await?;
    may_change(imports::lock(&mut tx, id).await?)?;
    if sniffed.bytes as i64 > work.file_bytes {
        let more = sniffed.bytes as i64 - work.file_bytes;
        if let Some(problem) = no_room(tx.reading(), work.client_id, 0, more).await? {
            return Err(AppError::invalid(field, problem.label()));
        }
    }
    let (known, _) = imports::remembered(tx.reading(), work.client_id).await?;
    let mapping = guess::mapping(&sniffed.preview, &known);
    imports::set_reading(&mut tx, id, &sniffed, &mapping).await?;
    let described = |encoding: &str, delimiter: &str, preview: &Preview| {
        let sheet = preview.sheets.get(preview.sheet);
        json!({ "encoding": encoding, "delimiter": delimiter, "above": preview.above, "sheet": sheet })
    };
    tx.audit(Change {
        action: "reread",
        entity: "import",
        entity_id: Some(id.0),
        client_id: Some(work.client_id),
        fields: Fields::Changed {
            before: described(&work.encoding, &work.delimiter, &work.preview),
            after: described(sniffed.encoding, &char::from(sniffed.delimiter).to_string(), &sniffed.preview),
        },
    })
    .await?;
    tx.notify(Topic::list("imports"), Some(work.client_id));
    tx.notify(Topic::one("import", id), Some(work.client_id));
    if !work.preview.sheets.is_empty() {
        tokio::fs::rename(&fresh, &path).await.map_err(internal)?;
    }
    tx.commit().await
}

fn may_change(status: ImportStatus) -> Result<(), AppError> {
    if matches!(status, ImportStatus::Uploaded | ImportStatus::Checked) {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::WrongState,
        "This import has started, so its columns stay. Upload the file again to change them.".into(),
    ))
}

/// Only a campaign of the same client, and only for who may add people to one.
async fn usable_campaign(
    tx: &mut WriteTx,
    client: ClientId,
    campaign: Option<CampaignId>,
) -> Result<Option<CampaignId>, AppError> {
    let Some(id) = campaign.filter(|_| tx.scope().may(Action::ManageCampaigns)) else { return Ok(None) };
    let open = store::open_campaigns(tx.reading(), client).await?;
    Ok(open.iter().any(|pick| pick.id == id.to_string()).then_some(id))
}

/// Takes the mapping and starts the check. Errors: `Conflict` while the import runs or after it ended, or when five are running.
pub(crate) async fn check_import(tx: &mut WriteTx, id: ImportId, mut terms: ImportTerms) -> Result<(), AppError> {
    imports::lock_counts(tx).await?;
    may_change(imports::lock(tx, id).await?)?;
    not_too_many(tx).await?;
    let work = imports::work(tx.reading(), id).await?;
    terms.campaign_id = usable_campaign(tx, work.client_id, terms.campaign_id).await?;
    imports::set_terms(tx, id, &terms).await?;
    enqueue(tx, &CheckImport { import: id }, NewJob::default()).await?;
    let fields = Fields::Changed {
        before: json!({ "mapping": work.mapping, "country": work.country, "status": work.status }),
        after: json!({ "mapping": terms.mapping, "country": terms.country, "status": ImportStatus::Checking }),
    };
    record_import(tx, "mapped", id, work.client_id, fields).await
}

/// Starts the import itself, once: a second click changes nothing.
///
/// Errors: `Conflict` when it is not ready, when its rows are gone or another version of Patchbay kept them, or when five are running.
pub(crate) async fn run_import(tx: &mut WriteTx, id: ImportId) -> Result<(), AppError> {
    imports::lock_counts(tx).await?;
    match imports::lock(tx, id).await? {
        ImportStatus::Checked => {}
        ImportStatus::Importing => return Ok(()),
        _ => {
            return Err(AppError::Conflict(
                Reason::WrongState,
                "This import is not ready. Open its page to see where it stands.".into(),
            ));
        }
    }
    not_too_many(tx).await?;
    let work = imports::work(tx.reading(), id).await?;
    if !has_rows(tx.scope(), &work).await? {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "What the check read of this file is not there any more, or is from before an update. Go back to its columns and check it again."
                .into(),
        ));
    }
    imports::start(tx, id).await?;
    enqueue(tx, &RunImport { import: id }, NewJob::default()).await?;
    record_import(
        tx,
        "started",
        id,
        work.client_id,
        moved(&work.file_name, ImportStatus::Checked, ImportStatus::Importing),
    )
    .await
}

/// Whether the rows that the check kept are there to be imported.
async fn has_rows(scope: &Scope, work: &imports::Work) -> Result<bool, AppError> {
    let Some(key) = &work.stage_key else { return Ok(false) };
    let path = files::path(scope.services(), key)?;
    let rows = tokio::task::spawn_blocking(move || Rows::open(&path)).await.map_err(internal)?;
    Ok(matches!(rows, Ok(Some(_))))
}

/// Stops an import. What is in stays in; one that a worker is at stops at its next piece.
pub(crate) async fn cancel_import(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let status = imports::lock(&mut tx, id).await?;
    let work = imports::work(tx.reading(), id).await?;
    let ends = match status {
        ImportStatus::Completed | ImportStatus::Failed | ImportStatus::Cancelled => return Ok(()),
        ImportStatus::Uploaded | ImportStatus::Checked => true,
        ImportStatus::Checking => is_nobodys(&mut tx, &CheckImport { import: id }).await?,
        ImportStatus::Importing => is_nobodys(&mut tx, &RunImport { import: id }).await?,
    };
    if ends {
        imports::end(&mut tx, id, ImportStatus::Cancelled, None).await?;
    } else {
        imports::ask_to_stop(&mut tx, id).await?;
    }
    let change = moved(&work.file_name, status, ImportStatus::Cancelled);
    record_import(&mut tx, "cancelled", id, work.client_id, change).await?;
    tx.commit().await?;
    if ends {
        files::delete(scope.services(), scope.workspace_id(), id).await;
    }
    Ok(())
}

/// Whether no worker is at a job. One that waits is withdrawn: it may wait for hours, after a failure.
async fn is_nobodys<J: Job>(tx: &mut WriteTx, job: &J) -> Result<bool, AppError> {
    withdraw(tx, job).await?;
    Ok(unfinished(tx.reading(), job).await?.is_none())
}

/// An import that goes from one state to another.
pub(crate) fn moved(file: &str, from: ImportStatus, to: ImportStatus) -> Fields {
    let state = |status: ImportStatus| json!({ "file": file, "status": status });
    Fields::Changed { before: state(from), after: state(to) }
}

/// Call it behind `lock_counts`, so that of several at once only as many get in as may.
async fn not_too_many(tx: &mut WriteTx) -> Result<(), AppError> {
    if imports::busy(tx.reading()).await? < imports::AT_ONCE {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::LimitReached,
        "Five imports are already running here. Wait until one has finished, then try again.".into(),
    ))
}

pub(crate) async fn record_import(
    tx: &mut WriteTx,
    action: &str,
    id: ImportId,
    client: ClientId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "import", entity_id: Some(id.0), client_id: Some(client), fields }).await?;
    tx.notify(Topic::list("imports"), Some(client));
    tx.notify(Topic::one("import", id), Some(client));
    Ok(())
}

/// The client that a form names, or the caller's own.
pub(crate) fn client_of(scope: &Scope, named: &str) -> Result<ClientId, AppError> {
    match scope.client_id() {
        Some(own) => Ok(own),
        None => {
            named.parse().map_err(|_| AppError::invalid("client", "Choose the client that this person belongs to."))
        }
    }
}
