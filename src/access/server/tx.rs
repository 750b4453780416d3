use sqlx::{PgConnection, Postgres, Transaction};

use super::Scope;
use patchbay_services::{Notice, Services, Topic};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, UserId, WorkspaceId};

/// A read-only transaction that sees one tenant.
pub struct ReadTx {
    tx: Transaction<'static, Postgres>,
    scope: Scope,
}

/// A transaction that changes one tenant. Dropped without `commit`, it rolls back.
pub struct WriteTx {
    read: ReadTx,
    notices: Vec<Notice>,
    wakes: Vec<&'static str>,
}

impl ReadTx {
    pub(super) async fn open(scope: &Scope) -> Result<Self, AppError> {
        let tx = scope.db.begin(settings(scope, "set transaction read only; ")).await?;
        Ok(Self { tx, scope: scope.clone() })
    }

    /// For statements. They name `workspace_id = $1` even though row security would filter.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub fn workspace_id(&self) -> WorkspaceId {
        self.scope.workspace_id
    }

    /// The workspace's bare id, for `$1`.
    pub fn workspace_uuid(&self) -> uuid::Uuid {
        self.scope.workspace_id.0
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What boot built: keys, the way out, stores, mail, clock.
    pub fn services(&self) -> &Services {
        self.scope.services()
    }

    /// For the statement that follows, until `read_as_planned`: a page of a list is read in the order of an index, whatever the
    /// planner thinks of it. Row security's conditions make it expect far fewer rows than there are, and it would rather sort a whole
    /// workspace. Not for a search: that would walk every row in order instead of looking up the few that it found.
    pub async fn read_in_order(&mut self) -> Result<(), AppError> {
        sqlx::raw_sql("set local enable_sort = off").execute(self.conn()).await?;
        Ok(())
    }

    /// Ends what `read_in_order` began.
    pub async fn read_as_planned(&mut self) -> Result<(), AppError> {
        sqlx::raw_sql("set local enable_sort to default").execute(self.conn()).await?;
        Ok(())
    }

    /// For the statements that follow, until `back_in_client`: the whole agency's rows, also for a client's people. For counts of what the
    /// agency may have in all, which are told to nobody. A test names the places that may call this.
    pub async fn count_whole_agency(&mut self) -> Result<(), AppError> {
        sqlx::raw_sql("set local app.client_id = ''").execute(self.conn()).await?;
        Ok(())
    }

    /// Ends what `count_whole_agency` began. Not needed after an error: the transaction is rolled back then.
    pub async fn back_in_client(&mut self) -> Result<(), AppError> {
        let own = client_setting(&self.scope);
        sqlx::raw_sql(sqlx::AssertSqlSafe(own)).execute(self.conn()).await?;
        Ok(())
    }

    /// The moment of the database's clock, which leases and schedules go by.
    pub async fn now(&mut self) -> Result<chrono::DateTime<chrono::Utc>, AppError> {
        Ok(sqlx::query_scalar("select now()").fetch_one(self.conn()).await?)
    }
}

impl WriteTx {
    pub(super) async fn open(scope: &Scope) -> Result<Self, AppError> {
        let tx = scope.db.begin(settings(scope, "")).await?;
        Ok(Self { read: ReadTx { tx, scope: scope.clone() }, notices: Vec::new(), wakes: Vec::new() })
    }

    /// A write transaction reads too: store functions that read take this.
    pub fn reading(&mut self) -> &mut ReadTx {
        &mut self.read
    }

    pub fn conn(&mut self) -> &mut PgConnection {
        self.read.conn()
    }

    pub fn workspace_id(&self) -> WorkspaceId {
        self.read.workspace_id()
    }

    pub fn workspace_uuid(&self) -> uuid::Uuid {
        self.read.workspace_uuid()
    }

    pub fn scope(&self) -> &Scope {
        &self.read.scope
    }

    /// What boot built: keys, the way out, stores, mail, clock.
    pub fn services(&self) -> &Services {
        self.read.scope.services()
    }

    pub fn user_id(&self) -> Option<UserId> {
        self.read.scope.user_id()
    }

    /// Opens the tables that span tenants (sessions, sign-in) to the rest of this transaction, for a change that touches both
    /// kinds. `reason` as for `SystemTx`. Tenant tables stay as narrow as before: their policies do not know the setting.
    pub async fn span(&mut self, reason: &'static str) -> Result<(), AppError> {
        tracing::trace!(reason, "a tenant's transaction spans");
        sqlx::raw_sql("set local app.system = 'on'").execute(self.conn()).await?;
        Ok(())
    }

    /// Tells open pages, after the commit, that something changed. `client_id` limits who hears it.
    pub fn notify(&mut self, topic: Topic, client_id: Option<ClientId>) {
        let notice = Notice { workspace_id: self.workspace_id(), client_id, topic };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Wakes this process's workers of `queue` after the commit.
    pub fn wake(&mut self, queue: &'static str) {
        if !self.wakes.contains(&queue) {
            self.wakes.push(queue);
        }
    }

    /// Makes the change, then wakes workers and tells open pages.
    pub async fn commit(self) -> Result<(), AppError> {
        let db = self.read.scope.db.clone();
        self.read.tx.commit().await?;
        for queue in self.wakes {
            db.wakers().wake(queue);
        }
        for notice in self.notices {
            // Nobody listening is fine.
            let _ = db.live().send(notice);
        }
        Ok(())
    }
}

/// `set local` and not `set_config()`: only the former reaches the workers of a distributed database. The ids are typed, so
/// nothing can be injected.
fn settings(scope: &Scope, first: &str) -> String {
    format!("{first}set local app.workspace_id = '{}'; {}", scope.workspace_id, client_setting(scope))
}

fn client_setting(scope: &Scope) -> String {
    let client = scope.client_id.map(|id| id.to_string()).unwrap_or_default();
    format!("set local app.client_id = '{client}'")
}
