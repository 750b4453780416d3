//! Whole answers, for services whose status and headers say more than that it went well.

use super::{Ask, Endpoint, wait_asked_for};
use crate::error::{Kind, ProviderError};
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What a service answered, whatever it was.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// A header that is a whole number.
    pub fn figure(&self, name: &str) -> Option<u32> {
        self.header(name)?.parse().ok()
    }

    pub fn is_empty(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// The body as a document; null when it is none.
    pub fn document(&self) -> Value {
        crate::json::read(&self.body).unwrap_or(Value::Null)
    }
}

impl Endpoint {
    /// Sends the request and gives back what came. Errors: no complete answer.
    pub(crate) async fn answer(&self, ask: &Ask) -> Result<Answer, ProviderError> {
        let response = self.request(ask)?.timeout(self.timeout).send().await.map_err(|e| self.broken(ask, e))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = match self.read(ask, response).await {
            // The status already says what happened: a body that can't be read must not hide it.
            Err(_) if Kind::of_status(status).is_some() => Vec::new(),
            read => read?,
        };
        Ok(Answer { status, headers, body })
    }

    /// The error that an answer stands for, in the service's own words.
    pub(crate) fn refusal(&self, ask: &Ask, answer: &Answer, kind: Kind) -> ProviderError {
        let said = match crate::json::read(&answer.body) {
            Ok(document) => (self.explain)(&document).unwrap_or_else(|| self.excerpt(ask, &answer.body)),
            Err(_) => self.excerpt(ask, &answer.body),
        };
        let mut error = self.error(ask, kind, Some(answer.status), &said);
        error.retry_after = wait_asked_for(&answer.headers, chrono::Utc::now());
        error
    }
}
