//! What people do with teams: make, change and order them, deactivate, restore and copy them, and go back to an older version.

use serde_json::{Value, json};

use super::store::teams as store;
use super::store::teams::{Member, Team};
use crate::model::{MOST_MEMBERS, MOST_RULES, MOST_TEAMS, TeamFields, TeamSettings};
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_execution::model::AsksFor;
use patchbay_jobs::live::Topic;
use patchbay_knowledge::server::collections_by_ids;
use patchbay_shared::ids::{AgentId, TeamAgentId, TeamId};
use patchbay_shared::{AppError, FieldErrors, Reason};

/// Characters of a member's role, and of a version's note.
const LONGEST_ROLE: usize = 500;
const LONGEST_NOTE: usize = 300;
const LONGEST_NAME: usize = 80;

/// Makes a team without members. Errors: `Invalid`; `Conflict` when there are too many.
pub async fn create(tx: &mut WriteTx, fields: &TeamFields) -> Result<TeamId, AppError> {
    check(tx.reading(), fields, None, &[]).await?;
    made(tx, fields, &[], "").await
}

async fn made(tx: &mut WriteTx, fields: &TeamFields, members: &[Member], note: &str) -> Result<TeamId, AppError> {
    check_count(tx.reading()).await?;
    let id = TeamId::new();
    store::insert(tx, id, fields).await?;
    for (place, member) in (1..).zip(members) {
        store::insert_member(tx, id, member.agent, &member.role, place).await?;
    }
    store::insert_version(tx, id, 1, &store::snapshot(fields, members), note).await?;
    record(tx, "created", id, Fields::Created(facts(fields, members))).await?;
    notify(tx, id);
    Ok(id)
}

async fn check_count(tx: &mut ReadTx) -> Result<(), AppError> {
    if store::count(tx).await? < MOST_TEAMS {
        return Ok(());
    }
    let why = format!("An agency has at most {MOST_TEAMS} teams. Deactivate one first.");
    Err(AppError::Conflict(Reason::LimitReached, why))
}

/// Changes what a team is and may do. Errors: `Invalid`; `NotFound`; `Conflict` when somebody else has saved meanwhile.
pub async fn save(
    tx: &mut WriteTx,
    id: TeamId,
    fields: &TeamFields,
    revision: i32,
    note: &str,
) -> Result<(), AppError> {
    let (team, members) = held(tx, id).await?;
    if team.revision != revision {
        return Err(stale());
    }
    let agents: Vec<AgentId> = members.iter().map(|member| member.agent).collect();
    check(tx.reading(), fields, Some(id), &agents).await?;
    write(tx, &team, &members, fields, &members, note).await
}

fn stale() -> AppError {
    let why = "Somebody else has changed this team while you were working on it. What you typed is still here and is not saved. Look at the \
               team in another tab, take over what you need, and save again.";
    AppError::Conflict(Reason::StalePage, why.to_owned())
}

/// Puts an agent behind the members. Errors: `Invalid` at `agent` or `role`; `NotFound`.
pub async fn add_member(tx: &mut WriteTx, id: TeamId, agent: AgentId, role: &str) -> Result<(), AppError> {
    let (team, members) = held(tx, id).await?;
    let role = read_role(role)?;
    if members.iter().any(|member| member.agent == agent) {
        return Err(AppError::invalid("agent", "This agent is a member already."));
    }
    if members.len() >= MOST_MEMBERS {
        return Err(AppError::invalid(
            "agent",
            format!("A team has at most {MOST_MEMBERS} members. Remove one first."),
        ));
    }
    let mut errors = FieldErrors::default();
    check_members(tx.reading(), &team.fields, &[agent], "agent", &mut errors).await?;
    errors.check()?;
    let place = members.last().map_or(1, |last| last.place + 1);
    store::insert_member(tx, id, agent, &role, place).await?;
    members_changed(tx, &team, &members, "Added a member").await
}

/// Says anew what a member is for. Errors: `Invalid` at `role`; `NotFound`.
pub async fn save_role(tx: &mut WriteTx, id: TeamId, member: TeamAgentId, role: &str) -> Result<(), AppError> {
    let (team, members) = held(tx, id).await?;
    let one = members.iter().find(|one| one.id == member).ok_or(AppError::NotFound)?;
    let role = read_role(role)?;
    if one.role == role {
        return Ok(());
    }
    store::set_member(tx, member, &role, one.place).await?;
    members_changed(tx, &team, &members, "Changed a role").await
}

/// Moves a member one place up or down. The first one stays the first one. Errors: `NotFound`.
pub async fn move_member(tx: &mut WriteTx, id: TeamId, member: TeamAgentId, up: bool) -> Result<(), AppError> {
    let (team, before) = held(tx, id).await?;
    let mut members = before.clone();
    let place = members.iter().position(|one| one.id == member).ok_or(AppError::NotFound)?;
    let other = if up { place.checked_sub(1) } else { Some(place + 1).filter(|other| *other < members.len()) };
    let Some(other) = other else { return Ok(()) };
    members.swap(place, other);
    for (index, one) in (1..).zip(&members) {
        if one.place != index {
            store::set_member(tx, one.id, &one.role, index).await?;
        }
    }
    members_changed(tx, &team, &before, "Moved a member").await
}

/// Takes an agent out of the team. What it did stays. Nothing to do when it is none any more.
pub async fn remove_member(tx: &mut WriteTx, id: TeamId, member: TeamAgentId) -> Result<(), AppError> {
    let (team, members) = held(tx, id).await?;
    let Some(one) = members.iter().find(|one| one.id == member) else { return Ok(()) };
    let agent = one.agent;
    store::remove_member(tx, member).await?;
    // A rule about somebody who is not there would never ask again.
    let mut fields = team.fields.clone();
    fields.settings.rules.retain(|rule| rule.when != AsksFor::Worker { agent });
    let now = store::members(tx.reading(), id).await?;
    write(tx, &team, &members, &fields, &now, "Removed a member").await
}

/// Restores a team (`on`) or deactivates it: its runs stay, and nobody asks it any more.
pub async fn switch(tx: &mut WriteTx, id: TeamId, on: bool) -> Result<(), AppError> {
    let team = store::lock(tx, id).await?;
    if team.is_active == on {
        return Ok(());
    }
    if on {
        check_count(tx.reading()).await?;
        if store::is_name_taken(tx.reading(), &team.fields.name, Some(id)).await? {
            let why = format!("Another team is named {} by now. Rename that one first.", team.fields.name);
            return Err(AppError::Conflict(Reason::AlreadyThere, why));
        }
    }
    store::set_active(tx, id, on).await?;
    let state = |on: bool| json!({"name": team.fields.name, "active": on});
    let sides = Fields::Changed { before: state(!on), after: state(on) };
    record(tx, if on { "restored" } else { "deactivated" }, id, sides).await?;
    notify(tx, id);
    Ok(())
}

/// A team like this one, under another name. Errors: `NotFound`; `Conflict` when there are too many.
pub async fn duplicate(tx: &mut WriteTx, id: TeamId) -> Result<TeamId, AppError> {
    let team = store::lock(tx, id).await?;
    let members = store::members(tx.reading(), id).await?;
    let name: String = team.fields.name.chars().take(LONGEST_NAME - 12).collect();
    let mut fields = team.fields.clone();
    for number in 1..=MOST_TEAMS {
        fields.name = if number == 1 { format!("{name} (copy)") } else { format!("{name} (copy {number})") };
        if !store::is_name_taken(tx.reading(), &fields.name, None).await? {
            break;
        }
    }
    made(tx, &fields, &members, &format!("Copied from {}", team.fields.name)).await
}

/// Makes an older version the newest one. What is not there any more is left out. Errors: `NotFound`; `Invalid`.
pub async fn restore_version(tx: &mut WriteTx, id: TeamId, number: i32) -> Result<(), AppError> {
    let (team, before) = held(tx, id).await?;
    if team.revision == number {
        return Ok(());
    }
    let old = store::version(tx.reading(), id, number).await?;
    let mut fields = TeamFields {
        name: old.name.clone(),
        description: old.description.clone(),
        mode: old.mode,
        client: team.fields.client,
        settings: old.settings.clone(),
    };
    let wanted: Vec<AgentId> = old.members.iter().map(|member| member.agent).collect();
    let mut fitting = Vec::new();
    for agent in store::agents(tx.reading(), &wanted).await? {
        if agent.is_active && (agent.client.is_none() || agent.client == team.fields.client) {
            fitting.push(agent.id);
        }
    }
    for member in &before {
        store::remove_member(tx, member.id).await?;
    }
    let kept = old.members.iter().filter(|member| fitting.contains(&member.agent));
    for (place, member) in (1..).zip(kept) {
        store::insert_member(tx, id, member.agent, &member.role, place).await?;
    }
    fields.settings.rules.retain(|rule| !matches!(rule.when, AsksFor::Worker { agent } if !fitting.contains(&agent)));
    check(tx.reading(), &fields, Some(id), &fitting).await?;
    let now = store::members(tx.reading(), id).await?;
    write(tx, &team, &before, &fields, &now, &format!("Restored version {number}")).await
}

/// Holds a team that may be changed. Errors: `NotFound`; `Conflict` when it is deactivated.
async fn held(tx: &mut WriteTx, id: TeamId) -> Result<(Team, Vec<Member>), AppError> {
    let team = store::lock(tx, id).await?;
    if !team.is_active {
        let why = "This team is deactivated. Restore it first.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    let members = store::members(tx.reading(), id).await?;
    Ok((team, members))
}

async fn members_changed(tx: &mut WriteTx, team: &Team, before: &[Member], note: &str) -> Result<(), AppError> {
    let now = store::members(tx.reading(), team.id).await?;
    write(tx, team, before, &team.fields, &now, note).await
}

/// Writes the next version of a team that is held. The same again changes nothing.
async fn write(
    tx: &mut WriteTx,
    team: &Team,
    before: &[Member],
    fields: &TeamFields,
    members: &[Member],
    note: &str,
) -> Result<(), AppError> {
    let (was, now) = (facts(&team.fields, before), facts(fields, members));
    if was == now {
        return Ok(());
    }
    let number = team.revision + 1;
    store::update(tx, team.id, fields, number).await?;
    let note: String = note.trim().chars().take(LONGEST_NOTE).collect();
    store::insert_version(tx, team.id, number, &store::snapshot(fields, members), &note).await?;
    record(tx, "changed", team.id, Fields::Changed { before: was, after: now }).await?;
    notify(tx, team.id);
    Ok(())
}

fn read_role(role: &str) -> Result<String, AppError> {
    let role = role.trim().replace("\r\n", "\n");
    match role.chars().count() {
        0 => Err(AppError::invalid("role", "Say what this agent is for: the supervisor chooses by it.")),
        1..=LONGEST_ROLE => Ok(role),
        _ => Err(AppError::invalid("role", format!("Keep the role below {LONGEST_ROLE} characters."))),
    }
}

/// Checks a team against what there is. Errors: `Invalid` with a message per field.
async fn check(tx: &mut ReadTx, fields: &TeamFields, id: Option<TeamId>, members: &[AgentId]) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    if fields.name.trim().is_empty() || fields.name.chars().count() > LONGEST_NAME {
        errors.add("name", format!("Give the team a name of at most {LONGEST_NAME} characters."));
    } else if store::is_name_taken(tx, &fields.name, id).await? {
        errors.add("name", "Another team has this name. Choose another one.");
    }
    if let Some(client) = fields.client {
        match store::is_client_active(tx, client).await? {
            Some(true) => {}
            Some(false) => errors.add("client", "This client is archived. Choose another one, or restore it first."),
            None => errors.add("client", "Choose a client of the agency."),
        }
    }
    check_members(tx, fields, members, "client", &mut errors).await?;
    check_settings(tx, fields, members, &mut errors).await?;
    errors.check()
}

/// Members are agents of the team’s client, or of no client.
async fn check_members(
    tx: &mut ReadTx,
    fields: &TeamFields,
    members: &[AgentId],
    field: &str,
    errors: &mut FieldErrors,
) -> Result<(), AppError> {
    let known = store::agents(tx, members).await?;
    for id in members {
        let Some(agent) = known.iter().find(|agent| agent.id == *id) else {
            if field == "agent" {
                errors.add(field, "Choose an agent of the agency.");
            }
            continue;
        };
        if agent.client.is_some() && agent.client != fields.client {
            let why = "works for another client. A team has agents of its own client, and agents of the agency that work for all.";
            errors.add(field, format!("{} {why}", agent.name));
        } else if field == "agent" && !agent.is_active {
            errors.add(field, format!("{} is deactivated. Restore it first.", agent.name));
        }
    }
    Ok(())
}

async fn check_settings(
    tx: &mut ReadTx,
    fields: &TeamFields,
    members: &[AgentId],
    errors: &mut FieldErrors,
) -> Result<(), AppError> {
    let settings: &TeamSettings = &fields.settings;
    let collections = collections_by_ids(tx, &settings.collections).await?;
    if collections.len() < settings.collections.len() {
        errors.add("collections", "One of these collections is not there any more. Take its tick away.");
    } else if let Some(other) = collections.iter().find(|one| one.client.is_some() && one.client != fields.client) {
        errors.add("collections", format!("“{}” belongs to another client. Take its tick away.", other.name));
    }
    if store::active_skills(tx, &settings.skills).await? < settings.skills.len() as i64 {
        errors.add("skills", "One of these skills is not there any more, or deactivated. Take its tick away.");
    }
    if let Some(account) = settings.account
        && !patchbay_models::server::has_account(tx, account).await?
    {
        errors.add("account", "This account is not there any more. Choose another one.");
    }
    if let Some(engine) = settings.engine {
        match store::engine(tx, engine).await? {
            Some((_, kind)) if kind == "model" => {}
            Some(_) => errors.add("engine", "Agents work on an engine of the type model. Choose one of these."),
            None => errors.add("engine", "Choose an engine that is in use."),
        }
    }
    if let Some(target) = settings.target
        && !store::is_target_active(tx, target).await?
    {
        errors.add("target", "Choose a target that is in use.");
    }
    if settings.rules.len() > MOST_RULES {
        errors.add("rules", format!("A team has at most {MOST_RULES} rules."));
    }
    for rule in &settings.rules {
        if matches!(rule.when, AsksFor::Worker { agent } if !members.contains(&agent)) {
            errors.add("rules", format!("“{}” is about an agent that is no member of the team.", rule.name));
        }
        if rule.for_client && fields.client.is_none() {
            let why =
                "lets the client decide, and the team belongs to no client. Choose a client, or take the tick away.";
            errors.add("rules", format!("“{}” {why}", rule.name));
        }
    }
    Ok(())
}

/// What the audit log has of a team.
fn facts(fields: &TeamFields, members: &[Member]) -> Value {
    let members: Vec<Value> = members.iter().map(|one| json!({"agent": one.agent, "role": one.role})).collect();
    json!({
        "name": fields.name,
        "description": fields.description,
        "mode": fields.mode,
        "client": fields.client,
        "settings": fields.settings,
        "members": members,
    })
}

/// Teams are the agency's workshop: its clients read nothing of them.
async fn record(tx: &mut WriteTx, action: &str, id: TeamId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "team", entity_id: Some(id.0), client_id: None, fields }).await
}

fn notify(tx: &mut WriteTx, id: TeamId) {
    tx.notify(Topic::list("teams"), None);
    tx.notify(Topic::one("team", id), None);
}
