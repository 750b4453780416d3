//! Zoho CRM: contacts, deals and activities, in the eighth version of its API.
//!
//! The surprising parts: a list takes page numbers for two thousand records and a token after that; it is read by ids, because one that is
//! sorted by time moves under the reader; an answer without a body means that there is nothing; a success may hold refusals, row by row;
//! and a value of another type is refused, so the account is asked for its fields before something is written.

mod activities;
mod activity;
mod reading;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::crm::*;
use crate::crm_client::{CrmClient, Ways};
use crate::crm_wire::{id_of, is_id, names};
use crate::error::{Kind, ProviderError, one_line};
use crate::http::{Ask, Endpoint, HttpClient};
use crate::sealed::Secret;

/// The service's name in errors and beside its ids.
pub const NAME: &str = "zoho";
/// The most records of a page.
const MOST: u16 = 200;
/// Page numbers reach so far.
const LAST_NUMBERED: u32 = 2_000;
/// The most fields that can be asked for.
const MOST_FIELDS: usize = 50;
/// How long to wait when the credits of a day are used up: they come back one by one.
const NO_CREDITS: Duration = Duration::from_secs(3600);
/// Times are told in seconds, and a change may be seen a little later.
const SETTLES: Duration = Duration::from_secs(5);

/// The client for one account.
#[derive(Clone)]
pub struct Zoho {
    client: CrmClient,
    /// Types of the fields of contacts.
    types: Arc<OnceCell<BTreeMap<String, String>>>,
}

const WAYS: Ways = Ways {
    kind: |answer, document| kind_of(answer.status, document),
    forbids: |document| code_of(document) == "OAUTH_SCOPE_MISMATCH",
    limit: |answer| {
        let daily_left = answer.figure("x-api-credits-remaining");
        CrmLimit { daily_left, ..CrmLimit::default() }
    },
    wait: |answer| (answer.figure("x-api-credits-remaining") == Some(0)).then_some(NO_CREDITS),
};

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cursor {
    Page { number: u32, restarts: u8 },
    Token { token: String, restarts: u8 },
}

impl Cursor {
    fn read(text: &str) -> Option<Cursor> {
        let mut parts = text.splitn(3, ':');
        let (form, restarts, rest) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        match form {
            "page" => Some(Cursor::Page { number: rest.parse().ok()?, restarts }),
            "token" if !rest.is_empty() => Some(Cursor::Token { token: rest.to_owned(), restarts }),
            _ => None,
        }
    }

    fn write(&self) -> String {
        match self {
            Cursor::Page { number, restarts } => format!("page:{restarts}:{number}"),
            Cursor::Token { token, restarts } => format!("token:{restarts}:{token}"),
        }
    }
}

impl Zoho {
    /// `base_url` is the address that the sign-in named (`api_domain`). Fails when it or the token can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, base_url: &str, token: &Secret<String>) -> Result<Self, ProviderError> {
        let base = format!("{}/crm/v8", base_url.trim_end_matches('/'));
        let endpoint = Endpoint::new(http, NAME, &base, ("authorization", "Zoho-oauthtoken "), token, own_words)?;
        Ok(Self { client: CrmClient::new(endpoint, &WAYS), types: Arc::default() })
    }

    /// One page of a list.
    async fn list(
        &self,
        object: CrmObject,
        fields: &str,
        since: Option<DateTime<Utc>>,
        cursor: &Cursor,
        most: u16,
    ) -> Result<Value, ProviderError> {
        let ask = Ask::get(&[module(object)])
            .query("fields", fields)
            .query("sort_by", "id")
            .query("sort_order", "asc")
            .query("per_page", most.to_string());
        let ask = match cursor {
            Cursor::Page { number, .. } => ask.query("page", number.to_string()),
            Cursor::Token { token, .. } => ask.query("page_token", token),
        };
        self.since(since).ask(ask).await
    }

    fn since(&self, since: Option<DateTime<Utc>>) -> CrmClient {
        match since {
            Some(since) => self.client.with_header("if-modified-since", &reading::written(since)),
            None => self.client.clone(),
        }
    }
}

/// What a status and the word in the answer stand for; none for a success.
fn kind_of(status: u16, document: &Value) -> Option<Kind> {
    // Nothing changed since.
    let kind = Kind::of_status(status).filter(|_| status != 304)?;
    Some(match code_of(document) {
        "INVALID_TOKEN" | "AUTHENTICATION_FAILURE" | "OAUTH_SCOPE_MISMATCH" => Kind::Credentials,
        "TOO_MANY_REQUESTS" => Kind::RateLimited,
        "INTERNAL_ERROR" => Kind::Unavailable,
        _ => kind,
    })
}

fn code_of(document: &Value) -> &str {
    document["code"].as_str().or_else(|| document["data"][0]["code"].as_str()).unwrap_or_default()
}

fn module(object: CrmObject) -> &'static str {
    match object {
        CrmObject::Contact => "Contacts",
        CrmObject::Deal => "Deals",
        CrmObject::Activity(kind) => activities::module(kind),
    }
}

fn fields(object: CrmObject, properties: &[String]) -> Result<String, ProviderError> {
    let own: &[&str] = match object {
        CrmObject::Contact => &["Modified_Time"],
        CrmObject::Deal => &["Modified_Time", "Contact_Name"],
        CrmObject::Activity(kind) => &["Modified_Time", activities::contact_field(kind)],
    };
    let mut all = names(properties, own);
    // It always comes and is none that is asked for.
    all.retain(|name| name != "id");
    if all.len() > MOST_FIELDS {
        let said = format!("Zoho gives {MOST_FIELDS} fields at most, and {} are mapped", all.len());
        return Err(ProviderError::new(NAME, Kind::Rejected, said));
    }
    Ok(all.join(","))
}

fn garbage(said: &str) -> ProviderError {
    ProviderError::new(NAME, Kind::Garbage, said)
}

fn no_cursor() -> ProviderError {
    ProviderError::new(NAME, Kind::Rejected, "The cursor of the page is none")
}

#[async_trait]
impl Crm for Zoho {
    fn name(&self) -> &'static str {
        NAME
    }

    fn settles_after(&self) -> Duration {
        SETTLES
    }

    async fn account(&self) -> Result<CrmAccount, ProviderError> {
        let document = self.client.ask(Ask::get(&["org"])).await?;
        let org = &document["org"][0];
        let id =
            [&org["zgid"], &org["id"]].into_iter().find_map(id_of).ok_or_else(|| garbage("It named no account"))?;
        let short = |value: &Value| one_line(value.as_str().unwrap_or_default()).chars().take(120).collect::<String>();
        let people = self.client.ask(Ask::get(&["users"]).query("type", "CurrentUser")).await?;
        let me = &people["users"][0];
        let user = [&me["email"], &me["full_name"]].into_iter().map(short).find(|text| !text.is_empty());
        Ok(CrmAccount { id, name: short(&org["company_name"]), user: user.unwrap_or_default() })
    }

    async fn properties(&self, object: CrmObject) -> Result<Vec<CrmProperty>, ProviderError> {
        let document = self.client.ask(Ask::get(&["settings", "fields"]).query("module", module(object))).await?;
        let all = document["fields"].as_array().ok_or_else(|| garbage("It listed no fields"))?;
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
        let (fields, most) = (fields(object, properties)?, most.clamp(1, MOST));
        let mut cursor = match next {
            None => Cursor::Page { number: 1, restarts: 0 },
            Some(text) => Cursor::read(text).ok_or_else(no_cursor)?,
        };
        let document = match (self.list(object, &fields, since, &cursor, most).await, &cursor) {
            // A token is good for a day, and a sync may have waited longer: from the beginning, once.
            (Err(error), Cursor::Token { restarts: 0, .. }) if error.kind == Kind::Rejected => {
                cursor = Cursor::Page { number: 1, restarts: 1 };
                self.list(object, &fields, since, &cursor, most).await?
            }
            (answered, _) => answered?,
        };
        if document.is_null() {
            return Ok(CrmPage::default());
        }
        let all = document["data"].as_array().ok_or_else(|| garbage("It listed no records"))?;
        let records: Vec<CrmRecord> = all.iter().filter_map(|one| reading::record(object, one)).collect();
        let info = &document["info"];
        let on = match (info["more_records"].as_bool() == Some(true), &cursor) {
            (false, _) => None,
            (true, _) if all.is_empty() => return Err(garbage("An empty page names a next one")),
            (true, Cursor::Page { number, restarts })
                if number.saturating_add(1).saturating_mul(u32::from(most)) <= LAST_NUMBERED =>
            {
                Some(Cursor::Page { number: number + 1, restarts: *restarts })
            }
            (true, Cursor::Page { restarts, .. } | Cursor::Token { restarts, .. }) => {
                let token = info["next_page_token"].as_str().filter(|token| (1..=2_000).contains(&token.len()));
                let token = token.ok_or_else(|| garbage("It says that there is more, and not where"))?.to_owned();
                let on = Cursor::Token { token, restarts: *restarts };
                if on == cursor {
                    return Err(garbage("A page names itself as the next one"));
                }
                Some(on)
            }
        };
        let total = match (since, next, &on) {
            (None, None, None) => u64::try_from(records.len()).ok(),
            // A list doesn't say. Nothing hangs on it, so trouble is no error.
            (None, None, Some(_)) => self
                .client
                .ask(Ask::get(&[module(object), "actions", "count"]))
                .await
                .ok()
                .and_then(|all| all["count"].as_u64()),
            _ => None,
        };
        Ok(CrmPage { records, next: on.map(|on| on.write()), total })
    }

    async fn removed(
        &self,
        object: CrmObject,
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
    ) -> Result<(Vec<CrmRemoved>, Option<String>), ProviderError> {
        let number: u32 = next.map_or(Ok(1), str::parse).map_err(|_| no_cursor())?;
        let ask = Ask::get(&[module(object), "deleted"])
            .query("type", "all")
            .query("page", number.to_string())
            .query("per_page", MOST.to_string());
        let document = self.since(since).ask(ask).await?;
        if document.is_null() {
            return Ok((Vec::new(), None));
        }
        let all = document["data"].as_array().ok_or_else(|| garbage("It listed no records"))?;
        let gone = all.iter().filter_map(reading::removed);
        let gone = gone.filter(|one| since.is_none() || one.at.is_none() || one.at >= since).collect();
        let is_more = document["info"]["more_records"].as_bool() == Some(true) && !all.is_empty();
        Ok((gone, is_more.then(|| (number.saturating_add(1)).to_string())))
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
        let ask = Ask::get(&[module(object), id]).query("fields", fields(object, properties)?);
        match self.client.ask(ask).await {
            Ok(document) if document.is_null() => Ok(None),
            Ok(document) => {
                let read = reading::record(object, &document["data"][0]);
                read.map(Some).ok_or_else(|| garbage("It answered with no record"))
            }
            // An id that there is none of is “invalid data”.
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::Rejected) => Ok(None),
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

/// `{"code", "message", "details"}`, alone or in `data`; every part may be missing.
fn own_words(document: &Value) -> Option<String> {
    reading::reason(document).or_else(|| reading::reason(&document["data"][0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cursor_survives_being_written() {
        let all =
            [Cursor::Page { number: 10, restarts: 0 }, Cursor::Token { token: "c8582:xx".to_owned(), restarts: 1 }];
        for cursor in all {
            assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }
        for odd in ["", "page:1", "page:0:x", "token:0:", "word:0:1"] {
            assert_eq!(Cursor::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_word_in_an_answer_says_more_than_its_status() {
        assert_eq!(kind_of(400, &json!({"code": "INVALID_TOKEN"})), Some(Kind::Credentials));
        assert_eq!(kind_of(400, &json!({"data": [{"code": "TOO_MANY_REQUESTS"}]})), Some(Kind::RateLimited));
        assert_eq!(kind_of(400, &json!({"code": "INVALID_DATA"})), Some(Kind::Rejected));
        assert_eq!(kind_of(200, &json!({"code": "INVALID_TOKEN"})), None);
        // A new token would not help.
        assert!((WAYS.forbids)(&json!({"code": "OAUTH_SCOPE_MISMATCH"})));
        assert!(!(WAYS.forbids)(&json!({"code": "INVALID_TOKEN"})));
    }

    #[test]
    fn more_fields_than_zoho_gives_are_refused_and_not_left_out() {
        let many: Vec<String> = (0..60).map(|at| format!("Field_{at}")).collect();
        assert!(fields(CrmObject::Contact, &many).is_err());
        assert_eq!(fields(CrmObject::Contact, &many[..1]).as_deref(), Ok("Modified_Time,Field_0"));
    }
}
