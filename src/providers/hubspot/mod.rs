//! HubSpot: contacts, deals and activities.
//!
//! The surprising parts: a search gives ten thousand records at most, so each page begins at the time of the last record, and where more
//! than a page changed in the same millisecond (HubSpot itself changes all contacts at once now and then) they are read by their ids; a search knows nothing of associations; a batch
//! with one bad value is refused as a whole, and one with an id that is none answers that all went well; a record that was merged away
//! answers with the one that it lives on in.

mod activities;
mod activity;
mod finding;
mod notices;
mod reading;
mod writing;

pub use notices::{HubSpotNotice, Told, read_notices};

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::crm::*;
use crate::crm_client::{CrmClient, Ways};
use crate::crm_wire::{is_id, names};
use crate::error::{Kind, ProviderError};
use crate::http::{Answer, Ask, Endpoint, HttpClient};
use crate::sealed::Secret;

/// The service's name in errors and beside its ids.
pub const NAME: &str = "hubspot";
/// The service's public address.
pub const BASE_URL: &str = "https://api.hubapi.com";
/// The most records of a page of a list, and of a batch.
const MOST: u16 = 100;
/// A search shows a change so much later at times.
const SETTLES: Duration = Duration::from_secs(30);
/// How long to wait when a day's requests are used up: the day ends at midnight of the account's own zone, which nobody tells us.
const DAY_IS_FULL: Duration = Duration::from_secs(3600);
/// A search's own limit has no headers.
const SECOND_IS_FULL: Duration = Duration::from_secs(1);

/// The client for one account.
#[derive(Clone)]
pub struct HubSpot {
    client: CrmClient,
}

const WAYS: Ways = Ways {
    // 423: locked, 477: moving to another data centre. Both pass.
    kind: |answer, _| match answer.status {
        423 | 477 => Some(Kind::Unavailable),
        status => Kind::of_status(status),
    },
    // That comes as 403.
    forbids: |_| false,
    // Answers of a search say nothing of it.
    limit: |answer| CrmLimit {
        most: answer.figure("x-hubspot-ratelimit-max"),
        left: answer.figure("x-hubspot-ratelimit-remaining"),
        seconds: answer.figure("x-hubspot-ratelimit-interval-milliseconds").map(|ms| ms.div_ceil(1000)),
        daily_most: answer.figure("x-hubspot-ratelimit-daily"),
        daily_left: answer.figure("x-hubspot-ratelimit-daily-remaining"),
    },
    wait: |answer| Some(window(answer)),
};

impl HubSpot {
    /// Fails when the address or the token can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, base_url: &str, token: &Secret<String>) -> Result<Self, ProviderError> {
        let endpoint = Endpoint::new(http, NAME, base_url, ("authorization", "Bearer "), token, own_words)?;
        Ok(Self { client: CrmClient::new(endpoint, &WAYS) })
    }
}

/// How long to wait after a 429 that doesn't say so itself.
fn window(answer: &Answer) -> Duration {
    let policy = answer.document()["policyName"].as_str().unwrap_or_default().to_ascii_uppercase();
    let interval = answer.figure("x-hubspot-ratelimit-interval-milliseconds").filter(|ms| *ms <= 600_000);
    match (policy.as_str(), interval) {
        ("DAILY", _) => DAY_IS_FULL,
        ("SECONDLY", _) => SECOND_IS_FULL,
        (_, Some(ms)) => Duration::from_millis(u64::from(ms.max(1_000))),
        (_, None) => Duration::from_secs(10),
    }
}

/// Where a kind of record lies.
fn path(object: CrmObject) -> &'static str {
    match object {
        CrmObject::Contact => "contacts",
        CrmObject::Deal => "deals",
        CrmObject::Activity(kind) => activities::path(kind),
    }
}

/// The property that holds when a record changed.
fn changed(object: CrmObject) -> &'static str {
    match object {
        CrmObject::Contact => "lastmodifieddate",
        CrmObject::Deal | CrmObject::Activity(_) => "hs_lastmodifieddate",
    }
}

fn wanted(object: CrmObject, properties: &[String]) -> Vec<String> {
    names(properties, &[changed(object), "hs_merged_object_ids"])
}

fn garbage(said: &str) -> ProviderError {
    ProviderError::new(NAME, Kind::Garbage, said)
}

#[async_trait]
impl Crm for HubSpot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn settles_after(&self) -> Duration {
        SETTLES
    }

    async fn account(&self) -> Result<CrmAccount, ProviderError> {
        let document = self.client.ask(Ask::get(&["account-info", "v3", "details"])).await?;
        let id = crate::crm_wire::id_of(&document["portalId"]).ok_or_else(|| garbage("It named no account"))?;
        Ok(CrmAccount { name: format!("portal {id}"), id, user: String::new() })
    }

    async fn properties(&self, object: CrmObject) -> Result<Vec<CrmProperty>, ProviderError> {
        let document = self.client.ask(Ask::get(&["crm", "v3", "properties", path(object)])).await?;
        let all = document["results"].as_array().ok_or_else(|| garbage("It listed no properties"))?;
        Ok(all.iter().filter_map(reading::property).collect())
    }

    async fn page(
        &self,
        object: CrmObject,
        properties: &[String],
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmPage, ProviderError> {
        match since {
            None => self.list(object, properties, next, most).await,
            Some(since) => self.search(object, properties, since, next, most).await,
        }
    }

    async fn removed(
        &self,
        object: CrmObject,
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
    ) -> Result<(Vec<CrmRemoved>, Option<String>), ProviderError> {
        let ask = Ask::get(&["crm", "v3", "objects", path(object)])
            .query("archived", "true")
            .query("limit", MOST.to_string())
            .query_some("after", next);
        let document = self.client.ask(ask).await?;
        let all = document["results"].as_array().ok_or_else(|| garbage("It listed no records"))?;
        let gone = all.iter().filter_map(reading::removed);
        // The list is not in the order in which they went: only here it is known which are new.
        let gone = gone.filter(|one| since.is_none() || one.at.is_none() || one.at >= since).collect();
        Ok((gone, reading::next(&document, next)?))
    }

    async fn get(
        &self,
        object: CrmObject,
        id: &str,
        properties: &[String],
    ) -> Result<Option<CrmRecord>, ProviderError> {
        if !is_id(id) {
            return Ok(None);
        }
        let ask = Ask::get(&["crm", "v3", "objects", path(object), id])
            .query("properties", wanted(object, properties).join(","))
            .query_some("associations", object.is_of_contacts().then_some("contacts"));
        match self.client.ask(ask).await {
            Ok(document) if document["archived"] == json!(true) => Ok(None),
            Ok(document) => {
                let mut record =
                    reading::record(object, &document).ok_or_else(|| garbage("It answered with no record"))?;
                // It was merged away: the answer is the one that it lives on in.
                if record.id != id && !record.merged.iter().any(|known| known == id) {
                    record.merged.push(id.to_owned());
                }
                Ok(Some(record))
            }
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn update(&self, records: &[(String, BTreeMap<String, String>)]) -> Result<Vec<CrmWritten>, ProviderError> {
        self.update_all(records).await
    }

    async fn upsert(
        &self,
        new: &BTreeMap<String, String>,
        known: &BTreeMap<String, String>,
    ) -> Result<CrmWritten, ProviderError> {
        self.find_or_make(new, known).await
    }

    async fn write_call(&self, call: &CrmCall) -> Result<CrmWritten, ProviderError> {
        self.log_call(call).await
    }

    async fn write_task(&self, task: &CrmTask) -> Result<CrmWritten, ProviderError> {
        self.make_task(task).await
    }

    fn limit(&self) -> Option<CrmLimit> {
        self.client.limit()
    }
}

/// `{"message", "category", "errors": [{"message"}]}`; every part may be missing.
fn own_words(document: &Value) -> Option<String> {
    reading::reason(document).0
}
