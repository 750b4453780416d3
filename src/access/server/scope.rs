use std::sync::Arc;

use super::{Db, Machine, ReadTx, Visitor, WriteTx};
use crate::withheld::KEY_BEGINS;
use crate::{Action, ApiScope, Field, Role, Viewer, allows};
use patchbay_services::Services;
use patchbay_shared::ids::{ApiKeyId, ClientId, SupportSessionId, UserId, WorkspaceId};
use patchbay_shared::{AppError, Reason};

/// A caller inside one workspace, and inside one client for client roles. The only way to a tenant's data.
#[derive(Clone)]
pub struct Scope {
    pub(super) db: Db,
    pub(super) workspace_id: WorkspaceId,
    pub(super) client_id: Option<ClientId>,
    pub(super) actor: Arc<Actor>,
}

/// Who acts, for the policy table and the audit log.
#[derive(Debug, Clone)]
pub struct Actor {
    pub kind: ActorKind,
    /// The key that a program of the person's sent.
    pub key: Option<KeyUse>,
    /// Whom a machine acts for: the holder of a link, the admin who leaves a support session.
    pub holder: Option<Holder>,
    /// The support session that is begun or ended by a machine.
    pub support: Option<SupportSessionId>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
}

/// A person who is known and has not signed in here.
#[derive(Debug, Clone)]
pub struct Holder {
    pub id: UserId,
    pub name: String,
}

impl Actor {
    /// Patchbay itself, with nobody's request behind it.
    pub fn machine(machine: Machine) -> Self {
        let kind = ActorKind::Machine(machine);
        Self { kind, key: None, holder: None, support: None, ip: None, request_id: None }
    }

    /// A person's request, or a machine's for whoever sent it.
    pub(super) fn of_request(kind: ActorKind, visitor: &Visitor) -> Self {
        let (ip, request_id) = (visitor.ip.clone(), visitor.request_id.clone());
        Self { kind, key: None, holder: None, support: None, ip, request_id }
    }

    /// Who, for the audit log: the account, and words that stay true when it changes.
    pub(super) fn who(&self) -> (Option<uuid::Uuid>, String) {
        match &self.kind {
            ActorKind::Person(viewer) => {
                let key = self.key.as_ref().map(|key| format!("{KEY_BEGINS}{}”", key.name)).unwrap_or_default();
                let role = if viewer.support.is_some() { "Support session" } else { viewer.role.label() };
                (Some(viewer.user_id.0), format!("{} ({role}){key}", viewer.name))
            }
            ActorKind::Machine(machine) => match &self.holder {
                Some(holder) => (Some(holder.id.0), format!("{} ({})", holder.name, machine.name)),
                None => (None, format!("Patchbay ({})", machine.name)),
            },
        }
    }

    /// The support session in which this is done.
    pub(super) fn support_session(&self) -> Option<uuid::Uuid> {
        let own = match &self.kind {
            ActorKind::Person(viewer) => viewer.support.as_ref().map(|support| support.id),
            ActorKind::Machine(_) => None,
        };
        self.support.or(own).map(|id| id.0)
    }
}

/// A key in use: it narrows what its owner's role allows.
#[derive(Debug, Clone)]
pub struct KeyUse {
    pub id: ApiKeyId,
    pub name: String,
    pub scopes: Vec<ApiScope>,
}

#[derive(Debug, Clone)]
pub enum ActorKind {
    Person(Box<Viewer>),
    /// Patchbay itself: a job, a provider's webhook, a link, upkeep.
    Machine(Machine),
}

impl Scope {
    pub(super) fn of_viewer(db: Db, viewer: Viewer, ip: Option<String>, request_id: Option<String>) -> Option<Self> {
        let workspace_id = viewer.workspace.as_ref()?.id;
        let client_id = viewer.client.as_ref().map(|client| client.id);
        let kind = ActorKind::Person(Box::new(viewer));
        let actor = Arc::new(Actor { kind, key: None, holder: None, support: None, ip, request_id });
        Some(Self { db, workspace_id, client_id, actor })
    }

    /// For a program: its owner's scope, narrowed by the key.
    pub(super) fn of_key(
        db: Db,
        owner: Viewer,
        key: KeyUse,
        ip: Option<String>,
        request_id: Option<String>,
    ) -> Option<Self> {
        let scope = Self::of_viewer(db, owner, ip, request_id)?;
        let actor = Actor { key: Some(key), ..(*scope.actor).clone() };
        Some(Self { actor: Arc::new(actor), ..scope })
    }

    /// For platform admins: one workspace, as whoever runs the installation. The policy table lets them do nothing in it but
    /// `ManagePlatform`.
    pub(super) fn of_platform(visitor: &Visitor, workspace_id: WorkspaceId) -> Option<Self> {
        let viewer = visitor.viewer.clone().filter(|viewer| viewer.may(Action::ManagePlatform))?;
        let actor = Arc::new(Actor::of_request(ActorKind::Person(Box::new(viewer)), visitor));
        Some(Self { db: visitor.db.clone(), workspace_id, client_id: None, actor })
    }

    /// The same caller with the sight of the whole agency, for one deed that rests on what the client's people do not see: the words of a
    /// prompt that is shown to them, the agency's agent or number that their own campaign calls with. The caller has found in its own scope
    /// that the thing is theirs, and passes on nothing else. A test names the places that may call this.
    pub fn beyond_client(&self, reason: &'static str) -> Self {
        tracing::trace!(reason, "a client's scope is left for one deed");
        Self { client_id: None, ..self.clone() }
    }

    pub fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }

    /// Set for client roles: everything is narrowed to this client.
    pub fn client_id(&self) -> Option<ClientId> {
        self.client_id
    }

    pub fn db(&self) -> &Db {
        &self.db
    }

    /// What boot built: keys, the way out, stores, mail, clock.
    pub fn services(&self) -> &Services {
        self.db.services()
    }

    /// The same, as part of a support session.
    pub(super) fn in_support_session(self, id: SupportSessionId) -> Self {
        let actor = Actor { support: Some(id), ..(*self.actor).clone() };
        Self { actor: Arc::new(actor), ..self }
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The person, if a person acts.
    pub fn viewer(&self) -> Option<&Viewer> {
        match &self.actor.kind {
            ActorKind::Person(viewer) => Some(viewer),
            ActorKind::Machine(_) => None,
        }
    }

    pub fn user_id(&self) -> Option<UserId> {
        self.viewer().map(|viewer| viewer.user_id)
    }

    /// The viewer's zone; UTC for machines.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.viewer().map_or(chrono_tz::Tz::UTC, |viewer| patchbay_shared::zone::zone(&viewer.timezone))
    }

    /// Whether the caller may do it: a person by the policy table, a machine by what it declares.
    pub fn may(&self, action: Action) -> bool {
        let role_allows = match &self.actor.kind {
            ActorKind::Person(viewer) => viewer.may(action),
            ActorKind::Machine(machine) => machine.actions.contains(&action),
        };
        role_allows && self.key().is_none_or(|key| key.scopes.iter().any(|scope| scope.action() == action))
    }

    /// Whether the caller reads the field: see `withheld`. Machines read everything.
    pub fn sees(&self, field: Field) -> bool {
        self.viewer().is_none_or(|viewer| viewer.sees(field))
    }

    /// The value of a field as far as the caller reads it.
    pub fn shown<T>(&self, field: Field, value: T) -> Option<T> {
        self.sees(field).then_some(value)
    }

    /// The key, if a program acts.
    pub fn key(&self) -> Option<&KeyUse> {
        self.actor.key.as_ref()
    }

    fn check(&self, action: Action) -> Result<(), AppError> {
        if self.may(action) {
            return Ok(());
        }
        if self.viewer().is_some_and(|viewer| viewer.owes_second_factor && allows(viewer.role, action)) {
            return Err(AppError::Conflict(
                Reason::SecondFactorNeeded,
                "Set up a second factor first, under Settings, Sign-in and security. You can continue after that."
                    .into(),
            ));
        }
        if let ActorKind::Machine(machine) = &self.actor.kind {
            tracing::error!(machine = machine.name, ?action, "a machine asked for what it does not declare");
        }
        // What a client's people may not see does not exist for them.
        let hidden = self.key().is_none()
            && self.viewer().is_some_and(|viewer| viewer.role.is_client() || viewer.role == Role::Admin);
        Err(if hidden { AppError::NotFound } else { AppError::Forbidden })
    }

    /// A read-only transaction inside the tenant. Errors: `Forbidden`, or `NotFound` for roles that may not know of it.
    pub async fn read(&self, action: Action) -> Result<ReadTx, AppError> {
        self.check(action)?;
        ReadTx::open(self).await
    }

    /// A transaction for one named change inside the tenant. Errors: as `read`; `Conflict` in a suspended workspace.
    pub async fn write(&self, action: Action) -> Result<WriteTx, AppError> {
        self.check(action)?;
        let suspended = self.viewer().and_then(|viewer| viewer.workspace.as_ref()).is_some_and(|home| home.suspended);
        if suspended && action != Action::EditOwnProfile {
            return Err(AppError::Conflict(Reason::Suspended, "This workspace is suspended: you can read everything, and nothing can be changed. Write to the platform's support.".into(),
            ));
        }
        WriteTx::open(self).await
    }
}
