use std::collections::BTreeMap;

use chrono::{Datelike, Duration, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::batches::model::BatchStatus;
use crate::shared::ids::{AgentId, BatchId, CallId, CampaignContactId, CampaignId, ClientId, ContactId, ImportId, NumberId};
use crate::shared::{AppError, FieldErrors, Stamp};

crate::words! {
    /// What a campaign is for; decides what the analysis looks for.
    pub CampaignType: "campaign_type" {
        Sdr = "sdr", "Sales development", Info;
        Cs = "cs", "Customer service", Info;
    }
    pub CampaignStatus: "campaign_status" {
        Draft = "draft", "Draft", Mute;
        Active = "active", "Active", Ok;
        Paused = "paused", "Paused", Warn;
        Archived = "archived", "Archived", Mute;
    }
    /// Where a contact stands in a campaign.
    pub ContactStatus: "contact_status" {
        Pending = "pending", "Waiting", Mute;
        Scheduled = "scheduled", "In a batch", Info;
        Calling = "calling", "Calling", Live;
        Completed = "completed", "Done", Ok;
        Failed = "failed", "Failed", Bad;
    }
    /// How the last call to a contact went.
    pub ContactOutcome: "contact_outcome" {
        NoAnswer = "no_answer", "No answer", Mute;
        Answered = "answered", "Answered", Ok;
        Voicemail = "voicemail", "Voicemail", Info;
        Busy = "busy", "Busy", Mute;
        Declined = "declined", "Declined", Warn;
        CallbackScheduled = "callback_scheduled", "Call back", Info;
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

/// When a contact may be called, in the contact's own zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallingWindow {
    #[serde(with = "hour_minute")]
    pub start: NaiveTime,
    /// Exclusive: at this minute nobody is dialled any more.
    #[serde(with = "hour_minute")]
    pub end: NaiveTime,
    /// Monday is 1, Sunday is 7.
    pub days: Vec<u8>,
}

impl Default for CallingWindow {
    fn default() -> Self {
        Self { start: NaiveTime::MIN + Duration::hours(9), end: NaiveTime::MIN + Duration::hours(19), days: vec![1, 2, 3, 4, 5] }
    }
}

impl CallingWindow {
    /// Whether a call may start at this local time.
    pub fn is_open(&self, local: NaiveDateTime) -> bool {
        let day = local.date().weekday().number_from_monday();
        self.days.iter().any(|open| u32::from(*open) == day) && local.time() >= self.start && local.time() < self.end
    }

    /// This very moment while the window is open, else the next local time at which it opens.
    pub fn next_open(&self, local: NaiveDateTime) -> NaiveDateTime {
        if self.is_open(local) {
            return local;
        }
        let opens = (0..8).map(|days| (local.date() + Duration::days(days)).and_time(self.start));
        opens.into_iter().find(|at| *at > local && self.is_open(*at)).unwrap_or(local + Duration::days(1))
    }

    /// `Mon–Fri, 09:00–19:00`.
    pub fn text(&self) -> String {
        let mut runs: Vec<(u8, u8)> = Vec::new();
        for day in &self.days {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *day => *last = *day,
                _ => runs.push((*day, *day)),
            }
        }
        let days: Vec<String> = runs
            .into_iter()
            .map(|(from, to)| if from == to { day_name(from).into() } else { format!("{}–{}", day_name(from), day_name(to)) })
            .collect();
        format!("{}, {}–{}", days.join(", "), self.start.format("%H:%M"), self.end.format("%H:%M"))
    }
}

/// `Mon` for 1.
pub fn day_name(day: u8) -> &'static str {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].get(usize::from(day).wrapping_sub(1)).copied().unwrap_or("?")
}

mod hour_minute {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::clock(&text).ok_or_else(|| serde::de::Error::custom(format!("“{text}” is not a time like 09:00")))
    }
}

/// Reads `9:00` or `09:00:00`.
fn clock(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok()
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
    /// The number is active, so calls can go out from it.
    pub number_is_active: bool,
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
pub const FILLED_BY_CONTACT: [&str; 6] = ["contact_name", "first_name", "company", "email", "client_name", "goal"];

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

/// A name that a prompt can ask for: letters without accents, digits and `_`, in parts separated by dots.
fn is_variable(name: &str) -> bool {
    name.len() <= 80
        && name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

/// `key = value` lines as a map. Errors: a sentence that names the line.
pub fn parse_variables(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("Line {} has no “=”. Write name = value.", index + 1));
        };
        let key = key.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        if !is_variable(key) {
            return Err(format!("Line {}: a name is made of plain letters, digits and _, and does not begin with a digit.", index + 1));
        }
        if map.insert(key.to_owned(), value.trim().to_owned()).is_some() {
            return Err(format!("Line {}: “{key}” stands there twice.", index + 1));
        }
    }
    Ok(map)
}

/// The other way round: one `key = value` a line.
pub fn variables_text(variables: &BTreeMap<String, String>) -> String {
    variables.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join("\n")
}

/// What a person enters for a campaign. Times as `HH:MM`, variables as `name = value` lines, days as check boxes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignForm {
    pub name: String,
    pub kind: String,
    pub agent: String,
    pub number: String,
    #[serde(default)]
    pub goal: String,
    #[serde(default)]
    pub variables: String,
    pub start: String,
    pub end: String,
    #[serde(default)]
    pub mon: Option<String>,
    #[serde(default)]
    pub tue: Option<String>,
    #[serde(default)]
    pub wed: Option<String>,
    #[serde(default)]
    pub thu: Option<String>,
    #[serde(default)]
    pub fri: Option<String>,
    #[serde(default)]
    pub sat: Option<String>,
    #[serde(default)]
    pub sun: Option<String>,
    pub max_attempts: String,
    pub retry_minutes: String,
}

/// The form, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignTerms {
    pub name: String,
    pub kind: CampaignType,
    pub agent_id: AgentId,
    pub number_id: NumberId,
    pub goal: String,
    pub variables: BTreeMap<String, String>,
    pub calling_window: CallingWindow,
    pub max_attempts: i32,
    pub retry_minutes: i32,
}

impl CampaignForm {
    /// The form of an existing campaign.
    pub fn of(campaign: &Campaign) -> Self {
        let on = |day: u8| campaign.calling_window.days.contains(&day).then(|| "on".to_owned());
        Self {
            name: campaign.name.clone(),
            kind: campaign.kind.as_str().into(),
            agent: campaign.agent_id.to_string(),
            number: campaign.number_id.to_string(),
            goal: campaign.goal.clone(),
            variables: variables_text(&campaign.variables),
            start: campaign.calling_window.start.format("%H:%M").to_string(),
            end: campaign.calling_window.end.format("%H:%M").to_string(),
            mon: on(1),
            tue: on(2),
            wed: on(3),
            thu: on(4),
            fri: on(5),
            sat: on(6),
            sun: on(7),
            max_attempts: campaign.max_attempts.to_string(),
            retry_minutes: campaign.retry_minutes.to_string(),
        }
    }

    /// The ticked days, Monday is 1.
    pub fn days(&self) -> Vec<u8> {
        let boxes = [&self.mon, &self.tue, &self.wed, &self.thu, &self.fri, &self.sat, &self.sun];
        (1..=7).zip(boxes).filter(|(_, ticked)| ticked.is_some()).map(|(day, _)| day).collect()
    }

    /// Errors: `Invalid`, with a message at each field.
    pub fn check(&self) -> Result<CampaignTerms, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 120 {
            errors.add("name", "Give the campaign a name of 1 to 120 characters.");
        }
        let kind = self.kind.parse().unwrap_or_else(|_| {
            errors.add("kind", "Choose what the campaign is for.");
            CampaignType::Sdr
        });
        let agent_id = self.agent.parse().unwrap_or_else(|_| {
            errors.add("agent", "Choose the agent that makes the calls.");
            AgentId(uuid::Uuid::nil())
        });
        let number_id = self.number.parse().unwrap_or_else(|_| {
            errors.add("number", "Choose the number to call from.");
            NumberId(uuid::Uuid::nil())
        });
        let goal = self.goal.trim().to_owned();
        if goal.chars().count() > 2000 {
            errors.add("goal", "The goal is longer than 2,000 characters.");
        }
        let variables = parse_variables(&self.variables).unwrap_or_else(|message| {
            errors.add("variables", message);
            BTreeMap::new()
        });
        let mut time = |field: &str, text: &str| {
            clock(text).unwrap_or_else(|| {
                errors.add(field, "Write a time like 09:00.");
                NaiveTime::MIN
            })
        };
        let (start, end) = (time("start", &self.start), time("end", &self.end));
        if errors.at("start").is_none() && errors.at("end").is_none() && start >= end {
            errors.add("end", "The last time must be later than the first.");
        }
        let days = self.days();
        if days.is_empty() {
            errors.add("mon", "Tick at least one day.");
        }
        let max_attempts = self.max_attempts.trim().parse().ok().filter(|tries| (1..=10).contains(tries)).unwrap_or_else(|| {
            errors.add("max_attempts", "Between 1 and 10 calls to one contact.");
            1
        });
        let retry_minutes = self.retry_minutes.trim().parse().ok().filter(|wait| (1..=10_080).contains(wait)).unwrap_or_else(|| {
            errors.add("retry_minutes", "Between 1 minute and 10,080 minutes (a week).");
            60
        });
        errors.check()?;
        let calling_window = CallingWindow { start, end, days };
        Ok(CampaignTerms { name, kind, agent_id, number_id, goal, variables, calling_window, max_attempts, retry_minutes })
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
                .map_err(|_| AppError::invalid("import", "Choose the import whose contacts join.")),
            "search" => match words.map(str::trim).filter(|words| words.chars().count() >= 2) {
                Some(words) => Ok(AddBy::Matching(words.to_owned())),
                None => Err(AppError::invalid("words", "Write at least two letters of a name, company, e-mail or number.")),
            },
            _ => Err(AppError::invalid("by", "Choose which contacts join.")),
        }
    }
}

/// What the list of campaigns is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignQuery {
    pub client: Option<String>,
    pub status: Option<String>,
    pub q: Option<String>,
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
        format!("{}{plus}", crate::shared::money::count_text(self.count))
    }
}

/// One campaign's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignPage {
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
    pub by_outcome: Vec<(ContactOutcome, i64)>,
    pub total: Bounded,
}

impl CampaignCounts {
    pub fn of_status(&self, status: ContactStatus) -> i64 {
        self.by_status.iter().find(|(key, _)| *key == status).map_or(0, |(_, count)| *count)
    }

    pub fn of_outcome(&self, outcome: ContactOutcome) -> i64 {
        self.by_outcome.iter().find(|(key, _)| *key == outcome).map_or(0, |(_, count)| *count)
    }
}

/// What the contacts tab is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberQuery {
    pub campaign: String,
    pub status: Option<String>,
    pub outcome: Option<String>,
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
    pub outcome: Option<ContactOutcome>,
    pub attempts: i32,
    pub next_attempt: Option<Stamp>,
    pub last_call_id: Option<CallId>,
    pub last_error: Option<String>,
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
