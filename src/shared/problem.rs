//! Errors as programs read them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::AppError;

impl IntoResponse for AppError {
    /// `application/problem+json` (RFC 9457): status, stable code, for a conflict its reason, sentence, and the
    /// fields that were wrong.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let fields = if let AppError::Invalid(fields) = &self { Some(fields.0.clone()) } else { None };
        let reason = if let AppError::Conflict(reason, _) = &self { Some(reason.as_str()) } else { None };
        let problem = serde_json::json!({
            "type": "about:blank", "title": self.title(), "status": status.as_u16(),
            "detail": self.to_string(), "code": self.code(), "reason": reason, "fields": fields,
        });
        let mut response = (status, problem.to_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let AppError::Limited(seconds) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
