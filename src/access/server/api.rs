//! Words of the public API that all its routes share.

use axum::Json;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use patchbay_shared::{AppError, FieldErrors, text};

/// Rows that a list gives unless it is asked for another number.
const USUAL: usize = 50;
const MOST: usize = 200;

/// `limit` in an address: 1 to 200, otherwise 50. Errors: `Invalid` at `limit`.
pub fn page_size(query: &str) -> Result<usize, AppError> {
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit");
    match asked {
        None => Ok(USUAL),
        Some((_, text)) => {
            let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
            limit.ok_or_else(|| AppError::invalid("limit", "Ask for 1 to 200 rows."))
        }
    }
}

/// A JSON body; what cannot be read is said as a problem.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let read = Json::<Value>::from_request(request, state).await;
        let Json(body) = read.map_err(|error| AppError::Unreadable(error.status().as_u16(), error.body_text()))?;
        let mut errors = FieldErrors::default();
        for (name, value) in body.as_object().into_iter().flatten() {
            check_text(name, value, &mut errors);
        }
        errors.check()?;
        serde_json::from_value(body)
            .map(Self)
            .map_err(|error| AppError::invalid("", format!("The body does not fit: {error}")))
    }
}

/// The same rule for characters as in forms. What a field holds in parts may have several lines.
fn check_text(name: &str, value: &Value, errors: &mut FieldErrors) {
    let mut waiting = vec![(name, value)];
    while let Some((field, value)) = waiting.pop() {
        let fault = match value {
            Value::String(text) => text::fault(field, text),
            Value::Array(values) => {
                waiting.extend(values.iter().map(|value| ("attributes", value)));
                None
            }
            Value::Object(pairs) => {
                waiting.extend(pairs.values().map(|value| ("attributes", value)));
                pairs.keys().find_map(|key| text::fault("name", key))
            }
            _ => None,
        };
        if let Some(fault) = fault {
            errors.add(name, fault);
        }
    }
}
