//! Days of which each client has its own: the same dates, in its zone.

use chrono::{DateTime, Utc};

use super::days;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;
use patchbay_shared::zone::{self, Span};

/// Where the days lie in each zone, by column. An end that is open lies far away.
pub struct OwnDays {
    pub zones: Vec<String>,
    pub from: Vec<DateTime<Utc>>,
    pub before: Vec<DateTime<Utc>>,
    /// The zone of what belongs to no client.
    pub agency: String,
}

/// The time in which the days lie, and where they do not lie at the same time for all clients, where in each zone.
/// Errors: `Invalid` at `from` or `to`.
pub async fn own_days(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Span, Option<OwnDays>), AppError> {
    let zones = days::zones(tx, client).await?;
    let agency = zones.iter().find(|(client, _)| client.is_none()).map(|(_, zone)| zone.clone()).unwrap_or_default();
    let mut names: Vec<String> = zones.into_iter().map(|(_, zone)| zone).collect();
    names.sort_unstable();
    names.dedup();
    let span_in = |name: &str| zone::days(from, to, zone::zone(name));
    if let [] | [_] = names[..] {
        return Ok((span_in(names.first().map_or("UTC", String::as_str))?, None));
    }
    let spans = names.iter().map(|name| span_in(name)).collect::<Result<Vec<Span>, AppError>>()?;
    let all = Span {
        from: spans.iter().filter_map(|span| span.from).min(),
        before: spans.iter().filter_map(|span| span.before).max(),
    };
    let own = OwnDays {
        zones: names,
        from: spans.iter().map(|span| span.from.unwrap_or(DateTime::UNIX_EPOCH)).collect(),
        before: spans.iter().map(|span| span.before.unwrap_or(far())).collect(),
        agency,
    };
    Ok((all, Some(own)))
}

/// After everything.
fn far() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default()
}
