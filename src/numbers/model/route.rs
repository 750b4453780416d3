//! Where the carrier sends the calls of a number, in words.

use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;

patchbay_shared::words! {
    /// What a connection at the carrier is.
    pub ConnectionKind: "text" {
        /// The application that Patchbay made, and that asks it about each call.
        Ours = "ours", "Patchbay", Ok;
        /// It tells by webhook that a call came in, and waits for commands.
        CallControl = "call_control", "Call Control application", Warn;
        /// An application that somebody else made.
        Texml = "texml", "TeXML application", Warn;
        /// An address that the number itself names.
        Address = "address", "Address", Warn;
        /// An application, at Twilio or Plivo.
        Application = "application", "Application", Warn;
        Trunk = "trunk", "Trunk", Warn;
        /// A trunk at Telnyx, or what the carrier has no word for here.
        Other = "other", "Connection", Warn;
    }
}

/// A connection at the carrier that a number hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierConnection {
    pub id: String,
    pub name: Option<String>,
    pub kind: ConnectionKind,
}

impl CarrierConnection {
    /// `the Call Control application “Old robot” (2811…)`.
    pub fn named(&self) -> String {
        let what = match self.kind {
            ConnectionKind::Ours => "Patchbay’s own application",
            ConnectionKind::CallControl => "the Call Control application",
            ConnectionKind::Texml => "the TeXML application",
            ConnectionKind::Address => "the address",
            ConnectionKind::Application => "the application",
            ConnectionKind::Trunk => "the trunk",
            ConnectionKind::Other => "the connection",
        };
        match &self.name {
            Some(name) => format!("{what} “{name}” ({})", self.id),
            None => format!("{what} {}", self.id),
        }
    }
}

/// Where the carrier sends a number's calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Since when to Patchbay. None: not.
    pub since: Option<Stamp>,
    /// What is in the way, with what to do.
    pub error: Option<String>,
    /// The carrier is being told.
    pub is_waiting: bool,
    /// Its calls are Patchbay's to answer, and go elsewhere: where, and what to do.
    pub drift: Option<String>,
    /// Where its calls go, of a number whose calls are not Patchbay's to answer.
    pub elsewhere: Option<CarrierConnection>,
    /// When the carrier was asked last.
    pub checked: Option<Stamp>,
    /// Why it could not be asked last time.
    pub unchecked: Option<String>,
    /// What was changed at the services on the way that all numbers share.
    pub shared_drift: Option<String>,
}

/// Where the calls of a number go that Patchbay should answer, and what to do. `found`: where the carrier, by its stored word, sends them.
pub fn drift(carrier: &str, found: Option<&CarrierConnection>) -> String {
    const AGAIN: &str = "Choose “Set again” to have them come here.";
    let name = super::carrier_name(carrier);
    match found {
        None if carrier != "telnyx" => {
            format!("{name} sends its calls nowhere: somebody took the address out. {AGAIN}")
        }
        // The calls come, and nobody hears how they went.
        Some(found) if carrier != "telnyx" && found.kind == ConnectionKind::Ours => format!(
            "{name} asks Patchbay about its calls, and tells {} how they went. Choose “Set again” to have Patchbay told.",
            found.id
        ),
        None => format!("Telnyx sends its calls nowhere: somebody took the number off its connection. {AGAIN}"),
        Some(found) if found.kind == ConnectionKind::CallControl => format!(
            "Telnyx sends its calls to {}, which Patchbay does not answer: it answers through an application of its own. {AGAIN}",
            found.named()
        ),
        // Ours as well, and not the one that the number was sent to.
        Some(found) if found.kind == ConnectionKind::Ours => {
            format!("Telnyx sends its calls to {}, which is not the one that is in use now. {AGAIN}", found.named())
        }
        Some(found) => format!(
            "Somebody has sent its calls to {} at {name}. {AGAIN} If they are meant to go there, set the direction to “Agents call from it”: nothing is changed at {name} then.",
            found.named()
        ),
    }
}
