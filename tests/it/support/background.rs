use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchbay_access::server::Db;
use patchbay_jobs::Runner;
use patchbay_sandbox::Sandbox;
use patchbay_shared::ids::WorkspaceId;
use sqlx::PgPool;

use super::World;

/// Who works on what lies in the queues.
#[derive(Clone)]
pub enum Workers {
    /// Nobody, until a test says so: the runner that the program's workers use.
    Ours(Arc<Runner>),
    /// Processes of the program, all the time.
    Elsewhere,
}

/// The longest that `drain` lets pass: a failed piece of work comes back twice in it, and nobody is asked after a silent call yet.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing that a test waits for takes so long, on any machine: a test that hangs says at what.
pub const ENDLESS: Duration = Duration::from_secs(150);

/// What goes on behind an agency's pages: its queues, and what the stand-ins send for its accounts. It goes on when a test wants it to.
#[derive(Clone)]
pub struct Background {
    workers: Workers,
    db: Db,
    owner: PgPool,
    sandbox: Arc<Sandbox>,
    workspace: WorkspaceId,
    accounts: Arc<Mutex<Vec<String>>>,
}

impl Background {
    pub fn new(world: &World, workspace: WorkspaceId) -> Self {
        Self {
            workers: world.workers.clone(),
            db: world.db.clone(),
            owner: world.owner.clone(),
            sandbox: world.sandbox.clone(),
            workspace,
            accounts: Arc::default(),
        }
    }

    /// From now on what the stand-ins do for this account belongs to it.
    pub fn add_account(&self, key: &str) {
        self.accounts.lock().expect("accounts").push(key.to_owned());
    }

    /// Lets everything happen that is due, and what follows from it, and so on, as if up to a minute passed.
    pub async fn drain(&self) {
        self.drain_for(PATIENCE).await;
    }

    /// The same with another patience. With none only what is due at once happens.
    pub async fn drain_for(&self, patience: Duration) {
        self.drain_until(patience, || async { false }).await;
    }

    /// The same, but no more time passes once `done`.
    pub async fn drain_until<F, Fut>(&self, patience: Duration, done: F)
    where
        F: Fn() -> Fut,
        Fut: Future<Output = bool>,
    {
        let Workers::Ours(runner) = &self.workers else {
            return super::at_rest::at_rest(&self.owner, &self.sandbox, self.workspace, &self.accounts()).await;
        };
        let mut passed = Duration::ZERO;
        for _ in 0..5_000 {
            for account in self.accounts() {
                in_time(&account, self.sandbox.settle(&account)).await;
            }
            if in_time("the queues", runner.drain(self.workspace)).await.expect("the queues") > 0 {
                continue;
            }
            let sent = patchbay_webhooks::server::sending::drain(&self.db, self.workspace);
            if in_time("webhooks", sent).await.expect("webhooks") > 0 {
                continue;
            }
            let Some(wait) = next_due(&self.owner, self.workspace).await else { return };
            if passed + wait > patience || done().await {
                return;
            }
            self.pass(wait).await;
            passed += wait;
        }
        panic!("the work never comes to an end");
    }

    /// Lets time pass for the agency: what waits for a moment waits that much less. The database's clock cannot be moved, so everything
    /// that is compared with it is moved the other way.
    pub async fn pass(&self, time: Duration) {
        let (workspace, time) = (self.workspace, format!("interval '{:.6} seconds'", time.as_secs_f64()));
        let sql = format!(
            "update jobs set run_at = run_at - {time} where workspace_id = '{workspace}' and status = 'pending';
             update webhook_queue set next_attempt_at = next_attempt_at - {time} where workspace_id = '{workspace}' and status = 'pending';
             update enrichment_queue set next_attempt_at = next_attempt_at - {time} where workspace_id = '{workspace}' and status = 'pending';
             update execution_queue set next_attempt_at = next_attempt_at - {time} where workspace_id = '{workspace}' and status = 'pending';
             update delivery_queue set next_try_at = next_try_at - {time} where workspace_id = '{workspace}' and lease_owner is null;
             update webhook_deliveries set next_try_at = next_try_at - {time} where workspace_id = '{workspace}' and next_try_at is not null;
             update execution_jobs set next_attempt_at = next_attempt_at - {time} where workspace_id = '{workspace}' and next_attempt_at is not null;
             update execution_circuits set probe_at = probe_at - {time} where workspace_id = '{workspace}' and probe_at is not null;
             update campaign_contacts set next_attempt_at = next_attempt_at - {time}
             where workspace_id = '{workspace}' and next_attempt_at is not null;
             update call_backs set due_at = due_at - {time}
             where workspace_id = '{workspace}' and status in ('scheduled', 'dialling');
             update historical_sync_jobs set waits_until = waits_until - {time} where workspace_id = '{workspace}' and waits_until is not null;
             update integrations set wait_until = wait_until - {time}, next_sync_at = next_sync_at - {time} where workspace_id = '{workspace}';
             update integrations set config = jsonb_set(config, '{{read_soon_at}}', to_jsonb((config ->> 'read_soon_at')::timestamptz - {time}))
             where workspace_id = '{workspace}' and config ->> 'read_soon_at' is not null;
             update integration_pending set next_try_at = next_try_at - {time} where workspace_id = '{workspace}';
             update agent_schedules set next_at = next_at - {time} where workspace_id = '{workspace}' and next_at is not null;
             update integration_messages set next_try_at = next_try_at - {time}
             where workspace_id = '{workspace}' and state = 'waiting';
             update text_messages set send_at = send_at - {time}, asked_at = asked_at - {time} where workspace_id = '{workspace}';
             update call_batches set scheduled_for = scheduled_for - {time} where workspace_id = '{workspace}' and status = 'scheduled';
             update calls set dialled_at = dialled_at - {time}
             where workspace_id = '{workspace}' and dialled_at is not null and provider_call_id is null;
             update workspaces set settings = jsonb_set(settings, '{{voice_hold_until}}',
               to_jsonb((settings ->> 'voice_hold_until')::timestamptz - {time}))
             where id = '{workspace}' and settings ? 'voice_hold_until'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&self.owner).await.expect("time passes");
    }

    /// Lets time pass for the agency and moves the installation's clock on as far, so that another hour of the day has come. For tests in a
    /// world of their own: in the common one the others would find themselves at that hour too.
    pub async fn elapse(&self, time: Duration) {
        self.db.services().clock.advance(time);
        self.pass(time).await;
    }

    fn accounts(&self) -> Vec<String> {
        self.accounts.lock().expect("accounts").clone()
    }
}

/// How long until the next piece of work is due; none when nothing waits.
pub async fn next_due(owner: &PgPool, workspace: WorkspaceId) -> Option<Duration> {
    let sql = format!(
        "select extract(epoch from min(due) - clock_timestamp())::float8 from (
           select run_at as due from jobs where workspace_id = '{workspace}' and status = 'pending'
           union all select next_attempt_at from webhook_queue where workspace_id = '{workspace}' and status = 'pending'
           union all select next_attempt_at from execution_queue where workspace_id = '{workspace}' and status = 'pending' and pool = 'default'
           union all select next_try_at from delivery_queue where workspace_id = '{workspace}' and lease_owner is null
           union all select next_attempt_at from enrichment_queue where workspace_id = '{workspace}' and status = 'pending') waiting"
    );
    let seconds: Option<f64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(owner).await.expect("the queues");
    // A millisecond more, so that it is due then.
    seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0) + 0.001))
}

/// Waits for it, but not for ever.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(ENDLESS, work).await.unwrap_or_else(|_| panic!("{what}: it comes to no end"))
}
