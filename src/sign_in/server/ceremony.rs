//! A passkey's ceremony has two halves: a question with a challenge, and the answer that an authenticator has signed. Between them the
//! challenge lies in the session. That is why the crate may write its state down (`danger-allow-state-serialisation`): the danger is a
//! browser that holds the state and sends an old one again. Our sessions' contents stay on the server, each state is taken out
//! before its answer is judged, and it ends after five minutes.

use chrono::Utc;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_sessions::Expiry;
use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

use patchbay_access::server::Visitor;
use patchbay_shared::error::internal;
use patchbay_shared::{AppError, Reason};

/// Seconds that a ceremony may take.
const PATIENCE: i64 = 300;
/// Answers are some kilobytes long, with a certificate or two.
const MOST_BYTES: usize = 64 * 1024;
const BY_NOW: &str = "This took longer than five minutes, or was answered before. Start again.";

/// Where we are, as passkeys see it.
pub(crate) struct Site {
    /// The relying party's id. A passkey works for one host name only.
    pub host: String,
    pub webauthn: Webauthn,
}

impl Site {
    /// Where the visitor is: at the site's own address or at an agency's proved one, never at what a request only says. Errors:
    /// `Conflict` where passkeys cannot work.
    pub fn here(visitor: &Visitor, product: &str) -> Result<Self, AppError> {
        let url = address(visitor)?;
        if let Some(hurdle) = hurdle_at(&url) {
            return Err(AppError::Conflict(Reason::Configuration, hurdle));
        }
        let host = url.domain().unwrap_or_default().to_owned();
        let webauthn = WebauthnBuilder::new(&host, &url).and_then(|builder| builder.rp_name(product).build());
        Ok(Self { webauthn: webauthn.map_err(internal)?, host })
    }
}

/// Why passkeys cannot work where the visitor is. None: they can.
pub(crate) fn hurdle(visitor: &Visitor) -> Result<Option<String>, AppError> {
    Ok(hurdle_at(&address(visitor)?))
}

fn address(visitor: &Visitor) -> Result<Url, AppError> {
    Url::parse(&visitor.base).map_err(internal)
}

/// Browsers ask for a host name, and for https everywhere but on this machine.
fn hurdle_at(url: &Url) -> Option<String> {
    let address = url.origin().ascii_serialization();
    let Some(host) = url.domain() else {
        return Some(format!(
            "Passkeys belong to a host name, and this site's address is {address}. Its operator sets a name with PATCHBAY_PUBLIC_URL."
        ));
    };
    let is_safe = url.scheme() == "https" || host == "localhost" || host.ends_with(".localhost");
    (!is_safe).then(|| {
        format!(
            "Passkeys need https, and this site's address is {address}. Its operator sets PATCHBAY_PUBLIC_URL to an address with https."
        )
    })
}

/// A question that waits for its answer: what the crate keeps of it, and what the browser is given.
#[derive(Serialize, Deserialize)]
struct Asked {
    since: i64,
    state: String,
    options: String,
}

/// Keeps a question in the session, in place of an earlier one of the same kind. `options`: what the browser is given.
pub(super) async fn keep<T: Serialize>(
    visitor: &Visitor,
    kind: &str,
    state: &T,
    options: &serde_json::Value,
) -> Result<String, AppError> {
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    let state = serde_json::to_string(state).map_err(internal)?;
    let asked = Asked { since: Utc::now().timestamp(), state, options: options.to_string() };
    session.insert(kind, &asked).await.map_err(internal)?;
    if visitor.viewer.is_none() {
        // Nobody fills the sessions' table with questions.
        session.set_expiry(Some(Expiry::OnInactivity(time::Duration::seconds(2 * PATIENCE))));
    }
    Ok(asked.options)
}

/// What the browser was given, while its answer is awaited.
pub(super) async fn options(visitor: &Visitor, kind: &str) -> Result<Option<String>, AppError> {
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    let asked = session.get::<Asked>(kind).await.map_err(internal)?;
    Ok(asked.filter(|asked| is_open(asked.since, Utc::now().timestamp())).map(|asked| asked.options))
}

/// Takes the question out of the session, whatever comes of the answer. Errors: `Conflict` if there is none, or none any more.
pub(super) async fn take<T: DeserializeOwned>(visitor: &Visitor, kind: &str) -> Result<T, AppError> {
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    let asked = session.remove::<Asked>(kind).await.map_err(internal)?;
    let asked = asked.ok_or_else(|| AppError::Conflict(Reason::TooLate, BY_NOW.into()))?;
    // At once, not at the end of the request: a second request with the same answer finds nothing.
    session.save().await.map_err(internal)?;
    if !is_open(asked.since, Utc::now().timestamp()) {
        return Err(AppError::Conflict(Reason::TooLate, BY_NOW.into()));
    }
    serde_json::from_str(&asked.state).map_err(internal)
}

fn is_open(since: i64, now: i64) -> bool {
    (0..PATIENCE).contains(&(now - since))
}

/// The browser's answer. None: it has another form.
pub(super) fn read<T: DeserializeOwned>(answer: &str) -> Option<T> {
    if answer.len() > MOST_BYTES { None } else { serde_json::from_str(answer).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_name_and_a_connection_that_nobody_reads() {
        let hurdle = |text: &str| hurdle_at(&Url::parse(text).expect("an address"));
        for good in
            ["https://voice.example.com", "http://localhost:3000", "http://a.localhost", "https://a.example:8443/x"]
        {
            assert_eq!(hurdle(good), None, "{good}");
        }
        for bad in ["http://127.0.0.1:3000", "https://10.0.0.1", "https://[::1]:3000", "http://voice.example.com"] {
            assert!(hurdle(bad).is_some_and(|text| text.contains("PATCHBAY_PUBLIC_URL")), "{bad}");
        }
    }

    #[test]
    fn a_question_is_open_for_five_minutes() {
        assert!(is_open(1000, 1000) && is_open(1000, 1299));
        assert!(!is_open(1000, 1300) && !is_open(1000, 999));
    }
}
