//! Events as pages tell them. Files and the API give what was written down, word for word.

use chrono::{DateTime, Utc};

use crate::model::AuditField;
use patchbay_shared::zone::{self, Tz};

/// A value of which a page is told: an instant in the reader's zone, to the second; else as it is.
fn told(text: String, now: DateTime<Utc>, zone: Tz) -> String {
    // `2026-11-20T16:42:08Z`, with or without parts of a second.
    let may_be = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
    let at = may_be.then(|| DateTime::parse_from_rfc3339(&text).ok()).flatten();
    at.map_or(text, |at| zone::exact(at.to_utc(), now, zone).text)
}

pub(super) fn told_field(field: AuditField, now: DateTime<Utc>, zone: Tz) -> AuditField {
    let side = |text: Option<String>| text.map(|text| told(text, now, zone));
    AuditField { before: side(field.before), after: side(field.after), ..field }
}

pub(super) fn told_changes(
    changes: Vec<(String, String, String)>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<(String, String, String)> {
    changes.into_iter().map(|(field, old, new)| (field, told(old, now, zone), told(new, now, zone))).collect()
}

/// A part of Patchbay under the name that people know: `Patchbay (batch)` for the job `run_batch`.
pub(super) fn machine_words(actor: &str) -> String {
    let name = actor.strip_prefix("Patchbay (").and_then(|rest| rest.strip_suffix(')'));
    let words = match name {
        Some("run_batch") => "batch",
        Some("sync_agent") => "agent sync",
        Some("look_at_budget") => "budget",
        Some("follow_call") => "call",
        Some("fetch_recording") => "recording",
        Some("send_mail") => "mail",
        Some("CheckImport" | "RunImport") => "import",
        Some("import_past_calls") => "import of past calls",
        Some("check_calls" | "close_call_gaps") => "check of calls",
        Some("order_number") => "number order",
        Some("index_knowledge" | "embed_knowledge" | "delete_knowledge_file" | "empty_knowledge_collection") => {
            "knowledge"
        }
        Some("AddContacts") => "contacts",
        _ => return actor.to_owned(),
    };
    format!("Patchbay ({words})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_in_the_readers_zone_and_other_words_are_left_alone() {
        let now = "2026-11-20T22:30:00Z".parse::<DateTime<Utc>>().expect("a time");
        for (text, is_told) in [
            ("2026-11-20T08:15:04.123456Z", "Today 09:15:04"),
            ("2026-12-05T08:00:00+00:00", "Sat 5 Dec, 09:00:00"),
            ("2026-11-20", "2026-11-20"),
            ("Renamed Territory, of the north", "Renamed Territory, of the north"),
            ("ä2345678äT1234567890", "ä2345678äT1234567890"),
            ("", ""),
        ] {
            assert_eq!(told(text.to_owned(), now, zone::zone("Europe/Zurich")), is_told);
        }
    }

    #[test]
    fn parts_of_patchbay_have_names_and_people_keep_theirs() {
        assert_eq!(machine_words("Patchbay (run_batch)"), "Patchbay (batch)");
        for same in ["Patchbay (command line)", "run_batch", "Mara Velez", ""] {
            assert_eq!(machine_words(same), same);
        }
    }
}
