//! What goes on for as long as the demo runs: now and then an owner has a few new people called, in the client's working hours.

use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use super::agencies::{AGENCIES, Agency, Client};
use super::story::start_batch;
use super::visit::{Visit, text};
use patchbay_shared::AppError;

/// How often a client has new people called, and how many.
const EVERY: i64 = 60 * 60;
const PEOPLE: usize = 4;
/// The hours of the client's day in which it does.
const HOURS: std::ops::Range<u32> = 8..20;
const LOOK: Duration = Duration::from_secs(20);

/// Goes on until stopped. The people are told apart by the time, so that a restart calls nobody twice.
pub(crate) async fn go_on(base: String, stop: CancellationToken) {
    let mut done = vec![Utc::now().timestamp() / EVERY; AGENCIES.iter().map(|agency| agency.clients.len()).sum()];
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
        let mut place = 0;
        for agency in AGENCIES {
            for client in agency.clients {
                // One client after the other, not all in the same minute.
                let slot = (Utc::now().timestamp() - place as i64 * EVERY / done.len() as i64) / EVERY;
                if slot > done[place]
                    && is_open(client, Utc::now())
                    && let Err(error) = call_some(&base, agency, client, slot).await
                {
                    tracing::info!(client = client.name, cause = %error, "the demo could not have new people called");
                }
                done[place] = slot.max(done[place]);
                place += 1;
            }
        }
    }
}

fn is_open(client: &Client, now: DateTime<Utc>) -> bool {
    let zone: Tz = client.timezone.parse().unwrap_or(Tz::UTC);
    HOURS.contains(&now.with_timezone(&zone).hour())
}

async fn call_some(base: &str, agency: &Agency, client: &Client, slot: i64) -> Result<(), AppError> {
    let owner = Visit::signed_in(base, agency.owner.1).await?;
    let (clients, _) = owner.post("client_names", &[]).await?;
    let named = |rows: &serde_json::Value, name: &str| {
        rows.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == name)).map(|row| text(&row["id"]))
    };
    let Some(id) = named(&clients, client.name) else { return Ok(()) };
    let (campaigns, _) = owner.post("client_campaigns", &[("client", &id)]).await?;
    let Some(campaign) = named(&campaigns, client.campaign) else { return Ok(()) };
    let first = slot.rem_euclid(100_000) as usize * PEOPLE;
    let people: Vec<[String; 4]> = (first..first + PEOPLE).map(|index| newcomer(client, index)).collect();
    owner.import(client, &id, &people, Some(&campaign)).await?;
    let zone: Tz = client.timezone.parse().unwrap_or(Tz::UTC);
    let name = format!("{}, {}", client.campaign, Utc::now().with_timezone(&zone).format("%a %H:%M"));
    start_batch(&owner, &campaign, &name, "1", &PEOPLE.to_string(), "").await?;
    Ok(())
}

/// Somebody who is not in the first list: their number ends in an odd digit.
fn newcomer(client: &Client, index: usize) -> [String; 4] {
    let (first, last) = client.names(index);
    let (head, _) = client.numbers[index / 4_900 % client.numbers.len()];
    [first.to_owned(), last.to_owned(), format!("{head}{:04}", 101 + index % 4_900 * 2), String::new()]
}
