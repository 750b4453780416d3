//! What happened before the first day: the voice service has held the agents' calls for weeks, and the owner brings them in.

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use super::agencies::Agency;
use super::story::{Served, better};
use super::visit::{Visit, text};
use patchbay_sandbox::{PastOfAgent, PastPerson, Sandbox};
use patchbay_shared::AppError;

/// Since when the agents speak the second version of their prompts.
const BETTER_SINCE: i64 = 18;
/// A client near its budget has spent so many hundredths of it.
const SPENT: i64 = 93;

/// Gives the agency's account at the voice service a past of so many days.
pub(crate) fn remember(sandbox: &Sandbox, agency: &Agency, served: &[Served], days: u32, now: DateTime<Utc>) {
    let since = now - Duration::days(i64::from(days));
    let better_since = now - Duration::days(BETTER_SINCE);
    let agents = served.iter().flat_map(|served| {
        let client = served.client;
        let people = (0..client.contacts).map(|index| {
            let (name, number) = client.person(index);
            PastPerson { name, number }
        });
        let common = PastOfAgent {
            from: since,
            until: now,
            timezone: client.timezone.to_owned(),
            campaign_type: Some(client.kind.to_owned()),
            number: served.number.clone(),
            people: people.collect(),
            languages: client.speaks.iter().map(|(tag, share)| ((*tag).to_owned(), *share)).collect(),
            ..PastOfAgent::default()
        };
        let caller = PastOfAgent {
            agent_id: served.callers_id.clone(),
            calls_per_day: client.per_day[0],
            inbound: 0.0,
            prompts: vec![(since, client.prompt.to_owned()), (better_since, better(client))],
            ..common.clone()
        };
        let desk = PastOfAgent {
            agent_id: served.desks_id.clone(),
            calls_per_day: client.per_day[1],
            inbound: 1.0,
            campaign_type: None,
            ..common
        };
        [caller, desk]
    });
    sandbox.set_past(agency.key, agents.collect());
}

/// The owner imports everything that the voice service has, and waits for the end. What the calls were about is read after that, newest
/// first, while calls go on.
pub(crate) async fn bring_in(owner: &Visit) -> Result<(), AppError> {
    let today = Utc::now().date_naive().to_string();
    let fields =
        [("provider", "ultravox"), ("from", ""), ("to", &today), ("transcripts", "true"), ("recordings", "true")];
    let about = [("provider", "ultravox")];
    let (before, _) = owner.post("get_history", &about).await?;
    if before["shown"].is_null() {
        owner.post("start_history_import", &fields).await?;
    }
    let is_over =
        |answer: &Value| ["completed", "failed", "cancelled"].iter().any(|word| answer["shown"]["status"] == *word);
    // An import that takes longer goes on by itself.
    match owner.until("The import of past calls", "get_history", &about, is_over).await {
        Ok(after) if after["shown"]["status"] != "completed" => {
            tracing::warn!(error = %after["shown"]["error"], "the past could not be imported whole");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(cause = %error, "the past is still being imported"),
    }
    Ok(())
}

/// Sets the budget of clients that are near it by what they have spent this month.
pub(crate) async fn near_budget(owner: &Visit, served: &Served) -> Result<(), AppError> {
    if !served.client.is_near_budget {
        return Ok(());
    }
    let (usage, _) = owner.post("get_client_usage", &[("client", &served.id)]).await?;
    let spent: f64 = text(&usage["budget_status"]["spent"]).parse().unwrap_or(0.0);
    let cents = (spent * 100.0) as i64 * 100 / SPENT;
    if cents < 100 {
        return Ok(());
    }
    let budget = format!("{}.{:02}", cents / 100, cents % 100);
    super::people::save_client(owner, served.client, &served.id, &budget).await?;
    Ok(())
}
