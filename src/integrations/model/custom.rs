use serde::{Deserialize, Serialize};

use super::template::{self, check_template};
use super::told;
use patchbay_shared::ids::{IntegrationId, WorkspaceId};
use patchbay_shared::{AppError, FieldErrors};
use patchbay_webhooks::model::EventType;

/// What stands for a value that is kept and not shown.
pub const HIDDEN: &str = "•••";
/// The most headers of each sort, and lines of a mapping.
const MOST_LINES: usize = 40;
const LONGEST_LINE: usize = 1000;
/// The largest template, in characters.
pub const LONGEST_TEMPLATE: usize = 16_000;
/// Headers that we set ourselves, or that make a request another one.
const OURS: [&str; 13] = [
    "content-type",
    "content-length",
    "host",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

patchbay_shared::words! {
    /// How a custom system is asked.
    pub CustomMethod: "text" {
        Post = "POST", "POST", Mute;
        Put = "PUT", "PUT", Mute;
        Patch = "PATCH", "PATCH", Mute;
    }
}

/// A place in a JSON document, and the field of a contact that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointerMap {
    /// By RFC 6901: `/contact/phone`.
    pub pointer: String,
    /// `id`, `name`, `first_name`, `last_name`, `phone`, `email`, `company`, `do_not_call` or `detail:<name>`.
    pub field: String,
}

/// A system with a JSON interface of its own. Secrets are sealed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomConfig {
    /// Empty: it is told nothing.
    pub url: String,
    pub method: CustomMethod,
    pub headers: Vec<(String, String)>,
    /// Names of headers whose values are sealed.
    pub secret_headers: Vec<String>,
    pub events: Vec<EventType>,
    pub outcomes: Vec<String>,
    /// JSON with `{{data.outcome}}`. Empty: the event as it is.
    pub template: String,
    /// What of an answer becomes a detail of the event's contact.
    pub answers: Vec<PointerMap>,
    /// Where in what comes in the records stand; empty: the body is one, or a list of them.
    pub records: String,
    /// Empty: nothing is taken in.
    pub incoming: Vec<PointerMap>,
    /// The digest of the key that speaks for senders who cannot sign, in hexadecimal digits. None: they have to sign.
    pub key_digest: Option<String>,
    /// A secret for incoming signatures was made.
    pub has_incoming_secret: bool,
}

impl Default for CustomConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            method: CustomMethod::Post,
            headers: Vec::new(),
            secret_headers: Vec::new(),
            events: Vec::new(),
            outcomes: Vec::new(),
            template: String::new(),
            answers: Vec::new(),
            records: String::new(),
            incoming: Vec::new(),
            key_digest: None,
            has_incoming_secret: false,
        }
    }
}

impl CustomConfig {
    /// Where the system sends what comes in.
    pub fn intake_address(public_url: &str, workspace: WorkspaceId, id: IntegrationId) -> String {
        format!("{public_url}/hooks/integrations/{workspace}/{id}")
    }

    /// What the audit log has of it.
    pub fn summary(&self) -> serde_json::Value {
        serde_json::json!({
            "url": self.url,
            "method": self.method,
            "headers": self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "secret_headers": self.secret_headers,
            "events": self.events,
            "outcomes": self.outcomes,
            "template": self.template,
            "answers": self.answers,
            "records": self.records,
            "incoming": self.incoming,
        })
    }
}

/// The form of a custom system, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomForm {
    pub id: String,
    pub url: String,
    pub method: String,
    /// `Name: value`, one a line.
    pub headers: String,
    /// The same; `Name: •••` keeps the value that is there.
    pub secret_headers: String,
    pub events: Vec<String>,
    pub outcomes: Vec<String>,
    pub template: String,
    /// `/pointer = detail`, one a line.
    pub answers: String,
    pub records: String,
    /// `/pointer = field`, one a line.
    pub incoming: String,
    /// The person's password, when a secret is typed and it was last typed too long ago.
    pub current: String,
}

/// What a form says, with new values of secret headers beside it. None: the one that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCustom {
    pub config: CustomConfig,
    pub secrets: Vec<(String, Option<String>)>,
}

/// How a try went. Secrets are hidden in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub is_ok: bool,
    /// Method, address, headers and body.
    pub request: String,
    /// Status and body.
    pub answer: String,
    /// What went wrong, in words.
    pub problem: String,
}

/// A secret that is shown once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIntegrationSecret {
    pub integration: String,
    pub name: String,
    /// `outgoing`, `incoming` or `key`.
    pub kind: String,
    pub secret: String,
    /// Where it is used: the system's address, or ours.
    pub address: String,
}

impl CustomForm {
    /// As it is stored.
    pub fn of(id: String, config: &CustomConfig) -> Self {
        let pairs = |all: &[(String, String)]| {
            all.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
        };
        let maps = |all: &[PointerMap]| {
            all.iter().map(|one| format!("{} = {}", one.pointer, one.field)).collect::<Vec<_>>().join("\n")
        };
        Self {
            id,
            url: config.url.clone(),
            method: config.method.as_str().to_owned(),
            headers: pairs(&config.headers),
            secret_headers: config
                .secret_headers
                .iter()
                .map(|name| format!("{name}: {HIDDEN}"))
                .collect::<Vec<_>>()
                .join("\n"),
            events: config.events.iter().map(|kind| kind.as_str().to_owned()).collect(),
            outcomes: config.outcomes.clone(),
            template: config.template.clone(),
            answers: maps(&config.answers),
            records: config.records.clone(),
            incoming: maps(&config.incoming),
            current: String::new(),
        }
    }

    /// A value of a secret header stands there, and not only which one is kept.
    pub fn has_new_secret(&self) -> bool {
        let value = |line: &str| line.split_once(':').map_or(line, |(_, value)| value).trim().to_owned();
        self.secret_headers.lines().any(|line| !matches!(value(line).as_str(), "" | HIDDEN))
    }

    /// Everything but whether the address is a public one, which the server knows. Errors: `Invalid`.
    pub fn check(&self, before: &CustomConfig) -> Result<CheckedCustom, AppError> {
        let mut errors = FieldErrors::default();
        let url = self.url.trim().to_owned();
        let offered: Vec<EventType> = EventType::offered().collect();
        let events = told::events(&self.events, &offered, &mut errors);
        let outcomes = told::outcomes(&self.outcomes, &mut errors);
        if url.len() > 2000 {
            errors.add("url", "The address is longer than 2,000 characters.");
        }
        if !events.is_empty() && url.is_empty() {
            errors.add("url", "Give the address that is told the events, or choose no event.");
        }
        let method = match self.method.trim() {
            "" => CustomMethod::Post,
            word => word.parse().unwrap_or_else(|_| {
                errors.add("method", "Choose POST, PUT or PATCH.");
                CustomMethod::Post
            }),
        };
        let headers = headers("headers", &self.headers, &mut errors);
        let secret = headers_of("secret_headers", &self.secret_headers, &mut errors);
        let mut secrets = Vec::new();
        for (name, value) in secret {
            if headers.iter().any(|(other, _)| *other == name) {
                errors.add("secret_headers", format!("{name} stands in both lists. Take it out of one."));
            }
            match value.as_str() {
                HIDDEN if before.secret_headers.contains(&name) => secrets.push((name, None)),
                HIDDEN => errors.add("secret_headers", format!("Type the value of {name}: none is kept yet.")),
                _ => secrets.push((name, Some(value))),
            }
        }
        let template = self.template.trim().replace("\r\n", "\n");
        if let Err(why) = check_template(&template, &events) {
            errors.add("template", why);
        }
        let answers = pointers("answers", &self.answers, &mut errors);
        for one in answers.iter().filter(|one| !one.field.starts_with("detail:")) {
            errors.add("answers", format!("“{}” cannot be set by an answer. Write detail:{}.", one.field, one.field));
        }
        let incoming = pointers("incoming", &self.incoming, &mut errors);
        let names_somebody = incoming.iter().any(|one| matches!(one.field.as_str(), "phone" | "email" | "id"));
        if !incoming.is_empty() && !names_somebody {
            errors.add("incoming", "Say where the phone number or the e-mail address stands: nobody is found without.");
        }
        let records = self.records.trim().to_owned();
        if !template::is_pointer(&records) {
            errors.add("records", "Write where the records stand as /data/contacts, or leave it empty.");
        }
        errors.check()?;
        let config = CustomConfig {
            url,
            method,
            headers,
            secret_headers: secrets.iter().map(|(name, _)| name.clone()).collect(),
            events,
            outcomes,
            template,
            answers,
            records,
            incoming,
            key_digest: before.key_digest.clone(),
            has_incoming_secret: before.has_incoming_secret,
        };
        Ok(CheckedCustom { config, secrets })
    }
}

fn lines<'a>(field: &str, text: &'a str, errors: &mut FieldErrors) -> Vec<&'a str> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > MOST_LINES || lines.iter().any(|line| line.chars().count() > LONGEST_LINE) {
        errors.add(field, format!("At most {MOST_LINES} lines, of at most {LONGEST_LINE} characters each."));
        return Vec::new();
    }
    lines
}

fn headers(field: &str, text: &str, errors: &mut FieldErrors) -> Vec<(String, String)> {
    let all = headers_of(field, text, errors);
    if all.iter().any(|(name, _)| matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie")) {
        errors.add(field, "What signs in belongs into the secret headers, which are sealed.");
    }
    all
}

fn headers_of(field: &str, text: &str, errors: &mut FieldErrors) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in lines(field, text, errors) {
        let Some((name, value)) = line.split_once(':') else {
            errors.add(field, format!("Write each line as Name: value. This one is not: {line}"));
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let is_value = value == HIDDEN || (!value.is_empty() && value.bytes().all(|b| (0x20..0x7f).contains(&b)));
        if !is_name || !is_value {
            errors
                .add(field, format!("“{name}” cannot be sent: names are letters and dashes, values plain characters."));
        } else if OURS.contains(&name.as_str()) {
            errors.add(field, format!("{name} is set by Patchbay. Take the line out."));
        } else if all.iter().any(|(other, _)| *other == name) {
            errors.add(field, format!("{name} stands there twice."));
        } else {
            all.push((name, value));
        }
    }
    all
}

/// Fields of a contact beside its own details.
const FIELDS: [&str; 8] = ["id", "name", "first_name", "last_name", "phone", "email", "company", "do_not_call"];

fn pointers(field: &str, text: &str, errors: &mut FieldErrors) -> Vec<PointerMap> {
    let mut all: Vec<PointerMap> = Vec::new();
    for line in lines(field, text, errors) {
        let Some((pointer, target)) = line.rsplit_once('=') else {
            errors.add(field, format!("Write each line as /place = field. This one is not: {line}"));
            continue;
        };
        let (pointer, target) = (pointer.trim(), target.trim());
        let detail = target.strip_prefix("detail:").map(str::trim);
        let is_detail = detail.is_some_and(|name| {
            (1..=60).contains(&name.chars().count())
                && !name.contains(['=', ':'])
                && !name.chars().any(char::is_control)
        });
        if pointer.is_empty() || !template::is_pointer(pointer) {
            errors.add(field, format!("“{pointer}” is no place in a document. Write it as /contact/phone."));
        } else if !is_detail && !FIELDS.contains(&target) {
            let known = FIELDS.join(", ");
            errors.add(field, format!("“{target}” is no field. There are {known}, and detail:name."));
        } else if all.iter().any(|one| one.field == target) {
            errors.add(field, format!("{target} is filled twice."));
        } else {
            let target = detail.map_or_else(|| target.to_owned(), |name| format!("detail:{name}"));
            all.push(PointerMap { pointer: pointer.to_owned(), field: target });
        }
    }
    all
}
