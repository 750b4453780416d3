//! Text messages at the carriers' stand-ins: `telnyx`, `twilio` and `plivo` have the wire formats. Who is written to decides what happens, by
//! the last four digits of the number:
//!
//! | digits | what happens |
//! |---|---|
//! | 0040 | it arrives, and the person answers STOP |
//! | 0041 | it arrives, and the person answers yes |
//! | 0042 | it is undeliverable |
//! | 0043 | it is sent, but the answer to the request is a 500 |
//! | 0045 | 500, nothing sent, the first time |
//!
//! Everybody else gets it and says nothing. Who has answered STOP is refused from then on, as the carriers do.

pub(super) mod plivo;
pub(super) mod telnyx;
pub(super) mod twilio;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::state::Sandbox;

/// US dollars for a part.
const PRICE: f64 = 0.004;

/// An account's messages, and where what comes to its numbers is told.
#[derive(Default)]
pub(super) struct TextBook {
    pub messages: Vec<Text>,
    stopped: HashSet<(String, String)>,
    failed_once: HashSet<String>,
    /// Address by number.
    pub heard: BTreeMap<String, String>,
    /// Messaging profiles at Telnyx, applications at Plivo: name and address.
    pub profiles: BTreeMap<String, (String, String)>,
    /// Whose a number is.
    pub profile_of: BTreeMap<String, String>,
}

/// One message at a carrier.
#[derive(Debug, Clone)]
pub struct Text {
    pub id: String,
    pub from: String,
    pub to: String,
    pub body: String,
    /// `queued`, `sent`, `delivered`, `failed` or `received`.
    pub state: &'static str,
    pub at: DateTime<Utc>,
    status_url: Option<String>,
}

impl Text {
    fn digits(&self) -> &str {
        self.to.get(self.to.len().saturating_sub(4)..).unwrap_or_default()
    }

    fn parts(&self) -> usize {
        self.body.chars().count().div_ceil(160).max(1)
    }

    fn cost(&self) -> String {
        format!("{:.4}", self.parts() as f64 * PRICE)
    }
}

/// How a carrier takes a request to send.
enum Taken {
    Yes(Text),
    /// It goes out, and nobody hears that.
    Lost,
    /// Nothing goes out.
    Broken,
    /// The person has answered STOP.
    Stopped,
}

/// Takes a message, and has the rest happen by itself.
fn take(
    sandbox: &Arc<Sandbox>,
    carrier: &'static str,
    key: &str,
    from: &str,
    to: &str,
    body: &str,
    status_url: Option<String>,
) -> Taken {
    let id = match carrier {
        "twilio" => format!("SM{}", Uuid::new_v4().simple()),
        _ => Uuid::new_v4().to_string(),
    };
    let (from, to) = (from.to_owned(), to.to_owned());
    let text = Text { id, from, to, body: body.to_owned(), state: "queued", at: Utc::now(), status_url };
    let refused = sandbox.with_account(key, |account| {
        let book = &mut account.texts;
        if book.stopped.contains(&(text.from.clone(), text.to.clone())) {
            return Some(Taken::Stopped);
        }
        if text.digits() == "0045" && book.failed_once.insert(text.to.clone()) {
            return Some(Taken::Broken);
        }
        book.messages.push(text.clone());
        None
    });
    if let Some(refused) = refused {
        return refused;
    }
    let (book, owner, way) = (sandbox.clone(), key.to_owned(), text.clone());
    sandbox.begin(key, async move { live(book, carrier, owner, way).await });
    if text.digits() == "0043" { Taken::Lost } else { Taken::Yes(text) }
}

/// What happens to a message after it was taken.
async fn live(sandbox: Arc<Sandbox>, carrier: &'static str, key: String, mut text: Text) {
    let end = if text.digits() == "0042" { "failed" } else { "delivered" };
    for state in ["sent", end] {
        text.state = state;
        sandbox.with_account(&key, |account| {
            if let Some(known) = account.texts.messages.iter_mut().find(|known| known.id == text.id) {
                known.state = state;
            }
        });
        tell(&sandbox, carrier, &key, &text).await;
    }
    let answer = match text.digits() {
        "0040" => "STOP",
        "0041" => "Yes, that suits me.",
        _ => return,
    };
    sandbox.text_in(carrier, &key, &text.to, &text.from, answer).await;
}

async fn tell(sandbox: &Arc<Sandbox>, carrier: &'static str, key: &str, text: &Text) {
    match carrier {
        "telnyx" => telnyx::tell(sandbox, key, text),
        "twilio" => twilio::tell(sandbox, key, text).await,
        _ => plivo::tell(sandbox, key, text).await,
    }
}

impl Sandbox {
    /// Somebody writes to a number of an account at a carrier (`telnyx`, `twilio`, `plivo`), which tells it where that number tells it.
    pub async fn text_in(self: &Arc<Self>, carrier: &str, key: &str, from: &str, to: &str, body: &str) {
        let carrier = match carrier {
            "twilio" => "twilio",
            "plivo" => "plivo",
            _ => "telnyx",
        };
        let id = format!("{}{}", if carrier == "twilio" { "SM" } else { "" }, Uuid::new_v4().simple());
        let (from, to) = (from.to_owned(), to.to_owned());
        let mut text =
            Text { id, from, to, body: body.to_owned(), state: "received", at: Utc::now(), status_url: None };
        self.with_account(key, |account| {
            let book = &mut account.texts;
            if body.trim().eq_ignore_ascii_case("stop") {
                book.stopped.insert((text.to.clone(), text.from.clone()));
            }
            let profile = book.profile_of.get(&text.to).and_then(|id| book.profiles.get(id)).map(|(_, url)| url);
            text.status_url = book.heard.get(&text.to).or(profile).cloned();
            book.messages.push(text.clone());
        });
        tell(self, carrier, key, &text).await;
    }

    /// Messages of an account at a carrier, in order, those that came in too.
    pub fn texts(&self, key: &str) -> Vec<Text> {
        self.with_account(key, |account| account.texts.messages.clone())
    }
}
