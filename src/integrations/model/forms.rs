use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Direction, FieldMap, IntegrationType, SyncType, is_of_call};
use patchbay_connections::model::Mode;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, FieldErrors};

/// Lines that a mapping has at most.
pub const MOST_FIELDS: usize = 60;
/// Matched values that a line has at most.
const MOST_VALUES: usize = 50;
/// How often a CRM is asked by itself, in minutes, with its words. 0: only when somebody says so.
pub const PACES: [(u32, &str); 6] = [
    (5, "Every 5 minutes"),
    (15, "Every 15 minutes"),
    (60, "Every hour"),
    (360, "Every 6 hours"),
    (1440, "Once a day"),
    (0, "Only when somebody says so"),
];
/// Where accounts of Zoho are kept.
pub const REGIONS: [(&str, &str); 8] = [
    ("com", "United States"),
    ("eu", "Europe"),
    ("in", "India"),
    ("com.au", "Australia"),
    ("jp", "Japan"),
    ("ca", "Canada"),
    ("sa", "Saudi Arabia"),
    ("com.cn", "China"),
];

/// What is exchanged with a CRM, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrmSettings {
    /// 0: only when somebody says so.
    pub every_minutes: u32,
    pub types: Vec<SyncType>,
    /// ISO code for phone numbers without a country; empty: none.
    pub country: String,
}

impl Default for CrmSettings {
    fn default() -> Self {
        Self {
            every_minutes: 15,
            types: vec![SyncType::Contacts, SyncType::Deals, SyncType::Activities],
            country: String::new(),
        }
    }
}

impl CrmSettings {
    /// How often, in words.
    pub fn pace(&self) -> String {
        let known = PACES.iter().find(|(minutes, _)| *minutes == self.every_minutes);
        known.map_or_else(|| format!("Every {} minutes", self.every_minutes), |(_, words)| (*words).to_owned())
    }
}

/// The form of a new integration with a sign-in at the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewForm {
    pub kind: String,
    #[serde(default)]
    pub client: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub mode: String,
    /// The agency's own app at the service.
    #[serde(default)]
    pub app_id: String,
    #[serde(default)]
    pub app_secret: String,
    #[serde(default)]
    pub region: String,
    /// The person's password, when it was last typed too long ago.
    #[serde(default)]
    pub current: String,
}

/// A new integration after the checks of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntegration {
    pub kind: IntegrationType,
    pub client_id: Option<ClientId>,
    pub name: String,
    pub mode: Mode,
    /// Id and secret of the agency's app at the service. None: the sandbox needs none.
    pub app: Option<(String, String)>,
    /// Zoho: where the account is kept.
    pub region: String,
}

impl NewForm {
    /// Reads the fields. Errors: `Invalid` with a message per field; `NotFound` for a carrier, which has a form of its own.
    pub fn check(&self) -> Result<NewIntegration, AppError> {
        let kind = IntegrationType::from_str(&self.kind).map_err(|_| AppError::NotFound)?;
        if kind.is_carrier() {
            return Err(AppError::NotFound);
        }
        let mut errors = FieldErrors::default();
        let client_id = client(&self.client, &mut errors);
        if kind.is_crm() && self.client.trim().is_empty() {
            errors.add("client", "Choose the client whose system it is.");
        }
        let mode = mode(&self.mode, &mut errors);
        let name = name(&self.name, kind, &mut errors);
        let (app_id, app_secret) = (self.app_id.trim(), self.app_secret.trim());
        let is_word = |text: &str| text.len() <= 300 && text.chars().all(|letter| letter.is_ascii_graphic());
        // Slack is signed in at on its own page, in one of several ways, and a custom system has no app.
        let wants_app = mode == Mode::Live && kind.is_crm();
        if wants_app {
            for (field, text) in [("app_id", app_id), ("app_secret", app_secret)] {
                if text.is_empty() {
                    errors.add(field, "Copy it from your app’s page at the service.");
                } else if !is_word(text) {
                    errors.add(field, "It has no spaces or line breaks. Copy it again.");
                }
            }
        }
        let region = match (kind, self.region.trim()) {
            (IntegrationType::Zoho, "") => "com",
            (IntegrationType::Zoho, region) => {
                let known = REGIONS.iter().find(|(code, _)| *code == region);
                known.map(|(code, _)| *code).unwrap_or_else(|| {
                    errors.add("region", "Choose where the account is kept.");
                    "com"
                })
            }
            _ => "",
        };
        errors.check()?;
        let app = wants_app.then(|| (app_id.to_owned(), app_secret.to_owned()));
        Ok(NewIntegration { kind, client_id, name, mode, app, region: region.to_owned() })
    }
}

/// The form of a sign-in for an integration that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInForm {
    pub id: String,
    /// With another account than before, whose records are others.
    #[serde(default)]
    pub other: Option<String>,
    /// The agency's app at the service; empty: the one that is known.
    #[serde(default)]
    pub app_id: String,
    #[serde(default)]
    pub app_secret: String,
    #[serde(default)]
    pub current: String,
}

impl SignInForm {
    /// The app, if one was typed. Errors: `Invalid`.
    pub fn app(&self) -> Result<Option<(String, String)>, AppError> {
        let (id, secret) = (self.app_id.trim(), self.app_secret.trim());
        if id.is_empty() && secret.is_empty() {
            return Ok(None);
        }
        let mut errors = FieldErrors::default();
        for (field, text) in [("app_id", id), ("app_secret", secret)] {
            if text.is_empty() || text.len() > 300 || !text.chars().all(|letter| letter.is_ascii_graphic()) {
                errors.add(field, "It has no spaces or line breaks. Copy it again.");
            }
        }
        errors.check()?;
        Ok(Some((id.to_owned(), secret.to_owned())))
    }
}

/// The form of an account at a carrier.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierForm {
    pub kind: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub mode: String,
    #[serde(default)]
    pub account: String,
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub current: String,
}

/// A carrier's form after its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierFields {
    pub kind: IntegrationType,
    pub name: String,
    pub mode: Mode,
    pub account: String,
    pub token: String,
}

impl CarrierForm {
    /// Errors: `Invalid` with a message per field; `NotFound` for what is no carrier.
    pub fn check(&self) -> Result<CarrierFields, AppError> {
        let kind =
            IntegrationType::from_str(&self.kind).ok().filter(|kind| kind.is_carrier()).ok_or(AppError::NotFound)?;
        let mut errors = FieldErrors::default();
        let mode = mode(&self.mode, &mut errors);
        let name = name(&self.name, kind, &mut errors);
        let fields = [("account", self.account.trim()), ("token", self.token.trim())];
        for (field, text) in fields {
            if text.is_empty() && mode == Mode::Live {
                errors.add(field, "Copy it from the first page of the service’s console.");
            } else if text.len() > 300 || !text.chars().all(|letter| letter.is_ascii_graphic()) {
                errors.add(field, "It has no spaces or line breaks. Copy it again.");
            }
        }
        errors.check()?;
        Ok(CarrierFields { kind, name, mode, account: fields[0].1.to_owned(), token: fields[1].1.to_owned() })
    }
}

/// The form of an integration's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsForm {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub every: String,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default)]
    pub country: String,
    /// Where the page leads afterwards: `setup`, or the settings.
    #[serde(default)]
    pub next: String,
}

impl SettingsForm {
    /// Name and settings. Errors: `Invalid` with a message per field.
    pub fn check(&self, kind: IntegrationType) -> Result<(String, CrmSettings), AppError> {
        let mut errors = FieldErrors::default();
        let name = name(&self.name, kind, &mut errors);
        let every = self.every.trim().parse::<u32>().ok().filter(|every| PACES.iter().any(|(known, _)| known == every));
        let country = self.country.trim().to_ascii_uppercase();
        let mut types: Vec<SyncType> = self.types.iter().filter_map(|word| SyncType::from_str(word).ok()).collect();
        types.dedup();
        if kind.is_crm() {
            if every.is_none() {
                errors.add("every", "Choose how often.");
            }
            if !country.is_empty()
                && !patchbay_contacts::model::countries::COUNTRIES.iter().any(|(code, _)| *code == country)
            {
                errors.add("country", "Choose a country from the list.");
            }
            if !types.contains(&SyncType::Contacts) {
                errors.add("types", "Contacts are always exchanged: deals and activities belong to them.");
            }
        }
        errors.check()?;
        Ok((name, CrmSettings { every_minutes: every.unwrap_or_default(), types, country }))
    }
}

/// The form of one line of a mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineForm {
    pub id: String,
    /// The field of ours whose line it was; empty: a new line.
    #[serde(default)]
    pub was: String,
    #[serde(default)]
    pub ours: String,
    /// For `detail` and `answer`: which one.
    #[serde(default)]
    pub own: String,
    #[serde(default)]
    pub theirs: String,
    /// The second property of a name.
    #[serde(default)]
    pub second: String,
    #[serde(default)]
    pub direction: String,
    /// `ours = theirs`, one a line.
    #[serde(default)]
    pub values: String,
    /// Takes the line away.
    #[serde(default)]
    pub remove: Option<String>,
}

/// Fields of ours that may be chosen, with their words. `detail` and `answer` ask for which one.
pub const OURS: [&str; 12] = [
    "name",
    "phone",
    "email",
    "company",
    "do_not_call",
    "detail",
    "outcome",
    "summary",
    "callback_at",
    "goal",
    "score",
    "answer",
];

impl LineForm {
    /// The line. Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<FieldMap, AppError> {
        let mut errors = FieldErrors::default();
        let own = self.own.trim();
        let chosen = self.ours.trim();
        let ours = match chosen {
            "detail" | "answer" => {
                if own.is_empty() {
                    errors.add("own", "Say which one, as it is called here.");
                } else if own.chars().count() > 80 || own.chars().any(|letter| letter.is_control() || letter == ':') {
                    errors.add("own", "Use at most 80 characters on one line, without a colon.");
                }
                format!("{chosen}:{own}")
            }
            known if OURS.contains(&known) || known.starts_with("detail:") || known.starts_with("answer:") => {
                known.to_owned()
            }
            _ => {
                errors.add("ours", "Choose the field of Patchbay.");
                String::new()
            }
        };
        let direction = Direction::from_str(&self.direction).unwrap_or_else(|_| {
            errors.add("direction", "Choose which way it goes.");
            Direction::Kept
        });
        if is_of_call(&ours) && matches!(direction, Direction::In | Direction::Both) {
            errors.add("direction", "Results of calls are only written, never read.");
        }
        let theirs: Vec<String> = [self.theirs.trim(), self.second.trim()]
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| (*name).to_owned())
            .collect();
        let is_name = |name: &String| {
            name.len() <= 120 && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.$".contains(letter))
        };
        if theirs.is_empty() && direction != Direction::Kept && !matches!(ours.as_str(), "summary" | "callback_at") {
            errors.add("theirs", "Choose the field of the other side.");
        } else if !theirs.iter().all(is_name) {
            errors.add("theirs", "This is no name of a field there.");
        }
        let mut values = Vec::new();
        for line in self.values.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once('=').map(|(ours, theirs)| (ours.trim(), theirs.trim())) {
                Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() && line.chars().count() <= 300 => {
                    values.push((ours.to_owned(), theirs.to_owned()));
                }
                _ => {
                    errors.add("values", "Write one pair a line: our value = their value.");
                    break;
                }
            }
        }
        if values.len() > MOST_VALUES {
            errors.add("values", format!("Match at most {MOST_VALUES} values."));
        }
        errors.check()?;
        Ok(FieldMap { ours, theirs, direction, values })
    }
}

fn client(text: &str, errors: &mut FieldErrors) -> Option<ClientId> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let id = text.parse().ok();
    if id.is_none() {
        errors.add("client", "Choose a client from the list.");
    }
    id
}

fn mode(text: &str, errors: &mut FieldErrors) -> Mode {
    Mode::from_str(text).unwrap_or_else(|_| {
        errors.add("mode", "Choose sandbox or live.");
        Mode::Sandbox
    })
}

/// What people call it; empty: the service's own name.
fn name(text: &str, kind: IntegrationType, errors: &mut FieldErrors) -> String {
    let name = text.trim();
    if name.chars().count() > 60 || name.chars().any(char::is_control) {
        errors.add("name", "Use at most 60 characters on one line.");
    }
    if name.is_empty() { kind.label().to_owned() } else { name.to_owned() }
}
