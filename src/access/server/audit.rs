//! What a row of the audit log says. The kind of an event decides which sides it has, so that no caller can forget one; `EVENTS` lists
//! every event that the product writes.

mod events;

use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

pub use events::EVENTS;

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
