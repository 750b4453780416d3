use serde::{Deserialize, Serialize};

use super::{CallRow, CallState, CallView, Disposition, ResultFilter};
use patchbay_shared::ids::CallId;

/// What the list is narrowed to, as it stands in the address. Empty fields are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallQuery {
    /// `all` (or none), `live`, `review`, `problems`.
    pub view: Option<String>,
    /// Words of the transcript, a name or a piece of a number.
    pub q: Option<String>,
    /// Days, `2026-11-20`; both included.
    pub from: Option<String>,
    pub to: Option<String>,
    pub agent: Option<String>,
    pub client: Option<String>,
    pub campaign: Option<String>,
    pub batch: Option<String>,
    pub contact: Option<String>,
    /// The prompt that the agent was told, and its version. For the agency.
    pub prompt: Option<String>,
    pub version: Option<String>,
    /// The zone of the days, if it is not the viewer's: an IANA name, or `OWN_ZONE`.
    pub zone: Option<String>,
    pub direction: Option<String>,
    /// A `ResultFilter`.
    pub result: Option<String>,
    /// `yes` or `no`: of the answered calls those with, or without, the goal reached.
    pub goal: Option<String>,
    /// A `Disposition`.
    pub outcome: Option<String>,
    /// `no`: calls that are not priced yet.
    pub priced: Option<String>,
    pub sentiment: Option<String>,
    /// In which a call-back was asked for that stands so.
    pub call_back: Option<String>,
    /// A `CallSource`: how the call came. For the agency.
    pub source: Option<String>,
    /// `yes` or `no`.
    pub reviewed: Option<String>,
    pub cursor: Option<String>,
}

impl CallQuery {
    /// In place of a zone: each client's days in its own.
    pub const OWN_ZONE: &str = "client";

    /// From an address's values by name.
    pub fn read(mut get: impl FnMut(&str) -> Option<String>) -> Self {
        let mut query = Self::default();
        for (name, field) in query.fields_mut() {
            *field = get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        }
        query
    }

    /// From the text after the question mark.
    pub fn parse(text: &str) -> Self {
        let pairs: Vec<(String, String)> = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        Self::read(|name| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
    }

    /// The text after the question mark, the place in the list left out.
    pub fn text(&self) -> String {
        let pairs = self.pairs().into_iter().filter(|(name, _)| *name != "cursor");
        pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }

    /// What is set, by name.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("view", &self.view),
            ("q", &self.q),
            ("from", &self.from),
            ("to", &self.to),
            ("agent", &self.agent),
            ("client", &self.client),
            ("campaign", &self.campaign),
            ("batch", &self.batch),
            ("contact", &self.contact),
            ("prompt", &self.prompt),
            ("version", &self.version),
            ("zone", &self.zone),
            ("direction", &self.direction),
            ("result", &self.result),
            ("goal", &self.goal),
            ("outcome", &self.outcome),
            ("priced", &self.priced),
            ("sentiment", &self.sentiment),
            ("call_back", &self.call_back),
            ("source", &self.source),
            ("reviewed", &self.reviewed),
            ("cursor", &self.cursor),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    fn fields_mut(&mut self) -> [(&'static str, &mut Option<String>); 22] {
        [
            ("view", &mut self.view),
            ("q", &mut self.q),
            ("from", &mut self.from),
            ("to", &mut self.to),
            ("agent", &mut self.agent),
            ("client", &mut self.client),
            ("campaign", &mut self.campaign),
            ("batch", &mut self.batch),
            ("contact", &mut self.contact),
            ("prompt", &mut self.prompt),
            ("version", &mut self.version),
            ("zone", &mut self.zone),
            ("direction", &mut self.direction),
            ("result", &mut self.result),
            ("goal", &mut self.goal),
            ("outcome", &mut self.outcome),
            ("priced", &mut self.priced),
            ("sentiment", &mut self.sentiment),
            ("call_back", &mut self.call_back),
            ("source", &mut self.source),
            ("reviewed", &mut self.reviewed),
            ("cursor", &mut self.cursor),
        ]
    }

    pub fn call_view(&self) -> CallView {
        self.view.as_deref().and_then(|word| word.parse().ok()).unwrap_or(CallView::All)
    }

    /// Something other than the view and the client narrows the list.
    pub fn is_narrowed(&self) -> bool {
        self.pairs().iter().any(|(name, _)| !matches!(*name, "view" | "client" | "cursor"))
    }

    /// The same calls, narrowed to a result.
    pub fn of_result(&self, result: ResultFilter) -> Self {
        Self { result: Some(result.to_string()), ..self.clone() }
    }

    /// The same calls, narrowed to those that reached the goal.
    pub fn of_goals(&self) -> Self {
        Self { goal: Some("yes".to_owned()), ..self.clone() }
    }

    /// The same calls, narrowed to those without a price.
    pub fn of_unpriced(&self) -> Self {
        Self { priced: Some("no".to_owned()), ..self.clone() }
    }

    /// The same filters in another view, from the top.
    pub fn address_in(&self, view: CallView) -> String {
        let there = Self { view: (view != CallView::All).then(|| view.to_string()), cursor: None, ..self.clone() };
        there.address()
    }

    pub fn address(&self) -> String {
        match self.text() {
            text if text.is_empty() => "/calls".to_owned(),
            text => format!("/calls?{text}"),
        }
    }

    /// A call's page that remembers this list, for its "previous" and "next".
    pub fn call_address(&self, id: CallId) -> String {
        ListText(self.text()).call_address(id)
    }
}

/// The text of a list, as a call's page carries it on. It is not read there, which would load all that reading a list needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListText(String);

impl ListText {
    /// What an address brought: only characters that `CallQuery::text` writes.
    pub fn new(text: Option<String>) -> Self {
        let may = |char: char| char.is_ascii_alphanumeric() || "-_.~%=&".contains(char);
        Self(text.filter(|text| text.chars().all(may)).unwrap_or_default())
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    pub fn address(&self) -> String {
        match self.text() {
            "" => "/calls".to_owned(),
            text => format!("/calls?{text}"),
        }
    }

    /// See `CallQuery::call_address`.
    pub fn call_address(&self, id: CallId) -> String {
        match self.text() {
            "" => format!("/calls/{id}"),
            text => format!("/calls/{id}?list={}", encoded(text)),
        }
    }
}

impl CallRow {
    /// What came of it for the other side.
    pub fn disposition(&self) -> Option<Disposition> {
        self.outcome.map(|outcome| Disposition::of(outcome, self.state == CallState::Answered))
    }

    /// What the row is called: the contact, else the number.
    pub fn title(&self) -> &str {
        match (&self.contact, &self.number) {
            (name, _) if !name.is_empty() => name,
            (_, Some(number)) => number,
            _ => "Unknown caller",
        }
    }
}

/// Percent-encodes everything but letters, digits and `-_.~`.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_comes_back_from_its_text() {
        let query = CallQuery {
            q: Some("flood cover & more=ü".into()),
            view: Some("review".into()),
            from: Some("2026-11-20".into()),
            ..CallQuery::default()
        };
        assert_eq!(CallQuery::parse(&query.text()), query);
        assert_eq!(CallQuery::parse("q=&view="), CallQuery::default());
        let place = CallQuery { cursor: Some("o1_x".into()), ..query.clone() };
        assert_eq!(place.text(), query.text());
        let carried = ListText::new(Some(query.text()));
        assert_eq!(carried.address(), query.address());
        assert_eq!(ListText::new(Some("q=1#x\"><b>".into())).address(), "/calls");
    }
}
