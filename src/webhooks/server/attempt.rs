//! One request to a receiver, and what is made of its answer.

mod answer;
mod ends;
mod parcels;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

use super::store::queue::{self, Claimed};
use super::store::sent::{self, Attempt, Parcel};
use super::{secrets, store};
use crate::model::{EndpointStatus, EventType, MOST_TRIES, message_id};
use answer::Verdict;
use ends::End;
pub(super) use ends::Ends;
pub(super) use parcels::{Parcels, of_each};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_providers::outside::OutsideAsk;
use patchbay_providers::signature::{STANDARD_ID, STANDARD_SIGNATURE, STANDARD_TIMESTAMP, sign_standard};
use patchbay_shared::AppError;
use patchbay_shared::ids::WebhookEndpointId;

const SENDER: Machine = Machine { name: "webhooks", actions: &[Action::ManageWebhooks] };
/// How long a receiver may take, from the beginning to the last byte of its answer.
const LIMIT: Duration = Duration::from_secs(20);
/// The most of an answer that is read.
const MOST_READ: usize = 4096;
/// How long the endpoint of an archived client rests before it is looked at again, and that of a suspended agency.
const REST: Duration = Duration::from_secs(3600);
/// Deliveries of an endpoint that are dealt with in one transaction; the others follow when they are due.
pub(super) const STEP: i64 = 1000;
/// Seconds before each try.
const DELAYS: [u64; MOST_TRIES as usize] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The longest wait that a receiver can ask for, in seconds.
const LONGEST_WAIT: u64 = 86_400;
const AGENT: &str = concat!("Patchbay/", env!("CARGO_PKG_VERSION"));

/// Sends one delivery that is ours, or deals with it otherwise. Gives what came of it, in a word.
pub(super) async fn make(
    db: Db,
    ends: Arc<Ends>,
    claimed: Claimed,
    parcels: Arc<Parcels>,
) -> Result<&'static str, AppError> {
    let (scope, owner) = (Scope::of_upkeep(db, claimed.workspace, SENDER), ends.owner);
    let Some(parcel) = parcels.take(&scope, claimed.id).await? else {
        return unsent(&scope, owner, claimed, Instead::Forget).await;
    };
    let is_test = parcel.event_type == EventType::Test.as_str();
    if parcel.is_removed {
        return unsent(&scope, owner, claimed, Instead::Fail).await;
    }
    if parcel.is_suspended || parcel.rests {
        return unsent(&scope, owner, claimed, Instead::Rest).await;
    }
    if parcel.status != EndpointStatus::Active && !is_test {
        return unsent(&scope, owner, claimed, Instead::Hold).await;
    }
    let (attempt, verdict) = ask(&scope, claimed.endpoint, &parcel).await;
    let tries = parcel.tries_in_row + 1;
    ends.write(&scope, End { claimed, is_test, tries, attempt, verdict }).await
}

/// What becomes of a delivery that is not sent now.
enum Instead {
    /// It is none any more.
    Forget,
    /// The endpoint was removed.
    Fail,
    /// The endpoint is off.
    Hold,
    /// The endpoint has to wait.
    Rest,
}

pub(super) const REMOVED: &str = "The endpoint was removed.";

/// Deals with a delivery that is not sent, and with others of its endpoint in the same way.
async fn unsent(scope: &Scope, owner: Uuid, claimed: Claimed, mut instead: Instead) -> Result<&'static str, AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let (id, endpoint) = (claimed.id, claimed.endpoint);
    if let Instead::Rest = instead {
        if let Some(until) = queue::give_back(&mut tx, id, owner, REST).await? {
            sent::wait(&mut tx, id, until).await?;
            queue::put_off(&mut tx, endpoint, REST, STEP).await?;
            notify(&mut tx, endpoint);
            tx.commit().await?;
        }
        return Ok("rests");
    }
    if let Instead::Hold = instead {
        // Somebody may have switched it on since it was read, or removed it.
        match store::lock(&mut tx, endpoint).await {
            Ok(found) if found.status == EndpointStatus::Active => {
                if let Some(at) = queue::give_back(&mut tx, id, owner, Duration::ZERO).await? {
                    sent::wait(&mut tx, id, at).await?;
                    tx.commit().await?;
                }
                return Ok("rests");
            }
            Ok(_) => {}
            Err(AppError::NotFound) => instead = Instead::Fail,
            Err(error) => return Err(error),
        }
    }
    if queue::take_out(&mut tx, id, owner).await? {
        let why = match instead {
            Instead::Fail => Some(REMOVED),
            _ => None,
        };
        if !matches!(instead, Instead::Forget) {
            sent::end(&mut tx, id, why).await?;
            queue::stop(&mut tx, endpoint, why, STEP).await?;
            notify(&mut tx, endpoint);
        }
        tx.commit().await?;
    }
    Ok("unsent")
}

/// Asks the receiver.
async fn ask(scope: &Scope, endpoint: WebhookEndpointId, parcel: &Parcel) -> (Attempt, Verdict) {
    let (id, timestamp) = (message_id(parcel.event_id), Utc::now().timestamp().to_string());
    let sealed = std::iter::once(&parcel.secret).chain(&parcel.old_secret);
    let signatures: Vec<String> = sealed
        .filter_map(|sealed| secrets::open(scope, endpoint, sealed))
        .filter_map(|secret| sign_standard(secret.expose(), &id, &timestamp, parcel.body.as_bytes()))
        .collect();
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("user-agent".to_owned(), AGENT.to_owned()),
        (STANDARD_ID.to_owned(), id),
        (STANDARD_TIMESTAMP.to_owned(), timestamp),
    ];
    if signatures.is_empty() {
        // Nothing leaves here unsigned.
        let why = "Nothing was sent: no key of this installation opens the endpoint’s secret.";
        return (attempt(&headers, why), Verdict::Failed { wait: None });
    }
    headers.push((STANDARD_SIGNATURE.to_owned(), signatures.join(" ")));
    let services = scope.services();
    let request = OutsideAsk {
        method: "POST".to_owned(),
        url: parcel.url.clone(),
        headers: headers.clone(),
        body: Some(parcel.body.clone().into_bytes()),
        timeout: LIMIT,
        limit: MOST_READ,
        except: services.sandbox.as_ref().map(|sandbox| sandbox.receiver.clone()),
    };
    let begun = Instant::now();
    let answered = services.http.ask_outside(&request).await;
    let mut attempt = attempt(&headers, "");
    attempt.ms = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    let verdict = answer::read(answered, &mut attempt);
    (attempt, verdict)
}

fn attempt(headers: &[(String, String)], error: &str) -> Attempt {
    Attempt {
        request_headers: json!(headers),
        status: None,
        error: Some(error.to_owned()).filter(|error| !error.is_empty()),
        ms: 0,
        remote: None,
        response_headers: None,
        response_body: None,
    }
}

/// The wait after so many tries in a row, give or take a little, and not less than the receiver asked for. None: that was the last one.
fn next_wait(tries: i32, asked: Option<u64>) -> Option<Duration> {
    let seconds = *DELAYS.get(usize::try_from(tries).ok()?)? as f64 * rand::random_range(0.95..1.1);
    Some(Duration::from_secs_f64(seconds).max(Duration::from_secs(asked.unwrap_or(0).min(LONGEST_WAIT))))
}

pub(super) fn notify(tx: &mut WriteTx, endpoint: WebhookEndpointId) {
    tx.notify(Topic::one("webhook_endpoint", endpoint), None);
    tx.notify(Topic::list("webhook_endpoints"), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_spread_over_four_days_and_end() {
        let waits: Vec<Duration> = (1..).map_while(|tries| next_wait(tries, None)).collect();
        assert_eq!(waits.len(), 9, "ten tries in all");
        assert!((4.0..6.0).contains(&waits[0].as_secs_f64()), "{waits:?}");
        let days: f64 = waits.iter().map(Duration::as_secs_f64).sum::<f64>() / 86_400.0;
        assert!((3.0..4.0).contains(&days), "{days}");
        // What the receiver asks for counts, up to a day.
        assert_eq!(next_wait(1, Some(600)), Some(Duration::from_secs(600)));
        assert_eq!(next_wait(1, Some(u64::MAX)), Some(Duration::from_secs(86_400)));
        assert_eq!(next_wait(10, Some(600)), None);
    }
}
