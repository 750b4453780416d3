use serde::{Deserialize, Serialize};

use patchbay_shared::Money;
use patchbay_shared::money::count_text;

/// What text messages come to that carriers took. They are no part of what calls come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TextSums {
    pub messages: i64,
    /// A long message is several parts, and carriers bill each.
    pub parts: i64,
    pub cost: Money,
    /// Messages that did not fail and of which the carrier has not told the price: they are not in the cost.
    pub unpriced: i64,
}

impl TextSums {
    /// No carrier took a message.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, other: &TextSums) {
        self.messages += other.messages;
        self.parts += other.parts;
        self.cost.0 += other.cost.0;
        self.unpriced += other.unpriced;
    }

    /// What a sum of money says about the messages that it leaves out.
    pub fn unpriced_text(&self) -> Option<String> {
        match self.unpriced {
            0 => None,
            1 => Some("1 text message is not priced yet".to_owned()),
            more => Some(format!("{} text messages are not priced yet", count_text(more))),
        }
    }
}
