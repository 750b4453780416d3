//! Where calls to a number go: to its application, which its text messages have, too. After plivo.com/docs/account/api/application and
//! plivo-python `resources/applications.py`, `resources/numbers.py`.
//!
//! The surprising part: an application that has an address for messages keeps it when the number moves to ours, and hands on what was set
//! meanwhile when it moves back; so each number has an application of ours for itself.

use super::{Ask, Kind, NAME, PAGE_SIZE, Plivo, ProviderError};
use crate::carrier::{CallAddresses, CallsGo, CallsPlace, PlaceKind};
use crate::sealed::Secret;
use crate::wire;
use serde::Deserialize;
use serde_json::{Value, json};

/// Applications are looked through for one of ours so far.
const MOST_PAGES: usize = 50;

#[derive(Clone, Deserialize)]
pub(super) struct Application {
    #[serde(default, deserialize_with = "wire::text")]
    app_id: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    app_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    answer_url: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    answer_method: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    hangup_url: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    message_url: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    message_method: Option<String>,
}

#[derive(Deserialize)]
struct Applications {
    objects: Vec<Application>,
}

impl Application {
    pub(super) fn id(&self) -> &str {
        self.app_id.as_deref().unwrap_or_default()
    }

    fn is_called(&self, name: &str) -> bool {
        self.app_name.as_deref() == Some(name)
    }

    pub(super) fn message_url(&self) -> Option<&str> {
        self.message_url.as_deref().filter(|url| !url.is_empty())
    }
}

/// The application that we make for a number.
fn name_of(number: &str) -> String {
    format!("Patchbay-{}", number.trim_start_matches('+'))
}

/// The one that we make for a number whose calls go nowhere.
pub(super) fn name_for_texts(number: &str) -> String {
    format!("Patchbay-texts-{}", number.trim_start_matches('+'))
}

impl Plivo {
    /// The number's application. None: it has none, or one that is gone.
    pub(super) async fn application_of(&self, number: &str) -> Result<Option<Application>, ProviderError> {
        let held: Value = self.endpoint.json(self.read(&["Number", number])).await?;
        let named = held.get("application").and_then(Value::as_str).unwrap_or_default();
        // `/v1/Account/MA…/Application/123/`, or its id alone.
        let id = named.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if id.is_empty() { Ok(None) } else { self.application(id).await }
    }

    async fn application(&self, id: &str) -> Result<Option<Application>, ProviderError> {
        match self.endpoint.json::<Application>(self.read(&["Application", id])).await {
            Ok(found) => Ok(Some(Application { app_id: Some(id.to_owned()), ..found })),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names are given once there: one that an earlier try made is found again.
    pub(super) async fn application_called(&self, name: &str) -> Result<Option<Application>, ProviderError> {
        for page in 0..MOST_PAGES {
            let ask = self.read(&["Application"]).query("limit", PAGE_SIZE.to_string());
            let found: Applications = self.endpoint.json(ask.query("offset", (page * PAGE_SIZE).to_string())).await?;
            let is_last = found.objects.len() < PAGE_SIZE;
            if let Some(known) = found.objects.into_iter().find(|known| known.is_called(name)) {
                return Ok(Some(known).filter(|known| !known.id().is_empty()));
            }
            if is_last {
                break;
            }
        }
        Ok(None)
    }

    pub(super) async fn change(&self, id: &str, body: Value) -> Result<(), ProviderError> {
        let ask = Ask::post(&self.path(&["Application", id]), body).slashed().repeatable();
        self.endpoint.done(ask.hide(&self.token)).await
    }

    pub(super) async fn point(&self, number: &str, application: &str) -> Result<(), ProviderError> {
        let ask = Ask::post(&self.path(&["Number", number]), json!({"app_id": application})).slashed().repeatable();
        self.endpoint.done(ask.hide(&self.token)).await
    }

    /// Makes an application. Not safe to repeat: look for its name first.
    pub(super) async fn make(&self, body: Value) -> Result<String, ProviderError> {
        let ask = Ask::post(&self.path(&["Application"]), body).slashed().hide(&self.token);
        let made: Application = self.endpoint.json(ask).await?;
        match made.id() {
            "" => Err(ProviderError::new(NAME, Kind::Garbage, "The answer names no application")),
            id => Ok(id.to_owned()),
        }
    }

    /// Has a number that has no application, or is about to lose ours, tell this address what comes in; `known`: the application for it.
    pub(super) async fn tell_texts(
        &self,
        number: &str,
        known: Option<Application>,
        (url, method): (&str, &str),
    ) -> Result<(), ProviderError> {
        let mut body = json!({"message_url": url, "message_method": method});
        let id = match known {
            Some(known) => {
                self.change(known.id(), body).await?;
                known.id().to_owned()
            }
            None => {
                body["app_name"] = json!(name_for_texts(number));
                self.make(body).await?
            }
        };
        self.point(number, &id).await
    }

    pub(super) async fn calls_held(
        &self,
        number: &str,
        ours: Option<&CallAddresses>,
    ) -> Result<CallsGo, ProviderError> {
        let Some(held) = self.application_of(number).await? else { return Ok(CallsGo::default()) };
        let is_post = held.answer_method.as_deref().is_none_or(|method| !method.eq_ignore_ascii_case("GET"));
        let id = held.id().to_owned();
        let is_ours = held.answer_url.as_deref().zip(ours).is_some_and(|(url, ours)| ours.asked(url));
        // Whatever somebody has changed in it: the application is ours.
        let settings = (!is_ours && !held.is_called(&name_of(number))).then(|| Secret::new(id.clone()));
        Ok(CallsGo {
            asked: held.answer_url.filter(|_| is_post).map(Secret::new),
            told: held.hangup_url.filter(|url| !url.is_empty()).map(Secret::new),
            place: Some(CallsPlace { kind: PlaceKind::Application, id, name: held.app_name }),
            settings,
            is_ours,
        })
    }

    pub(super) async fn point_calls(&self, number: &str, to: &CallAddresses) -> Result<CallsGo, ProviderError> {
        let name = name_of(number);
        let held = self.application_of(number).await?;
        let mine = match &held {
            Some(held) if held.is_called(&name) => Some(held.clone()),
            _ => self.application_called(&name).await?,
        };
        let mut body = json!({
            "answer_url": to.answer, "answer_method": "POST", "hangup_url": to.status, "hangup_method": "POST",
        });
        if let Some(held) = held.as_ref().filter(|held| held.message_url().is_some()) {
            body["message_url"] = json!(held.message_url());
            body["message_method"] = json!(held.message_method.as_deref().unwrap_or("POST"));
        }
        let id = match mine {
            Some(mine) => {
                self.change(mine.id(), body).await?;
                mine.id().to_owned()
            }
            None => {
                body["app_name"] = json!(name);
                self.make(body).await?
            }
        };
        self.point(number, &id).await?;
        let now = self.calls_held(number, None).await?;
        if now.is(to) { Ok(now) } else { Err(ProviderError::new(NAME, Kind::Garbage, "It did not keep the address")) }
    }

    pub(super) async fn point_back(
        &self,
        number: &str,
        settings: Option<&Secret<String>>,
    ) -> Result<CallsGo, ProviderError> {
        let mine = self.application_of(number).await?.filter(|held| held.is_called(&name_of(number)));
        let before = match settings {
            Some(id) if mine.as_ref().is_some_and(|mine| mine.id() == id.expose()) => None,
            Some(id) => self.application(id.expose()).await?,
            None => None,
        };
        let told = mine.as_ref().and_then(|mine| Some((mine.message_url()?, mine.message_method.as_deref())));
        let told = told.map(|(url, method)| (url, method.unwrap_or("POST")));
        match (&before, told) {
            (Some(before), told) => {
                self.point(number, before.id()).await?;
                if let Some((url, method)) = told.filter(|_| before.message_url().is_none()) {
                    self.change(before.id(), json!({"message_url": url, "message_method": method})).await?;
                }
            }
            // Its text messages are told where they were told: they do not end with the calls.
            (None, Some(told)) => {
                let known = self.application_called(&name_for_texts(number)).await?;
                self.tell_texts(number, known, told).await?;
            }
            (None, None) => {}
        }
        if let Some(mine) = mine {
            let gone = Ask::delete(&self.path(&["Application", mine.id()])).slashed().query("cascade", "false");
            match self.endpoint.done(gone.hide(&self.token)).await {
                Err(error) if error.kind != Kind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.calls_held(number, None).await
    }
}
