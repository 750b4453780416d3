//! What people do with targets: make and change them, seal their secrets, check, hold, deactivate and restore them; and how a worker
//! reaches one. Whether this installation lets agencies use its own machine is asked when a target is saved and whenever it is reached.

use serde_json::{Value, json};
use url::Url;

use super::store::targets::{self as store, Stored};
use crate::model::setup::{MOST_TARGETS, SetupQuery, TargetFields, TargetForm, TargetPage, TargetsPage};
use crate::model::{Capacity, TargetConfig, TargetSnapshot, TargetType};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_providers::public_address::is_public;
use patchbay_providers::{Binding, Secret};
use patchbay_shared::error::internal;
use patchbay_shared::ids::{TargetId, WorkspaceId};
use patchbay_shared::{AppError, FieldErrors, Reason};
use patchbay_targets::{DockerKeys, DockerTarget, KubernetesKeys, KubernetesTarget, LocalTarget, Reach, Target};

/// Rows on a page of the list.
const ROWS: usize = 50;
/// For a whole check.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// Characters of a token or key.
const LONGEST_SECRET: usize = 20_000;
const NOT_HERE: &str = "This installation does not let jobs run on its own machine. Whoever runs it can switch that on with \
                        --local-targets on.";
/// Ports that engines and clusters listen on, where only public addresses may be asked.
const PORTS: [u16; 4] = [443, 2376, 6443, 8443];

/// The target that is used where none is named. Errors: `Conflict` with what to do.
pub async fn default_target(tx: &mut ReadTx) -> Result<TargetSnapshot, AppError> {
    let Some(id) = store::first(tx).await? else {
        let why = "There is no target. Add one at Execution, Targets.";
        return Err(AppError::Conflict(Reason::NotReady, why.to_owned()));
    };
    find(tx, id).await
}

/// One that is in use, as jobs keep it. Errors: `NotFound`; `Conflict` when it is deactivated.
pub async fn find(tx: &mut ReadTx, id: TargetId) -> Result<TargetSnapshot, AppError> {
    let Stored { fields, is_active, .. } = store::get(tx, id).await?;
    if !is_active {
        let why = format!("The target {} is deactivated. Restore it, or choose another one.", fields.name);
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    let TargetFields { name, config, capacity, pool } = fields;
    Ok(TargetSnapshot { id, name, pool, config, capacity })
}

/// The way to a target, as a job has it, with the secret of this moment. A secret goes only where it was given for. Errors: `NotFound`;
/// `Conflict` when this installation does not allow it.
pub async fn reach(scope: &Scope, snapshot: &TargetSnapshot) -> Result<Box<dyn Target>, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let stored = store::get(&mut tx, snapshot.id).await?;
    drop(tx);
    let sealed = stored.secret.filter(|_| is_same_place(&stored.fields.config, &snapshot.config));
    let secret = sealed.map(|sealed| open(scope, snapshot.id, &sealed)).transpose()?;
    let services = scope.services();
    // It may have been saved while more was allowed, and an address written as a number is looked up nowhere.
    let mut errors = FieldErrors::default();
    check_place(&snapshot.config, services.allows_local_targets, &mut errors);
    if let Some((_, why)) = errors.0.into_iter().next() {
        return Err(AppError::Conflict(Reason::Configuration, why));
    }
    let reach = if services.allows_local_targets { Reach::Anywhere } else { Reach::Public };
    Ok(match snapshot.config.clone() {
        TargetConfig::Local => {
            Box::new(LocalTarget::new(services.jobs.clone(), services.job_program.clone(), services.state()))
        }
        TargetConfig::Docker { address, authority, certificate } => {
            Box::new(DockerTarget::new(address, DockerKeys { authority, certificate, key: secret }, reach))
        }
        TargetConfig::Kubernetes { address, namespace, authority, node_selector } => {
            let keys = KubernetesKeys { authority, token: secret };
            Box::new(KubernetesTarget::new(address, namespace, node_selector, keys, reach))
        }
    })
}

/// Targets, by name.
pub(crate) async fn list(tx: &mut ReadTx, query: &SetupQuery) -> Result<TargetsPage, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    let is_first = page.rows.is_empty() && store::active(tx).await? == 0;
    let allows_local = tx.services().allows_local_targets;
    Ok(TargetsPage { page, may_edit: tx.scope().may(Action::ManageExecution), is_first, allows_local })
}

/// One target, or what a new one of this type begins with. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: Option<TargetId>, kind: Option<&str>) -> Result<TargetPage, AppError> {
    let may = |action| tx.scope().may(action);
    let (may_edit, may_seal) = (may(Action::ManageExecution), may(Action::ManageConnections));
    let allows_local = tx.services().allows_local_targets;
    let Some(id) = id else {
        let config = match kind.and_then(|kind| kind.parse().ok()) {
            Some(TargetType::Docker) => {
                TargetConfig::Docker { address: String::new(), authority: None, certificate: None }
            }
            Some(TargetType::Kubernetes) => TargetConfig::Kubernetes {
                address: String::new(),
                namespace: "patchbay".to_owned(),
                authority: None,
                node_selector: Default::default(),
            },
            Some(TargetType::Local) | None => TargetConfig::Local,
        };
        let form = TargetFields { name: String::new(), config, capacity: usual_capacity(), pool: "default".to_owned() };
        let (form, found) = (form.form(String::new()), Vec::new());
        return Ok(TargetPage { form, row: None, found, has_secret: false, may_edit, may_seal, allows_local });
    };
    let stored = store::get(tx, id).await?;
    let found = stored.found.iter().flat_map(|found| found.lines()).map(str::to_owned).collect();
    let (form, has_secret) = (stored.fields.form(id.to_string()), stored.secret.is_some());
    let row = Some(store::row(tx, id).await?);
    Ok(TargetPage { form, row, found, has_secret, may_edit, may_seal, allows_local })
}

/// Makes or changes a target. With another address the secret goes, and so does what was found at the former one. Errors: `Invalid`,
/// `NotFound`; `Conflict` when there are too many.
pub(crate) async fn save(tx: &mut WriteTx, form: &TargetForm) -> Result<TargetId, AppError> {
    let known = store::lock(tx).await?;
    let id = if form.id.is_empty() { None } else { Some(form.id.parse::<TargetId>()?) };
    let before = match id {
        Some(id) => Some(store::get(tx.reading(), id).await?),
        None => None,
    };
    // Its type is part of what it is.
    let kind = before.as_ref().map_or_else(|| form.kind.clone(), |before| before.fields.config.kind().to_string());
    let (fields, mut errors) = TargetForm { kind, ..form.clone() }.read();
    check_place(&fields.config, tx.reading().services().allows_local_targets, &mut errors);
    if store::name_is_taken(tx.reading(), id.unwrap_or_else(TargetId::new), &fields.name).await? {
        errors.add("name", "There is a target of this name already. Give this one another name.");
    }
    let is_elsewhere = before.as_ref().is_some_and(|before| !is_same_place(&before.fields.config, &fields.config));
    if let Some(id) = id.filter(|_| is_elsewhere)
        && store::open_jobs(tx.reading(), id).await? > 0
    {
        errors.add("address", "Jobs run on it or wait for it. Add another target for the new address, or wait.");
    }
    errors.check()?;
    if let (Some(id), Some(before)) = (id, before) {
        store::update(tx, id, &fields, is_elsewhere).await?;
        let sides = Fields::Changed { before: told(&before.fields), after: told(&fields) };
        record(tx, "changed", id, sides).await?;
        notify(tx, id);
        return Ok(id);
    }
    if known >= MOST_TARGETS {
        let why = format!("An agency has at most {MOST_TARGETS} targets. Change one that is no longer used.");
        return Err(AppError::Conflict(Reason::LimitReached, why));
    }
    create(tx, &fields).await
}

async fn create(tx: &mut WriteTx, fields: &TargetFields) -> Result<TargetId, AppError> {
    let id = TargetId::new();
    store::insert(tx, id, fields).await?;
    record(tx, "created", id, Fields::Created(told(fields))).await?;
    notify(tx, id);
    Ok(id)
}

/// Seals another secret, or takes the present one away when it is empty. Errors: `Invalid`, `NotFound`; `Conflict` for a target that has
/// none.
pub(crate) async fn set_secret(tx: &mut WriteTx, id: TargetId, secret: &str) -> Result<(), AppError> {
    store::lock(tx).await?;
    let stored = store::get(tx.reading(), id).await?;
    let secret = secret.trim().replace("\r\n", "\n");
    match &stored.fields.config {
        _ if secret.is_empty() && stored.secret.is_none() => return Ok(()),
        _ if secret.is_empty() => {}
        TargetConfig::Docker { address, .. } if address.starts_with("https://") => {
            if !(secret.starts_with("-----BEGIN ") && secret.contains("PRIVATE KEY-----")) {
                let why = "Paste the client’s private key in PEM: it begins with -----BEGIN PRIVATE KEY-----.";
                return Err(AppError::invalid("secret", why));
            }
        }
        TargetConfig::Kubernetes { .. } => {
            if secret.contains(char::is_whitespace) || !secret.is_ascii() {
                return Err(AppError::invalid("secret", "Paste the token alone: it is one word without spaces."));
            }
        }
        TargetConfig::Local | TargetConfig::Docker { .. } => {
            let why = "This target needs no secret.";
            return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
        }
    }
    if secret.len() > LONGEST_SECRET {
        return Err(AppError::invalid("secret", "At most 20,000 characters."));
    }
    let place = place(tx.reading().workspace_id(), id);
    let sealed = match secret.as_str() {
        "" => None,
        secret => Some(tx.reading().services().ring.seal(&place, &secret).map_err(internal)?),
    };
    let side = |has: bool| json!({"name": stored.fields.name, "secret": if has { "set" } else { "none" }});
    let sides = Fields::Changed { before: side(stored.secret.is_some()), after: side(sealed.is_some()) };
    store::set_secret(tx, id, sealed.as_deref()).await?;
    record(tx, "secret changed", id, sides).await?;
    notify(tx, id);
    Ok(())
}

/// Asks the target now, and keeps what it says. Where all is well, jobs that wait for its circuits may try at once. Gives what is wrong.
/// Errors: `NotFound`.
pub(crate) async fn check(scope: &Scope, id: TargetId) -> Result<Option<String>, AppError> {
    let tx = scope.write(Action::ManageExecution).await?;
    drop(tx);
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let TargetFields { name, config, capacity, pool } = store::get(&mut tx, id).await?.fields;
    drop(tx);
    // No transaction is held while it is asked.
    let snapshot = TargetSnapshot { id, name, pool, config, capacity };
    let answer = match reach(scope, &snapshot).await {
        Ok(target) => match tokio::time::timeout(PATIENCE, target.check()).await {
            Ok(answer) => answer.map_err(|trouble| trouble.sentence),
            Err(_) => Err("It did not answer within a minute.".to_owned()),
        },
        Err(AppError::Conflict(_, why)) => Err(why),
        Err(error) => return Err(error),
    };
    let (problem, found) = match answer {
        Ok(checked) => {
            let lines: Vec<String> = std::iter::once(checked.about).chain(checked.remarks).collect();
            (None, Some(lines.join("\n")))
        }
        Err(problem) => (Some(shown(&problem)), None),
    };
    let mut tx = scope.write(Action::ManageExecution).await?;
    store::lock(&mut tx).await?;
    let stored = store::get(tx.reading(), id).await?;
    // What was found somewhere else meanwhile says nothing of where it is now.
    if is_same_place(&stored.fields.config, &snapshot.config) {
        store::checked(&mut tx, id, problem.as_deref(), found.as_deref()).await?;
        let result = json!({"name": stored.fields.name, "problem": problem});
        record(&mut tx, "checked", id, Fields::Happened(result)).await?;
        if problem.is_none() {
            for circuit in store::open_circuits(tx.reading(), id).await? {
                super::jobs::probe_now(&mut tx, circuit).await?;
            }
        }
        notify(&mut tx, id);
    }
    tx.commit().await?;
    Ok(problem)
}

/// Deactivates a target or restores it. Errors: `NotFound`; `Conflict` while jobs are on it, when the name was given to another one
/// meanwhile, and where this installation does not allow it any more.
pub(crate) async fn switch(tx: &mut WriteTx, id: TargetId, on: bool) -> Result<(), AppError> {
    store::lock(tx).await?;
    let stored = store::get(tx.reading(), id).await?;
    if stored.is_active == on {
        return Ok(());
    }
    let open = store::open_jobs(tx.reading(), id).await?;
    if !on && open > 0 {
        let why =
            format!("Jobs that run on it or wait for it: {open}. Move them to another target, or hold it and wait.");
        return Err(AppError::Conflict(Reason::InUse, why));
    }
    if on {
        let mut errors = FieldErrors::default();
        check_place(&stored.fields.config, tx.reading().services().allows_local_targets, &mut errors);
        if let Some((_, why)) = errors.0.into_iter().next() {
            return Err(AppError::Conflict(Reason::Configuration, why));
        }
        if store::name_is_taken(tx.reading(), id, &stored.fields.name).await? {
            let why =
                format!("Another target is named {} by now. Give that one another name first.", stored.fields.name);
            return Err(AppError::Conflict(Reason::AlreadyThere, why));
        }
    }
    store::switch(tx, id, on).await?;
    let side = |on: bool| json!({"name": stored.fields.name, "active": on});
    let sides = Fields::Changed { before: side(!on), after: side(on) };
    record(tx, if on { "restored" } else { "deactivated" }, id, sides).await?;
    notify(tx, id);
    Ok(())
}

/// Holds a target, so that no new job starts on it, or lets it go on. Errors: `NotFound`.
pub async fn hold(tx: &mut WriteTx, id: TargetId, on: bool) -> Result<(), AppError> {
    store::lock(tx).await?;
    let stored = store::get(tx.reading(), id).await?;
    if stored.is_held == on {
        return Ok(());
    }
    let by = tx.user_id();
    store::hold(tx, id, on, by).await?;
    let side = |held: bool| json!({"name": stored.fields.name, "held": held});
    let sides = Fields::Changed { before: side(!on), after: side(on) };
    record(tx, if on { "held" } else { "continued" }, id, sides).await?;
    notify(tx, id);
    Ok(())
}

/// This machine as a target, where that is allowed and there is no target yet.
pub(crate) async fn add_usual(tx: &mut WriteTx) -> Result<(), AppError> {
    store::lock(tx).await?;
    if !tx.reading().services().allows_local_targets || store::active(tx.reading()).await? > 0 {
        return Ok(());
    }
    let fields = TargetFields {
        name: TargetType::Local.label().to_owned(),
        config: TargetConfig::Local,
        capacity: usual_capacity(),
        pool: "default".to_owned(),
    };
    create(tx, &fields).await.map(|_| ())
}

fn usual_capacity() -> Capacity {
    Capacity { slots: 4, memory_mb: 2048, cpu_milli: 4000 }
}

/// Whether a secret that was given for one may be used for the other.
fn is_same_place(one: &TargetConfig, other: &TargetConfig) -> bool {
    one.kind() == other.kind() && one.address() == other.address()
}

/// Which places an agency may name. A name that leads to a private address is found out when it is asked.
fn check_place(config: &TargetConfig, allows_local: bool, errors: &mut FieldErrors) {
    let (address, authority) = match config {
        TargetConfig::Local => {
            if !allows_local {
                errors.add("kind", NOT_HERE);
            }
            return;
        }
        TargetConfig::Docker { address, authority, .. } => (address, authority.is_some()),
        TargetConfig::Kubernetes { address, .. } => (address, true),
    };
    let is_docker = config.kind() == TargetType::Docker;
    if is_docker && address.starts_with("unix:///") || !is_docker && address.is_empty() {
        if !allows_local {
            errors.add("address", NOT_HERE);
        }
        return;
    }
    let example = if is_docker { "https://engine.example.com:2376" } else { "https://cluster.example.com:6443" };
    let wrong =
        format!("Give an address that begins with https:// and has nothing behind the port, for example {example}.");
    let Some(url) = Url::parse(address).ok().filter(|url| url.has_host()) else {
        errors.add("address", wrong);
        return;
    };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let ip = host.parse::<std::net::IpAddr>().ok();
    let is_here = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
    // A way through kubectl proxy has no certificate.
    let is_proxy = !is_docker && allows_local && url.scheme() == "http" && is_here;
    let has_more = url.path() != "/" || url.query().is_some() || !url.username().is_empty() || url.password().is_some();
    if url.scheme() != "https" && !is_proxy || has_more || url.fragment().is_some() {
        errors.add("address", wrong);
    } else if !allows_local && (is_here || ip.is_some_and(|ip| !is_public(ip)) || is_private_name(&host)) {
        errors.add("address", "Private addresses are not allowed: this installation asks public ones only.");
    } else if !allows_local && !url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        errors.add("address", "Only the ports 443, 2376, 6443 and 8443 are allowed.");
    } else if !authority {
        errors.add("authority", "Paste the certificate of the authority that signed the engine’s: ca.pem.");
    }
}

fn is_private_name(host: &str) -> bool {
    [".localhost", ".local", ".internal"].iter().any(|end| host.trim_end_matches('.').ends_with(end))
}

fn place(workspace: WorkspaceId, id: TargetId) -> Binding {
    Binding::new(workspace.0, format!("execution_target:{id}"), "secret")
}

fn open(scope: &Scope, id: TargetId, sealed: &str) -> Result<Secret<String>, AppError> {
    let text: String = scope.services().ring.open(&place(scope.workspace_id(), id), sealed).map_err(internal)?;
    Ok(Secret::new(text))
}

/// As a page may show it: what a service answered may hold anything.
fn shown(problem: &str) -> String {
    patchbay_shared::text::one_line(problem).chars().take(600).collect()
}

/// What the audit log has of a target. Certificates are public and long, so whether there are any is enough; the secret is never told.
fn told(fields: &TargetFields) -> Value {
    let connection = match &fields.config {
        TargetConfig::Local => json!({}),
        TargetConfig::Docker { address, authority, certificate } => {
            json!({"address": address, "authority": authority.is_some(), "certificate": certificate.is_some()})
        }
        TargetConfig::Kubernetes { address, namespace, authority, node_selector } => json!({
            "address": address, "namespace": namespace, "authority": authority.is_some(), "nodes": node_selector,
        }),
    };
    json!({
        "name": fields.name, "type": fields.config.kind(), "connection": connection, "capacity": fields.capacity, "pool": fields.pool,
    })
}

async fn record(tx: &mut WriteTx, action: &str, id: TargetId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "execution_target", entity_id: Some(id.0), client_id: None, fields }).await
}

fn notify(tx: &mut WriteTx, id: TargetId) {
    tx.notify(Topic::list("execution_targets"), None);
    tx.notify(Topic::one("execution_target", id), None);
    tx.notify(Topic::list("execution"), None);
}
