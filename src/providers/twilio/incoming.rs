//! Where calls to a number go. After twilio.com/docs/phone-numbers/api/incomingphonenumber-resource.
//!
//! The surprising part: a trunk comes before an application, and an application before the addresses of the number itself, so a number
//! whose address is ours may go elsewhere all the same.

use super::{Ask, Kind, NAME, ProviderError, Twilio};
use crate::carrier::{CallAddresses, CallsGo, CallsPlace, PlaceKind};
use crate::sealed::Secret;
use crate::wire;
use serde::{Deserialize, Serialize};

/// What a number has set that decides where its calls go, and who is told how they went.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
struct Voice {
    #[serde(deserialize_with = "wire::text")]
    voice_url: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    voice_method: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    voice_application_sid: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    trunk_sid: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    status_callback: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    status_callback_method: Option<String>,
}

fn set(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

impl Voice {
    /// `ours`: what is asked and told there already is kept by nobody to go back to.
    fn goes(&self, ours: Option<&CallAddresses>) -> CallsGo {
        let is_post = |method: &Option<String>| set(method).is_none_or(|method| method.eq_ignore_ascii_case("POST"));
        let place = |kind: PlaceKind, id: &str| Some(CallsPlace { kind, id: id.to_owned(), name: None });
        let place = match (set(&self.trunk_sid), set(&self.voice_application_sid), set(&self.voice_url)) {
            (Some(trunk), ..) => place(PlaceKind::Trunk, trunk),
            (_, Some(application), _) => place(PlaceKind::Application, application),
            (.., Some(url)) => place(PlaceKind::Address, &crate::carrier::shown(url)),
            _ => None,
        };
        let is_asked = place.as_ref().is_some_and(|place| place.kind == PlaceKind::Address);
        let is_ours = is_asked && set(&self.voice_url).zip(ours).is_some_and(|(url, ours)| ours.asked(url));
        let tells = set(&self.status_callback).filter(|url| ours.is_none_or(|ours| !ours.told(url)));
        let kept = Voice { status_callback: tells.map(str::to_owned), ..self.clone() };
        let is_something = !is_ours && (place.is_some() || tells.is_some());
        let settings = is_something.then(|| serde_json::to_string(&kept).ok()).flatten().map(Secret::new);
        CallsGo {
            asked: self.voice_url.clone().filter(|_| is_asked && is_post(&self.voice_method)).map(Secret::new),
            told: set(&self.status_callback)
                .filter(|_| is_post(&self.status_callback_method))
                .map(|url| Secret::new(url.to_owned())),
            place,
            settings,
            is_ours,
        }
    }

    /// The fields that set a number so. Trunk and application each take the other away, so at most one is sent with something in it.
    fn fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields = match (set(&self.trunk_sid), set(&self.voice_application_sid)) {
            (Some(trunk), _) => vec![("TrunkSid", trunk)],
            (None, Some(application)) => vec![("VoiceApplicationSid", application)],
            (None, None) => vec![("TrunkSid", ""), ("VoiceApplicationSid", "")],
        };
        fields.extend([
            ("VoiceUrl", set(&self.voice_url).unwrap_or_default()),
            ("VoiceMethod", set(&self.voice_method).unwrap_or("POST")),
            ("StatusCallback", set(&self.status_callback).unwrap_or_default()),
            ("StatusCallbackMethod", set(&self.status_callback_method).unwrap_or("POST")),
        ]);
        fields
    }
}

/// Whether settings send calls anywhere.
pub(super) fn leads(settings: &Secret<String>) -> bool {
    serde_json::from_str::<Voice>(settings.expose()).is_ok_and(|voice| voice.goes(None).place.is_some())
}

impl Twilio {
    pub(super) async fn calls_held(&self, id: &str, ours: Option<&CallAddresses>) -> Result<CallsGo, ProviderError> {
        let ask = self.read(&["IncomingPhoneNumbers", &format!("{id}.json")]);
        Ok(self.endpoint.json::<Voice>(ask).await?.goes(ours))
    }

    async fn put(&self, id: &str, voice: &Voice) -> Result<CallsGo, ProviderError> {
        let document = format!("{id}.json");
        let ask = Ask::form(&self.path(&["IncomingPhoneNumbers", &document]), &voice.fields()).repeatable();
        self.endpoint.done(ask.hide(&self.token)).await?;
        self.calls_held(id, None).await
    }

    pub(super) async fn point_calls(&self, id: &str, to: &CallAddresses) -> Result<CallsGo, ProviderError> {
        let voice =
            Voice { voice_url: Some(to.answer.clone()), status_callback: Some(to.status.clone()), ..Voice::default() };
        let now = self.put(id, &voice).await?;
        if now.is(to) { Ok(now) } else { Err(ProviderError::new(NAME, Kind::Garbage, "It did not keep the address")) }
    }

    pub(super) async fn point_back(
        &self,
        id: &str,
        settings: Option<&Secret<String>>,
    ) -> Result<CallsGo, ProviderError> {
        let voice = settings.and_then(|settings| serde_json::from_str(settings.expose()).ok()).unwrap_or_default();
        self.put(id, &voice).await
    }
}
