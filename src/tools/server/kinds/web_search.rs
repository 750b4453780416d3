//! Searching the web through a search service of the agency's choice.

use serde_json::Value;

use super::http::{self, without};
use super::{Ask, Done};
use crate::model::{Http, Method, WebSearch, as_text, at};
use crate::server::invoke::cut;
use patchbay_shared::AppError;

/// The longest text of one result that the model reads.
const LONGEST: usize = 600;

pub(super) async fn run(ask: &Ask<'_>, config: &WebSearch) -> Result<Done, AppError> {
    if ask.text("query").is_empty() {
        return Ok(Done::failed("Say what to search for."));
    }
    let asked = Http {
        method: Method::Get,
        address: config.address.clone(),
        secret_headers: config.secret_headers.clone(),
        timeout_seconds: crate::model::ToolConfig::WebSearch(config.clone()).seconds(),
        retries: 1,
        ..Http::default()
    };
    let (done, body) = http::asked(ask, &asked).await?;
    if done.is_error {
        return Ok(done);
    }
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    let Some(found) = answer.as_ref().and_then(|answer| at(answer, &config.results_at)).and_then(Value::as_array)
    else {
        let text = "The search answered, but its results are not where this tool looks for them.";
        return Ok(Done { text: text.to_owned(), is_error: true, ..done });
    };
    let secrets = ask.secrets()?;
    let part = |one: &Value, way: &str| {
        let text = at(one, way).map(as_text).unwrap_or_default();
        cut(without(&secrets, &text).trim(), LONGEST)
    };
    let lines: Vec<String> = (1..)
        .zip(found.iter().take(usize::try_from(config.results).unwrap_or(1)))
        .map(|(number, one)| {
            let (title, link) = (part(one, &config.title_at), part(one, &config.link_at));
            format!("[{number}] {title}\n{link}\n{}", part(one, &config.text_at))
        })
        .collect();
    let text = match lines.is_empty() {
        true => "The search found nothing. Say that you do not know.".to_owned(),
        false => lines.join("\n\n"),
    };
    Ok(Done { text, ..done })
}
