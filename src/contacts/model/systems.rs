//! What systems of a client know about a contact, as its page shows it. Who asks them is above this crate: a hook fills it.

use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;
use patchbay_shared::ids::IntegrationId;

patchbay_shared::words! {
    /// Where a contact is with its record in another system.
    pub InStep: "text" {
        Linked = "linked", "In step", Ok;
        Waits = "waits", "Waits", Info;
        Failed = "failed", "Failed", Bad;
        Removed = "removed", "Removed there", Warn;
        Unlinked = "unlinked", "No record there", Mute;
    }
    /// What somebody did with a contact, by the other system.
    pub ActivityKind: "text" {
        Note = "note", "Note", Mute;
        Call = "call", "Call", Mute;
        Task = "task", "Task", Mute;
        Meeting = "meeting", "Meeting", Mute;
    }
}

/// All of it. Empty for whoever does not see integrations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactSystems {
    pub systems: Vec<SystemOfContact>,
    pub deals: Vec<DealOfContact>,
    /// There are more deals than these.
    pub has_more_deals: bool,
    /// The newest.
    pub activities: Vec<ActivityOfContact>,
    /// There are more activities than these.
    pub has_more: bool,
}

/// One system, and how the contact stands in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemOfContact {
    pub id: IntegrationId,
    pub name: String,
    pub state: InStep,
    /// More than the state says; may be empty.
    pub words: String,
    /// When both sides agreed last.
    pub agreed: Option<Stamp>,
    /// What it is called among the records that failed, where a person repairs it.
    pub repair: Option<String>,
    /// The record's own page there.
    pub record: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DealOfContact {
    pub name: String,
    /// In the system's words.
    pub stage: String,
    pub amount: String,
    /// When it is expected to close, `24 Dec 2026`.
    pub closes: String,
    /// Whose deal it is.
    pub system: String,
    /// The record's own page there.
    pub record: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityOfContact {
    pub id: String,
    pub kind: ActivityKind,
    pub title: String,
    /// Plain text of several lines.
    pub text: String,
    /// How it stands, in the system's words.
    pub state: String,
    /// When it was, or is due.
    pub at: Stamp,
    pub system: String,
}

impl ActivityOfContact {
    /// What stands in the first line.
    pub fn heading(&self) -> &str {
        let first = self.text.lines().next().unwrap_or_default();
        [self.title.as_str(), first].into_iter().find(|text| !text.is_empty()).unwrap_or("Without words")
    }

    /// What stands below it.
    pub fn rest(&self) -> &str {
        match self.title.is_empty() {
            true => self.text.split_once('\n').map(|(_, rest)| rest.trim_start()).unwrap_or_default(),
            false => &self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activity_without_a_title_is_called_by_its_first_line() {
        let of = |title: &str, text: &str| ActivityOfContact {
            id: String::new(),
            kind: ActivityKind::Note,
            title: title.to_owned(),
            text: text.to_owned(),
            state: String::new(),
            at: Stamp { text: String::new(), full: String::new(), utc: String::new() },
            system: String::new(),
        };
        let note = of("", "Wants a quote\n\nBy May.");
        assert_eq!((note.heading(), note.rest()), ("Wants a quote", "By May."));
        let call = of("Claim", "Reported.");
        assert_eq!((call.heading(), call.rest()), ("Claim", "Reported."));
        assert_eq!((of("", "").heading(), of("", "").rest()), ("Without words", ""));
    }
}
