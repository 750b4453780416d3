use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use patchbay_calls::model::CallBackNote;
pub use patchbay_calls::model::{CampaignType, ContactOutcome, ContactResult, Disposition, term};
pub use patchbay_dialling::model::{BatchStatus, ContactStatus};
use patchbay_shared::ids::{
    AgentId, BatchId, CallId, CampaignContactId, CampaignId, ClientId, ContactId, ImportId, IntegrationId, NumberId,
};
pub use patchbay_shared::window::{CallingWindow, day_name};
use patchbay_shared::{AppError, Stamp};

mod terms;

pub use terms::{CampaignForm, CampaignTerms};

patchbay_shared::words! {
    pub CampaignStatus: "campaign_status" {
        Draft = "draft", "Draft", Mute;
        Active = "active", "Active", Ok;
        Paused = "paused", "Paused", Warn;
        Archived = "archived", "Archived", Mute;
    }
}

impl CampaignStatus {
    /// The states a person may move it to from here, with the word on the button.
    pub fn moves(self) -> &'static [(CampaignStatus, &'static str)] {
        use CampaignStatus::{Active, Archived, Draft, Paused};
        match self {
            Draft => &[(Active, "Activate"), (Archived, "Archive")],
            Active => &[(Paused, "Pause"), (Archived, "Archive")],
            Paused => &[(Active, "Activate"), (Archived, "Archive")],
            // What comes back from the archive does not dial by itself.
            Archived => &[(Paused, "Restore")],
        }
    }

    pub fn may_become(self, next: CampaignStatus) -> bool {
        self.moves().iter().any(|(to, _)| *to == next)
    }
}

/// A campaign with everything that dialling needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    pub kind: CampaignType,
    pub status: CampaignStatus,
    pub client_id: ClientId,
    pub client_name: String,
    /// IANA name: the zone of contacts that have none of their own.
    pub client_timezone: String,
    pub agent_id: AgentId,
    /// None when the viewer may not see the agent (a client's people and an agency-wide agent).
    pub agent_name: Option<String>,
    pub number_id: NumberId,
    /// The caller id in E.164. None when the viewer may not see the number.
    pub from_number: Option<String>,
    /// The carrier of the number and the agency's account there. None: it is rented from here.
    pub from_account: Option<(String, IntegrationId)>,
    /// The number is active, so calls can go out from it.
    pub number_is_active: bool,
    /// The number is this client's or the whole agency's. It may have been given to another client since it was chosen.
    pub number_is_ours: bool,
    /// The client is not archived.
    pub client_is_active: bool,
    pub goal: String,
    pub variables: BTreeMap<String, String>,
    pub calling_window: CallingWindow,
    /// 1 to 10, the first call included.
    pub max_attempts: i32,
    /// Wait before a contact is tried again.
    pub retry_minutes: i32,
}

/// The parts of a contact that a call's variables are made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactFacts {
    pub name: String,
    pub phone: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub attributes: BTreeMap<String, String>,
    /// What the campaign knows of this one contact.
    pub own_variables: BTreeMap<String, String>,
}

/// Names that every call fills by itself.
pub use patchbay_shared::variables::FILLED_BY_CONTACT;

impl Campaign {
    /// The values for the prompt's `{{names}}`: what every call has, then the campaign's, then the contact's own. Later ones win.
    pub fn call_variables(&self, contact: &ContactFacts) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut put = |name: &str, value: &str| {
            all.insert(name.to_owned(), value.to_owned());
        };
        put("contact_name", &contact.name);
        put("first_name", contact.name.split_whitespace().next().unwrap_or_default());
        put("company", contact.company.as_deref().unwrap_or_default());
        put("email", contact.email.as_deref().unwrap_or_default());
        put("client_name", &self.client_name);
        put("goal", &self.goal);
        all.extend(self.variables.clone());
        all.extend(contact.attributes.clone());
        all.extend(contact.own_variables.clone());
        all
    }
}

/// Which contacts to add to a campaign. Those on the do-not-call list are never added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", content = "of", rename_all = "snake_case")]
pub enum AddBy {
    AllOfClient,
    Import(ImportId),
    /// The newest 1,000 that match these words.
    Matching(String),
    Contacts(Vec<ContactId>),
}

impl AddBy {
    /// From a form: `all`, `import` with an import's id, or `search` with words.
    pub fn read(by: &str, import: Option<&str>, words: Option<&str>) -> Result<Self, AppError> {
        match by {
            "all" => Ok(AddBy::AllOfClient),
            "import" => import
                .unwrap_or_default()
                .parse()
                .map(AddBy::Import)
                .map_err(|_| AppError::invalid("import", "Choose the import whose contacts are added.")),
            "search" => match words.map(str::trim).filter(|words| words.chars().count() >= 2) {
                Some(words) => Ok(AddBy::Matching(words.to_owned())),
                None => {
                    Err(AppError::invalid("words", "Enter at least two letters of a name, company, e-mail or number."))
                }
            },
            _ => Err(AppError::invalid("by", "Choose which contacts to add.")),
        }
    }
}

/// What the list of campaigns is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignQuery {
    pub client: Option<String>,
    pub status: Option<String>,
    pub q: Option<String>,
    /// Only campaigns of this agent.
    pub agent: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignRow {
    pub id: CampaignId,
    pub name: String,
    pub kind: CampaignType,
    pub status: CampaignStatus,
    pub client_name: String,
    pub agent_name: Option<String>,
    pub from_number: Option<String>,
    /// Up to 10,000, then `more`.
    pub contacts: Bounded,
    pub waiting: Bounded,
    pub created: Stamp,
}

/// A count that stops at a bound, so that it stays quick whatever the size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounded {
    pub count: i64,
    pub more: bool,
}

impl Bounded {
    /// From a count over at most `bound + 1` rows.
    pub fn at(count: i64, bound: i64) -> Self {
        Self { count: count.min(bound), more: count > bound }
    }

    /// `1,284` or `10,000+`.
    pub fn text(self) -> String {
        let plus = if self.more { "+" } else { "" };
        format!("{}{plus}", patchbay_shared::money::count_text(self.count))
    }
}

/// One campaign's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignView {
    pub campaign: Campaign,
    pub counts: CampaignCounts,
    /// What stands between this campaign and its first call, in words that say what to do. Empty for client roles.
    pub obstacles: Vec<String>,
    /// The prompt's names that nothing fills yet. Empty for client roles.
    pub missing_variables: Vec<String>,
    /// The newest ten.
    pub batches: Vec<CampaignBatch>,
    /// Contacts are still being added in the background.
    pub adding: bool,
    pub created: Stamp,
    pub updated: Stamp,
    pub may_manage: bool,
}

/// A batch of the campaign, for its tab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignBatch {
    pub id: BatchId,
    pub name: String,
    pub status: BatchStatus,
    pub contacts: i32,
    pub created: Stamp,
}

/// Contacts by state and by outcome. `more`: the campaign is larger than what was counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignCounts {
    pub by_status: Vec<(ContactStatus, i64)>,
    pub by_result: Vec<(ContactResult, i64)>,
    /// How the last call to each contact went.
    pub by_outcome: Vec<(Disposition, i64)>,
    pub total: Bounded,
}

impl CampaignCounts {
    pub fn of_result(&self, result: ContactResult) -> i64 {
        self.by_result.iter().find(|(key, _)| *key == result).map_or(0, |(_, count)| *count)
    }

    pub fn of_status(&self, status: ContactStatus) -> i64 {
        self.by_status.iter().find(|(key, _)| *key == status).map_or(0, |(_, count)| *count)
    }
}

/// What the contacts tab is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberQuery {
    pub campaign: String,
    pub status: Option<String>,
    /// A `ContactResult`, or `done` for all of them.
    pub result: Option<String>,
    /// A `Disposition`.
    pub outcome: Option<String>,
    /// The batch that took them.
    pub batch: Option<String>,
    /// `yes`: those who have been called.
    pub tried: Option<String>,
    pub cursor: Option<String>,
}

/// A contact in a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRow {
    pub id: CampaignContactId,
    pub contact_id: ContactId,
    pub name: String,
    pub phone: String,
    pub company: Option<String>,
    pub do_not_call: bool,
    pub status: ContactStatus,
    pub result: Option<ContactResult>,
    pub outcome: Option<ContactOutcome>,
    /// A person answered the last call.
    pub reached: bool,
    pub attempts: i32,
    pub next_attempt: Option<Stamp>,
    /// The call-back that the contact waits for.
    pub call_back: Option<CallBackNote>,
    pub last_call_id: Option<CallId>,
    pub last_error: Option<String>,
}

impl MemberRow {
    /// How the last call went.
    pub fn disposition(&self) -> Option<Disposition> {
        self.outcome.map(|outcome| Disposition::of(outcome, self.reached))
    }
}

/// Something to choose from: an agent, a number, an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub id: String,
    pub label: String,
    /// Why it cannot be used yet.
    pub note: Option<String>,
}

/// What the form offers for one client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignChoices {
    pub client_id: Option<ClientId>,
    pub client_name: String,
    pub clients: Vec<Choice>,
    pub agents: Vec<Choice>,
    pub numbers: Vec<Choice>,
    pub imports: Vec<Choice>,
    /// Each agent's prompt names: shown beside the variables.
    pub placeholders: Vec<(String, Vec<String>)>,
}
