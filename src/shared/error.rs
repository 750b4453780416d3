use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

use crate::Reason;

/// Everything that can go wrong, as the product says it. Each variant knows its HTTP status, its stable code and a
/// sentence for the person who sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(from = "Wire", into = "Wire")]
pub enum AppError {
    #[error("You are signed out. Sign in to continue.")]
    NotSignedIn,
    #[error("Your role does not allow this. An owner or admin of the agency can do it.")]
    Forbidden,
    #[error("This page does not exist, or you do not have access to it.")]
    NotFound,
    /// Bad input: one message per field, in words that say what to do.
    #[error("{}", .0.sentence())]
    Invalid(FieldErrors),
    /// The thing changed meanwhile, or its state does not allow this: which kind, and a sentence with the next step.
    #[error("{1}")]
    Conflict(Reason, String),
    #[error("Too many attempts. Wait {0} seconds, then try again.")]
    Limited(u64),
    /// An outside service failed: what happened, why, what to do.
    #[error("{0}")]
    ProviderDown(String),
    #[error(
        "Something went wrong on our side. It is logged under {0}. Try again, and give this reference if it happens again."
    )]
    Internal(String),
    #[error("The server did not answer. Check the connection and try again.")]
    Transport(String),
    /// The request itself cannot be read: its HTTP status (400, 408, 413, 415 or 431), and what is wrong with it.
    #[error("{1}")]
    Unreadable(u16, String),
}

/// How an error travels: `code` says which, `detail` holds the messages of fields, `reason` the kind of a
/// conflict or an unreadable request's status, `text` everything else. Flat, because
/// the code that reads an enum with contents is several times as large, and every page carries it.
#[derive(Serialize, Deserialize)]
struct Wire {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Vec<(String, String)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<AppError> for Wire {
    fn from(error: AppError) -> Self {
        let code = error.code().to_owned();
        let reason = match &error {
            AppError::Conflict(reason, _) => Some(reason.as_str().to_owned()),
            AppError::Unreadable(status, _) => Some(status.to_string()),
            _ => None,
        };
        let (detail, text) = match error {
            AppError::NotSignedIn | AppError::Forbidden | AppError::NotFound => (None, None),
            AppError::Invalid(errors) => (Some(errors.0), None),
            AppError::Limited(seconds) => (None, Some(seconds.to_string())),
            AppError::Conflict(_, text)
            | AppError::ProviderDown(text)
            | AppError::Internal(text)
            | AppError::Transport(text)
            | AppError::Unreadable(_, text) => (None, Some(text)),
        };
        Self { code, detail, text, reason }
    }
}

impl From<Wire> for AppError {
    fn from(wire: Wire) -> Self {
        let text = wire.text.unwrap_or_default();
        match wire.code.as_str() {
            "not_signed_in" => Self::NotSignedIn,
            "forbidden" => Self::Forbidden,
            "not_found" => Self::NotFound,
            "invalid" => Self::Invalid(FieldErrors(wire.detail.unwrap_or_default())),
            "limited" => Self::Limited(text.parse().unwrap_or(60)),
            "conflict" => Self::Conflict(Reason::named(&wire.reason.unwrap_or_default()), text),
            "provider_down" => Self::ProviderDown(text),
            "internal" => Self::Internal(text),
            "unreadable" => Self::Unreadable(wire.reason.and_then(|status| status.parse().ok()).unwrap_or(400), text),
            _ => Self::Transport(text),
        }
    }
}

/// Messages by field name, in the order of the form. An empty name means the form as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<(String, String)>);

impl FieldErrors {
    /// Adds `message` at `field`.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// The first message at `field`.
    pub fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, message)| message.as_str())
    }

    /// `Err(Invalid)` if anything was added.
    pub fn check(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(AppError::Invalid(self)) }
    }

    fn sentence(&self) -> String {
        self.0.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl AppError {
    /// Bad input at one field.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        AppError::Invalid(FieldErrors(vec![(field.to_owned(), message.into())]))
    }

    /// What a form names is not there, or not theirs: an error of its field. Other errors stay as they are.
    pub fn at_choice(self, field: &str, message: &str) -> Self {
        match self {
            AppError::NotFound => AppError::invalid(field, message),
            other => other,
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            AppError::NotSignedIn => 401,
            AppError::Forbidden => 403,
            AppError::NotFound => 404,
            AppError::Invalid(_) => 422,
            AppError::Conflict(..) => 409,
            AppError::Limited(_) => 429,
            AppError::ProviderDown(_) => 502,
            AppError::Internal(_) => 500,
            AppError::Transport(_) => 503,
            AppError::Unreadable(status, _) => *status,
        }
    }

    /// The name that programs know it by.
    pub fn code(&self) -> &'static str {
        match self {
            AppError::NotSignedIn => "not_signed_in",
            AppError::Forbidden => "forbidden",
            AppError::NotFound => "not_found",
            AppError::Invalid(_) => "invalid",
            AppError::Conflict(..) => "conflict",
            AppError::Limited(_) => "limited",
            AppError::ProviderDown(_) => "provider_down",
            AppError::Internal(_) => "internal",
            AppError::Transport(_) => "transport",
            AppError::Unreadable(..) => "unreadable",
        }
    }

    /// A short heading for a page or a box that shows it.
    pub fn title(&self) -> &'static str {
        match self {
            AppError::NotSignedIn => "Signed out",
            AppError::Forbidden => "Not allowed",
            AppError::NotFound => "Not found",
            AppError::Invalid(_) => "Please check what you entered",
            AppError::Conflict(..) => "That is not possible now",
            AppError::Limited(_) => "Too many tries",
            AppError::ProviderDown(_) => "An outside service failed",
            AppError::Internal(_) => "Something broke",
            AppError::Transport(_) => "No answer",
            AppError::Unreadable(..) => "The request could not be read",
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Args(text) | ServerFnErrorErr::MissingArg(text) => {
                AppError::invalid("", format!("The form was not complete: {text}"))
            }
            other => AppError::Transport(other.to_string()),
        }
    }
}

/// Writes the cause to the log once and hands out a reference in its place.
#[cfg(feature = "ssr")]
pub fn internal(cause: impl std::fmt::Display) -> AppError {
    let reference = uuid::Uuid::now_v7().simple().to_string()[20..].to_owned();
    tracing::error!(%reference, cause = %cause, "internal error");
    AppError::Internal(reference)
}

#[cfg(feature = "ssr")]
impl From<sqlx::Error> for AppError {
    /// A broken constraint becomes a message at a field, by the constraint's name; a missing row is not found.
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::RowNotFound) {
            return AppError::NotFound;
        }
        if let Some(database) = error.as_database_error() {
            if let Some((field, message)) = database.constraint().and_then(constraint_message) {
                return AppError::invalid(field, message);
            }
            // A NUL character, which PostgreSQL has no place for, in a text or inside a document.
            if matches!(database.code().as_deref(), Some("22021" | "22P05")) {
                return AppError::invalid(
                    "",
                    "The text holds a character that cannot be stored. Paste it as plain text.",
                );
            }
            if database.is_foreign_key_violation() {
                return AppError::invalid(
                    "",
                    "Something you chose no longer exists. Reload the page and choose again.",
                );
            }
        }
        internal(error)
    }
}

#[cfg(feature = "ssr")]
fn constraint_message(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "users_email_key" => ("email", "Someone here already signs in with this address. Use another one."),
        "invitations_open" => ("emails", "Somebody has just invited one of these addresses. Look at the invitations."),
        "workspaces_slug_key" => ("slug", "Another agency has this short name. Choose another one."),
        "clients_workspace_id_slug_key" => ("name", "There is already a client with this name. Choose another one."),
        "workspace_hosts_verified" => ("host", "Another agency has just verified this host name. Check again."),
        "contacts_phone_unique" => ("phone", "This client already has a contact with this number."),
        "agency_phone_numbers_in_use" => ("number", "This number is already in the list."),
        "campaign_contacts_once" => ("contact", "This contact is already in the campaign."),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{AppError, FieldErrors, Reason};

    #[test]
    fn every_error_travels_unchanged() {
        for error in [
            AppError::NotSignedIn,
            AppError::Forbidden,
            AppError::NotFound,
            AppError::Invalid(FieldErrors(vec![("name".into(), "Give a name.".into())])),
            AppError::Conflict(Reason::StalePage, "Somebody was faster.".into()),
            AppError::Conflict(Reason::Other, "Not now.".into()),
            AppError::Limited(30),
            AppError::ProviderDown("It answered 500.".into()),
            AppError::Internal("abc".into()),
            AppError::Transport("no route".into()),
            AppError::Unreadable(413, "It is too long.".into()),
        ] {
            let text = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<AppError>(&text).unwrap(), error, "{text}");
        }
    }
}
