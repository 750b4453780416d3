//! Waiting for processes that are not this one: whoever looks from outside can only look again.

use std::time::{Duration, Instant};

use patchbay_sandbox::Sandbox;
use patchbay_shared::ids::WorkspaceId;
use sqlx::PgPool;

use super::next_due;

/// Waits until the processes have nothing more to do for an agency soon.
///
/// Work at rest is not enough: the provider may be about to say something. So it is looked at before and after all that the stand-ins have
/// under way has come in, and nothing may have come in between.
pub async fn at_rest(owner: &PgPool, sandbox: &Sandbox, workspace: WorkspaceId, accounts: &[String]) {
    let until = Instant::now() + Duration::from_secs(60);
    let mut before = None;
    loop {
        for account in accounts {
            sandbox.settle(account).await;
        }
        let heard = heard_at_rest(owner, workspace).await;
        if heard.is_some() && heard == before {
            return;
        }
        before = heard;
        assert!(Instant::now() < until, "waited a minute in vain for the work to end");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// How many events the providers have sent, if nothing is being worked on and nothing will be soon.
async fn heard_at_rest(owner: &PgPool, workspace: WorkspaceId) -> Option<i64> {
    let sql = format!(
        "select (select count(*) from webhook_queue where workspace_id = '{workspace}')
         where not exists (select from jobs where workspace_id = '{workspace}' and status = 'processing')
           and not exists (select from webhook_queue where workspace_id = '{workspace}' and status = 'processing')
           and not exists (select from delivery_queue where workspace_id = '{workspace}' and lease_owner is not null)
           and not exists (select from execution_queue where workspace_id = '{workspace}' and status = 'processing')
           and not exists (select from enrichment_queue where workspace_id = '{workspace}' and status = 'processing')"
    );
    let heard = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_optional(owner).await.expect("the queues");
    let is_soon = next_due(owner, workspace).await.is_some_and(|wait| wait < Duration::from_secs(60));
    heard.filter(|_| !is_soon)
}
