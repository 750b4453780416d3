//! How a CRM is asked: with its token, what it says of its limits noted, and a refusal read together with what stood in it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::crm::CrmLimit;
use crate::error::{Kind, ProviderError};
use crate::http::{Answer, Ask, Endpoint};

/// What each service does in its own way.
pub(crate) struct Ways {
    /// What an answer stands for; none for a success.
    pub kind: fn(&Answer, &Value) -> Option<Kind>,
    /// Whether the token is good, and only not allowed to do this: a new one would not help.
    pub forbids: fn(&Value) -> bool,
    /// What an answer says of the limits.
    pub limit: fn(&Answer) -> CrmLimit,
    /// How long to wait at a limit when the answer has no header that says so.
    pub wait: fn(&Answer) -> Option<Duration>,
}

/// One account, with what it said last about its limits.
#[derive(Clone)]
pub(crate) struct CrmClient {
    endpoint: Endpoint,
    ways: &'static Ways,
    limit: Arc<Mutex<Option<CrmLimit>>>,
}

/// A refusal, and what stood in it.
pub(crate) struct Refused {
    pub error: ProviderError,
    pub document: Value,
}

impl CrmClient {
    pub fn new(endpoint: Endpoint, ways: &'static Ways) -> Self {
        Self { endpoint, ways, limit: Arc::default() }
    }

    /// The same account, with one more fixed header.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        Self { endpoint: self.endpoint.clone().with_header(name, value), ..self.clone() }
    }

    /// The document of a success; null when there is nothing.
    pub async fn ask(&self, ask: Ask) -> Result<Value, ProviderError> {
        self.try_ask(ask).await.map_err(|refused| refused.error)
    }

    /// The document of a success, or that of a refusal with the error that it stands for.
    pub async fn try_ask(&self, ask: Ask) -> Result<Value, Refused> {
        let none = |error| Refused { error, document: Value::Null };
        let answer = self.endpoint.answer(&ask).await.map_err(none)?;
        let limit = (self.ways.limit)(&answer);
        // Not every answer speaks of it.
        if limit != CrmLimit::default() {
            *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit);
        }
        let document = answer.document();
        let Some(kind) = (self.ways.kind)(&answer, &document) else {
            if document.is_null() && !answer.is_empty() {
                return Err(none(self.endpoint.refusal(&ask, &answer, Kind::Garbage)));
            }
            return Ok(document);
        };
        let mut error = self.endpoint.refusal(&ask, &answer, kind);
        if kind == Kind::RateLimited && error.retry_after.is_none() {
            error.retry_after = (self.ways.wait)(&answer);
        }
        // Both services say it with 403, one of them also with the status of a token that is good no more.
        if kind == Kind::Credentials && (self.ways.forbids)(&document) {
            error.status = Some(403);
        }
        Err(Refused { error, document })
    }

    pub fn limit(&self) -> Option<CrmLimit> {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
