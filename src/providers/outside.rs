//! Requests to addresses that a tenant chose: public addresses only, with limits on time and size. Redirects are not followed.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use url::Url;

use crate::http::HttpClient;
use crate::public_address::{Refused, check_url};

/// A request to somewhere outside.
#[derive(Debug, Clone)]
pub struct OutsideAsk {
    /// `GET`, `POST` and so on.
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// From the beginning to the last byte of the answer.
    pub timeout: Duration,
    /// The most bytes of the answer that are read.
    pub limit: usize,
    /// Addresses that begin so are asked although they are private: the installation's own stand-ins.
    pub except: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideAnswer {
    pub status: u16,
    pub content_type: String,
    /// `Location`, `Retry-After` and whatever else; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// There was more than `limit`; the rest was not read.
    pub is_cut: bool,
    /// The address that was connected to.
    pub remote: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutsideTrouble {
    /// Nothing was sent.
    #[error("{0}")]
    Refused(String),
    #[error("no answer within the time limit")]
    Timeout,
    /// No connection was made: nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl OutsideTrouble {
    fn refused(why: impl std::fmt::Display) -> Self {
        Self::Refused(why.to_string())
    }
}

/// Why an address is refused that can be seen to be none of the public internet. A name may still turn out to lead to a private one: that
/// is seen when it is asked.
pub fn refused_at_sight(address: &str, except: Option<&str>) -> Option<String> {
    let Ok(url) = Url::parse(address) else { return Some("the address is not a web address".to_owned()) };
    if except.is_some_and(|own| begins_with(&url, own)) {
        return None;
    }
    if let Err(refused) = check_url(&url) {
        return Some(refused.to_string());
    }
    let name = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let is_private = name == "localhost" || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end));
    is_private.then(|| Refused::Private.to_string())
}

impl HttpClient {
    /// The client that may ask an address which a tenant chose. Errors: `Refused`.
    pub(crate) fn guarded(&self, address: &str, except: Option<&str>) -> Result<reqwest::Client, OutsideTrouble> {
        let url = Url::parse(address).map_err(|_| OutsideTrouble::refused("the address is not a web address"))?;
        if except.is_some_and(|own| begins_with(&url, own)) {
            return Ok(self.direct().clone());
        }
        check_url(&url).map_err(OutsideTrouble::refused)?;
        Ok(self.outside().clone())
    }

    /// Asks an address that a tenant chose.
    pub async fn ask_outside(&self, ask: &OutsideAsk) -> Result<OutsideAnswer, OutsideTrouble> {
        let url = Url::parse(&ask.url).map_err(|_| OutsideTrouble::refused("the address is not a web address"))?;
        let client = self.guarded(&ask.url, ask.except.as_deref())?;
        let method = reqwest::Method::from_bytes(ask.method.as_bytes())
            .map_err(|_| OutsideTrouble::refused("the method is none of HTTP"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &ask.headers {
            let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
            let Some((name, mut value)) = pair else {
                return Err(OutsideTrouble::refused("a header cannot be sent as it is"));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut request = client.request(method, url).headers(headers).timeout(ask.timeout);
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(trouble)?;
        let remote = response.remote_addr().map(|address| address.to_string());
        let text =
            |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let content_type = text(CONTENT_TYPE).unwrap_or_default();
        let all = response.headers().iter();
        let headers: Vec<(String, String)> =
            all.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
        let (status, mut body, mut is_cut) = (response.status().as_u16(), Vec::new(), false);
        while let Some(chunk) = response.chunk().await.map_err(trouble)? {
            let room = ask.limit - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                is_cut = true;
                break;
            }
        }
        Ok(OutsideAnswer { status, content_type, headers, body, is_cut, remote })
    }
}

impl OutsideAnswer {
    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Where it points instead of answering.
    pub fn redirect(&self) -> Option<&str> {
        if (300..400).contains(&self.status) { self.header(LOCATION.as_str()) } else { None }
    }

    /// Whole seconds that it asks to wait.
    pub fn retry_after(&self) -> Option<u64> {
        self.header(RETRY_AFTER.as_str())?.trim().parse().ok()
    }
}

/// Whether an address lies below another one: the same scheme, host and port, and a path that begins so.
fn begins_with(url: &Url, own: &str) -> bool {
    Url::parse(own).is_ok_and(|own| {
        url.origin() == own.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().strip_prefix(own.path().trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    })
}

fn trouble(error: reqwest::Error) -> OutsideTrouble {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        // The resolver's refusal lies deep inside.
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return OutsideTrouble::refused(refused);
        }
        cause = inner;
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => OutsideTrouble::Unreachable("it took too long".to_owned()),
        (true, false) => OutsideTrouble::Timeout,
        (false, true) => OutsideTrouble::Unreachable(cause.to_string()),
        (false, false) => OutsideTrouble::Broken(cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_the_own_address_is_own() {
        let own = "http://127.0.0.1:4010/tools";
        let is = |text: &str| begins_with(&Url::parse(text).expect("an address"), own);
        assert!(is("http://127.0.0.1:4010/tools/echo") && is("http://127.0.0.1:4010/tools/a?b=c"));
        for other in [
            "http://127.0.0.1:4010/tools",
            "http://127.0.0.1:4010/toolsmith/echo",
            "http://127.0.0.1:4010/tools/../control/reset",
            "http://127.0.0.1:4010/tools/%2e%2e/control/reset",
            "http://127.0.0.1:4011/tools/echo",
            "https://127.0.0.1:4010/tools/echo",
            "http://user@127.0.0.1:4010/tools/echo",
            "http://127.0.0.2:4010/tools/echo",
        ] {
            assert!(!is(other), "{other}");
        }
    }

    fn ask(url: &str) -> OutsideAsk {
        OutsideAsk {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(5),
            limit: 1000,
            except: None,
        }
    }

    #[tokio::test]
    async fn private_addresses_are_refused_before_and_after_the_name_is_resolved() {
        let http = HttpClient::new(crate::HttpSettings::default()).expect("a client");
        for url in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/",
            // A name that leads home.
            "https://localhost/",
            "https://example.com:22/",
        ] {
            let refused = http.ask_outside(&ask(url)).await;
            assert!(matches!(refused, Err(OutsideTrouble::Refused(_))), "{url}: {refused:?}");
        }
    }
}
