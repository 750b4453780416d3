//! Words of the public API that all its routes share.

use axum::Json;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use patchbay_shared::AppError;

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
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) => Err(AppError::invalid("", error.body_text())),
        }
    }
}
