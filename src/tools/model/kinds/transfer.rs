use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::number;
use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;
use patchbay_shared::window::{CallingWindow, clock, day_name};

const MOST_DESTINATIONS: usize = 10;
const LONGEST_NAME: usize = 60;
const LONGEST_WHEN: usize = 200;
const LONGEST_WORDS: usize = 300;

/// What an agent says while it rings, where nobody has written anything else.
const USUAL_WORDS: &str = "One moment please, I am putting you through.";

/// Gives the caller to a person. The model chooses among destinations that somebody has fixed; it never gives a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    pub destinations: Vec<Destination>,
    pub ring_seconds: u32,
    /// What the agent says while it rings.
    pub words: String,
    /// When nobody answers, the next destination is rung, in the order of the list.
    pub goes_on: bool,
}

/// Somebody who can be rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// What the model calls it.
    pub name: String,
    /// E.164 once it is saved.
    pub number: String,
    /// When the model should choose it.
    #[serde(default)]
    pub when: String,
    /// In the agency's zone. None: at any hour.
    #[serde(default)]
    pub hours: Option<CallingWindow>,
}

impl Transfer {
    /// What the form of a new tool begins with.
    pub fn usual() -> Values {
        let usual = [("ring_seconds", "25"), ("ring_words", USUAL_WORDS), ("no_answer", "agent")];
        usual.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}

impl Destination {
    /// `Front desk | +1 415 555 0100 | Bookings | Mon-Fri 09:00-17:00`. Errors: a sentence that says what to do.
    fn read(line: &str) -> Result<Self, String> {
        let mut parts = line.split('|').map(str::trim);
        let mut next = || parts.next().unwrap_or_default();
        let (name, number, when, hours, more) = (next(), next(), next(), next(), next());
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(format!("begin with a name of 1 to {LONGEST_NAME} characters."));
        }
        if !number.starts_with('+') || !number.contains(|letter: char| letter.is_ascii_digit()) {
            return Err("write the number behind the name and a |, with + and the country code.".to_owned());
        }
        if when.chars().count() > LONGEST_WHEN {
            return Err(format!("say when to choose it in at most {LONGEST_WHEN} characters."));
        }
        if !more.is_empty() {
            return Err("there are more parts than name, number, when and hours.".to_owned());
        }
        let hours = match hours {
            "" => None,
            text => Some(read_hours(text).ok_or_else(|| "write hours as Mon-Fri 09:00-17:00.".to_owned())?),
        };
        Ok(Self { name: name.to_owned(), number: number.to_owned(), when: when.to_owned(), hours })
    }

    fn line(&self) -> String {
        let hours = self.hours.as_ref().map(CallingWindow::text).unwrap_or_default();
        let mut parts = vec![self.name.as_str(), &self.number, &self.when, &hours];
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts.join(" | ")
    }
}

/// `Mon-Fri 09:00-17:00`, `Mon, Wed, 9:00–12:30`. None: it is no such text.
fn read_hours(text: &str) -> Option<CallingWindow> {
    let text = text.replace('–', "-");
    let mut words: Vec<&str> =
        text.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty()).collect();
    let (start, end) = words.pop()?.split_once('-')?;
    let (start, end) = (clock(start)?, clock(end)?);
    // Midnight is the end of the day.
    let is_forwards = start < end || end == CallingWindow::midnight();
    let day = |word: &str| (1..=7_u8).find(|day| day_name(*day).eq_ignore_ascii_case(word));
    let mut days = Vec::new();
    for word in words {
        match word.split_once('-') {
            Some((from, to)) => days.extend(day(from)?..=day(to)?),
            None => days.push(day(word)?),
        }
    }
    days.sort_unstable();
    days.dedup();
    (is_forwards && !days.is_empty()).then_some(CallingWindow { start, end, days })
}

impl KindConfig for Transfer {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "destinations",
                "Who can be rung",
                Input::Lines(6),
                "One per line, at most 10: name | number | when to choose it | hours. As: Front desk | +1 415 555 0100 | Bookings | Mon-Fri 09:00-17:00. \
                 Without hours it is rung at any time; hours are in the agency’s time zone. The agent chooses by name and never gives a number.",
            )
            .required(),
            FieldSpec::new(
                "ring_seconds",
                "Seconds to ring",
                Input::Line,
                "10 to 60. Keep it shorter than the time after which a mailbox answers: a mailbox counts as somebody who answered.",
            ),
            FieldSpec::new(
                "ring_words",
                "What the agent says while it rings",
                Input::Line,
                "One sentence, in the language of its calls. The caller stays with the agent until somebody answers.",
            ),
            FieldSpec::new(
                "no_answer",
                "When nobody answers",
                Input::Choice(&[
                    ("agent", "The agent is told so, and goes on with the caller"),
                    ("next", "The next one of the list is rung, then the agent goes on"),
                ]),
                "Whoever answers is joined with the caller at once, and the agent leaves (a cold transfer). That an agent first tells the person what it is about \
                 (a warm one) cannot be had with calls that Telnyx carries.",
            ),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let mut destinations: Vec<Destination> = Vec::new();
        let lines = value(values, "destinations").lines().map(str::trim).filter(|line| !line.is_empty());
        for (place, line) in (1..).zip(lines) {
            match Destination::read(line) {
                Ok(one) if destinations.iter().any(|known| known.name.eq_ignore_ascii_case(&one.name)) => {
                    errors.add(
                        "destinations",
                        format!("Line {place}: {} is there already. Give it another name.", one.name),
                    );
                }
                Ok(one) => destinations.push(one),
                Err(why) => errors.add("destinations", format!("Line {place}: {why}")),
            }
        }
        if value(values, "destinations").is_empty() {
            errors.add("destinations", "Write at least one line, as: Front desk | +1 415 555 0100 | Bookings.");
        } else if destinations.len() > MOST_DESTINATIONS {
            errors.add("destinations", "Give at most 10 destinations.");
        }
        let words = value(values, "ring_words");
        if words.chars().count() > LONGEST_WORDS {
            errors.add("ring_words", format!("Keep it to {LONGEST_WORDS} characters."));
        }
        let goes_on = match value(values, "no_answer") {
            "" | "agent" => false,
            "next" => true,
            _ => {
                errors.add("no_answer", "Choose one of the two.");
                false
            }
        };
        Self {
            destinations,
            ring_seconds: number(values, "ring_seconds", 10, 60, 25, errors),
            words: if words.is_empty() { USUAL_WORDS.to_owned() } else { words.to_owned() },
            goes_on,
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let lines: Vec<String> = self.destinations.iter().map(Destination::line).collect();
        vec![
            ("destinations", lines.join("\n")),
            ("ring_seconds", self.ring_seconds.to_string()),
            ("ring_words", self.words.clone()),
            ("no_answer", if self.goes_on { "next" } else { "agent" }.to_owned()),
        ]
    }

    fn summary(&self) -> String {
        match self.destinations.as_slice() {
            [one] => format!("To {}", one.name),
            all => format!("To {} destinations", all.len()),
        }
    }

    fn parameters(&self) -> Value {
        let names: Vec<&str> = self.destinations.iter().map(|one| one.name.as_str()).collect();
        let mut about = "Who is rung.".to_owned();
        for one in self.destinations.iter().filter(|one| !one.when.is_empty()) {
            about.push_str(&format!(" {}: {}.", one.name, one.when.trim_end_matches('.')));
        }
        json!({
            "type": "object",
            "properties": {
                "destination": { "type": "string", "enum": names, "description": about },
                "reason": { "type": "string", "description": "Why, in one short sentence." }
            },
            "required": ["destination", "reason"]
        })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn seconds(&self) -> u32 {
        20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Transfer, FieldErrors> {
        let mut errors = FieldErrors::default();
        let values = [("destinations", lines), ("ring_seconds", "20"), ("no_answer", "next")];
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = Transfer::read(&values, &mut errors);
        if errors.0.is_empty() { Ok(found) } else { Err(errors) }
    }

    #[test]
    fn a_line_is_a_name_a_number_when_and_hours() {
        let found =
            read("Front desk | +1 415 555 0100 | Bookings | mon-fri, 9:00–17:00\nOwner|+14155550101").expect("two");
        let [desk, owner] = found.destinations.as_slice() else { panic!("two: {found:?}") };
        let hours = desk.hours.as_ref().expect("hours");
        assert_eq!((hours.text().as_str(), desk.when.as_str()), ("Mon–Fri, 09:00–17:00", "Bookings"));
        assert_eq!((owner.name.as_str(), &owner.hours), ("Owner", &None));
        // What the form shows again is read as the same.
        let again = found.values().into_iter().find(|(name, _)| *name == "destinations").expect("lines").1;
        assert_eq!(read(&again).expect("the same"), found);
        let whole_days = read("Night desk | +14155550100 | | Sat, Sun 00:00-24:00").expect("one");
        assert_eq!(whole_days.destinations[0].hours.as_ref().expect("hours").days, [6, 7]);
    }

    #[test]
    fn what_is_no_destination_is_said_with_its_line() {
        for (lines, says) in [
            ("", "at least one line"),
            ("| +14155550100", "Line 1: begin with a name"),
            ("Desk", "Line 1: write the number"),
            ("Desk | 0041", "with + and the country code"),
            ("A | +14155550100\na | +14155550101", "Line 2: a is there already"),
            ("A | +14155550100 | x | Mon 17:00-09:00", "write hours as"),
            ("A | +14155550100 | x | Someday 09:00-10:00", "write hours as"),
            ("A | +14155550100 | x | Mon 09:00-10:00 | y", "more parts"),
        ] {
            let errors = read(lines).expect_err(lines);
            assert!(
                errors.0.iter().any(|(field, why)| field == "destinations" && why.contains(says)),
                "{lines}: {errors:?}"
            );
        }
    }
}
