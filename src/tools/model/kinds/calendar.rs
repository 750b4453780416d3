use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::{check_address, origin};
use super::{FieldSpec, Function, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;
use patchbay_shared::zones::ZONES;

/// The service's own address.
const USUAL_ADDRESS: &str = "https://api.cal.com/v2";
/// The longest name of such a tool: `_reschedule` stands behind it.
pub const LONGEST_CALENDAR_NAME: usize = 50;

/// Appointments in a calendar at Cal.com.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    pub address: String,
    pub event_type: u64,
    pub time_zone: String,
}

impl Calendar {
    /// What a new one begins with.
    pub fn usual() -> Values {
        let all = [("address", USUAL_ADDRESS), ("time_zone", "UTC")];
        all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl KindConfig for Calendar {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "event_type",
                "Event type",
                Input::Line,
                "Its number at Cal.com: the last part of the address of its page there.",
            )
            .required(),
            FieldSpec::new(
                "calendar_key",
                "API key",
                Input::Secret,
                "Begins with cal_. Stored encrypted and never shown again; left empty, the stored one stays.",
            ),
            FieldSpec::new(
                "time_zone",
                "Time zone",
                Input::Line,
                "In which times are told, for example Europe/Vienna.",
            )
            .required(),
            FieldSpec::new("address", "Address", Input::Line, "Another one only for a Cal.com of your own.").required(),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let address = value(values, "address").trim_end_matches('/').to_owned();
        if let Err(message) = check_address(&address, &Value::Null) {
            errors.add("address", message);
        } else if address.contains(['?', '{']) {
            errors.add("address", "Leave out the part from ? on, and braces.");
        }
        let event_type = value(values, "event_type").parse().ok().filter(|number| *number > 0);
        if event_type.is_none() {
            errors.add("event_type", "Enter the number of the event type: the last part of its address at Cal.com.");
        }
        let time_zone = value(values, "time_zone").to_owned();
        if time_zone != "UTC" && !ZONES.contains(&time_zone.as_str()) {
            errors.add("time_zone", "Write a time zone by its city, for example Europe/Vienna, or UTC.");
        }
        let key = value(values, "calendar_key");
        if key.len() > 500 || !key.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
            errors.add("calendar_key", "The key holds characters that no key has. Copy it again.");
        }
        Self { address, event_type: event_type.unwrap_or_default(), time_zone }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        vec![
            ("address", self.address.clone()),
            ("event_type", self.event_type.to_string()),
            ("time_zone", self.time_zone.clone()),
        ]
    }

    fn summary(&self) -> String {
        let host = origin(&self.address).split_once("://").map_or("", |(_, host)| host);
        format!("Event type {} at {host}", self.event_type)
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": {} })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn seconds(&self) -> u32 {
        15
    }

    fn address(&self) -> Option<&str> {
        Some(&self.address)
    }

    fn functions(&self, tool: &str) -> Option<Vec<Function>> {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let function = |end: &str, about: &str, properties: Value, required: &[&str]| Function {
            name: format!("{tool}_{end}"),
            description: about.to_owned(),
            parameters: json!({ "type": "object", "properties": properties, "required": required }),
        };
        let zone = &self.time_zone;
        let start = format!("A free time, exactly as {tool}_slots lists it.");
        let booking = format!("The booking, as {tool}_list or {tool}_book names it.");
        Some(vec![
            function(
                "slots",
                &format!(
                    "Lists free times for an appointment, in the time zone {zone}. Use it before you offer a time."
                ),
                json!({
                    "from": text("The first day, as 2026-03-02. Left out: today."),
                    "days": { "type": "integer", "description": "How many days to look at, 1 to 14. Left out: 7." },
                }),
                &[],
            ),
            function(
                "book",
                "Books a free time for the person on the call. Repeat the time to them first, and book only after they agree.",
                json!({
                    "start": text(&start),
                    "name": text("Their full name."),
                    "email": text("Their e-mail address. Left out: the one that is stored for them."),
                    "notes": text("What the appointment is about."),
                }),
                &["start", "name"],
            ),
            function("list", "Lists the coming appointments of the person on the call.", json!({}), &[]),
            function(
                "cancel",
                "Cancels an appointment of the person on the call, after they have said so.",
                json!({ "booking": text(&booking), "reason": text("Why, in a few words.") }),
                &["booking"],
            ),
            function(
                "reschedule",
                "Moves an appointment of the person on the call to another free time, after they agree.",
                json!({ "booking": text(&booking), "start": text(&start), "reason": text("Why, in a few words.") }),
                &["booking", "start"],
            ),
        ])
    }
}
