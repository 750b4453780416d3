//! The words of an analysis.

use super::super::conversation::{Cue, Scenario};
use super::Facts;

impl Facts {
    pub fn topics(&self) -> Vec<&'static str> {
        const WORDS: [(&str, &[&str]); 4] = [
            ("billing", &["invoice", "rechnung", "factura", "facture", "बिल", "બિલ"]),
            ("account access", &["sign in", "anmelden", "no puedo entrar", "me connecter", "लॉग इन", "લોગ ઇન"]),
            ("appointment", &["appointment", "termin ", "su cita", "rendez-vous", "अपॉइंटमेंट", "અપોઇન્ટમેન્ટ"]),
            ("email delivery", &["confirmation emails"]),
        ];
        const CUES: [(Cue, &str); 8] = [
            (Cue::Price, "pricing"),
            (Cue::Vendor, "current supplier"),
            (Cue::Busy, "availability"),
            (Cue::Trust, "trust"),
            (Cue::Booked, "meeting"),
            (Cue::Callback, "callback"),
            (Cue::Survey, "feedback"),
            (Cue::Escalated, "escalation"),
        ];
        let mut out: Vec<&'static str> = Vec::new();
        for (cue, topic) in CUES {
            if self.heard(cue).is_some() && !(cue.is_objection() && self.objections().is_empty()) {
                out.push(topic);
            }
        }
        let all = self.lines.iter().map(|line| line.text.to_lowercase()).collect::<Vec<_>>().join("\n");
        out.extend(
            WORDS.iter().filter(|(_, words)| words.iter().any(|word| all.contains(word))).map(|(topic, _)| *topic),
        );
        out
    }

    pub fn follow_ups(&self) -> Vec<&'static str> {
        match self.verdict {
            Some(Scenario::Booked) => {
                vec!["Send the calendar invitation.", "Prepare the specialist with the customer's needs."]
            }
            Some(Scenario::Interested) => {
                vec!["Send the promised information by email.", "Call again after the customer has read it."]
            }
            Some(Scenario::Callback) => vec!["Call again at the agreed time."],
            Some(Scenario::WrongPerson) => vec!["Correct the contact's record."],
            Some(Scenario::DoNotCall) => vec!["Keep the number on the do-not-call list."],
            Some(Scenario::Rescheduled) => vec!["Send a message with the new time."],
            Some(Scenario::Escalated) => vec!["Second line calls the customer back about the ticket."],
            Some(Scenario::Voicemail) => vec!["Try again at another time of day."],
            Some(Scenario::Survey) if self.satisfaction() <= 2 => {
                vec!["Look into the complaint and answer the customer."]
            }
            _ => Vec::new(),
        }
    }

    pub fn summary(&self) -> String {
        let end = match self.verdict {
            Some(Scenario::Booked) => "The customer agreed to a meeting, and it was booked.",
            Some(Scenario::Interested) => "The customer asked for written information first.",
            Some(Scenario::Callback) => "The customer couldn't talk and agreed to another call.",
            Some(Scenario::Declined) => "The customer is not interested.",
            Some(Scenario::NotQualified) => "The customer is not a fit at present.",
            Some(Scenario::WrongPerson) => "The number does not reach the wanted person.",
            Some(Scenario::DoNotCall) => "The customer asked not to be called again.",
            Some(Scenario::Confirmed) => "The customer confirmed the appointment.",
            Some(Scenario::Rescheduled) => "The appointment was moved to another time.",
            Some(Scenario::Solved) => "The customer's problem was solved during the call.",
            Some(Scenario::Escalated) => "The problem was not solved and went to second line.",
            Some(Scenario::Survey) => "The customer answered the survey.",
            Some(Scenario::Voicemail) => "A voicemail answered, and the agent left a message.",
            None => "The conversation ended without a clear result.",
        };
        let mut out = end.to_owned();
        let objections: Vec<&str> = self.objections().iter().map(|finding| label(finding.cue)).collect();
        if !objections.is_empty() {
            out.push_str(&format!(" Objections: {}.", objections.join(", ").to_lowercase()));
        }
        if let Some(rating) = self.rating {
            out.push_str(&format!(" The customer gave {rating} of 5."));
        }
        out
    }
}

/// A short name for what was heard.
pub(crate) fn label(cue: Cue) -> &'static str {
    match cue {
        Cue::Booked => "Meeting booked",
        Cue::Interested => "Wants information",
        Cue::Callback => "Callback agreed",
        Cue::Confirmed => "Appointment confirmed",
        Cue::Rescheduled => "Appointment moved",
        Cue::Escalated => "Escalated",
        Cue::Survey => "Survey",
        Cue::Rating => "Rating asked",
        Cue::Declined => "Not interested",
        Cue::NotQualified => "Not a fit",
        Cue::WrongPerson => "Wrong person",
        Cue::DoNotCall => "Asked not to be called",
        Cue::Solved => "Problem solved",
        Cue::NotSolved => "Problem",
        Cue::Price => "Price",
        Cue::Busy => "No time",
        Cue::Vendor => "Has a supplier",
        Cue::Trust => "Trust",
        Cue::Angry => "Upset",
        Cue::Happy => "Pleased",
        Cue::Voicemail => "Voicemail",
    }
}
