//! What people do with engines: make and change them, choose the default, deactivate and restore them.

use serde_json::{Value, json};

use super::store::engines::{self as store, Engine};
use crate::model::setup::{EngineFields, EngineForm, EnginePage, EnginesPage, MOST_ENGINES, SetupQuery};
use crate::model::{EngineConfig, EngineType, ModelEngine, ProcessEngine};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_models::server as models;
use patchbay_shared::ids::{ConnectionId, EngineId};
use patchbay_shared::{AppError, Reason};

/// Rows on a page of the list.
const ROWS: usize = 50;

/// What other crates need of an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundEngine {
    pub id: EngineId,
    pub name: String,
    pub config: EngineConfig,
}

/// The engine that is used where none is named. Errors: `Conflict` with what to do.
pub async fn default_engine(tx: &mut ReadTx) -> Result<FoundEngine, AppError> {
    let Some(id) = store::default(tx).await? else {
        let why = "There is no default engine. Make one at Execution, Engines.";
        return Err(AppError::Conflict(Reason::NotReady, why.to_owned()));
    };
    find(tx, id).await
}

/// The engine that scripts are run with: the default, where it is one for that, or the oldest. None: there is none.
pub async fn process_engine(tx: &mut ReadTx) -> Result<Option<FoundEngine>, AppError> {
    match store::first_of(tx, EngineType::Process).await? {
        Some(id) => find(tx, id).await.map(Some),
        None => Ok(None),
    }
}

/// One that is in use. Errors: `NotFound`; `Conflict` when it is deactivated.
pub async fn find(tx: &mut ReadTx, id: EngineId) -> Result<FoundEngine, AppError> {
    let Engine { fields, is_active, .. } = store::get(tx, id).await?;
    if !is_active {
        let why = format!("The engine {} is deactivated. Restore it, or choose another one.", fields.name);
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    Ok(FoundEngine { id, name: fields.name, config: fields.config })
}

/// Engines, by name.
pub(crate) async fn list(tx: &mut ReadTx, query: &SetupQuery) -> Result<EnginesPage, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    let is_first = page.rows.is_empty() && store::active(tx).await? == 0;
    Ok(EnginesPage { page, may_edit: tx.scope().may(Action::ManageExecution), is_first })
}

/// One engine, or what a new one of this type begins with. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: Option<EngineId>, kind: Option<&str>) -> Result<EnginePage, AppError> {
    let accounts = patchbay_connections::server::models::list(tx).await?;
    let accounts = accounts.into_iter().map(|account| (account.id.to_string(), account.name)).collect();
    let may_edit = tx.scope().may(Action::ManageExecution);
    let (form, row) = match id {
        Some(id) => (store::get(tx, id).await?.fields.form(id.to_string()), Some(store::row(tx, id).await?)),
        None => {
            let config = match kind.and_then(|kind| kind.parse().ok()) {
                Some(EngineType::Process) => EngineConfig::Process(ProcessEngine::default()),
                _ => EngineConfig::Model(ModelEngine::default()),
            };
            let fields = EngineFields { name: String::new(), description: String::new(), config };
            (fields.form(String::new()), None)
        }
    };
    Ok(EnginePage { form, row, accounts, may_edit })
}

/// Makes or changes an engine. What jobs have of it stays as it was. Errors: `Invalid`, `NotFound`; `Conflict` when there are too many.
pub(crate) async fn save(tx: &mut WriteTx, form: &EngineForm) -> Result<EngineId, AppError> {
    let known = store::lock(tx).await?;
    let id = if form.id.is_empty() { None } else { Some(form.id.parse::<EngineId>()?) };
    let before = match id {
        Some(id) => Some(store::get(tx.reading(), id).await?),
        None => None,
    };
    // Its type is part of what it is.
    let kind = before.as_ref().map_or_else(|| form.kind.clone(), |before| before.fields.config.kind().to_string());
    let (fields, mut errors) = EngineForm { kind, ..form.clone() }.read();
    let own = id.unwrap_or_else(EngineId::new);
    if store::name_is_taken(tx.reading(), own, &fields.name).await? {
        errors.add("name", "There is an engine of this name already. Give this one another name.");
    }
    let account = match &fields.config {
        EngineConfig::Model(ModelEngine { account: Some(account), .. }) => Some(*account),
        _ => None,
    };
    if let Some(account) = account
        && !models::has_account(tx.reading(), account).await?
    {
        errors.add("account", "Choose one of the accounts.");
    }
    errors.check()?;
    let provider = provider(tx.reading(), &fields.config, account).await?;
    match (id, before) {
        (Some(id), Some(before)) => {
            store::update(tx, id, &fields, &provider).await?;
            let sides = Fields::Changed { before: told(&before.fields), after: told(&fields) };
            record(tx, "changed", id, sides).await?;
        }
        _ => {
            if known >= MOST_ENGINES {
                let why = format!("An agency has at most {MOST_ENGINES} engines. Change one that is no longer used.");
                return Err(AppError::Conflict(Reason::LimitReached, why));
            }
            return create(tx, &fields, &provider).await;
        }
    }
    notify(tx);
    Ok(own)
}

/// The first one is the default.
async fn create(tx: &mut WriteTx, fields: &EngineFields, provider: &str) -> Result<EngineId, AppError> {
    let id = EngineId::new();
    let is_default = store::default(tx.reading()).await?.is_none();
    store::insert(tx, id, fields, provider, is_default).await?;
    record(tx, "created", id, Fields::Created(told(fields))).await?;
    notify(tx);
    Ok(id)
}

/// Makes an engine the one that is used where none is named. Errors: `NotFound`; `Conflict` when it is deactivated.
pub(crate) async fn make_default(tx: &mut WriteTx, id: EngineId) -> Result<(), AppError> {
    store::lock(tx).await?;
    let engine = store::get(tx.reading(), id).await?;
    if engine.is_default {
        return Ok(());
    }
    find(tx.reading(), id).await?;
    let former = match store::default(tx.reading()).await? {
        Some(former) => Some(store::get(tx.reading(), former).await?.fields.name),
        None => None,
    };
    store::make_default(tx, id).await?;
    let sides = Fields::Changed { before: json!({"default": former}), after: json!({"default": engine.fields.name}) };
    record(tx, "made default", id, sides).await?;
    notify(tx);
    Ok(())
}

/// Deactivates an engine or restores it. Errors: `NotFound`; `Conflict` for the default while there are others, and when the name was
/// given to another one meanwhile.
pub(crate) async fn switch(tx: &mut WriteTx, id: EngineId, on: bool) -> Result<(), AppError> {
    store::lock(tx).await?;
    let engine = store::get(tx.reading(), id).await?;
    if engine.is_active == on {
        return Ok(());
    }
    if !on && engine.is_default && store::active(tx.reading()).await? > 1 {
        let why = "This is the default engine. Make another one the default first.";
        return Err(AppError::Conflict(Reason::InUse, why.to_owned()));
    }
    if on && store::name_is_taken(tx.reading(), id, &engine.fields.name).await? {
        let why = format!("Another engine is named {} by now. Give that one another name first.", engine.fields.name);
        return Err(AppError::Conflict(Reason::AlreadyThere, why));
    }
    store::switch(tx, id, on).await?;
    if on && store::default(tx.reading()).await?.is_none() {
        store::make_default(tx, id).await?;
    }
    let side = |on: bool| json!({"name": engine.fields.name, "active": on});
    let sides = Fields::Changed { before: side(!on), after: side(on) };
    record(tx, if on { "restored" } else { "deactivated" }, id, sides).await?;
    notify(tx);
    Ok(())
}

/// One engine of each type, where there is none: with the model of the agents' runs, and with a shell.
pub(crate) async fn add_usual(tx: &mut WriteTx) -> Result<(), AppError> {
    store::lock(tx).await?;
    let usual = [
        ("Model", "Works with the model that the agent’s runs use.", EngineConfig::Model(ModelEngine::default())),
        (
            "Shell",
            "Runs scripts of skills with sh, without a network.",
            EngineConfig::Process(ProcessEngine::default()),
        ),
    ];
    for (name, description, config) in usual {
        if store::first_of(tx.reading(), config.kind()).await?.is_some() {
            continue;
        }
        let fields = EngineFields { name: name.to_owned(), description: description.to_owned(), config };
        if store::name_is_taken(tx.reading(), EngineId::new(), name).await? {
            continue;
        }
        let provider = provider(tx.reading(), &fields.config, None).await?;
        create(tx, &fields, &provider).await?;
    }
    Ok(())
}

/// The kind of account that answers, or the program that reads scripts.
async fn provider(tx: &mut ReadTx, config: &EngineConfig, account: Option<ConnectionId>) -> Result<String, AppError> {
    if let EngineConfig::Process(process) = config {
        return Ok(process.interpreter.first().cloned().unwrap_or_default());
    }
    let accounts = patchbay_connections::server::models::list(tx).await?;
    let found = accounts.iter().find(|known| account.is_none_or(|id| id == known.id));
    Ok(found.map_or_else(|| "anthropic".to_owned(), |account| account.kind.to_string()))
}

/// What the audit log has of an engine.
fn told(fields: &EngineFields) -> Value {
    json!({"name": fields.name, "description": fields.description, "settings": fields.config})
}

async fn record(tx: &mut WriteTx, action: &str, id: EngineId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "execution_engine", entity_id: Some(id.0), client_id: None, fields }).await
}

fn notify(tx: &mut WriteTx) {
    tx.notify(Topic::list("execution_engines"), None);
    tx.notify(Topic::list("execution"), None);
}
