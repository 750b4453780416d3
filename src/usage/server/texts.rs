//! What text messages of the days come to.

use std::cmp::Reverse;

use uuid::Uuid;

use super::period::Resolved;
use super::{read_texts, store};
use crate::model::{By, ClientTexts, TextUsage};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

/// By day, and for the agency by client.
pub(crate) async fn texts(
    tx: &mut ReadTx,
    resolved: &Resolved,
    client: Option<ClientId>,
    by: By,
    is_agency: bool,
) -> Result<TextUsage, AppError> {
    let found = read_texts(tx, resolved.asked(client, 1)).await?;
    let mut usage = TextUsage::of_days(by, resolved.period, resolved.today, &found.days);
    if is_agency {
        let ids: Vec<Uuid> = found.clients.keys().map(|id| id.0).collect();
        let names = store::client_names(tx, &ids).await?;
        let rows = found.clients.into_iter().map(|(id, sums)| {
            let name = names.get(&id).cloned().unwrap_or_default();
            ClientTexts { id, name, sums }
        });
        usage.clients = rows.collect();
        usage
            .clients
            .sort_by_cached_key(|row| (Reverse(row.sums.cost), Reverse(row.sums.messages), row.name.to_lowercase()));
    }
    Ok(usage)
}
