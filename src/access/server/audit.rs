//! What a row of the audit log says. The kind of an event decides which sides it has, so that no caller can forget one; `EVENTS` lists
//! every event that the product writes.

use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Actor, Db, SystemTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

/// One event for the audit log, without secrets.
pub struct Change<'a> {
    /// The verb, in the past: `created`, `paused`.
    pub action: &'a str,
    /// The noun, singular: `campaign`.
    pub entity: &'a str,
    pub entity_id: Option<Uuid>,
    pub client_id: Option<ClientId>,
    pub fields: Fields,
}

/// What an event says about the fields of its record, as JSON objects.
#[derive(Debug, Clone)]
pub enum Fields {
    Created(Value),
    /// As they were and as they are. The same on both sides: nothing was changed, and nothing is written down.
    Changed {
        before: Value,
        after: Value,
    },
    Deleted(Value),
    /// Nothing of ours was changed: a sign-in, a download, a check, a try that failed. What there is to say about it.
    Happened(Value),
}

impl Fields {
    /// With what was there before, a change; without, a creation.
    pub fn saved(before: Option<Value>, after: Value) -> Self {
        match before {
            Some(before) => Self::Changed { before, after },
            None => Self::Created(after),
        }
    }

    /// Kind, before and after, as the row has them. None: nothing to write down. Both sides of a change have the same fields.
    fn sides(self) -> Option<(Kind, Option<Value>, Option<Value>)> {
        match self {
            Self::Created(after) => Some((Kind::Created, None, Some(after))),
            Self::Deleted(before) => Some((Kind::Deleted, Some(before), None)),
            Self::Happened(facts) => Some((Kind::Happened, None, Some(facts))),
            Self::Changed { mut before, mut after } => {
                if let (Value::Object(before), Value::Object(after)) = (&mut before, &mut after) {
                    fill(before, after);
                    fill(after, before);
                }
                (before != after).then_some((Kind::Changed, Some(before), Some(after)))
            }
        }
    }
}

/// Gives one side the other's fields that it lacks.
fn fill(side: &mut Map<String, Value>, other: &Map<String, Value>) {
    for name in other.keys() {
        side.entry(name.clone()).or_insert(Value::Null);
    }
}

/// Which sides an event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only after.
    Created,
    /// Both.
    Changed,
    /// Only before.
    Deleted,
    /// Only after: particulars, not fields.
    Happened,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Created => "created",
            Kind::Changed => "changed",
            Kind::Deleted => "deleted",
            Kind::Happened => "happened",
        }
    }
}

/// Every event: the record's kind, what was done, and which sides the row has. What is not listed here fails in a debug build,
/// and a test goes through the list.
pub const EVENTS: &[(&str, &str, Kind)] = &[
    ("agent", "created", Kind::Created),
    ("agent", "drafted", Kind::Changed),
    ("agent", "discarded the draft of", Kind::Changed),
    ("agent", "published", Kind::Changed),
    ("agent", "activated", Kind::Changed),
    ("agent", "paused", Kind::Changed),
    ("agent", "deactivated", Kind::Changed),
    ("agent", "deleted", Kind::Changed),
    ("agent", "restored", Kind::Changed),
    ("agent", "asked for a sync", Kind::Happened),
    ("agent", "synced", Kind::Changed),
    ("agent", "sync failed", Kind::Changed),
    ("agent", "asked for a comparison", Kind::Happened),
    ("agent", "found to differ", Kind::Changed),
    ("agent_template", "created", Kind::Created),
    ("agent_template", "saved_version", Kind::Changed),
    ("agent_template", "given", Kind::Happened),
    ("agent_template", "archived", Kind::Changed),
    ("agent_template", "restored", Kind::Changed),
    ("agent_schedule", "created", Kind::Created),
    ("agent_schedule", "changed", Kind::Changed),
    ("agent_schedule", "switched on", Kind::Changed),
    ("agent_schedule", "switched off", Kind::Changed),
    ("agent_schedule", "run by hand", Kind::Happened),
    ("agent_schedule", "missed", Kind::Happened),
    ("agent_schedule", "removed", Kind::Deleted),
    ("agent_trigger", "created", Kind::Created),
    ("agent_trigger", "changed", Kind::Changed),
    ("agent_trigger", "rotated", Kind::Changed),
    ("agent_trigger", "switched on", Kind::Changed),
    ("agent_trigger", "switched off", Kind::Changed),
    ("agent_trigger", "removed", Kind::Deleted),
    ("api_key", "created", Kind::Created),
    ("api_key", "rotated", Kind::Changed),
    ("api_key", "revoked", Kind::Changed),
    ("audit_trail", "removed old events", Kind::Happened),
    ("batch", "created", Kind::Created),
    ("batch", "paused", Kind::Changed),
    ("batch", "resumed", Kind::Changed),
    ("batch", "stopped", Kind::Changed),
    ("batch", "failed", Kind::Changed),
    ("batch", "completed", Kind::Changed),
    ("enrichment", "retried", Kind::Changed),
    ("enrichment", "discarded", Kind::Changed),
    ("error", "resolved", Kind::Changed),
    ("error", "reopened", Kind::Changed),
    ("inbound_webhook", "discarded", Kind::Changed),
    ("job", "retried", Kind::Changed),
    ("job", "discarded", Kind::Changed),
    ("call_back", "created", Kind::Created),
    ("call_back", "scheduled", Kind::Changed),
    ("call_back", "handed over", Kind::Changed),
    ("call_back", "cancelled", Kind::Changed),
    ("call_back", "dialled", Kind::Changed),
    ("brand", "changed", Kind::Changed),
    ("brand", "changed the logo of", Kind::Changed),
    ("brand", "asked for the host name", Kind::Changed),
    ("brand", "proved the host name", Kind::Changed),
    ("brand", "let go of the host name", Kind::Changed),
    ("brand", "lost the host name", Kind::Changed),
    ("budget", "set", Kind::Created),
    ("budget", "changed", Kind::Changed),
    ("budget", "spent 80% of", Kind::Happened),
    ("budget", "spent", Kind::Happened),
    ("call_gap", "asked for a check", Kind::Happened),
    ("call_gap", "asked to close", Kind::Happened),
    ("call_gap", "closed", Kind::Happened),
    ("call", "reviewed", Kind::Changed),
    ("call", "unreviewed", Kind::Changed),
    ("call", "retried", Kind::Changed),
    ("call", "asked for the recording", Kind::Changed),
    ("call", "test_called", Kind::Created),
    ("campaign", "created", Kind::Created),
    ("campaign", "changed", Kind::Changed),
    ("campaign", "activated", Kind::Changed),
    ("campaign", "paused", Kind::Changed),
    ("campaign", "archived", Kind::Changed),
    ("campaign", "restored", Kind::Changed),
    ("campaign", "added contacts", Kind::Happened),
    ("campaign", "removed contacts", Kind::Happened),
    ("client", "created", Kind::Created),
    ("client", "changed", Kind::Changed),
    ("client", "archived", Kind::Changed),
    ("client", "restored", Kind::Changed),
    ("connection", "connected", Kind::Created),
    ("connection", "changed", Kind::Changed),
    ("connection", "switched_on", Kind::Changed),
    ("connection", "switched_off", Kind::Changed),
    ("connection", "checked", Kind::Happened),
    ("connection", "telephony_set_up", Kind::Changed),
    ("contact", "created", Kind::Created),
    ("contact", "changed", Kind::Changed),
    ("contact", "suppressed", Kind::Changed),
    ("contact", "allowed", Kind::Changed),
    ("export", "exported", Kind::Happened),
    ("history_import", "started", Kind::Created),
    ("history_import", "cancelled", Kind::Changed),
    ("history_import", "completed", Kind::Changed),
    ("history_import", "failed", Kind::Changed),
    ("import", "uploaded", Kind::Created),
    ("import", "reread", Kind::Changed),
    ("import", "mapped", Kind::Changed),
    ("import", "checked", Kind::Happened),
    ("import", "started", Kind::Changed),
    ("import", "cancelled", Kind::Changed),
    ("import", "completed", Kind::Changed),
    ("import", "failed", Kind::Changed),
    ("inbound_webhook", "replayed", Kind::Changed),
    ("invitation", "invited", Kind::Created),
    ("invitation", "replaced", Kind::Changed),
    ("invitation", "withdrew", Kind::Changed),
    ("model", "chosen", Kind::Created),
    ("model", "changed", Kind::Changed),
    ("model", "taken_back", Kind::Deleted),
    ("model", "priced", Kind::Created),
    ("model", "repriced", Kind::Changed),
    ("phone_number", "ordered", Kind::Created),
    ("phone_number", "added", Kind::Created),
    ("phone_number", "bought", Kind::Changed),
    ("phone_number", "order_failed", Kind::Changed),
    ("phone_number", "assigned", Kind::Changed),
    ("phone_number", "routed", Kind::Changed),
    ("phone_number", "route_checked", Kind::Happened),
    ("phone_number", "activated", Kind::Changed),
    ("phone_number", "deactivated", Kind::Changed),
    ("phone_number", "released", Kind::Changed),
    ("phone_number", "release_failed", Kind::Changed),
    ("test_case", "created", Kind::Created),
    ("test_case", "changed", Kind::Changed),
    ("test_case", "removed", Kind::Deleted),
    ("test_suite", "changed", Kind::Changed),
    ("suite_run", "started", Kind::Created),
    ("suite_run", "stopped", Kind::Changed),
    ("suite_run", "ended", Kind::Changed),
    ("test_grid", "started", Kind::Created),
    ("test_grid", "stopped", Kind::Changed),
    ("test_grid", "ended", Kind::Changed),
    ("knowledge_collection", "created", Kind::Created),
    ("knowledge_collection", "changed", Kind::Changed),
    ("knowledge_collection", "asked to index again", Kind::Happened),
    ("knowledge_collection", "deleted", Kind::Deleted),
    ("knowledge_file", "added", Kind::Created),
    ("knowledge_file", "replaced", Kind::Changed),
    ("knowledge_file", "asked to index again", Kind::Happened),
    ("knowledge_file", "deleted", Kind::Deleted),
    ("prompt", "created", Kind::Created),
    ("prompt", "changed", Kind::Changed),
    ("prompt", "released", Kind::Changed),
    ("prompt", "deactivated", Kind::Changed),
    ("prompt", "restored", Kind::Changed),
    ("prompt", "saved_version", Kind::Changed),
    ("prompt", "labelled", Kind::Changed),
    ("prompt", "asked_for_release", Kind::Changed),
    ("prompt", "refused_release", Kind::Changed),
    ("prompt", "withdrew_release", Kind::Changed),
    ("prompt", "changed_rule", Kind::Changed),
    ("skill", "created", Kind::Created),
    ("skill", "changed", Kind::Changed),
    ("skill", "deactivated", Kind::Changed),
    ("skill", "restored", Kind::Changed),
    ("skill", "attached", Kind::Changed),
    ("skill", "detached", Kind::Changed),
    ("skill", "moved", Kind::Changed),
    ("support_session", "opened", Kind::Created),
    ("support_session", "ended", Kind::Changed),
    ("memory", "written", Kind::Created),
    ("memory", "forgotten", Kind::Deleted),
    ("tool", "created", Kind::Created),
    ("tool", "changed", Kind::Changed),
    ("tool", "moved", Kind::Changed),
    ("tool", "switched on", Kind::Changed),
    ("tool", "switched off", Kind::Changed),
    ("tool", "removed", Kind::Deleted),
    ("tool", "tried", Kind::Happened),
    ("tool", "functions asked for", Kind::Happened),
    ("tool", "functions chosen", Kind::Changed),
    ("user", "accepted an invitation", Kind::Created),
    ("user", "active", Kind::Changed),
    ("user", "suspended", Kind::Changed),
    ("user", "changed the role", Kind::Changed),
    ("user", "left the client", Kind::Deleted),
    ("user", "changed own profile", Kind::Changed),
    ("user", "changed own password", Kind::Happened),
    ("user", "asked for a new password", Kind::Happened),
    ("user", "made a link for a new password", Kind::Happened),
    ("user", "chose a new password by link", Kind::Changed),
    ("user", "set a new password", Kind::Happened),
    ("user", "cleared the second factor", Kind::Changed),
    ("user", "turned the second factor on", Kind::Changed),
    ("user", "turned the second factor off", Kind::Changed),
    ("user", "made new recovery codes", Kind::Happened),
    ("user", "added a passkey", Kind::Created),
    ("user", "removed a passkey", Kind::Deleted),
    ("user", "signed in", Kind::Happened),
    ("user", "failed to sign in", Kind::Happened),
    ("user", "signed out", Kind::Happened),
    ("user", "signed out everywhere", Kind::Changed),
    ("user", "ended a session", Kind::Deleted),
    ("user", "created", Kind::Created),
    ("execution_engine", "created", Kind::Created),
    ("execution_engine", "changed", Kind::Changed),
    ("execution_engine", "made default", Kind::Changed),
    ("execution_engine", "deactivated", Kind::Changed),
    ("execution_engine", "restored", Kind::Changed),
    ("execution_target", "created", Kind::Created),
    ("execution_target", "changed", Kind::Changed),
    ("execution_target", "secret changed", Kind::Changed),
    ("execution_target", "checked", Kind::Happened),
    ("execution_target", "held", Kind::Changed),
    ("execution_target", "continued", Kind::Changed),
    ("execution_target", "deactivated", Kind::Changed),
    ("execution_target", "restored", Kind::Changed),
    ("execution_job", "created", Kind::Created),
    ("execution_job", "cancelled", Kind::Happened),
    ("execution_job", "queued again", Kind::Changed),
    ("execution_job", "moved", Kind::Happened),
    ("execution_circuit", "probed", Kind::Happened),
    ("execution_approval", "decided", Kind::Changed),
    ("team", "created", Kind::Created),
    ("team", "changed", Kind::Changed),
    ("team", "deactivated", Kind::Changed),
    ("team", "restored", Kind::Changed),
    ("team_case", "created", Kind::Created),
    ("team_case", "changed", Kind::Changed),
    ("team_case", "removed", Kind::Deleted),
    ("supervisor_run", "asked", Kind::Happened),
    ("supervisor_run", "cancelled", Kind::Happened),
    ("workspace", "created", Kind::Created),
    ("workspace", "changed", Kind::Changed),
    ("workspace", "active", Kind::Changed),
    ("workspace", "suspended", Kind::Changed),
    ("workspace", "invited the owner", Kind::Happened),
];

fn is_listed(entity: &str, action: &str, kind: Kind) -> bool {
    EVENTS.contains(&(entity, action, kind))
}

/// The row that an event leaves in the audit log.
pub struct NewEvent<'a> {
    pub user_id: Option<Uuid>,
    /// Who, in words that stay true when the account changes.
    pub actor: String,
    pub action: &'a str,
    pub entity: &'a str,
    pub entity_id: Option<Uuid>,
    pub client_id: Option<Uuid>,
    pub kind: Kind,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub api_key_id: Option<Uuid>,
    pub support_session_id: Option<Uuid>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
}

/// Writes the row in the transaction of its change. The audit log gives it to boot.
pub struct AppendEvent(pub for<'a> fn(&'a mut WriteTx, NewEvent<'a>) -> HookFuture<'a>);

/// The same for the platform's log, in a transaction that spans. The id is that of the agency that it was done to.
pub struct AppendPlatformEvent(pub for<'a> fn(&'a mut PgConnection, NewEvent<'a>, Option<Uuid>) -> HookFuture<'a>);

/// The row of an event. None: nothing was changed.
fn row<'a>(actor: &Actor, change: Change<'a>) -> Option<NewEvent<'a>> {
    let (action, entity) = (change.action, change.entity);
    let (kind, before, after) = change.fields.sides()?;
    debug_assert!(is_listed(entity, action, kind), "not in the list of audit events: {entity} {action} {kind:?}");
    let (user_id, name) = actor.who();
    // A support session's own beginning and end belong to it.
    let own = change.entity_id.filter(|_| entity == "support_session");
    Some(NewEvent {
        user_id,
        actor: name,
        action,
        entity,
        entity_id: change.entity_id,
        client_id: change.client_id.map(|id| id.0),
        kind,
        before,
        after,
        api_key_id: actor.key.as_ref().map(|key| key.id.0),
        support_session_id: own.or(actor.support_session()),
        ip: actor.ip.clone(),
        request_id: actor.request_id.clone(),
    })
}

impl WriteTx {
    /// Writes an audit row into this same transaction: no change without it, and no row without the change.
    pub async fn audit(&mut self, change: Change<'_>) -> Result<(), AppError> {
        // A client's people may only write rows of their own client.
        let client_id = self.scope().client_id().or(change.client_id);
        let actor = self.scope().actor().clone();
        let Some(event) = row(&actor, Change { client_id, ..change }) else { return Ok(()) };
        let append = self.services().hooks.get::<AppendEvent>()?.0;
        append(self, event).await
    }

    /// Writes a row into the platform's log, for what the platform does to this agency. Opens the tables that span.
    pub async fn audit_platform(&mut self, change: Change<'_>) -> Result<(), AppError> {
        self.span("the platform's log").await?;
        let (actor, agency) = (self.scope().actor().clone(), self.workspace_uuid());
        let Some(event) = row(&actor, change) else { return Ok(()) };
        let append = self.services().hooks.get::<AppendPlatformEvent>()?.0;
        append(self.conn(), event, Some(agency)).await
    }
}

impl SystemTx {
    /// Writes a row into the platform's log, for what concerns no agency: accounts of platform admins.
    pub async fn audit_platform(&mut self, db: &Db, actor: &Actor, change: Change<'_>) -> Result<(), AppError> {
        let Some(event) = row(actor, change) else { return Ok(()) };
        let append = db.services().hooks.get::<AppendPlatformEvent>()?.0;
        append(self.conn(), event, None).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_kind_decides_the_sides() {
        let changed = Fields::Changed { before: json!({"a": 1, "b": 2}), after: json!({"a": 1, "c": 3}) };
        let sides =
            Some((Kind::Changed, Some(json!({"a": 1, "b": 2, "c": null})), Some(json!({"a": 1, "b": null, "c": 3}))));
        assert_eq!(changed.sides(), sides, "both sides have the same fields");
        let same = Fields::Changed { before: json!({"a": 1}), after: json!({"a": 1, "b": null}) };
        assert_eq!(same.sides(), None, "nothing was changed");
        assert_eq!(Fields::Deleted(json!({})).sides(), Some((Kind::Deleted, Some(json!({})), None)));
        assert_eq!(Fields::Created(json!({})).sides(), Some((Kind::Created, None, Some(json!({})))));
    }
}
