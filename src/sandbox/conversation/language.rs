//! A language of the sandbox: its dialogue pieces, its names, and the phrases by which an analysis recognises what was said.
//!
//! A script is text. `[name]` opens a step, every line below it is one way to say that step, and ` | ` separates the
//! speeches of one line: `A:` is the agent, `U:` the person called. `{name}` and the like are filled by `slots.rs`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{de::GERMAN, en::ENGLISH, es::SPANISH, fr::FRENCH, gu::GUJARATI, hi::HINDI, inbound};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    English,
    German,
    Spanish,
    French,
    Hindi,
    Gujarati,
}

impl Language {
    pub const ALL: [Language; 6] =
        [Language::English, Language::German, Language::Spanish, Language::French, Language::Hindi, Language::Gujarati];

    /// Reads a BCP 47 tag such as `de-AT`. English for anything not spoken here.
    pub fn from_hint(hint: Option<&str>) -> Language {
        match hint.unwrap_or("").split(['-', '_']).next().unwrap_or("").to_lowercase().as_str() {
            "de" => Language::German,
            "es" => Language::Spanish,
            "fr" => Language::French,
            "hi" => Language::Hindi,
            "gu" => Language::Gujarati,
            _ => Language::English,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Spanish => "es",
            Language::French => "fr",
            Language::Hindi => "hi",
            Language::Gujarati => "gu",
        }
    }

    pub fn facts(self) -> &'static LanguageFacts {
        match self {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
            Language::Spanish => &SPANISH,
            Language::French => &FRENCH,
            Language::Hindi => &HINDI,
            Language::Gujarati => &GUJARATI,
        }
    }

    /// The ways to say a step; empty for a step this language has no words for.
    pub fn step(self, name: &str) -> &'static [Vec<Speech>] {
        STEPS.get(&self).and_then(|steps| steps.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// Something an analysis can hear in a line. The agent says the first group, the person called the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cue {
    Booked,
    Interested,
    Callback,
    Confirmed,
    Rescheduled,
    Escalated,
    Survey,
    Rating,
    Declined,
    NotQualified,
    WrongPerson,
    DoNotCall,
    Solved,
    NotSolved,
    Price,
    Busy,
    Vendor,
    Trust,
    Angry,
    Happy,
    Voicemail,
}

impl Cue {
    /// Whether the agent (rather than the person called) must have said it.
    pub fn is_agents(self) -> bool {
        matches!(
            self,
            Cue::Booked
                | Cue::Interested
                | Cue::Callback
                | Cue::Confirmed
                | Cue::Rescheduled
                | Cue::Escalated
                | Cue::Survey
                | Cue::Rating
        )
    }

    /// Whether it is a reason against buying.
    pub fn is_objection(self) -> bool {
        matches!(self, Cue::Price | Cue::Busy | Cue::Vendor | Cue::Trust)
    }
}

pub struct LanguageFacts {
    /// A natural speaking rate.
    pub chars_per_second: f64,
    pub script: &'static str,
    pub days: &'static [&'static str],
    pub times: &'static [&'static str],
    pub people: &'static [&'static str],
    pub companies: &'static [&'static str],
    pub agencies: &'static [&'static str],
    pub agents: &'static [&'static str],
    pub products: &'static [&'static str],
    /// Lower-case phrases.
    pub cues: &'static [(Cue, &'static [&'static str])],
}

/// One speech of a step, still with its slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Speech {
    pub by_agent: bool,
    pub text: &'static str,
}

pub(super) type Steps = HashMap<&'static str, Vec<Vec<Speech>>>;

static STEPS: LazyLock<HashMap<Language, Steps>> = LazyLock::new(|| {
    let steps = |language: Language| {
        let mut steps = read_script(language.facts().script);
        steps.extend(read_script(inbound::script(language)));
        (language, steps)
    };
    Language::ALL.into_iter().map(steps).collect()
});

pub(super) fn read_script(script: &'static str) -> Steps {
    let mut steps = Steps::new();
    let mut current = "";
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            current = name;
            continue;
        }
        let speeches = line
            .split(" | ")
            .filter_map(|part| {
                let (who, text) = part.split_once(": ")?;
                Some(Speech { by_agent: who == "A", text })
            })
            .collect();
        steps.entry(current).or_default().push(speeches);
    }
    steps
}
