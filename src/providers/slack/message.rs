//! A message in Slack's blocks. What is too long is cut, and nothing in it is a mention or a link but what we put there.

use serde_json::{Value, json};

/// Slack's limits, in characters.
const HEADER: usize = 150;
const TEXT: usize = 3000;
const FIELD: usize = 2000;
const FIELDS: usize = 10;
const BUTTON: usize = 75;
const ADDRESS: usize = 3000;

/// What leads to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    pub url: String,
}

/// A message, in plain words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlackMessage {
    pub title: String,
    /// A name and a value each. Empty values are left out.
    pub fields: Vec<(String, String)>,
    pub text: String,
    /// Small, below.
    pub context: String,
    pub button: Option<Button>,
}

impl SlackMessage {
    /// `text` and `blocks`, as `chat.postMessage` and incoming webhooks take them.
    pub fn payload(&self) -> Value {
        let title = cut(&one_line(&self.title), HEADER);
        let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": false}})];
        let fields: Vec<Value> = self
            .fields
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .take(FIELDS)
            .map(|(name, value)| {
                // Escaping makes it longer, and an entity that is cut is text.
                let (name, value) = (escaped(&one_line(name), 200), escaped(&one_line(value), FIELD - 300));
                json!({"type": "mrkdwn", "text": format!("*{name}*\n{value}")})
            })
            .collect();
        if !fields.is_empty() {
            blocks.push(json!({"type": "section", "fields": fields}));
        }
        let text = self.text.trim();
        if !text.is_empty() {
            blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": escaped(text, TEXT)}}));
        }
        if let Some(button) = self.button.as_ref().filter(|button| button.url.len() <= ADDRESS) {
            let label = json!({"type": "plain_text", "text": cut(&button.label, BUTTON), "emoji": false});
            blocks.push(json!({"type": "actions", "elements": [{"type": "button", "text": label, "url": button.url, "action_id": "open"}]}));
        }
        let context = one_line(&self.context);
        if !context.is_empty() {
            blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(&context, 300)}]}));
        }
        // Shown in notices, and where blocks are not.
        let brief = match self.fields.iter().find(|(_, value)| !value.trim().is_empty()) {
            Some((_, value)) => format!("{title}: {}", one_line(value)),
            None => title,
        };
        json!({"text": escaped(&brief, HEADER * 2), "blocks": blocks})
    }
}

/// As text in Slack's mrkdwn, at most so long: the three letters that begin something are entities there.
fn escaped(text: &str, most: usize) -> String {
    let (mut out, mut length) = (String::with_capacity(text.len()), 0);
    for letter in text.chars().filter(|letter| *letter == '\n' || !letter.is_control()) {
        let written = match letter {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => {
                length += 1;
                if length >= most {
                    out.push('…');
                    return out;
                }
                out.push(other);
                continue;
            }
        };
        length += written.len();
        if length >= most {
            out.push('…');
            return out;
        }
        out.push_str(written);
    }
    out
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

fn one_line(text: &str) -> String {
    let words =
        text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup_and_nothing_too_long() {
        let message = SlackMessage {
            title: format!("A call\nwas {}", "long ".repeat(60)),
            fields: vec![
                ("Contact".to_owned(), "<!channel> & <@U1> *Ada*".to_owned()),
                ("Empty".to_owned(), "  ".to_owned()),
                ("Long".to_owned(), "<".repeat(5000)),
            ],
            text: "One\ntwo\u{0} <https://evil.test|here>".to_owned(),
            context: "Client & Co".to_owned(),
            button: Some(Button {
                label: "Open the call".to_owned(),
                url: "https://patchbay.example/calls/1".to_owned(),
            }),
        };
        let payload = message.payload();
        let blocks = payload["blocks"].as_array().expect("blocks");
        let kinds: Vec<&str> = blocks.iter().filter_map(|block| block["type"].as_str()).collect();
        assert_eq!(kinds, ["header", "section", "section", "actions", "context"]);
        assert_eq!(blocks[0]["text"]["text"].as_str().map(|text| text.chars().count()), Some(150));
        let fields = blocks[1]["fields"].as_array().expect("fields");
        assert_eq!(fields.len(), 2, "what is empty is left out");
        assert_eq!(fields[0]["text"], "*Contact*\n&lt;!channel&gt; &amp; &lt;@U1&gt; *Ada*");
        assert!(fields[1]["text"].as_str().is_some_and(|text| text.len() < 2000 && text.ends_with("&lt;…")));
        assert_eq!(blocks[2]["text"]["text"], "One\ntwo &lt;https://evil.test|here&gt;");
        assert_eq!(blocks[3]["elements"][0]["url"], "https://patchbay.example/calls/1");
        assert!(!payload.to_string().contains("<!channel>"));
    }
}
