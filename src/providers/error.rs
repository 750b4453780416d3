//! One error for every outside service.

use std::time::Duration;

/// The longest message kept, in characters.
const MESSAGE_LIMIT: usize = 500;

/// What kind of trouble it was. The kind decides whether a repeat makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The key was refused (401, 403), or can't be sent at all.
    Credentials,
    /// No such thing at the service (404, 410).
    NotFound,
    /// The service understood and said no (other 4xx).
    Rejected,
    /// Too many requests (429).
    RateLimited,
    /// The service is in trouble (5xx).
    Unavailable,
    /// No answer within the time limit.
    Timeout,
    /// An answer that can't be understood: not JSON, cut off, too large, or a redirect.
    Garbage,
    /// No connection, or it broke.
    Network,
}

impl Kind {
    /// A short stable code for logs and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Credentials => "credentials",
            Kind::NotFound => "not_found",
            Kind::Rejected => "rejected",
            Kind::RateLimited => "rate_limited",
            Kind::Unavailable => "unavailable",
            Kind::Timeout => "timeout",
            Kind::Garbage => "garbage",
            Kind::Network => "network",
        }
    }

    /// The kind that an HTTP status stands for; `None` for success.
    pub fn of_status(status: u16) -> Option<Kind> {
        match status {
            200..=299 => None,
            401 | 403 => Some(Kind::Credentials),
            404 | 410 => Some(Kind::NotFound),
            408 => Some(Kind::Timeout),
            429 => Some(Kind::RateLimited),
            400..=499 => Some(Kind::Rejected),
            500..=599 => Some(Kind::Unavailable),
            _ => Some(Kind::Garbage),
        }
    }
}

/// What an outside service, or the way to it, answered instead of a result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct ProviderError {
    /// The service's lower-case name, such as `ultravox`.
    pub provider: &'static str,
    /// What kind of trouble it was.
    pub kind: Kind,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What the service said, for people: one line, at most 500 characters, never a secret. May be empty.
    pub message: String,
    /// How long the service asked us to wait.
    pub retry_after: Option<Duration>,
    /// True when the request left this machine and is not safe to send twice.
    pub may_have_acted: bool,
}

impl ProviderError {
    /// An error whose request can't have had an effect. The message is cleaned and cut.
    pub fn new(provider: &'static str, kind: Kind, message: impl AsRef<str>) -> Self {
        Self {
            provider,
            kind,
            status: None,
            message: one_line(message.as_ref()),
            retry_after: None,
            may_have_acted: false,
        }
    }

    /// The request may have had its effect although no usable answer came: a repeat could do it twice.
    /// Look at the service first.
    pub fn outcome_unknown(&self) -> bool {
        self.may_have_acted && matches!(self.kind, Kind::Timeout | Kind::Network | Kind::Unavailable | Kind::Garbage)
    }

    /// The very same request may be sent again later without doing anything twice, and could then succeed.
    pub fn is_retryable(&self) -> bool {
        self.is_passing_trouble() && !self.outcome_unknown()
    }

    /// The trouble is likely to pass by itself, whatever the request was.
    pub fn is_passing_trouble(&self) -> bool {
        matches!(self.kind, Kind::RateLimited | Kind::Unavailable | Kind::Timeout | Kind::Garbage | Kind::Network)
            || self.status == Some(409)
    }

    /// The service itself seems to be down, as opposed to a request it refused.
    pub fn is_outage(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::Timeout | Kind::Garbage | Kind::Network)
    }

    /// What happened, why, and what to do next, in plain words.
    pub fn sentence(&self) -> String {
        let name = display_name(self.provider);
        let (what, next) = match self.kind {
            Kind::Credentials => (
                format!("{name} refused the credentials."),
                "Check the key and what it is allowed to do, then save it again.".to_owned(),
            ),
            Kind::NotFound => {
                (format!("{name} doesn't know what was asked for."), "It may have been deleted there.".to_owned())
            }
            Kind::Rejected if self.status == Some(402) => {
                (format!("The account at {name} has no credit left."), format!("Add credit to the account at {name}."))
            }
            Kind::Rejected if self.status == Some(429) => (
                format!("The account at {name} has reached a limit that does not pass by itself."),
                format!("Look at the credit and the limits of the account at {name}."),
            ),
            Kind::Rejected => {
                (format!("{name} did not accept the request."), "Change what it names, then try again.".to_owned())
            }
            Kind::RateLimited => (
                format!("{name} is getting too many requests from this account."),
                match self.retry_after {
                    Some(wait) => format!("Try again in {}.", spoken(wait)),
                    None => "Try again in a minute.".to_owned(),
                },
            ),
            Kind::Unavailable => (
                format!("{name} is having problems{}.", self.status_in_brackets()),
                "Try again in a few minutes.".to_owned(),
            ),
            Kind::Timeout => (format!("{name} took too long to answer."), "Try again in a few minutes.".to_owned()),
            Kind::Garbage => (
                format!("{name} sent an answer that can't be understood{}.", self.status_in_brackets()),
                "Try again; if it stays so, check the service's address.".to_owned(),
            ),
            Kind::Network => (
                format!("{name} can't be reached."),
                "Check this server's connection to it, then try again.".to_owned(),
            ),
        };
        let said = match self.message.as_str() {
            "" => String::new(),
            said if said.ends_with(['.', '!', '?', '…']) => format!(" It said: {said}"),
            said => format!(" It said: {said}."),
        };
        if self.outcome_unknown() {
            // "Try again" would be bad advice here.
            return format!("{what}{said} The request may have had its effect: look at {name} before repeating it.");
        }
        format!("{what}{said} {next}")
    }

    fn status_in_brackets(&self) -> String {
        self.status.map(|s| format!(" (status {s})")).unwrap_or_default()
    }
}

/// The service's name as people write it.
pub fn display_name(provider: &str) -> &str {
    match provider {
        "ultravox" => "Ultravox",
        "telnyx" => "Telnyx",
        "hubspot" => "HubSpot",
        "zoho" => "Zoho CRM",
        "slack" => "Slack",
        "openrouter" => "OpenRouter",
        "anthropic" => "Anthropic",
        "openai_compatible" => "The model server",
        "twilio" => "Twilio",
        "plivo" => "Plivo",
        other => other,
    }
}

/// Text on one line without control characters, cut at the limit.
pub(super) fn one_line(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match words.char_indices().nth(MESSAGE_LIMIT) {
        None => words,
        Some(_) => words.chars().take(MESSAGE_LIMIT - 1).chain(['…']).collect(),
    }
}

/// A waiting time as people say it, rounded up.
fn spoken(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0 | 1 => "a second".to_owned(),
        2..=99 => format!("{seconds} seconds"),
        100..=5399 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_at_most_500_characters() {
        assert_eq!(one_line(" a\n\tb\u{0}c  d "), "a b c d");
        let long = one_line(&"é".repeat(700));
        assert_eq!(long.chars().count(), 500);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn an_unknown_outcome_never_counts_as_retryable() {
        let mut e = ProviderError::new("ultravox", Kind::Timeout, "");
        assert!(e.is_retryable() && !e.outcome_unknown());
        e.may_have_acted = true;
        assert!(!e.is_retryable() && e.outcome_unknown());
        e.kind = Kind::RateLimited;
        assert!(e.is_retryable() && !e.outcome_unknown(), "a refused request had no effect");
    }

    #[test]
    fn sentences_name_the_service_the_reason_and_the_next_step() {
        let mut e = ProviderError::new("telnyx", Kind::RateLimited, "Too many requests");
        e.retry_after = Some(Duration::from_secs(12));
        assert_eq!(
            e.sentence(),
            "Telnyx is getting too many requests from this account. It said: Too many requests. Try again in 12 seconds."
        );
        let mut e = ProviderError::new("ultravox", Kind::Timeout, "");
        e.may_have_acted = true;
        assert!(e.sentence().ends_with("The request may have had its effect: look at Ultravox before repeating it."));
    }
}
