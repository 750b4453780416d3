//! Whether the voice service still holds what it was sent, and what becomes of a difference. Nothing is changed there by looking:
//! somebody may have meant it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::jobs::{COMPARED_EVERY, CompareAgents};
use super::store::mappings::{self, Compared};
use super::store::{self, versions};
use super::{drafts, ops, sync, told};
use crate::model::{AgentSettings, FieldChange};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_prompts::model::check_template;
use patchbay_prompts::server as prompts;
use patchbay_providers::error::Kind;
use patchbay_shared::ids::{AgentId, AgentMappingId};
use patchbay_shared::{AppError, Reason};

/// Asks for a look now.
pub(crate) async fn ask(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    let agent = store::get(tx.reading(), id).await?;
    ops::must_be_there(&agent)?;
    ops::record(tx, "asked for a comparison", id, &agent, Fields::Happened(json!({"name": agent.name}))).await?;
    enqueue(tx, &CompareAgents { agent: Some(id) }, NewJob::default()).await
}

/// Looks at the copies of one agent, or of all.
pub(crate) async fn run(scope: &Scope, agent: Option<AgentId>) -> Result<Verdict, Failure> {
    let again = if agent.is_none() { Verdict::Later(COMPARED_EVERY) } else { Verdict::Done };
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let copies = mappings::to_compare(&mut tx, agent).await?;
    drop(tx);
    if copies.is_empty() {
        // The next copy that is made asks for the next look.
        return Ok(Verdict::Done);
    }
    // Not connected, or suspended: the pages of agents and connections say so.
    let Ok(client) = connections::voice(scope).await else { return Ok(again) };
    for copy in copies {
        let found = match client.read_agent(&copy.provider_agent_id).await {
            Ok(theirs) => told::drift(&copy.held.0, &theirs),
            Err(error) if error.kind == Kind::NotFound => told::gone(),
            Err(error) => {
                if error.kind == Kind::Credentials {
                    connections::mark_failing(scope, error.provider, &error.sentence()).await?;
                    return Ok(again);
                }
                // One that cannot be read does not keep the others from being compared.
                if matches!(error.kind, Kind::Garbage | Kind::Rejected) {
                    continue;
                }
                return Err(connections::failure(&error));
            }
        };
        record(scope, &copy, &found).await?;
    }
    Ok(again)
}

async fn record(scope: &Scope, copy: &Compared, found: &[FieldChange]) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let before = copy.drift.as_ref().map(|drift| drift.0.as_slice()).unwrap_or_default();
    if mappings::set_drift(&mut tx, copy.id, found, copy.synced_at).await? {
        if before != found {
            let state = |drift: &[FieldChange]| -> Value {
                let fields: Vec<&str> = drift.iter().map(|change| change.label.as_str()).collect();
                json!({"name": copy.agent_name, "client": copy.client, "differs": fields})
            };
            tx.audit(Change {
                action: "found to differ",
                entity: "agent",
                entity_id: Some(copy.agent.0),
                // How an agent is made is the agency's workshop.
                client_id: None,
                fields: Fields::Changed { before: state(before), after: state(found) },
            })
            .await?;
        }
        sync::notify(&mut tx, copy.agent);
    }
    tx.commit().await
}

/// Takes what the service has over into what is published here, and from here to the agent's other copies.
/// Errors: `NotFound`; `Conflict` when there is nothing to take; `ProviderDown`.
pub(crate) async fn take_theirs(scope: &Scope, id: AgentId, mapping: AgentMappingId) -> Result<(), AppError> {
    // Refused before anything is asked outside.
    drop(scope.write(Action::ManageAgents).await?);
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let agent = store::get(&mut tx, id).await?;
    ops::must_be_there(&agent)?;
    let copy =
        mappings::list(&mut tx, id).await?.into_iter().find(|copy| copy.id == mapping).ok_or(AppError::NotFound)?;
    let held = mappings::held(&mut tx, mapping).await?;
    drop(tx);
    let nothing = |text: &str| AppError::Conflict(Reason::WrongState, text.to_owned());
    let (Some(known), Some(held)) = (copy.provider_agent_id, held) else {
        return Err(nothing("This copy has not been sent yet. Use “Sync again” first."));
    };
    let client = connections::voice(scope).await?;
    let theirs = client.read_agent(&known).await.map_err(|error| match error.kind {
        Kind::NotFound => nothing("This copy was deleted at the voice service. Send ours to make it again."),
        _ => AppError::ProviderDown(error.sentence()),
    })?;

    let found = told::drift(&held, &theirs);
    let keys: BTreeSet<&str> = found.iter().map(|change| change.key.as_str()).filter(|key| *key != "tools").collect();
    if keys.is_empty() {
        return Err(nothing(
            "The voice service has nothing that could be taken over. Tools are kept here: remove one on the Tools tab.",
        ));
    }
    let mut tx = scope.write(Action::ManageAgents).await?;
    let mut has_new_words = false;
    // The prompt is locked before the agent, as when a prompt is saved and its agents follow.
    if keys.contains("prompt") {
        let Some(prompt) = agent.settings().prompt_id else { return Err(AppError::NotFound) };
        let newest = prompts::get(tx.reading(), prompt).await?;
        let words = told::own_words(&theirs.spec.system_prompt);
        check_template(words).map_err(|why| {
            AppError::Conflict(Reason::NotReady, format!("The prompt there cannot be used here. {why}"))
        })?;
        has_new_words = words != newest.template;
        prompts::ops::save_text(&mut tx, prompt, &newest.version.to_string(), words, "Taken over from Ultravox", false)
            .await?;
    }
    store::lock(&mut tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    ops::must_be_there(&agent)?;
    let published = agent.settings();
    let mut settings = published.clone();
    let keys: Vec<&str> = keys.into_iter().collect();
    told::take(&mut settings, &theirs.spec, &keys);
    if settings == published && !has_new_words {
        return Err(nothing("This cannot be taken over as it is there. Change it here, or send ours."));
    }
    if settings == published {
        // Only the prompt: it sends its agents again.
        ops::send(&mut tx, id, false).await?;
        return tx.commit().await;
    }
    if let Some(draft) = versions::draft(tx.reading(), id).await? {
        let rebased = rebased(&draft.settings.0, &published, &settings)?;
        let author = tx.scope().user_id().map(|id| id.0);
        versions::save_draft(&mut tx, id, &rebased, author).await?;
    }
    drafts::apply(&mut tx, id, &agent, &settings, "Taken over from Ultravox").await?;
    tx.commit().await
}

/// A draft over a new state: what the draft had not changed is as it is now.
fn rebased(draft: &AgentSettings, before: &AgentSettings, now: &AgentSettings) -> Result<AgentSettings, AppError> {
    let json = |settings: &AgentSettings| serde_json::to_value(settings).map_err(patchbay_shared::error::internal);
    let (mut draft, before, now) = (json(draft)?, json(before)?, json(now)?);
    lay(&mut draft, &before, &now);
    serde_json::from_value(draft).map_err(patchbay_shared::error::internal)
}

fn lay(draft: &mut Value, before: &Value, now: &Value) {
    let Some(fields) = draft.as_object_mut() else { return };
    for (name, value) in fields {
        let (Some(old), Some(new)) = (before.get(name), now.get(name)) else { continue };
        if value == old {
            *value = new.clone();
        } else if name == "config" {
            lay(value, old, new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_keeps_its_own_changes_only() {
        let before = AgentSettings { name: "Desk".into(), ..AgentSettings::default() };
        let (mut draft, mut now) = (before.clone(), before.clone());
        draft.name = "Front desk".into();
        draft.config.max_minutes = 5;
        now.config.voice = "Jana".into();
        let rebased = rebased(&draft, &before, &now).expect("settings");
        assert_eq!((rebased.name.as_str(), rebased.config.max_minutes), ("Front desk", 5));
        assert_eq!(rebased.config.voice, "Jana");
    }
}
