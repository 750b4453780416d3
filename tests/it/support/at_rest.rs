//! Waiting for processes that are not this one: whoever looks from outside can only look again.

use std::time::{Duration, Instant};

use patchbay_sandbox::Sandbox;
use patchbay_shared::ids::WorkspaceId;
use sqlx::PgPool;

use super::next_due;

/// Waits until the processes have nothing more to do for an agency soon.
pub async fn at_rest(owner: &PgPool, sandbox: &Sandbox, workspace: WorkspaceId, accounts: &[String]) {
    let until = Instant::now() + Duration::from_secs(60);
    let held = format!(
        "select (select count(*) from jobs where workspace_id = '{workspace}' and status = 'processing')
              + (select count(*) from webhook_queue where workspace_id = '{workspace}' and status = 'processing')
              + (select count(*) from enrichment_queue where workspace_id = '{workspace}' and status = 'processing')"
    );
    loop {
        for account in accounts {
            sandbox.settle(account).await;
        }
        let held: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(held.clone())).fetch_one(owner).await.expect("the queues");
        let is_soon = next_due(owner, workspace).await.is_some_and(|wait| wait < Duration::from_secs(60));
        if held == 0 && !is_soon {
            return;
        }
        assert!(Instant::now() < until, "waited a minute in vain for the work to end");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}
