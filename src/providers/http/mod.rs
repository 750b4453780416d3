//! The one way out to a service: time limits, size limits, no redirects, every trouble as a [`ProviderError`].

mod answer;
mod ask;
mod download;
mod events;
mod wait;

pub(crate) use answer::Answer;
pub use ask::Ask;
pub use download::Download;
pub(crate) use events::{EventStream, Streamed};
pub use wait::wait_asked_for;

use super::error::{Kind, ProviderError};
use super::public_address::{PublicResolver, check_url};
use super::sealed::Secret;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Longest time from the start of a request to the last byte of its answer, unless a service is given more. After it, whoever sent the
/// request has stopped sending: what keeps a contact from being dialled twice counts on it.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait and how much to read.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// Longest time from the start of a request to the last byte of its answer.
    pub timeout: Duration,
    /// The same for a download.
    pub download_timeout: Duration,
    /// Largest JSON answer, in bytes.
    pub json_limit: usize,
    /// Largest download, in bytes.
    pub download_limit: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: REQUEST_TIMEOUT,
            download_timeout: Duration::from_secs(600),
            json_limit: 8 << 20,
            download_limit: 200 << 20,
        }
    }
}

/// The shared HTTP client. Cheap to clone; make one per process so that connections are reused.
#[derive(Clone)]
pub struct HttpClient {
    /// To the addresses in the configuration.
    direct: reqwest::Client,
    /// To addresses that a service named: public addresses only.
    outside: reqwest::Client,
    settings: Arc<HttpSettings>,
}

/// Makes ring the cryptography under every TLS connection of this process. It has to be called before the first
/// [`reqwest::Client`] is built, plain HTTP included; calling it again does nothing.
pub fn use_ring() {
    // Refused when something has chosen before, which is fine: there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl HttpClient {
    /// Fails when the machine's TLS set-up is unusable.
    pub fn new(settings: HttpSettings) -> Result<Self, ProviderError> {
        use_ring();
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(settings.connect_timeout)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("Patchbay/", env!("CARGO_PKG_VERSION")))
        };
        let broken = |e: reqwest::Error| {
            ProviderError::new("https", Kind::Network, format!("The HTTPS client can't start: {}", cause(&e)))
        };
        Ok(Self {
            direct: builder().build().map_err(broken)?,
            // A proxy would resolve the name itself, past the check.
            outside: builder().no_proxy().dns_resolver(PublicResolver::system()).build().map_err(broken)?,
            settings: Arc::new(settings),
        })
    }

    /// To the addresses in the configuration.
    pub(crate) fn direct(&self) -> &reqwest::Client {
        &self.direct
    }

    /// To addresses that somebody else chose.
    pub(crate) fn outside(&self) -> &reqwest::Client {
        &self.outside
    }
}

/// Reads the service's own words out of an error document.
pub type Explain = fn(&Value) -> Option<String>;

/// One service, reached with one set of credentials.
#[derive(Clone)]
pub struct Endpoint {
    http: HttpClient,
    provider: &'static str,
    base: Url,
    headers: HeaderMap,
    key: Secret<String>,
    timeout: Duration,
    explain: Explain,
    /// Somebody else chose the address.
    only_public: bool,
}

impl Endpoint {
    /// `base` is the service's address with its path prefix. `header` names the header that carries the key, with what
    /// stands before the key in it.
    pub fn new(
        http: &HttpClient,
        provider: &'static str,
        base: &str,
        (header, before): (&'static str, &str),
        key: &Secret<String>,
        explain: Explain,
    ) -> Result<Self, ProviderError> {
        let base = Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| ProviderError::new(provider, Kind::Network, "The service's address is not a web address"))?;
        let mut value = HeaderValue::from_str(&format!("{before}{}", key.expose().trim()))
            .ok()
            .filter(|_| !key.expose().trim().is_empty())
            .ok_or_else(|| {
                ProviderError::new(provider, Kind::Credentials, "The key is empty or has characters that no key has")
            })?;
        value.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(header), value);
        let timeout = http.settings.timeout;
        let key = key.clone();
        Ok(Self { http: http.clone(), provider, base, headers, key, timeout, explain, only_public: false })
    }

    /// The same endpoint, whose address somebody else chose: a public one, over HTTPS. Fails when it can be seen not to be.
    pub fn only_public(mut self) -> Result<Self, ProviderError> {
        check_url(&self.base).map_err(|why| {
            let said = format!("The service's address is refused: {why}");
            ProviderError::new(self.provider, Kind::Network, said)
        })?;
        self.only_public = true;
        Ok(self)
    }

    /// The same endpoint with another total time limit.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same endpoint with one more fixed header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Sends the request and reads its JSON answer.
    pub async fn json<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, ProviderError> {
        let (status, body) = self.exchange(&ask).await?;
        let read = crate::json::read(&body).and_then(|value| T::deserialize(value).map_err(|e| e.to_string()));
        read.map_err(|e| {
            let said = format!("{e}; the answer began: {}", self.excerpt(&ask, &body));
            self.error(&ask, Kind::Garbage, Some(status), &said)
        })
    }

    /// Sends the request and ignores what a success says.
    pub async fn done(&self, ask: Ask) -> Result<(), ProviderError> {
        self.exchange(&ask).await.map(|_| ())
    }

    async fn exchange(&self, ask: &Ask) -> Result<(u16, Vec<u8>), ProviderError> {
        let request = self.request(ask)?.timeout(self.timeout);
        let response = request.send().await.map_err(|e| self.broken(ask, e))?;
        let response = self.accept(ask, response).await?;
        let status = response.status().as_u16();
        Ok((status, self.read(ask, response).await?))
    }

    fn request(&self, ask: &Ask) -> Result<RequestBuilder, ProviderError> {
        let url = ask.url(&self.base).ok_or_else(|| {
            ProviderError::new(self.provider, Kind::NotFound, "An id in the request is empty or not an id")
        })?;
        let client = if self.only_public { &self.http.outside } else { &self.http.direct };
        let mut request = client.request(ask.method.clone(), url).headers(self.headers.clone());
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        if let Some(fields) = &ask.form {
            request = request.form(fields);
        }
        Ok(request)
    }

    /// Lets a success through and turns everything else into an error with the service's own words.
    async fn accept(&self, ask: &Ask, response: Response) -> Result<Response, ProviderError> {
        let status = response.status().as_u16();
        let Some(kind) = Kind::of_status(status) else {
            return Ok(response);
        };
        if response.status().is_redirection() {
            return Err(self.error(ask, kind, Some(status), "It answered with a redirect, which is not followed"));
        }
        let wait = wait_asked_for(response.headers(), chrono::Utc::now());
        // The status already says what happened: a body that can't be read must not hide it.
        let body = self.read(ask, response).await.unwrap_or_default();
        let said = match crate::json::read(&body) {
            Ok(document) => (self.explain)(&document).unwrap_or_else(|| self.excerpt(ask, &body)),
            Err(_) => self.excerpt(ask, &body),
        };
        let mut error = self.error(ask, kind, Some(status), &said);
        error.retry_after = wait;
        Err(error)
    }

    async fn read(&self, ask: &Ask, mut response: Response) -> Result<Vec<u8>, ProviderError> {
        let limit = self.http.settings.json_limit;
        let status = response.status().as_u16();
        let too_large = || self.error(ask, Kind::Garbage, Some(status), "The answer is too large");
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(ask, e))? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The error for a request that got no complete answer.
    fn broken(&self, ask: &Ask, e: reqwest::Error) -> ProviderError {
        let (kind, said) = match (e.is_timeout(), e.is_connect()) {
            (true, true) => (Kind::Timeout, "No connection within the time limit".to_owned()),
            (true, false) => (Kind::Timeout, String::new()),
            (false, _) => (Kind::Network, cause(&e)),
        };
        let mut error = self.error(ask, kind, None, &said);
        // Without a connection nothing was sent.
        error.may_have_acted &= !e.is_connect();
        error
    }

    fn error(&self, ask: &Ask, kind: Kind, status: Option<u16>, said: &str) -> ProviderError {
        let mut error = ProviderError::new(self.provider, kind, self.redacted(ask, said));
        error.status = status;
        error.may_have_acted = !ask.repeatable;
        error
    }

    /// The beginning of a body that isn't what it should be. Secrets go first: a cut could leave half of one.
    fn excerpt(&self, ask: &Ask, body: &[u8]) -> String {
        let text = without_markup(&self.redacted(ask, &String::from_utf8_lossy(body)));
        super::error::one_line(&text).chars().take(200).collect()
    }

    fn redacted(&self, ask: &Ask, text: &str) -> String {
        let secrets = ask.hidden.iter().chain([&self.key]).map(|s| s.expose().trim());
        // Shorter ones would blank out ordinary words.
        secrets.filter(|s| s.len() >= 4).fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
    }
}

/// The innermost cause, which is the telling one, without addresses that could carry a key.
fn cause(e: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = e;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn without_markup(text: &str) -> String {
    let mut is_inside = false;
    let shown = |c: char| {
        match c {
            '<' => is_inside = true,
            '>' if is_inside => {
                is_inside = false;
                return ' ';
            }
            _ => {}
        }
        if is_inside { ' ' } else { c }
    };
    text.chars().map(shown).collect()
}
