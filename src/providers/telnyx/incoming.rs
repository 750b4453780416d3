//! A call that comes in: what the carrier asks, as a form, and what it is told, in XML.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::json as readable;

/// A call that the carrier asks about. Numbers as the carrier writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// The carrier's id of the call: the same call may be asked about more than once.
    pub call_id: String,
    pub from: String,
    pub to: String,
    pub leg_id: Option<String>,
    pub session_id: Option<String>,
}

/// The longest id that is taken.
const LONGEST_ID: usize = 200;

impl IncomingCall {
    /// Reads the form. None: it is not about a call that comes in.
    pub fn read(body: &[u8]) -> Option<Self> {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(body)
            .map(|(name, value)| (readable::clean_text(&name), readable::clean_text(&value)))
            .collect();
        let text = |name: &str| form.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let id = |name: &str| text(name).filter(|id| id.len() <= LONGEST_ID);
        let outgoing = text("Direction").is_some_and(|way| way.to_ascii_lowercase().starts_with("outbound"));
        if outgoing {
            return None;
        }
        Some(Self {
            call_id: id("CallSid")?,
            from: id("From").unwrap_or_default(),
            to: id("To")?,
            leg_id: id("CallLegId"),
            session_id: id("CallSessionId"),
        })
    }
}

/// What the carrier does with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The caller talks with whoever is at this address.
    Connect { join_url: String },
    /// The caller hears a sentence, and the line ends.
    Say { words: String, language: Option<String> },
    /// The carrier asks again in a second, at this address.
    AskAgain { url: String },
}

impl Reply {
    pub fn xml(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>");
        match self {
            Reply::Connect { join_url } => {
                let url = escaped(join_url);
                // Both codecs must be the same.
                let _ = write!(
                    out,
                    "<Connect><Stream url=\"{url}\" bidirectionalMode=\"rtp\" codec=\"L16\" bidirectionalCodec=\"L16\" bidirectionalSamplingRate=\"16000\"/></Connect>"
                );
            }
            Reply::Say { words, language } => {
                let language =
                    language.as_deref().map(|tag| format!(" language=\"{}\"", escaped(tag))).unwrap_or_default();
                let _ = write!(out, "<Say{language}>{}</Say><Hangup/>", escaped(words));
            }
            Reply::AskAgain { url } => {
                let _ = write!(out, "<Pause length=\"1\"/><Redirect method=\"POST\">{}</Redirect>", escaped(url));
            }
        }
        out + "</Response>"
    }
}

/// Text inside an element or a quoted value.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML has no way to write these.
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
