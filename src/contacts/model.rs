use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use patchbay_calls::model::CallBackNote;
use patchbay_shared::ids::{CallId, CampaignContactId, CampaignId, ClientId, ContactId, ContactMemoryId, ImportId};
use patchbay_shared::{AppError, FieldErrors, Stamp};

pub mod countries;
pub mod guess;
pub mod import;
mod reading;
mod systems;

pub use import::*;
pub use reading::*;
pub use systems::*;

/// What the list is asked for. All of it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactQuery {
    /// Part of a name, company, e-mail or number; the newest 1,000 matches are looked through.
    pub q: Option<String>,
    pub client: Option<String>,
    /// `yes`: only the do-not-call list; `no`: only who may be called.
    pub suppressed: Option<String>,
    /// Only what this import brought or updated.
    pub import: Option<String>,
    pub cursor: Option<String>,
}

impl ContactQuery {
    /// The words to look for, if they are any. No text in the database holds a zero byte, so none is looked for.
    pub fn words(&self) -> Option<String> {
        let words = self.q.as_deref()?.replace('\0', "");
        Some(words.trim().to_owned()).filter(|words| !words.is_empty())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactRow {
    pub id: ContactId,
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub company: Option<String>,
    pub client_name: String,
    pub do_not_call: bool,
    pub do_not_call_reason: Option<String>,
    pub created: Stamp,
}

/// One contact's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    pub client_id: ClientId,
    pub client_name: String,
    pub client_timezone: String,
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub company: Option<String>,
    /// IANA name; none: the client's.
    pub timezone: Option<String>,
    /// What time it is there now, `16:42 CET`.
    pub local_time: String,
    pub attributes: BTreeMap<String, String>,
    pub do_not_call: bool,
    pub do_not_call_reason: Option<String>,
    pub do_not_call_at: Option<Stamp>,
    /// The import that brought or last updated it, and its file.
    pub import: Option<(ImportId, String)>,
    pub created: Stamp,
    pub updated: Stamp,
    pub campaigns: Vec<ContactCampaign>,
    /// The newest fifty.
    pub calls: Vec<ContactCall>,
    /// What agents wrote down to remember it in later calls, newest first.
    pub memories: Vec<ContactNote>,
    /// Only on its page.
    #[serde(default)]
    pub systems: ContactSystems,
    pub may_manage: bool,
}

/// What an agent wrote down about the contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactNote {
    pub id: ContactMemoryId,
    pub note: String,
    pub agent: String,
    pub call: Option<CallId>,
    pub at: Stamp,
}

/// A campaign that the contact is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactCampaign {
    pub id: CampaignId,
    /// The contact's place in it.
    pub member: CampaignContactId,
    /// The newest call-back there.
    pub call_back: Option<CallBackNote>,
    pub name: String,
    pub status: patchbay_dialling::model::ContactStatus,
    pub outcome: Option<patchbay_calls::model::ContactOutcome>,
    /// A person answered the last call.
    pub reached: bool,
    pub attempts: i32,
}

/// A call with the contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactCall {
    pub id: CallId,
    pub started: Stamp,
    pub agent_name: Option<String>,
    pub direction: patchbay_agents::model::CallDirection,
    /// None while the call goes on.
    pub result: Option<patchbay_calls::model::CallResult>,
    pub outcome: Option<patchbay_calls::model::ContactOutcome>,
    /// Nobody answered a call that came in: why, in a few words.
    pub missed: Option<String>,
    /// Whole seconds of talk.
    pub seconds: Option<i32>,
    pub summary: Option<String>,
}

/// What a person enters for a contact. `attributes` are `name = value` lines; `country` completes a national number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactForm {
    #[serde(default)]
    pub name: String,
    pub phone: String,
    #[serde(default)]
    pub country: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub company: String,
    #[serde(default)]
    pub timezone: String,
    #[serde(default)]
    pub attributes: String,
}

impl ContactForm {
    /// The form of an existing contact.
    pub fn of(contact: &Contact) -> Self {
        Self {
            name: contact.name.clone(),
            phone: contact.phone.clone(),
            country: String::new(),
            email: contact.email.clone().unwrap_or_default(),
            company: contact.company.clone().unwrap_or_default(),
            timezone: contact.timezone.clone().unwrap_or_default(),
            attributes: patchbay_shared::variables::variables_text(&contact.attributes),
        }
    }

    /// Checks all but the number and the zone, which only the server can read. Gives the attributes.
    pub fn check(&self, errors: &mut FieldErrors) -> BTreeMap<String, String> {
        if self.name.chars().count() > MAX_NAME {
            errors.add("name", format!("The name is longer than {MAX_NAME} characters."));
        }
        if self.company.chars().count() > MAX_NAME {
            errors.add("company", format!("The company is longer than {MAX_NAME} characters."));
        }
        let email = self.email.trim();
        if !email.is_empty() && !looks_like_email(email) {
            errors.add("email", "This is not an e-mail address. Write it like ada@example.com, or leave it empty.");
        }
        patchbay_shared::variables::parse_variables(&self.attributes).unwrap_or_else(|message| {
            errors.add("attributes", message);
            BTreeMap::new()
        })
    }
}

/// Longest name and company, in characters.
pub const MAX_NAME: usize = 200;

/// Enough to catch a name in the wrong column; whether mail arrives nobody can see from the text.
pub fn looks_like_email(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.') && !host.ends_with('.'))
}

/// Checks the reason for the do-not-call list.
pub fn check_reason(reason: &str) -> Result<String, AppError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 300 {
        return Err(AppError::invalid(
            "reason",
            "Say in 1 to 300 characters why, for example: asked on the phone not to be called.",
        ));
    }
    Ok(reason.to_owned())
}

/// Something to choose from: a client or a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    pub id: String,
    pub label: String,
}
