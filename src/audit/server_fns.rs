use leptos::prelude::*;

use super::model::{AuditQuery, AuditRow};
use crate::shared::{AppError, Page};

/// Who changed what. A client's admin sees events of that client.
#[server(prefix = "/rpc", endpoint = "list_audit_events")]
pub async fn list_audit_events(query: AuditQuery) -> Result<(Page<AuditRow>, Vec<String>), AppError> {
    use super::server::store;
    use crate::access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadAudit).await?;
    let page = store::list(&mut tx, &query, store::PAGE).await?;
    Ok((page, store::entities(&mut tx).await?))
}
