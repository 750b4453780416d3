//! How a conversation goes: a plot is a path through beats, with turns taken by chance on the way.

use serde_json::{Value, json};

use super::slots::Slots;
use crate::dice::Dice;

/// What kind of campaign the call belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Outreach: qualify somebody and book a meeting.
    Sales,
    /// Service: reminders, problems, satisfaction.
    Care,
}

/// How an answered call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plot {
    Booked,
    Interested,
    Callback,
    Declined,
    NotQualified,
    WrongPerson,
    DoNotCall,
    Confirmed,
    Rescheduled,
    Solved,
    Escalated,
    Survey,
    Voicemail,
}

impl Plot {
    pub const ALL: [(Plot, &'static str); 13] = [
        (Plot::Booked, "booked"),
        (Plot::Interested, "interested"),
        (Plot::Callback, "callback"),
        (Plot::Declined, "declined"),
        (Plot::NotQualified, "not_qualified"),
        (Plot::WrongPerson, "wrong_person"),
        (Plot::DoNotCall, "do_not_call"),
        (Plot::Confirmed, "confirmed"),
        (Plot::Rescheduled, "rescheduled"),
        (Plot::Solved, "solved"),
        (Plot::Escalated, "escalated"),
        (Plot::Survey, "survey"),
        (Plot::Voicemail, "voicemail"),
    ];

    pub fn name(self) -> &'static str {
        Plot::ALL.iter().find(|(plot, _)| *plot == self).map_or("", |(_, name)| name)
    }

    pub fn from_name(name: &str) -> Option<Plot> {
        Plot::ALL.iter().find(|(_, known)| *known == name).map(|(plot, _)| *plot)
    }

    /// A likely plot for the family. `prompt` (lower case) tilts service calls towards what the agent is there for.
    pub fn draw(family: Family, prompt: &str, dice: &mut Dice) -> Plot {
        if family == Family::Sales {
            return dice.weighted(&[
                (Plot::Booked, 0.24),
                (Plot::Interested, 0.15),
                (Plot::Callback, 0.15),
                (Plot::Declined, 0.24),
                (Plot::NotQualified, 0.11),
                (Plot::WrongPerson, 0.07),
                (Plot::DoNotCall, 0.04),
            ]);
        }
        let tilt = |words: &[&str]| {
            if words.iter().any(|word| prompt.contains(word)) { 6.0 } else { 1.0 }
        };
        let visits = tilt(&["appointment", "reminder", "termin", "cita", "rendez-vous"]);
        let support = tilt(&["support", "ticket", "problem", "troubleshoot", "help desk"]);
        let opinion = tilt(&["survey", "satisfaction", "feedback", "umfrage", "encuesta"]);
        dice.weighted(&[
            (Plot::Confirmed, 0.26 * visits),
            (Plot::Rescheduled, 0.14 * visits),
            (Plot::Solved, 0.24 * support),
            (Plot::Escalated, 0.11 * support),
            (Plot::Survey, 0.20 * opinion),
            (Plot::WrongPerson, 0.05),
        ])
    }

    /// The beats of one run through this plot. `@tool` is a tool call, `@tool!` one that fails.
    pub fn beats(self, family: Family, dice: &mut Dice) -> Vec<&'static str> {
        let mut path: Vec<&'static str> = Vec::new();
        match self {
            Plot::Voicemail => {
                path.push("vm_greeting");
                path.push(if family == Family::Sales { "vm_sdr" } else { "vm_cs" });
                return path;
            }
            Plot::WrongPerson => {
                path.extend(["greet", "wrong", "@crm_update"]);
                return path;
            }
            _ => path.extend(["greet", "yes"]),
        }
        match self {
            Plot::Booked => {
                opening(&mut path, dice, 2);
                maybe(&mut path, dice, 0.8, &["ask_size"]);
                path.push("ask_need");
                maybe(&mut path, dice, 0.3, &["ask_when"]);
                path.push("offer");
                maybe(&mut path, dice, 0.25, &["@calendar_lookup!", "retry"]);
                path.extend(["@calendar_lookup", "slot", "@book_meeting", "booked", "bye"]);
            }
            Plot::Interested => {
                opening(&mut path, dice, 1);
                maybe(&mut path, dice, 0.6, &["ask_size"]);
                path.extend(["ask_need", "send_info"]);
                path.push(if dice.chance(0.1) { "@send_email!" } else { "@send_email" });
                path.push("bye");
            }
            Plot::Callback => {
                maybe(&mut path, dice, 0.5, &["pitch"]);
                path.extend(["callback", "@schedule_callback", "bye"]);
            }
            Plot::Declined => {
                opening(&mut path, dice, 2);
                maybe(&mut path, dice, 0.4, &["ask_need"]);
                path.extend(["decline", "bye"]);
            }
            Plot::NotQualified => {
                opening(&mut path, dice, 1);
                path.extend(["ask_need", "too_small", "bye"]);
            }
            Plot::DoNotCall => {
                maybe(&mut path, dice, 0.5, &["pitch"]);
                path.extend(["dnc", "@crm_update"]);
            }
            Plot::Confirmed => {
                maybe(&mut path, dice, 0.5, &["@crm_lookup"]);
                path.extend(["remind", "confirm"]);
                maybe(&mut path, dice, 0.5, &["prep"]);
                maybe(&mut path, dice, 0.5, &["rate_high"]);
                path.push("bye");
            }
            Plot::Rescheduled => {
                path.extend(["remind", "reschedule"]);
                maybe(&mut path, dice, 0.2, &["@calendar_lookup!", "retry"]);
                path.extend(["@calendar_lookup", "newslot", "@reschedule_appointment", "rebooked"]);
                maybe(&mut path, dice, 0.5, &["prep"]);
                path.push("bye");
            }
            Plot::Solved => {
                path.push("problem");
                maybe(&mut path, dice, 0.25, &["angry"]);
                path.extend(["lookup", "@crm_lookup"]);
                maybe(&mut path, dice, 0.45, &["step", "not_solved"]);
                path.extend(["step", "solved"]);
                maybe(&mut path, dice, 0.8, &["rate_high"]);
                path.push("bye");
            }
            Plot::Escalated => {
                path.push("problem");
                maybe(&mut path, dice, 0.6, &["angry"]);
                path.push("lookup");
                path.push(if dice.chance(0.3) { "@crm_lookup!" } else { "@crm_lookup" });
                path.extend(["step", "not_solved"]);
                maybe(&mut path, dice, 0.4, &["step", "not_solved"]);
                path.extend(["@create_ticket", "escalate"]);
                maybe(&mut path, dice, 0.5, &["rate_low"]);
                path.push("bye");
            }
            Plot::Survey => {
                path.push("survey");
                if dice.chance(0.72) {
                    path.extend(["rate_high", "why_high"]);
                } else {
                    path.extend(["rate_low", "why_low"]);
                }
                path.extend(["@save_survey", "bye"]);
            }
            Plot::Voicemail | Plot::WrongPerson => {}
        }
        path
    }
}

/// The pitch, and up to `most` different objections; a question takes the place of one.
fn opening(path: &mut Vec<&'static str>, dice: &mut Dice, most: usize) {
    path.push("pitch");
    let asks = dice.chance(0.5);
    if asks {
        path.push("question");
    }
    let mut objections = vec!["obj_price", "obj_time", "obj_vendor", "obj_trust"];
    for _ in 0..dice.below(most + 1).min(most - usize::from(asks)) {
        path.push(objections.swap_remove(dice.below(objections.len())));
    }
}

fn maybe(path: &mut Vec<&'static str>, dice: &mut Dice, probability: f64, beats: &[&'static str]) {
    if dice.chance(probability) {
        path.extend_from_slice(beats);
    }
}

/// What a tool was asked, and what it answered when it works.
pub fn tool_messages(tool: &str, slots: &Slots) -> (Value, Value) {
    match tool {
        "calendar_lookup" => (
            json!({"days": [slots.day, slots.day2], "duration_minutes": 20}),
            json!({"slots": [{"day": slots.day, "time": slots.time}, {"day": slots.day2, "time": slots.time2}]}),
        ),
        "book_meeting" => (
            json!({"name": slots.name, "email": slots.email, "day": slots.day, "time": slots.time}),
            json!({"status": "booked", "reference": slots.ticket}),
        ),
        "reschedule_appointment" => (
            json!({"customer": slots.name, "day": slots.day2, "time": slots.time2}),
            json!({"status": "moved", "reference": slots.ticket}),
        ),
        "schedule_callback" => {
            (json!({"name": slots.name, "day": slots.day, "time": slots.time}), json!({"status": "scheduled"}))
        }
        "send_email" => (json!({"to": slots.email, "template": "overview"}), json!({"status": "queued"})),
        "crm_lookup" => (
            json!({"customer_number": slots.number}),
            json!({"name": slots.name, "company": slots.company, "customer_since": 2021, "open_tickets": 1}),
        ),
        "create_ticket" => (
            json!({"customer": slots.name, "priority": "high"}),
            json!({"ticket": slots.ticket, "queue": "second_line"}),
        ),
        "save_survey" => (json!({"customer": slots.name}), json!({"status": "saved"})),
        _ => (json!({"name": slots.name, "company": slots.company}), json!({"status": "updated"})),
    }
}
