//! How a conversation goes: a scenario is a path through steps, with turns taken by chance on the way.

use serde_json::{Value, json};

use super::slots::Slots;
use crate::rng::Rng;

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
pub enum Scenario {
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

impl Scenario {
    pub const ALL: [(Scenario, &'static str); 13] = [
        (Scenario::Booked, "booked"),
        (Scenario::Interested, "interested"),
        (Scenario::Callback, "callback"),
        (Scenario::Declined, "declined"),
        (Scenario::NotQualified, "not_qualified"),
        (Scenario::WrongPerson, "wrong_person"),
        (Scenario::DoNotCall, "do_not_call"),
        (Scenario::Confirmed, "confirmed"),
        (Scenario::Rescheduled, "rescheduled"),
        (Scenario::Solved, "solved"),
        (Scenario::Escalated, "escalated"),
        (Scenario::Survey, "survey"),
        (Scenario::Voicemail, "voicemail"),
    ];

    pub fn name(self) -> &'static str {
        Scenario::ALL.iter().find(|(scenario, _)| *scenario == self).map_or("", |(_, name)| name)
    }

    pub fn from_name(name: &str) -> Option<Scenario> {
        Scenario::ALL.iter().find(|(_, known)| *known == name).map(|(scenario, _)| *scenario)
    }

    /// A likely scenario for the family. `prompt` (lower case) tilts service calls towards what the agent is there for, and a prompt that
    /// says how to lead a call reaches its goal more often.
    pub fn draw(family: Family, prompt: &str, rng: &mut Rng) -> Scenario {
        let better = 1.0 + 0.55 * skill(prompt);
        if family == Family::Sales {
            return rng.weighted(&[
                (Scenario::Booked, 0.2 * better),
                (Scenario::Interested, 0.17),
                (Scenario::Callback, 0.15),
                (Scenario::Declined, 0.24),
                (Scenario::NotQualified, 0.12),
                (Scenario::WrongPerson, 0.07),
                (Scenario::DoNotCall, 0.04),
            ]);
        }
        let tilt = |words: &[&str]| {
            if words.iter().any(|word| prompt.contains(word)) { 1.0 } else { 0.25 }
        };
        let visits = tilt(&["appointment", "reminder", "termin", "cita", "rendez-vous", "policy"]);
        let support = tilt(&["support", "ticket", "problem", "troubleshoot", "help desk", "repair"]);
        let opinion = tilt(&["survey", "satisfaction", "satisfied", "feedback", "umfrage", "encuesta"]);
        rng.weighted(&[
            (Scenario::Confirmed, 0.12 * visits * better),
            (Scenario::Rescheduled, 0.06 * visits * better),
            (Scenario::Solved, 0.15 * support * better),
            (Scenario::Survey, 0.09 * opinion * better),
            (Scenario::Escalated, 0.04 + 0.08 * support),
            (Scenario::Callback, 0.19),
            (Scenario::Declined, 0.26),
            (Scenario::WrongPerson, 0.07),
            (Scenario::DoNotCall, 0.05),
        ])
    }

    /// A likely scenario when somebody rings the agent.
    pub fn draw_of_caller(prompt: &str, rng: &mut Rng) -> Scenario {
        let better = 1.0 + 0.4 * skill(prompt);
        rng.weighted(&[
            (Scenario::Booked, 0.15 * better),
            (Scenario::Rescheduled, 0.07 * better),
            (Scenario::Solved, 0.1 * better),
            (Scenario::Interested, 0.25),
            (Scenario::Callback, 0.21),
            (Scenario::Escalated, 0.15),
            (Scenario::WrongPerson, 0.07),
        ])
    }

    /// The steps of a call in which somebody rang the agent. Scenarios that begin with the agent's wish go as other calls do.
    pub fn steps_of_caller(self, rng: &mut Rng) -> Vec<&'static str> {
        let mut path: Vec<&'static str> = vec!["in_greet"];
        match self {
            Scenario::WrongPerson => path.push("in_wrong"),
            Scenario::Booked => {
                path.extend(["in_book", "in_name"]);
                maybe(&mut path, rng, 0.5, &["@crm_lookup"]);
                maybe(&mut path, rng, 0.2, &["@calendar_lookup!", "retry"]);
                path.extend(["@calendar_lookup", "slot", "@book_meeting", "booked", "bye"]);
            }
            Scenario::Rescheduled => {
                path.extend(["in_move", "reschedule", "in_name", "@calendar_lookup", "newslot"]);
                path.extend(["@reschedule_appointment", "rebooked", "bye"]);
            }
            Scenario::Solved => {
                path.extend(["in_problem", "in_name", "lookup", "@crm_lookup", "step", "solved"]);
                maybe(&mut path, rng, 0.3, &["rate_high"]);
                path.push("bye");
            }
            Scenario::Escalated => {
                path.push("in_problem");
                maybe(&mut path, rng, 0.6, &["angry"]);
                path.extend(["in_name", "lookup"]);
                path.push(if rng.chance(0.2) { "@crm_lookup!" } else { "@crm_lookup" });
                path.extend(["step", "not_solved", "@create_ticket", "escalate"]);
                maybe(&mut path, rng, 0.3, &["rate_low"]);
                path.push("bye");
            }
            Scenario::Callback => path.extend(["in_callback", "@schedule_callback", "bye"]),
            Scenario::Interested => {
                path.push("in_question");
                maybe(&mut path, rng, 0.5, &["question"]);
                path.extend(["send_info", "@send_email", "bye"]);
            }
            Scenario::Survey => return self.steps(Family::Care, rng),
            _ => return self.steps(Family::Sales, rng),
        }
        path
    }

    /// The steps of one run through this scenario. `@tool` is a tool call, `@tool!` one that fails.
    pub fn steps(self, family: Family, rng: &mut Rng) -> Vec<&'static str> {
        let mut path: Vec<&'static str> = Vec::new();
        match self {
            Scenario::Voicemail => {
                path.push("vm_greeting");
                path.push(if family == Family::Sales { "vm_sdr" } else { "vm_cs" });
                return path;
            }
            Scenario::WrongPerson => {
                path.extend(["greet", "wrong", "@crm_update"]);
                return path;
            }
            _ => path.extend(["greet", "yes"]),
        }
        match self {
            Scenario::Booked => {
                opening(&mut path, rng, 2);
                maybe(&mut path, rng, 0.8, &["ask_size"]);
                path.push("ask_need");
                maybe(&mut path, rng, 0.3, &["ask_when"]);
                path.push("offer");
                maybe(&mut path, rng, 0.25, &["@calendar_lookup!", "retry"]);
                path.extend(["@calendar_lookup", "slot", "@book_meeting", "booked", "bye"]);
            }
            Scenario::Interested => {
                opening(&mut path, rng, 1);
                maybe(&mut path, rng, 0.6, &["ask_size"]);
                path.extend(["ask_need", "send_info"]);
                path.push(if rng.chance(0.1) { "@send_email!" } else { "@send_email" });
                path.push("bye");
            }
            Scenario::Callback => {
                maybe(&mut path, rng, 0.5, &[if family == Family::Sales { "pitch" } else { "remind" }]);
                path.extend(["callback", "@schedule_callback", "bye"]);
            }
            Scenario::Declined if family == Family::Care => path.extend(["remind", "decline", "bye"]),
            Scenario::Declined => {
                opening(&mut path, rng, 2);
                maybe(&mut path, rng, 0.4, &["ask_need"]);
                path.extend(["decline", "bye"]);
            }
            Scenario::NotQualified => {
                opening(&mut path, rng, 1);
                path.extend(["ask_need", "too_small", "bye"]);
            }
            Scenario::DoNotCall => {
                maybe(&mut path, rng, 0.5, &[if family == Family::Sales { "pitch" } else { "remind" }]);
                path.extend(["dnc", "@crm_update"]);
            }
            Scenario::Confirmed => {
                maybe(&mut path, rng, 0.5, &["@crm_lookup"]);
                path.extend(["remind", "confirm"]);
                maybe(&mut path, rng, 0.5, &["prep"]);
                maybe(&mut path, rng, 0.5, &["rate_high"]);
                path.push("bye");
            }
            Scenario::Rescheduled => {
                path.extend(["remind", "reschedule"]);
                maybe(&mut path, rng, 0.2, &["@calendar_lookup!", "retry"]);
                path.extend(["@calendar_lookup", "newslot", "@reschedule_appointment", "rebooked"]);
                maybe(&mut path, rng, 0.5, &["prep"]);
                path.push("bye");
            }
            Scenario::Solved => {
                path.push("problem");
                maybe(&mut path, rng, 0.25, &["angry"]);
                path.extend(["lookup", "@crm_lookup"]);
                maybe(&mut path, rng, 0.45, &["step", "not_solved"]);
                path.extend(["step", "solved"]);
                maybe(&mut path, rng, 0.8, &["rate_high"]);
                path.push("bye");
            }
            Scenario::Escalated => {
                path.push("problem");
                maybe(&mut path, rng, 0.6, &["angry"]);
                path.push("lookup");
                path.push(if rng.chance(0.3) { "@crm_lookup!" } else { "@crm_lookup" });
                path.extend(["step", "not_solved"]);
                maybe(&mut path, rng, 0.4, &["step", "not_solved"]);
                path.extend(["@create_ticket", "escalate"]);
                maybe(&mut path, rng, 0.5, &["rate_low"]);
                path.push("bye");
            }
            Scenario::Survey => {
                path.push("survey");
                if rng.chance(0.72) {
                    path.extend(["rate_high", "why_high"]);
                } else {
                    path.extend(["rate_low", "why_low"]);
                }
                path.extend(["@save_survey", "bye"]);
            }
            Scenario::Voicemail | Scenario::WrongPerson => {}
        }
        path
    }
}

/// 0 to 1: whether a prompt (lower case) tells the agent how to lead a call, by offering two times and asking one thing at a time.
fn skill(prompt: &str) -> f64 {
    const OFFERS: [&str; 5] = ["two times", "two dates", "zwei termine", "dos fechas", "deux dates"];
    const ASKS: [&str; 5] = [
        "one question at a time",
        "eine frage nach der anderen",
        "una pregunta cada vez",
        "une question à la fois",
        "one thing at a time",
    ];
    let has = |words: &[&str]| if words.iter().any(|word| prompt.contains(word)) { 0.5 } else { 0.0 };
    has(&OFFERS) + has(&ASKS)
}

/// The pitch, and up to `most` different objections; a question takes the place of one.
fn opening(path: &mut Vec<&'static str>, rng: &mut Rng, most: usize) {
    path.push("pitch");
    let asks = rng.chance(0.5);
    if asks {
        path.push("question");
    }
    let mut objections = vec!["obj_price", "obj_time", "obj_vendor", "obj_trust"];
    for _ in 0..rng.below(most + 1).min(most - usize::from(asks)) {
        path.push(objections.swap_remove(rng.below(objections.len())));
    }
}

fn maybe(path: &mut Vec<&'static str>, rng: &mut Rng, probability: f64, steps: &[&'static str]) {
    if rng.chance(probability) {
        path.extend_from_slice(steps);
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
