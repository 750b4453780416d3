use serde::{Deserialize, Serialize};

use super::EventType;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, FieldErrors};

const LONGEST_NAME: usize = 120;
const LONGEST_ADDRESS: usize = 2000;

/// The form of an endpoint, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointForm {
    /// Empty: a new one.
    pub id: String,
    pub name: String,
    /// Empty: events of all clients, and of the agency itself.
    pub client: String,
    pub url: String,
    pub events: Vec<String>,
}

/// What an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointFields {
    pub name: String,
    pub client_id: Option<ClientId>,
    pub url: String,
    pub events: Vec<EventType>,
}

impl EndpointForm {
    /// What can be told without asking anybody. Whether the address may be asked from here is for the server to say.
    /// Errors: `Invalid` at `name`, `client`, `url` or `events`.
    pub fn check(&self) -> Result<EndpointFields, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
            errors.add("name", "Give the endpoint a name of at most 120 characters: which system it is.");
        }
        let client_id = match self.client.trim() {
            "" => None,
            client => {
                let id = client.parse().ok();
                if id.is_none() {
                    errors.add("client", "Choose one of the clients, or all of them.");
                }
                id
            }
        };
        let url = self.url.trim();
        let is_address = url.starts_with("https://") || url.starts_with("http://");
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_address || !is_plain || url.len() > LONGEST_ADDRESS {
            errors.add(
                "url",
                "Write the whole address, as in https://hooks.example.com/patchbay: at most 2,000 signs, no blanks.",
            );
        }
        let known: Vec<EventType> =
            EventType::offered().filter(|kind| self.events.iter().any(|word| word == kind.as_str())).collect();
        if known.is_empty() {
            errors.add("events", "Choose at least one event.");
        }
        errors.check()?;
        Ok(EndpointFields { name: name.to_owned(), client_id, url: url.to_owned(), events: known })
    }
}

impl EndpointFields {
    /// As the form shows them.
    pub fn form(&self, id: String) -> EndpointForm {
        EndpointForm {
            id,
            name: self.name.clone(),
            client: self.client_id.map(|client| client.to_string()).unwrap_or_default(),
            url: self.url.clone(),
            events: self.events.iter().map(|kind| kind.as_str().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let wrong = EndpointForm {
            name: " ".into(),
            client: "all".into(),
            url: "hooks.example.com".into(),
            events: vec!["test".into(), "call.ended".into()],
            ..EndpointForm::default()
        };
        let Err(AppError::Invalid(errors)) = wrong.check() else { panic!("refused") };
        for field in ["name", "client", "url", "events"] {
            assert!(errors.at(field).is_some(), "{field}: {errors:?}");
        }
        let right = EndpointForm {
            name: " Policies ".into(),
            url: " https://hooks.example.com/a?b=c ".into(),
            events: vec!["call.failed".into(), "call.completed".into(), "call.failed".into()],
            ..EndpointForm::default()
        };
        let fields = right.check().expect("right");
        assert_eq!((fields.name.as_str(), fields.url.as_str()), ("Policies", "https://hooks.example.com/a?b=c"));
        assert_eq!(fields.events, [EventType::CallCompleted, EventType::CallFailed]);
    }
}
