//! The two summaries the voice provider writes when a call has ended. They are in English, whatever was spoken.

use super::scenarios::Scenario;
use super::slots::Slots;
use super::trades::Trade;

/// A conversation that is told.
pub struct Told<'a> {
    pub slots: &'a Slots,
    pub steps: &'a [&'static str],
    pub trade: Trade,
    pub inbound: bool,
}

impl Told<'_> {
    /// The short and the long summary.
    pub fn write(&self, scenario: Scenario, english: bool) -> (String, String) {
        let Told { slots, steps, trade, inbound } = self;
        let name = &slots.name;
        // Days and products stand in the language of the call, and would read oddly in an English sentence.
        let when = |day: &str, time: &str, lead: &str| {
            if english { format!("{lead}{day} at {time}") } else { String::new() }
        };
        let short = match scenario {
            Scenario::Booked if trade.is_private() => {
                format!("{} booked with {name}{}.", trade.booking(), when(&slots.day, &slots.time, " for "))
            }
            Scenario::Booked => format!("Meeting booked with {name}{}.", when(&slots.day, &slots.time, " for ")),
            Scenario::Interested => format!("{name} asked for written information."),
            Scenario::Callback if *inbound => {
                format!("{name} asked to be called back{}.", when(&slots.day, &slots.time, " on "))
            }
            Scenario::Callback => {
                format!("{name} was busy; a callback was agreed{}.", when(&slots.day, &slots.time, " for "))
            }
            Scenario::Declined => format!("{name} is not interested."),
            Scenario::NotQualified => format!("{name} is not a fit at present."),
            Scenario::WrongPerson if *inbound => "Somebody had dialled a wrong number.".to_owned(),
            Scenario::WrongPerson => format!("The number does not belong to {name}."),
            Scenario::DoNotCall => format!("{name} asked not to be called again."),
            Scenario::Confirmed => {
                format!("{name} confirmed the appointment{}.", when(&slots.day, &slots.time, " on "))
            }
            Scenario::Rescheduled => {
                format!("The appointment of {name} was moved{}.", when(&slots.day2, &slots.time2, " to "))
            }
            Scenario::Solved => format!("The problem of {name} was solved during the call."),
            Scenario::Escalated => format!("Not solved; escalated as ticket {}.", slots.ticket),
            Scenario::Survey if steps.contains(&"rate_high") => {
                format!("{name} rated the service {} of 5.", slots.high)
            }
            Scenario::Survey => format!("{name} rated the service {} of 5.", slots.low),
            Scenario::Voicemail => format!("Reached the voicemail of {name} and left a message."),
        };
        let mut long = match scenario {
            Scenario::Voicemail => format!("The call to {name} was answered by a voicemail."),
            Scenario::WrongPerson if *inbound => format!("Somebody rang {}.", slots.agency),
            _ if *inbound => format!("{name} rang {} and spoke with {}.", slots.agency, slots.agent),
            Scenario::WrongPerson => format!("{} called for {} and asked for {name}.", slots.agent, slots.agency),
            _ if trade.is_private() => format!("{} called {name} for {}.", slots.agent, slots.agency),
            _ => format!("{} called {name} of {} for {}.", slots.agent, slots.company, slots.agency),
        };
        for step in *steps {
            let sentence = match *step {
                "pitch" if english && !trade.is_private() => format!("The agent presented {}.", slots.product),
                "question" => "The customer asked how it works.".to_owned(),
                "obj_price" => "The customer was worried about the price.".to_owned(),
                "obj_time" => "The customer had little time.".to_owned(),
                "obj_vendor" => "The customer already has a supplier.".to_owned(),
                "obj_trust" => "The customer asked who or what was calling.".to_owned(),
                "ask_size" if !trade.is_private() => format!("The team has about {} people.", slots.count),
                "problem" => "The customer described a problem with the service.".to_owned(),
                "angry" => "The customer was upset, and the agent apologised.".to_owned(),
                "not_solved" => "A first attempt did not help.".to_owned(),
                "rate_high" => format!("The call was rated {} of 5.", slots.high),
                "rate_low" => format!("The call was rated {} of 5.", slots.low),
                "@calendar_lookup!" => "The calendar failed once and answered on the second attempt.".to_owned(),
                _ => continue,
            };
            if !long.contains(&sentence) {
                long.push(' ');
                long.push_str(&sentence);
            }
        }
        long.push(' ');
        long.push_str(&short);
        (short, long)
    }
}
