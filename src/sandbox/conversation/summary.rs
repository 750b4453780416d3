//! The two summaries the voice provider writes when a call has ended. They are in English, whatever was spoken.

use super::plots::Plot;
use super::slots::Slots;

/// The short and the long summary.
pub fn write(plot: Plot, slots: &Slots, beats: &[&str], english: bool) -> (String, String) {
    let name = &slots.name;
    // Days and products stand in the language of the call, and would read oddly in an English sentence.
    let when = |day: &str, time: &str, lead: &str| {
        if english { format!("{lead}{day} at {time}") } else { String::new() }
    };
    let short = match plot {
        Plot::Booked => format!("Meeting booked with {name}{}.", when(&slots.day, &slots.time, " for ")),
        Plot::Interested => format!("{name} asked for written information."),
        Plot::Callback => format!("{name} was busy; a callback was agreed{}.", when(&slots.day, &slots.time, " for ")),
        Plot::Declined => format!("{name} is not interested."),
        Plot::NotQualified => format!("{name} is not a fit at present."),
        Plot::WrongPerson => format!("The number does not belong to {name}."),
        Plot::DoNotCall => format!("{name} asked not to be called again."),
        Plot::Confirmed => format!("{name} confirmed the appointment{}.", when(&slots.day, &slots.time, " on ")),
        Plot::Rescheduled => format!("The appointment of {name} was moved{}.", when(&slots.day2, &slots.time2, " to ")),
        Plot::Solved => format!("The problem of {name} was solved during the call."),
        Plot::Escalated => format!("Not solved; escalated as ticket {}.", slots.ticket),
        Plot::Survey if beats.contains(&"rate_high") => {
            format!("{name} rated the service {} of 5.", slots.high)
        }
        Plot::Survey => format!("{name} rated the service {} of 5.", slots.low),
        Plot::Voicemail => format!("Reached the voicemail of {name} and left a message."),
    };
    let mut long = match plot {
        Plot::Voicemail => format!("The call to {name} was answered by a voicemail."),
        Plot::WrongPerson => format!("{} called for {} and asked for {name}.", slots.agent, slots.agency),
        _ => format!("{} called {name} of {} for {}.", slots.agent, slots.company, slots.agency),
    };
    for beat in beats {
        let sentence = match *beat {
            "pitch" if english => format!("The agent presented {}.", slots.product),
            "question" => "The customer asked how it works.".to_owned(),
            "obj_price" => "The customer was worried about the price.".to_owned(),
            "obj_time" => "The customer had little time.".to_owned(),
            "obj_vendor" => "The customer already has a supplier.".to_owned(),
            "obj_trust" => "The customer asked who or what was calling.".to_owned(),
            "ask_size" => format!("The team has about {} people.", slots.count),
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
