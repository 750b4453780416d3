use leptos::prelude::*;

use super::model::{AuditEvent, AuditPage, AuditQuery, PlatformPage, PlatformQuery};
use patchbay_shared::AppError;

/// Who changed what. A client's admin sees events of that client.
#[server(prefix = "/rpc", endpoint = "list_audit_events")]
pub async fn list_audit_events(query: AuditQuery) -> Result<AuditPage, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadAudit).await?;
    store::page(&mut tx, &query).await
}

/// One event with everything that was written down. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_audit_event")]
pub async fn get_audit_event(seq: i64) -> Result<AuditEvent, AppError> {
    use patchbay_access::{Action, server::scope};
    super::server::store::get(&mut scope()?.read(Action::ReadAudit).await?, seq).await
}

/// What platform admins did. For everybody else there is no such log: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_platform_events")]
pub async fn list_platform_events(query: PlatformQuery) -> Result<PlatformPage, AppError> {
    use super::server::platform;
    platform::page(&platform::admin()?, &query).await
}
