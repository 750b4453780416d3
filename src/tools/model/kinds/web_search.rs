use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::{KEPT, check_address, header_lines, number, origin};
use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

/// Where the results stand in what the usual service answers.
const USUAL: [(&str, &str); 4] =
    [("results_at", "web.results"), ("title_at", "title"), ("link_at", "url"), ("text_at", "description")];

/// Searches the web through a search service of the agency's choice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WebSearch {
    /// With `{query}` where the words go.
    pub address: String,
    pub secret_headers: Vec<String>,
    /// The way to the list of results, by names with dots between them; and in each result, to its parts.
    pub results_at: String,
    pub title_at: String,
    pub link_at: String,
    pub text_at: String,
    /// The most results that the model reads.
    pub results: u32,
}

impl WebSearch {
    /// What a new one begins with.
    pub fn usual() -> Values {
        let all = USUAL.into_iter().chain([("results", "5")]);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// What stands at the end of a way.
pub fn at<'a>(whole: &'a Value, way: &str) -> Option<&'a Value> {
    way.split('.').filter(|name| !name.is_empty()).try_fold(whole, |value, name| value.get(name))
}

impl KindConfig for WebSearch {
    fn fields() -> Vec<FieldSpec> {
        let line = |name, label, hint| FieldSpec::new(name, label, Input::Line, hint);
        vec![
            line(
                "address",
                "Address of the search",
                "Begins with https://, with {query} where the words go: https://api.search.brave.com/res/v1/web/search?q={query}. It is asked with GET and answers in JSON.",
            )
            .required(),
            FieldSpec::new(
                "secret_headers",
                "Secret headers",
                Input::SecretLines(2),
                "One per line, for example X-Subscription-Token: …. Stored encrypted and never shown again.",
            ),
            line(
                "results_at",
                "Where the results are",
                "Names with dots between them, from the outside in: web.results. Empty: the answer is the list itself.",
            ),
            line("title_at", "Title of a result", "The name of its title in each result.").required(),
            line("link_at", "Address of a result", "The name of its address in each result.").required(),
            line("text_at", "Text of a result", "The name of its text in each result.").required(),
            line("results", "Results", "The most that the model reads: 1 to 10."),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let address = value(values, "address").to_owned();
        let words = json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] });
        if let Err(message) = check_address(&address, &words) {
            errors.add("address", message);
        } else if !address.contains("{query}") {
            errors.add("address", "Write {query} where the words of the search go.");
        }
        let secret = header_lines(value(values, "secret_headers")).unwrap_or_else(|message| {
            errors.add("secret_headers", message);
            Vec::new()
        });
        let way = |name: &str, is_required: bool, errors: &mut FieldErrors| {
            let way = value(values, name);
            if way.len() > 200 || (is_required && way.is_empty()) {
                errors.add(name, "Name where it stands in the answer, in at most 200 characters.");
            }
            way.to_owned()
        };
        Self {
            results_at: way("results_at", false, errors),
            title_at: way("title_at", true, errors),
            link_at: way("link_at", true, errors),
            text_at: way("text_at", true, errors),
            secret_headers: secret.into_iter().map(|(name, _)| name).collect(),
            results: number(values, "results", 1, 10, 5, errors),
            address,
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let secret: Vec<String> = self.secret_headers.iter().map(|name| format!("{name}: {KEPT}")).collect();
        vec![
            ("address", self.address.clone()),
            ("secret_headers", secret.join("\n")),
            ("results_at", self.results_at.clone()),
            ("title_at", self.title_at.clone()),
            ("link_at", self.link_at.clone()),
            ("text_at", self.text_at.clone()),
            ("results", self.results.to_string()),
        ]
    }

    fn summary(&self) -> String {
        origin(&self.address).split_once("://").map_or("", |(_, host)| host).to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": { "query": { "type": "string", "description": "The words to search for." } },
            "required": ["query"]
        })
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn address(&self) -> Option<&str> {
        Some(&self.address)
    }

    fn secrets(values: &Values, _: &mut FieldErrors) -> Vec<(String, Option<String>)> {
        let lines = header_lines(value(values, "secret_headers")).unwrap_or_default();
        lines.into_iter().map(|(name, value)| (name, (value != KEPT).then_some(value))).collect()
    }
}
