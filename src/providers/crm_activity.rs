//! What a CRM knows that was done with a person: notes, calls, tasks, meetings; and what the stages of its deals are called. Texts there
//! are often HTML; here they are plain, and short enough for a page.

use async_trait::async_trait;
use chrono::{DateTime, Datelike, Utc};

use super::error::{ProviderError, one_line};

/// Characters of a title, of a state and of a text.
const LONGEST_TITLE: usize = 200;
const LONGEST_STATE: usize = 60;
const LONGEST_TEXT: usize = 4_000;
/// People that one activity belongs to at most.
const MOST_CONTACTS: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrmActivityKind {
    Note,
    Call,
    Task,
    Meeting,
}

impl CrmActivityKind {
    /// In the order in which they are read.
    pub const ALL: [CrmActivityKind; 4] = [Self::Note, Self::Call, Self::Task, Self::Meeting];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Call => "call",
            Self::Task => "task",
            Self::Meeting => "meeting",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmActivity {
    pub id: String,
    /// One line; may be empty.
    pub title: String,
    /// Plain text of several lines; may be empty.
    pub text: String,
    /// The service's words for how it stands: `Not started`, `Outbound, completed`. May be empty.
    pub state: String,
    /// When it was, or is due.
    pub at: Option<DateTime<Utc>>,
    pub changed_at: Option<DateTime<Utc>>,
    /// The people that it belongs to.
    pub contacts: Vec<String>,
    /// The key of whoever wrote it as we do (`CrmCall::key`), without its dashes.
    pub key: Option<String>,
}

/// A page of activities, in an order of the service's own. Pages may repeat them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrmActivityPage {
    pub activities: Vec<CrmActivity>,
    /// Where it goes on; opaque. None: this was the last page.
    pub next: Option<String>,
}

/// The part of a CRM that is about activities. What went away, `Crm::removed` says.
#[async_trait]
pub trait CrmActivities: Send + Sync {
    /// Activities that changed at or after `since`; all for None. `next` of the page before goes on there.
    async fn activities(
        &self,
        kind: CrmActivityKind,
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmActivityPage, ProviderError>;
    /// Stages of deals: the service's value, and what it is called there.
    async fn stages(&self) -> Result<Vec<(String, String)>, ProviderError>;
}

/// What a service said of an activity, before it is made short and plain.
#[derive(Default)]
pub(crate) struct Said<'a> {
    pub title: Option<&'a str>,
    pub text: Option<&'a str>,
    /// Parts of a state, in words or in capitals.
    pub state: [Option<&'a str>; 2],
    pub at: Option<DateTime<Utc>>,
}

pub(crate) fn activity(record: &super::crm::CrmRecord, said: Said<'_>) -> CrmActivity {
    let text = plain(said.text.unwrap_or_default());
    let key = key_in(&text);
    let mut states = said.state.into_iter().flatten().map(words).filter(|word| !word.is_empty());
    let state = match (states.next(), states.next()) {
        (Some(one), Some(other)) => format!("{one}, {}", other.to_lowercase()),
        (one, _) => one.unwrap_or_default(),
    };
    let is_sane = |at: &DateTime<Utc>| (1990..=2200).contains(&at.year());
    CrmActivity {
        id: record.id.clone(),
        title: cut(&one_line(&plain(said.title.unwrap_or_default())), LONGEST_TITLE),
        text: cut(&text, LONGEST_TEXT),
        state: cut(&state, LONGEST_STATE),
        at: said.at.filter(is_sane),
        changed_at: record.changed_at.filter(is_sane),
        contacts: record.contacts.iter().take(MOST_CONTACTS).cloned().collect(),
        key,
    }
}

/// `NO_ANSWER` as `No answer`; what is no such word stays.
fn words(text: &str) -> String {
    let text = one_line(text);
    if text.chars().any(char::is_lowercase) {
        return text;
    }
    let lower = text.replace('_', " ").to_lowercase();
    let mut letters = lower.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Our key, which stands in the last line of what we write.
fn key_in(text: &str) -> Option<String> {
    let word = text.lines().next_back()?.trim().strip_prefix("Ref. ")?;
    let is_word = (8..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric());
    is_word.then(|| word.to_owned())
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Text of a service as plain text: tags go, blocks become lines, entities letters. What is no HTML stays as it is.
fn plain(text: &str) -> String {
    let is_html = ["</", "<br", "<p", "<div", "<li", "/>"].iter().any(|mark| find(text, mark).is_some());
    let flat = if is_html { without_tags(text) } else { text.replace('\r', "") };
    let mut lines: Vec<String> = Vec::new();
    for line in flat.lines() {
        // Also what turns the direction of writing around, and characters that nobody sees.
        let odd = |c: &char| !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        let line: String = line.chars().filter(|c| !c.is_control()).filter(odd).collect();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

/// Where a mark stands, whatever its letters' size.
fn find(text: &str, mark: &str) -> Option<usize> {
    let (text, mark) = (text.as_bytes(), mark.as_bytes());
    text.windows(mark.len()).position(|part| part.eq_ignore_ascii_case(mark))
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let (letter, length) = entity(rest).unwrap_or(('&', 1));
            out.push(letter);
            rest = &rest[length..];
            continue;
        }
        let name: String =
            rest[1..].trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
        if name.is_empty() && !rest.starts_with("<!") && !rest.starts_with("</") {
            out.push('<');
            rest = &rest[1..];
            continue;
        }
        let name = name.to_ascii_lowercase();
        if rest.starts_with("<!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
            continue;
        }
        if matches!(name.as_str(), "script" | "style") && !rest.starts_with("</") {
            let end = find(rest, &format!("</{name}"));
            rest = end.map_or("", |end| &rest[end..]);
        }
        match name.as_str() {
            "br" | "p" | "div" | "tr" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "blockquote" | "table" => {
                out.push('\n')
            }
            "li" if !rest.starts_with("</") => out.push_str("\n• "),
            "td" | "th" => out.push(' '),
            _ => {}
        }
        // A tag that does not end was cut off with its text.
        rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
    }
    out.push_str(rest);
    out
}

/// The letter that an entity stands for, and how long it is.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let name = text.get(1..end)?;
    let letter = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "euro" => '€',
        number => {
            let digits = number.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((letter, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_plain_text() {
        let html = "<div style=\"\" dir=\"auto\"><p>Called <b>Ada</b>&nbsp;&amp; left a message.</p><ul><li>one</li><li>two</li></ul>\
            <script>alert(1)</script><style>p{}</style><!-- no --><p>5 &lt; 6 &#8364; &#x1F600;</p></div>";
        assert_eq!(plain(html), "Called Ada & left a message.\n\n• one\n• two\n\n5 < 6 € 😀");
        assert_eq!(plain("a < b & c <ada@example.test>\r\nnext\u{0}\u{202e}"), "a < b & c <ada@example.test>\nnext");
        // What is cut off in the middle of a tag, and what never ends.
        assert_eq!(plain("<p>one</p><a href=\"https://exam"), "one");
        assert_eq!(plain("<p>one</p><!-- two"), "one");
        assert_eq!(plain("<p>&unknown; &#99999999; &"), "&unknown; &#99999999; &");
        assert_eq!(plain("<BR/>one<BR>two<Style>x</sTYLE>"), "one\ntwo");
        assert_eq!(plain(""), "");
    }

    #[test]
    fn our_key_is_found_where_we_wrote_it() {
        assert_eq!(key_in("Sold.\nRef. 0198c0ffee0198c0ffee0198c0ffee01").map(|key| key.len()), Some(32));
        assert_eq!(key_in("Ref. 0198c0ffee0198\nand more"), None);
        assert_eq!(key_in("Ref. <b>"), None);
    }

    #[test]
    fn states_are_words() {
        assert_eq!(words("NO_ANSWER"), "No answer");
        assert_eq!(words("Not Started"), "Not Started");
        assert_eq!(words(""), "");
    }
}
