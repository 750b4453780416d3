//! A call that comes in: what a carrier asks, as a form, and what it is told, in XML. After the carriers' references of TeXML, TwiML and
//! Plivo XML. They agree in much and in no word: how a call is named, whether a number has its plus, and how somebody is spoken to.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::carrier::Trunk;
use crate::json as readable;
use crate::text::e164;

/// A call that the carrier asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// The carrier's id of the call: the same call may be asked about more than once.
    pub call_id: String,
    /// As the carrier writes it; Plivo's get their plus.
    pub from: String,
    pub to: String,
}

/// The longest id that is taken.
const LONGEST_ID: usize = 200;
/// States of a call of which nobody is asked any more.
const OVER: [&str; 6] = ["completed", "busy", "failed", "no-answer", "canceled", "timeout"];

impl IncomingCall {
    /// Reads the form. None: it is not about a call that comes in.
    pub fn read(trunk: Trunk, body: &[u8]) -> Option<Self> {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(body)
            .map(|(name, value)| (readable::clean_text(&name), readable::clean_text(&value)))
            .collect();
        let text = |name: &str| form.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let id = |name: &str| text(name).filter(|id| id.len() <= LONGEST_ID);
        let number = |name: &str| id(name).map(|number| if trunk == Trunk::Plivo { e164(&number) } else { number });
        let is_outgoing = text("Direction").is_some_and(|way| way.to_ascii_lowercase().starts_with("outbound"));
        // Plivo tells the end here, too, when it has no other address for it.
        let is_over = text("CallStatus").is_some_and(|status| OVER.contains(&&*status));
        if is_outgoing || is_over {
            return None;
        }
        let call_id = id(if trunk == Trunk::Plivo { "CallUUID" } else { "CallSid" })?;
        Some(Self { call_id, from: number("From").unwrap_or_default(), to: number("To")? })
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
    pub fn xml(&self, trunk: Trunk) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>");
        // Writing into text does not fail.
        let _ = match (self, trunk) {
            // Both codecs must be the same.
            (Reply::Connect { join_url }, Trunk::Telnyx) => write!(
                out,
                "<Connect><Stream url=\"{}\" bidirectionalMode=\"rtp\" codec=\"L16\" bidirectionalCodec=\"L16\" bidirectionalSamplingRate=\"16000\"/></Connect>",
                escaped(join_url)
            ),
            (Reply::Connect { join_url }, Trunk::Twilio) => {
                write!(out, "<Connect><Stream url=\"{}\"/></Connect>", escaped(join_url))
            }
            (Reply::Connect { join_url }, Trunk::Plivo) => write!(
                out,
                "<Stream keepCallAlive=\"true\" bidirectional=\"true\" contentType=\"audio/x-l16;rate=16000\">{}</Stream>",
                escaped(join_url)
            ),
            (Reply::Say { words, language }, _) => {
                let verb = if trunk == Trunk::Plivo { "Speak" } else { "Say" };
                let language = language.as_deref().and_then(|tag| spoken(trunk, tag));
                let language = language.map(|tag| format!(" language=\"{}\"", escaped(tag))).unwrap_or_default();
                write!(out, "<{verb}{language}>{}</{verb}><Hangup/>", escaped(words))
            }
            (Reply::AskAgain { url }, _) => {
                let pause = if trunk == Trunk::Plivo { "Wait" } else { "Pause" };
                write!(out, "<{pause} length=\"1\"/><Redirect method=\"POST\">{}</Redirect>", escaped(url))
            }
        };
        out + "</Response>"
    }
}

/// Languages that a carrier speaks with its own voices; of each the usual kind first.
const TWILIO: [&str; 26] = [
    "en-US", "en-GB", "en-AU", "en-CA", "en-IN", "de-DE", "fr-FR", "fr-CA", "es-ES", "es-MX", "it-IT", "pt-BR",
    "pt-PT", "nl-NL", "da-DK", "sv-SE", "nb-NO", "fi-FI", "pl-PL", "ru-RU", "ca-ES", "ja-JP", "ko-KR", "zh-CN",
    "zh-HK", "zh-TW",
];
const PLIVO: [&str; 16] = [
    "en-US", "en-GB", "en-AU", "de-DE", "fr-FR", "fr-CA", "es-ES", "es-US", "it-IT", "pt-BR", "pt-PT", "nl-NL",
    "da-DK", "sv-SE", "pl-PL", "ru-RU",
];

/// The carrier's word for a language: this one, else another kind of it. None: the carrier's own choice, so that it says the words at all.
fn spoken(trunk: Trunk, tag: &str) -> Option<&str> {
    let known: &[&'static str] = match trunk {
        Trunk::Telnyx => return Some(tag),
        Trunk::Twilio => &TWILIO,
        Trunk::Plivo => &PLIVO,
    };
    let main = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let exact = known.iter().find(|known| known.eq_ignore_ascii_case(tag));
    exact.or_else(|| known.iter().find(|known| main(known) == main(tag))).copied()
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    #[test]
    fn each_carrier_is_told_in_its_own_words() {
        let joined = Reply::Connect { join_url: "wss://voice.example/a?x=1&y=2".into() };
        let said = Reply::Say { words: "</Say><Dial>+1900</Dial>&\u{0}".into(), language: Some("de-CH".into()) };
        let again = Reply::AskAgain { url: "https://pb.example/answer".into() };
        let heard = "&lt;/Say&gt;&lt;Dial&gt;+1900&lt;/Dial&gt;&amp; ";
        let cases = [
            (
                Trunk::Twilio,
                "<Connect><Stream url=\"wss://voice.example/a?x=1&amp;y=2\"/></Connect>".to_owned(),
                format!("<Say language=\"de-DE\">{heard}</Say><Hangup/>"),
                "<Pause length=\"1\"/><Redirect method=\"POST\">https://pb.example/answer</Redirect>",
            ),
            (
                Trunk::Plivo,
                "<Stream keepCallAlive=\"true\" bidirectional=\"true\" contentType=\"audio/x-l16;rate=16000\">\
                 wss://voice.example/a?x=1&amp;y=2</Stream>"
                    .to_owned(),
                format!("<Speak language=\"de-DE\">{heard}</Speak><Hangup/>"),
                "<Wait length=\"1\"/><Redirect method=\"POST\">https://pb.example/answer</Redirect>",
            ),
        ];
        for (trunk, stream, sentence, once_more) in cases {
            let all = [(&joined, stream.as_str()), (&said, &sentence), (&again, once_more)];
            for (reply, inside) in all {
                assert_eq!(reply.xml(trunk), format!("{HEAD}<Response>{inside}</Response>"));
            }
        }
        // A language that the carrier does not speak is left out: with it nothing would be said at all.
        let welsh = Reply::Say { words: "Helo".into(), language: Some("cy".into()) };
        assert!(welsh.xml(Trunk::Plivo).contains("<Speak>Helo</Speak>"));
        assert_eq!((spoken(Trunk::Twilio, "EN-gb"), spoken(Trunk::Plivo, "es")), (Some("en-GB"), Some("es-ES")));
    }

    #[test]
    fn each_carriers_form_is_read() {
        let twilio = b"AccountSid=AC1&ApiVersion=2010-04-01&CallSid=CA1&CallStatus=ringing&Direction=inbound&From=%2B13125550100&To=%2B13125550111";
        let plivo = b"BillRate=0.0085&CallStatus=ringing&CallUUID=u1&Direction=inbound&Event=StartApp&From=13125550100&To=13125550111";
        for (trunk, form, id) in [(Trunk::Twilio, &twilio[..], "CA1"), (Trunk::Plivo, plivo, "u1")] {
            let (from, to) = ("+13125550100".to_owned(), "+13125550111".to_owned());
            assert_eq!(IncomingCall::read(trunk, form), Some(IncomingCall { call_id: id.to_owned(), from, to }));
        }
        let withheld = IncomingCall::read(Trunk::Plivo, b"CallUUID=u1&From=anonymous&To=13125550111");
        assert_eq!(withheld.map(|call| call.from).as_deref(), Some("anonymous"));
        for other in [
            &b"CallUUID=u1&To=13125550111&CallStatus=completed&Event=Hangup"[..],
            b"CallSid=CA1&To=13125550111",
            b"CallUUID=u1&To=13125550111&Direction=outbound",
        ] {
            assert_eq!(IncomingCall::read(Trunk::Plivo, other), None);
        }
    }
}
