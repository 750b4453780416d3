//! Changes to an account, written down where its owner's agency reads them; those of platform admins in the platform's log.

use serde_json::json;
use uuid::Uuid;

use patchbay_access::Action;
use patchbay_access::Viewer;
use patchbay_access::server::{Actor, Change, Db, Fields, Holder, Machine, Scope, SystemTx, Visitor, WriteTx};
use patchbay_services::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::UserId;
use patchbay_users::{self as users, Account};

/// Somebody who signs in has no scope yet.
const SIGN_IN: Machine = Machine { name: "sign-in", actions: &[Action::EditOwnProfile] };
/// Whoever has the installation sets passwords and second factors at its command line.
const COMMAND_LINE: Machine = Machine { name: "command line", actions: &[Action::EditOwnProfile] };

/// A transaction that changes one account.
pub(super) enum Own {
    Member(Box<WriteTx>, UserId),
    Admin(SystemTx, Box<(Db, Actor)>, UserId),
}

impl Own {
    /// The visitor's own account.
    pub(super) async fn open(visitor: &Visitor, viewer: &Viewer) -> Result<Self, AppError> {
        match viewer.workspace {
            Some(_) => Self::of_scope(&visitor.scope()?, viewer.user_id).await,
            None => Self::of_admin(&visitor.db, visitor.actor()?, viewer.user_id).await,
        }
    }

    /// The account of somebody who has not signed in. `is_theirs`: they have proved that it is.
    pub(super) async fn at_the_door(visitor: &Visitor, account: &Account, is_theirs: bool) -> Result<Self, AppError> {
        Self::by_link(visitor, account, SIGN_IN, is_theirs).await
    }

    /// The same by a link that they hold.
    pub(super) async fn by_link(
        visitor: &Visitor,
        account: &Account,
        link: Machine,
        is_theirs: bool,
    ) -> Result<Self, AppError> {
        let holder = is_theirs.then(|| Holder { id: account.id, name: account.name.clone() });
        match account.workspace {
            Some(workspace) => Self::of_scope(&Scope::of_link(visitor, workspace, link, holder), account.id).await,
            None => Self::of_admin(&visitor.db, visitor.actor_for(link, holder), account.id).await,
        }
    }

    /// An account that whoever has the installation changes.
    pub(super) async fn at_command_line(db: &Db, account: &Account) -> Result<Self, AppError> {
        match account.workspace {
            Some(workspace) => {
                Self::of_scope(&Scope::of_operator(db.clone(), workspace, COMMAND_LINE), account.id).await
            }
            None => Self::of_admin(db, Actor::machine(COMMAND_LINE), account.id).await,
        }
    }

    async fn of_scope(scope: &Scope, user: UserId) -> Result<Self, AppError> {
        let mut tx = scope.write(Action::EditOwnProfile).await?;
        tx.span("own account").await?;
        Ok(Self::Member(Box::new(tx), user))
    }

    async fn of_admin(db: &Db, actor: Actor, user: UserId) -> Result<Self, AppError> {
        Ok(Self::Admin(SystemTx::open(db, "own account").await?, Box::new((db.clone(), actor)), user))
    }

    pub(super) fn conn(&mut self) -> &mut sqlx::PgConnection {
        match self {
            Self::Member(tx, _) => tx.conn(),
            Self::Admin(tx, ..) => tx.conn(),
        }
    }

    /// Nothing was changed after all.
    pub(super) async fn commit_unchanged(self) -> Result<(), AppError> {
        match self {
            Self::Member(tx, _) => tx.commit().await,
            Self::Admin(tx, ..) => tx.commit().await,
        }
    }

    /// Writes down what was done to the account, in the same transaction.
    pub(super) async fn commit(mut self, action: &str, fields: Fields) -> Result<(), AppError> {
        let user = match &self {
            Self::Member(_, user) | Self::Admin(_, _, user) => *user,
        };
        // Who belongs to a client is in that client's part of the audit log.
        let client_id = users::account(self.conn(), user).await?.client;
        let change = Change { action, entity: "user", entity_id: Some(user.0), client_id, fields };
        match self {
            Self::Member(mut tx, _) => {
                tx.audit(change).await?;
                tx.notify(Topic::list("audit"), None);
                tx.commit().await
            }
            Self::Admin(mut tx, who, _) => {
                let (db, actor) = *who;
                tx.audit_platform(&db, &actor, change).await?;
                tx.commit().await
            }
        }
    }
}

/// Writes down that somebody tried to sign in to this account and was refused. Afterwards, so that the answer takes as long as for an
/// address that nobody has; what may be tried at all is counted before (`patchbay_users::throttle`), which bounds these rows too.
pub(super) fn note_refusal(visitor: &Visitor, user: Uuid, step: &'static str) {
    let visitor = visitor.clone();
    tokio::spawn(async move {
        if let Err(error) = refusal(&visitor, user, step).await {
            tracing::error!(cause = %error, user_id = %user, "a refused sign-in is not in the audit log");
        }
    });
}

async fn refusal(visitor: &Visitor, user: Uuid, step: &str) -> Result<(), AppError> {
    let mut tx = SystemTx::open(&visitor.db, "whose account was tried").await?;
    let account = users::account(tx.conn(), UserId(user)).await?;
    drop(tx);
    let facts = json!({ "name": account.name, "email": account.email, "refused": step });
    Own::at_the_door(visitor, &account, false).await?.commit("failed to sign in", Fields::Happened(facts)).await
}
