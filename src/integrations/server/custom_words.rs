//! What people read of an exchange with a system of the agency's own, and what an answer says about a contact.

use serde_json::Value;

use super::custom::{HEADER, LONGEST_DETAIL, PATIENCE};
use super::tokens::TokenDocument;
use crate::model::CustomConfig;
use patchbay_providers::outside::{OutsideAnswer, OutsideAsk, OutsideTrouble};

pub(super) fn why(trouble: &OutsideTrouble) -> String {
    match trouble {
        OutsideTrouble::Refused(why) => format!("The address was not asked: {why}."),
        OutsideTrouble::Timeout => format!("It did not answer within {} seconds.", PATIENCE.as_secs()),
        OutsideTrouble::Unreachable(_) => "It cannot be reached.".to_owned(),
        OutsideTrouble::Broken(_) => "It broke off while it answered.".to_owned(),
    }
}

/// The answer's text without any of the secrets: some systems echo headers.
pub(super) fn said(answer: &OutsideAnswer, document: &TokenDocument) -> String {
    let text = String::from_utf8_lossy(&answer.body).replace('\0', "\u{fffd}");
    let secrets = document.extra.values().filter(|secret| secret.len() >= 4);
    let text = secrets.fold(text, |text, secret| {
        let bare = secret.split_once(' ').map_or("", |(_, rest)| rest);
        let text = text.replace(secret.as_str(), crate::model::HIDDEN);
        if bare.len() >= 4 { text.replace(bare, crate::model::HIDDEN) } else { text }
    });
    text.chars().take(4000).collect()
}

pub(super) fn shown(request: &OutsideAsk, config: &CustomConfig, document: &TokenDocument) -> String {
    let mut shown = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        let is_secret = config.secret_headers.contains(name) && document.extra.contains_key(&format!("{HEADER}{name}"));
        shown += &format!("{name}: {}\n", if is_secret { crate::model::HIDDEN } else { value });
    }
    let body = request.body.as_deref().unwrap_or_default();
    let pretty = serde_json::from_slice::<Value>(body).ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
    shown + "\n" + &pretty.unwrap_or_default()
}

/// Details of a contact that an answer holds.
pub(super) fn details(config: &CustomConfig, answer: &OutsideAnswer) -> Vec<(String, String)> {
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return Vec::new() };
    let values = config.answers.iter().filter_map(|one| {
        let name = one.field.strip_prefix("detail:")?;
        let text = match body.pointer(&one.pointer)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            _ => return None,
        };
        let text: String = patchbay_shared::text::one_line(&text).chars().take(LONGEST_DETAIL).collect();
        (!text.is_empty()).then(|| (name.to_owned(), text))
    });
    values.collect()
}
