//! What a record of a CRM and a contact of ours make of each other. Pure: nothing is read or written here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::model::{Direction, FieldMap, Remedy};
use patchbay_calls::model::ContactOutcome;
use patchbay_contacts::server::synced::{SyncedContact, fault, forbids_calls};
use patchbay_providers::crm::{CrmProperty, CrmRecord};
use patchbay_shared::Phone;
use patchbay_shared::ids::ContactId;
use patchbay_shared::plain::plain;
use patchbay_shared::text::one_line;

/// Values of our fields by our names.
pub(crate) type Fields = BTreeMap<String, String>;
/// What a contact's do-not-call is written as, before the mapping's own values.
pub(crate) const YES: &str = "true";
/// Two changes that lie so close to each other are not put in an order.
const SAME_TIME: chrono::TimeDelta = chrono::TimeDelta::seconds(60);
/// Longest value that is compared and shown, in characters.
const LONGEST: usize = 10_001;

/// How records are read.
pub(crate) struct Rules<'a> {
    pub lines: &'a [FieldMap],
    /// Completes national numbers.
    pub country: Option<&'a str>,
    /// The other side's name.
    pub system: &'a str,
}

/// Why a record needs a person, in words, and what helps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub words: String,
    pub remedy: Remedy,
    pub detail: Option<Value>,
}

impl Problem {
    pub fn retry(words: impl Into<String>) -> Self {
        Self { words: words.into(), remedy: Remedy::Retry, detail: None }
    }
}

/// What a person has said about a record that waited.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    /// The number, where theirs cannot be read.
    pub phone: Option<String>,
    /// Whose value of a field counts: true for ours.
    pub ours: BTreeMap<String, bool>,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    New,
    Changed(Vec<(String, String, String)>),
    Same,
    /// No contact can be made of it, and why.
    Left(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub outcome: Outcome,
    /// The contact as it is afterwards. None: there is none.
    pub contact: Option<SyncedContact>,
    pub agreed: Fields,
    /// They say that it must not be called, and we did not know.
    pub suppress: bool,
    /// We say so, and they do not know.
    pub flag: bool,
    /// Something of ours is to be written there.
    pub write: bool,
}

impl Rules<'_> {
    /// Lines about the contact itself.
    pub fn of_contact(&self) -> impl Iterator<Item = &FieldMap> {
        self.lines
            .iter()
            .filter(|line| is_of_contact(&line.ours) && line.direction != Direction::Kept && !line.theirs.is_empty())
    }

    pub fn line(&self, ours: &str) -> Option<&FieldMap> {
        self.lines.iter().find(|line| line.ours == ours && line.direction != Direction::Kept && !line.theirs.is_empty())
    }

    /// The properties that are asked for.
    pub fn properties(&self) -> Vec<String> {
        let mut names: Vec<String> = self.of_contact().flat_map(|line| line.theirs.iter().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The record's values by our names, numbers in E.164 where they can be read.
    pub fn read(&self, record: &CrmRecord) -> Fields {
        let mut fields = Fields::new();
        for line in self.of_contact().filter(|line| line.direction != Direction::Out || line.ours == "do_not_call") {
            let parts: Vec<String> = line
                .theirs
                .iter()
                .filter_map(|name| record.properties.get(name))
                .map(|text| clean(text, &line.ours))
                .filter(|text| !text.is_empty())
                .collect();
            let theirs = parts.join(" ");
            let known = line.values.iter().find(|(_, their)| !theirs.is_empty() && *their == theirs);
            let mut value = known.map_or(theirs, |(our, _)| our.clone());
            if line.ours == "phone"
                && let Ok(read) = Phone::read(&value, self.country)
            {
                value = read.phone.to_string();
            }
            if line.ours == "do_not_call" {
                value = if forbids_calls(&value) { YES.to_owned() } else { String::new() };
            }
            fields.insert(line.ours.clone(), value);
        }
        fields
    }

    /// What the record makes of the contact. `agreed`: what both had last, for a contact that is linked.
    pub fn decide(
        &self,
        record: &CrmRecord,
        agreed: Option<&Fields>,
        contact: Option<&SyncedContact>,
        said: &Said,
    ) -> Result<Decision, Problem> {
        let theirs = self.read(record);
        let Some(contact) = contact else { return self.make(&theirs, said) };
        let mut after = contact.clone();
        let mut now_agreed = agreed.cloned().unwrap_or_default();
        for line in self.of_contact().filter(|line| line.ours != "do_not_call") {
            if line.direction == Direction::Out {
                continue;
            }
            let field = line.ours.as_str();
            let (Some(their), our) = (theirs.get(field), ours(contact, field)) else { continue };
            let last = agreed.and_then(|fields| fields.get(field));
            let is_news = last != Some(their);
            let takes = match last {
                _ if !is_news || *their == our => false,
                _ if line.direction == Direction::In => !(their.is_empty() && last.is_none()),
                Some(last) if *last == our => true,
                None if their.is_empty() => false,
                None if our.is_empty() => true,
                _ => self.theirs_win(field, &our, their, record.changed_at, contact.updated_at, said)?,
            };
            if takes {
                self.set(&mut after, field, their, said)?;
            }
            now_agreed.insert(field.to_owned(), their.clone());
        }
        let dnc = theirs.get("do_not_call").map(|value| value == YES);
        if let Some(value) = dnc {
            now_agreed.insert("do_not_call".to_owned(), if value { YES.to_owned() } else { String::new() });
        }
        if let Some(words) = fault(&after) {
            return Err(Problem::retry(format!("{words} Change it in {}, then try again.", self.system)));
        }
        let changes = self.of_contact().filter_map(|line| {
            let (before, now) = (ours(contact, &line.ours), ours(&after, &line.ours));
            (before != now).then(|| (line.ours.clone(), before, now))
        });
        let changes: Vec<_> = changes.collect();
        let write = !self.to_write(&after, &now_agreed).is_empty();
        Ok(Decision {
            outcome: if changes.is_empty() { Outcome::Same } else { Outcome::Changed(changes) },
            suppress: dnc == Some(true) && !contact.do_not_call,
            flag: dnc == Some(false) && contact.do_not_call,
            contact: Some(after),
            agreed: now_agreed,
            write,
        })
    }

    /// A contact of a record that nobody here is.
    fn make(&self, theirs: &Fields, said: &Said) -> Result<Decision, Problem> {
        let text = |field: &str| theirs.get(field).cloned().unwrap_or_default();
        let mut contact = SyncedContact {
            id: ContactId::new(),
            name: String::new(),
            phone: String::new(),
            email: None,
            company: None,
            timezone: None,
            attributes: BTreeMap::new(),
            do_not_call: false,
            updated_at: Utc::now(),
        };
        let left = |why: String| Decision {
            outcome: Outcome::Left(why),
            contact: None,
            agreed: Fields::new(),
            suppress: false,
            flag: false,
            write: false,
        };
        if text("phone").is_empty() && said.phone.is_none() {
            return Ok(left(format!("It has no phone number in {}.", self.system)));
        }
        for (field, value) in theirs.iter().filter(|(field, value)| *field != "do_not_call" && !value.is_empty()) {
            self.set(&mut contact, field, value, said)?;
        }
        if let (true, Some(phone)) = (contact.phone.is_empty(), &said.phone) {
            contact.phone = phone.clone();
        }
        if let Some(words) = fault(&contact) {
            return Err(Problem::retry(format!("{words} Change it in {}, then try again.", self.system)));
        }
        let suppress = text("do_not_call") == YES;
        let write = !self.to_write(&contact, theirs).is_empty();
        Ok(Decision {
            outcome: Outcome::New,
            contact: Some(contact),
            agreed: theirs.clone(),
            suppress,
            flag: false,
            write,
        })
    }

    /// The later change wins. Errors: nobody knows which one that is, so a person chooses.
    fn theirs_win(
        &self,
        field: &str,
        our: &str,
        their: &str,
        changed_there: Option<DateTime<Utc>>,
        changed_here: DateTime<Utc>,
        said: &Said,
    ) -> Result<bool, Problem> {
        if let Some(ours) = said.ours.get(field) {
            return Ok(!ours);
        }
        match changed_there {
            Some(there) if there - changed_here > SAME_TIME => Ok(true),
            Some(there) if changed_here - there > SAME_TIME => Ok(false),
            _ => Err(Problem {
                words: format!(
                    "{} was changed on both sides. Ours: {}. Theirs: {}.",
                    label(field),
                    shown(our),
                    shown(their)
                ),
                remedy: Remedy::Choose,
                detail: Some(json!({ "field": field, "ours": our, "theirs": their })),
            }),
        }
    }

    fn set(&self, contact: &mut SyncedContact, field: &str, value: &str, said: &Said) -> Result<(), Problem> {
        let some = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match field {
            // A contact keeps its name when theirs is gone.
            "name" => contact.name = some().unwrap_or_else(|| contact.name.clone()),
            "email" => contact.email = some(),
            "company" => contact.company = some(),
            "phone" => {
                if let Some(phone) = &said.phone {
                    contact.phone = phone.clone();
                } else if let Some(phone) = Phone::from_e164(value) {
                    contact.phone = phone.to_string();
                } else if !value.is_empty() {
                    let why = Phone::read(value, self.country).err().unwrap_or_default();
                    return Err(Problem {
                        words: format!("Phone {} cannot be read. {why}", shown(value)),
                        remedy: Remedy::Edit,
                        detail: Some(json!({ "field": "phone", "theirs": value })),
                    });
                }
            }
            _ => {
                if let Some(name) = field.strip_prefix("detail:") {
                    match some() {
                        Some(value) => contact.attributes.insert(name.to_owned(), value),
                        None => contact.attributes.remove(name),
                    };
                }
            }
        }
        Ok(())
    }

    /// Fields of ours that they do not have yet, with what is written: (our field, our value).
    pub fn to_write(&self, contact: &SyncedContact, agreed: &Fields) -> Vec<(String, String)> {
        self.of_contact()
            .filter(|line| matches!(line.direction, Direction::Out | Direction::Both) && line.ours != "do_not_call")
            .filter_map(|line| {
                let our = ours(contact, &line.ours);
                let known = agreed.get(&line.ours).map_or("", String::as_str);
                (our != known).then(|| (line.ours.clone(), our))
            })
            .collect()
    }

    /// A value of ours as their properties.
    pub fn as_theirs(&self, field: &str, value: &str, into: &mut BTreeMap<String, String>) {
        let Some(line) = self.line(field) else { return };
        let matched =
            line.values.iter().find(|(our, _)| our.eq_ignore_ascii_case(value)).map(|(_, their)| their.clone());
        let value = matched.unwrap_or_else(|| value.to_owned());
        match line.theirs.as_slice() {
            [one] => {
                into.insert(one.clone(), value);
            }
            [first, last, ..] => {
                let (given, family) = value.rsplit_once(' ').unwrap_or(("", value.as_str()));
                into.insert(first.clone(), given.to_owned());
                into.insert(last.clone(), family.to_owned());
            }
            [] => {}
        }
    }
}

/// The contact's value of a field.
pub(crate) fn ours(contact: &SyncedContact, field: &str) -> String {
    match field {
        "name" => contact.name.clone(),
        "phone" => contact.phone.clone(),
        "email" => contact.email.clone().unwrap_or_default(),
        "company" => contact.company.clone().unwrap_or_default(),
        "do_not_call" => if contact.do_not_call { YES } else { "" }.to_owned(),
        other => {
            other.strip_prefix("detail:").and_then(|name| contact.attributes.get(name)).cloned().unwrap_or_default()
        }
    }
}

/// Whether a line is read of records.
pub(crate) fn is_read(line: &FieldMap) -> bool {
    let comes_in = matches!(line.direction, Direction::In | Direction::Both);
    is_of_contact(&line.ours) && (comes_in || (line.ours == "do_not_call" && line.direction != Direction::Kept))
}

pub(crate) fn is_of_contact(field: &str) -> bool {
    matches!(field, "name" | "phone" | "email" | "company" | "do_not_call") || field.starts_with("detail:")
}

/// What a person calls the field.
pub(crate) fn label(field: &str) -> String {
    match field {
        "name" => "The name".to_owned(),
        "phone" => "The phone number".to_owned(),
        "email" => "The e-mail address".to_owned(),
        "company" => "The company".to_owned(),
        "do_not_call" => "Do not call".to_owned(),
        other => format!("“{}”", other.split_once(':').map_or(other, |(_, name)| name)),
    }
}

/// Text from outside: no control characters, one line but for details, never longer than what is refused.
fn clean(text: &str, field: &str) -> String {
    let text: String = plain(text).chars().take(LONGEST).collect();
    if field.starts_with("detail:") { text.trim().to_owned() } else { one_line(text.trim()) }
}

/// A value within a sentence.
pub(crate) fn shown(value: &str) -> String {
    let mut short: String = one_line(value).chars().take(60).collect();
    if value.chars().count() > 60 {
        short.push('…');
    }
    if short.is_empty() { "nothing".to_owned() } else { format!("“{short}”") }
}

/// A first mapping from the names that properties usually have.
pub(crate) fn propose(properties: &[CrmProperty]) -> Vec<FieldMap> {
    let has = |name: &str| properties.iter().find(|one| one.name == name);
    let line = |ours: &str, theirs: &[&str], direction| FieldMap {
        ours: ours.to_owned(),
        theirs: theirs.iter().map(|name| (*name).to_owned()).collect(),
        direction,
        values: Vec::new(),
    };
    let mut lines = Vec::new();
    for (ours, choices, direction) in [
        ("name", [["firstname", "lastname"], ["First_Name", "Last_Name"]].as_slice(), Direction::Both),
        ("phone", &[["phone", ""], ["Phone", ""]], Direction::In),
        ("email", &[["email", ""], ["Email", ""]], Direction::Both),
        ("company", &[["company", ""], ["Account_Name", ""]], Direction::In),
    ] {
        for choice in choices {
            let names: Vec<&str> = choice.iter().copied().filter(|name| !name.is_empty()).collect();
            if names.iter().all(|name| has(name).is_some()) {
                lines.push(line(ours, &names, direction));
                break;
            }
        }
    }
    let squeezed = |text: &str| text.to_lowercase().replace([' ', '_', '-'], "");
    let no_calls = properties
        .iter()
        .find(|one| !one.read_only && [&one.name, &one.label].iter().any(|text| squeezed(text).contains("donotcall")));
    if let Some(property) = no_calls {
        let values = match property.options.as_slice() {
            [] => Vec::new(),
            options => {
                let yes = options.iter().find(|(value, label)| forbids_calls(value) && forbids_calls(label));
                yes.map(|(value, _)| vec![(YES.to_owned(), value.clone())]).unwrap_or_default()
            }
        };
        lines.push(FieldMap { values, ..line("do_not_call", &[&property.name], Direction::Both) });
    }
    for (ours, wanted) in [("outcome", "lastoutcome"), ("summary", "lastsummary"), ("callback_at", "callbackat")] {
        let found = properties.iter().find(|one| !one.read_only && squeezed(&one.name).contains(wanted));
        if let Some(property) = found {
            // A list has values of its own behind what people read: each outcome that it has is matched with its value.
            let matched = |label: &str| {
                let is = |text: &str| squeezed(text) == squeezed(label);
                let option = property.options.iter().find(|(value, shown)| is(value) || is(shown))?;
                Some((label.to_owned(), option.0.clone()))
            };
            let outcomes = ContactOutcome::ALL.iter().filter(|_| ours == "outcome");
            let values = outcomes.filter_map(|outcome| matched(outcome.label())).collect();
            lines.push(FieldMap { values, ..line(ours, &[&property.name], Direction::Out) });
        }
    }
    lines
}
