//! What a business is in. A trade has words of its own for some steps, in the languages that it speaks; for all others the general ones do.
//! Its tools have its names, and answer with what they were asked about.

mod dental;
mod hotel;
mod insurance;
mod property;
mod solar;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::language::{Language, Speech, Steps, read_script};
use super::slots::Slots;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trade {
    General,
    Dental,
    Solar,
    Property,
    Hotel,
    Insurance,
}

const SCRIPTS: [(Trade, Language, &str); 7] = [
    (Trade::Dental, Language::German, dental::GERMAN),
    (Trade::Dental, Language::French, dental::FRENCH),
    (Trade::Solar, Language::English, solar::ENGLISH),
    (Trade::Property, Language::English, property::ENGLISH),
    (Trade::Hotel, Language::Spanish, hotel::SPANISH),
    (Trade::Hotel, Language::English, hotel::ENGLISH),
    (Trade::Insurance, Language::Hindi, insurance::HINDI),
];

static STEPS: LazyLock<HashMap<(Trade, Language), Steps>> = LazyLock::new(|| {
    SCRIPTS.iter().map(|(trade, language, script)| ((*trade, *language), read_script(script))).collect()
});

impl Trade {
    /// As the agent's prompt sounds.
    pub fn of(prompt: &str) -> Trade {
        let prompt = prompt.to_lowercase();
        let words: [(Trade, &[&str]); 5] = [
            (Trade::Dental, &["dental", "zahnarzt", "dentist", "dentaire"]),
            (Trade::Solar, &["solar"]),
            (Trade::Property, &["property manager", "tenant", "repair"]),
            (Trade::Hotel, &["hotel"]),
            (Trade::Insurance, &["insurance", "policy", "बीमा"]),
        ];
        let heard = words.iter().find(|(_, words)| words.iter().any(|word| prompt.contains(word)));
        heard.map_or(Trade::General, |(trade, _)| *trade)
    }

    /// The ways to say a step; empty for a step that there are no words for.
    pub fn step(self, language: Language, name: &str) -> &'static [Vec<Speech>] {
        let own = STEPS.get(&(self, language)).and_then(|steps| steps.get(name));
        own.map_or_else(|| language.step(name), Vec::as_slice)
    }

    /// Whether it calls people at home rather than businesses.
    pub fn is_private(self) -> bool {
        self != Trade::General
    }

    /// What is booked with it.
    pub fn booking(self) -> &'static str {
        match self {
            Trade::General => "Meeting",
            Trade::Dental => "Appointment",
            Trade::Solar => "Site visit",
            Trade::Property => "Visit",
            Trade::Hotel => "Room",
            Trade::Insurance => "Advisor",
        }
    }

    /// Its name for a tool.
    pub fn tool(self, tool: &'static str) -> &'static str {
        match (self, tool) {
            (Trade::Dental, "crm_lookup") => "patient_lookup",
            (Trade::Dental, "book_meeting") => "book_appointment",
            (Trade::Solar, "crm_lookup") => "lead_lookup",
            (Trade::Solar, "book_meeting") => "book_site_visit",
            (Trade::Property, "crm_lookup") => "tenancy_lookup",
            (Trade::Property, "book_meeting" | "reschedule_appointment") => "book_tradesperson",
            (Trade::Hotel, "crm_lookup") => "booking_lookup",
            (Trade::Hotel, "book_meeting") => "book_room",
            (Trade::Hotel, "reschedule_appointment") => "change_booking",
            (Trade::Insurance, "crm_lookup") => "policy_lookup",
            (Trade::Insurance, "book_meeting") => "book_advisor",
            (_, other) => other,
        }
    }

    /// What a look-up was asked and what it found: the person on the line. None for tools that all trades share.
    pub fn lookup(self, slots: &Slots) -> Option<(Value, Value)> {
        let Slots { name, number, ticket, count, .. } = slots;
        Some(match self {
            Trade::General => return None,
            Trade::Dental => (
                json!({"patient": name}),
                json!({"patient": name, "file": format!("P-{number}"), "last_check_up": "2026-05", "recall_due": true, "open_treatments": 0}),
            ),
            Trade::Solar => (
                json!({"name": name}),
                json!({"name": name, "lead": format!("L-{number}"), "roof": "owned, south-west", "monthly_bill_usd": 90 + count * 3}),
            ),
            Trade::Property => (
                json!({"tenant": name}),
                json!({"tenant": name, "flat": format!("{}{}", 1 + count % 40, ["A", "B", "C"][count % 3]), "repair": format!("R-{ticket}"), "reported_days_ago": 3 + count % 9}),
            ),
            Trade::Hotel => (
                json!({"guest": name}),
                json!({"guest": name, "booking": format!("H-{ticket}"), "nights": 2 + count % 6, "room": "double, sea view"}),
            ),
            Trade::Insurance => (
                json!({"holder": name}),
                json!({"holder": name, "policy": format!("PB-{number}"), "premium_inr": 4_000 + count * 150, "due_in_days": 5 + count % 20}),
            ),
        })
    }
}
