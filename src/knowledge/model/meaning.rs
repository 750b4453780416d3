//! Search by meaning: which model it uses, how far it is, and how a passage was found.

use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;
use patchbay_shared::ids::ConnectionId;
use patchbay_shared::money::{count_text, counted};

patchbay_shared::words! {
    /// What a passage was found by.
    pub FoundBy: "text" {
        Words = "words", "Words", Mute;
        Meaning = "meaning", "Meaning", Mute;
        Both = "both", "Words and meaning", Mute;
    }
}

impl FoundBy {
    /// From what each way of searching says of a passage.
    pub fn of(words: bool, meaning: bool) -> Self {
        match (words, meaning) {
            (true, true) => FoundBy::Both,
            (false, true) => FoundBy::Meaning,
            _ => FoundBy::Words,
        }
    }
}

/// How a question was looked up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Way {
    /// No model for meaning is chosen.
    #[default]
    Words,
    WordsAndMeaning {
        model: String,
    },
    /// A model is chosen, and this once it was of no help. `why`: a sentence.
    WordsAlone {
        model: String,
        why: String,
    },
}

impl Way {
    /// `by words and meaning (text-embedding-3-small)`: goes behind “found” and “searched”.
    pub fn text(&self) -> String {
        match self {
            Way::Words => "by words".to_owned(),
            Way::WordsAndMeaning { model } => format!("by words and meaning ({model})"),
            Way::WordsAlone { model, why } => format!("by words alone, without {model}: {why}"),
        }
    }
}

/// Which search is in force, for some collections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Meaning {
    /// None: passages are found by their words alone.
    pub model: Option<MeaningModel>,
    /// Passages that search finds.
    pub passages: i64,
    /// Those of them whose meaning is known.
    pub known: i64,
    /// The viewer may choose the model.
    pub may_choose: bool,
}

/// The model in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeaningModel {
    pub model: String,
    pub account: ConnectionId,
    /// Why the last try to learn what passages mean brought nothing.
    pub trouble: Option<Trouble>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    pub sentence: String,
    /// When it is tried again.
    pub again: Option<Stamp>,
}

impl Meaning {
    /// What is in force, in one line.
    pub fn text(&self) -> String {
        let Some(model) = &self.model else { return "Found by words alone".to_owned() };
        let name = &model.model;
        if self.passages == 0 {
            return format!("Passages will be found by words and meaning ({name})");
        }
        match (self.known >= self.passages, &model.trouble, self.known) {
            (true, ..) => format!("Found by words and meaning ({name})"),
            (false, Some(_), 0) => format!("Found by words alone until {name} answers"),
            (false, None, 0) => format!("Found by words alone until {name} has read the passages"),
            (false, ..) => {
                let of = counted(self.passages, "passage", "passages");
                format!("Found by words, and {} of {of} by meaning ({name})", count_text(self.known))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_is_said_in_one_line() {
        let trouble = Trouble { sentence: "No credit.".to_owned(), again: None };
        let state = |known: i64, trouble: Option<&Trouble>| {
            let account = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
            let model = MeaningModel { model: "m".to_owned(), account, trouble: trouble.cloned() };
            Meaning { model: Some(model), passages: 40, known, may_choose: true }.text()
        };
        assert_eq!(Meaning::default().text(), "Found by words alone");
        assert_eq!(state(0, None), "Found by words alone until m has read the passages");
        assert_eq!(state(0, Some(&trouble)), "Found by words alone until m answers");
        assert_eq!(state(12, Some(&trouble)), "Found by words, and 12 of 40 passages by meaning (m)");
        assert_eq!(state(40, None), "Found by words and meaning (m)");
    }
}
