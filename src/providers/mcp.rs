//! Servers that offer functions to models (Model Context Protocol), by the official SDK. What a server says is read within limits of time
//! and size, and its address is asked by the guarded way out only.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::ServiceError;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ContentBlock, ErrorCode, Implementation,
    PaginatedRequestParams, ProtocolVersion, ResourceContents, Tool,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, RoleClient, RunningService, serve_client_with_lifecycle,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError};
use serde_json::{Map, Value};

use crate::http::HttpClient;
use crate::outside::OutsideTrouble;
use crate::public_address::Refused;
use crate::schema;

/// The most of one answer that is read.
const MOST_READ: usize = 2 * 1024 * 1024;
/// The most of an answer that is no JSON: it is read to say what is wrong.
const MOST_OF_ERROR: usize = 2048;
/// The most functions that are listed, and pages of the list.
const MOST_FUNCTIONS: usize = 200;
const MOST_PAGES: usize = 20;
/// The longest description that is kept: the rest no model reads.
const LONGEST_DESCRIPTION: usize = 2000;

/// Where a server is, and what is sent with every request.
#[derive(Debug, Clone)]
pub struct McpServer {
    pub address: String,
    pub headers: Vec<(String, String)>,
    /// Addresses that begin so are asked although they are private: the installation's own stand-ins.
    pub except: Option<String>,
}

/// A function that a server offers. What it says about itself is somebody else's text.
#[derive(Debug, Clone, PartialEq)]
pub struct McpFunction {
    pub name: String,
    pub description: String,
    /// A JSON Schema in the words that every host takes.
    pub parameters: Value,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub struct McpAnswer {
    /// For a model to read.
    pub text: String,
    pub is_error: bool,
    /// The whole answer as JSON.
    pub whole: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpTrouble {
    /// Nothing was sent.
    #[error("the address was not asked: {0}")]
    Refused(String),
    /// No connection was made: nothing was sent.
    #[error("the server cannot be reached")]
    Unreachable,
    #[error("the server did not answer in time")]
    Timeout,
    #[error("the server wants other credentials")]
    Credentials,
    #[error("the server’s answer is larger than 2 MB")]
    TooLarge,
    /// The server understood, and refused.
    #[error("the server refused: {0}")]
    Said(String),
    /// It did not get as far as a function.
    #[error("{0}")]
    Before(String),
    #[error("this is no MCP server, or it is broken: {0}")]
    Broken(String),
}

impl McpTrouble {
    /// Whether what was asked may have been done all the same.
    pub fn may_have_acted(&self) -> bool {
        matches!(self, Self::Timeout | Self::TooLarge | Self::Broken(_))
    }
}

/// A conversation with a server. Where the server keeps sessions and has lost this one, it is begun anew by itself.
pub struct McpSession {
    service: RunningService<RoleClient, ClientConfig>,
}

impl McpSession {
    /// Greets the server: first in the form with sessions, and where the server knows only the one without, in that.
    pub async fn open(http: &HttpClient, server: &McpServer, within: Duration) -> Result<Self, McpTrouble> {
        let until = Instant::now() + within;
        match Self::greet(http, server, within, ClientLifecycleMode::Initialize).await {
            Err(Greeting { trouble, is_other_form: true }) => {
                let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
                let left = until.saturating_duration_since(Instant::now());
                let mode = ClientLifecycleMode::Discover { preferred_versions };
                // What is no server of either form has said so at once.
                Self::greet(http, server, left, mode).await.map_err(|_| trouble)
            }
            other => other.map_err(|error| error.trouble),
        }
    }

    async fn greet(
        http: &HttpClient,
        server: &McpServer,
        within: Duration,
        mode: ClientLifecycleMode,
    ) -> Result<Self, Greeting> {
        let plain = |trouble| Greeting { trouble, is_other_form: false };
        let client = http.guarded(&server.address, server.except.as_deref()).map_err(|trouble| {
            plain(McpTrouble::Refused(match trouble {
                OutsideTrouble::Refused(why) => why,
                other => other.to_string(),
            }))
        })?;
        let mut headers = HashMap::new();
        for (name, value) in &server.headers {
            let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
            let Some((name, mut value)) = pair else {
                return Err(plain(McpTrouble::Refused("a header cannot be sent as it is".to_owned())));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let config = StreamableHttpClientTransportConfig::with_uri(server.address.clone())
            .custom_headers(headers)
            .max_json_response_size(MOST_READ)
            .max_sse_event_size(MOST_READ)
            .max_error_response_size(MOST_OF_ERROR)
            .max_concurrent_requests(4)
            .reinit_on_expired_session(true);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let own = Implementation::new("patchbay", env!("CARGO_PKG_VERSION"));
        let info = ClientConfig::new(ClientCapabilities::default(), own);
        match tokio::time::timeout(within, serve_client_with_lifecycle(info, transport, mode)).await {
            Err(_) => Err(plain(McpTrouble::Timeout)),
            Ok(Ok(service)) => Ok(Self { service }),
            Ok(Err(error)) => Err(of_greeting(&error)),
        }
    }

    /// All that the server offers, up to 200 functions. Errors: also more pages than a list of that length has.
    pub async fn functions(&self, within: Duration) -> Result<Vec<McpFunction>, McpTrouble> {
        let listed = async {
            let (mut found, mut cursor) = (Vec::new(), None);
            for _ in 0..MOST_PAGES {
                let mut asked = PaginatedRequestParams::default();
                asked.cursor = cursor;
                let page = self.service.list_tools(Some(asked)).await.map_err(|error| of_service(&error))?;
                found.extend(page.tools.into_iter().map(function));
                cursor = page.next_cursor;
                if cursor.is_none() || found.len() >= MOST_FUNCTIONS {
                    found.truncate(MOST_FUNCTIONS);
                    return Ok(found);
                }
            }
            Err(McpTrouble::Broken("its list of functions has no end".to_owned()))
        };
        tokio::time::timeout(within, listed).await.map_err(|_| McpTrouble::Timeout)?
    }

    /// Uses a function. It is asked once: whether it may be asked again is not known.
    pub async fn call(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        within: Duration,
    ) -> Result<McpAnswer, McpTrouble> {
        let asked = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let answered = tokio::time::timeout(within, self.service.call_tool(asked)).await;
        let result = answered.map_err(|_| McpTrouble::Timeout)?.map_err(|error| of_service(&error))?;
        Ok(McpAnswer {
            text: text_of(&result),
            is_error: result.is_error == Some(true),
            whole: serde_json::to_string_pretty(&result).unwrap_or_default(),
        })
    }

    /// Whether it is over: the server is gone, or has said something that ends it.
    pub fn is_over(&self) -> bool {
        self.service.is_closed()
    }

    /// Ends the session at the server.
    pub async fn close(mut self) {
        let ended = self.service.close_with_timeout(Duration::from_secs(2)).await;
        drop(ended);
    }
}

fn function(tool: Tool) -> McpFunction {
    let about = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
    McpFunction {
        name: tool.name.into_owned(),
        description: about.chars().take(LONGEST_DESCRIPTION).collect(),
        parameters: schema::of_tool(&Value::Object((*tool.input_schema).clone())),
    }
}

/// What a model reads: texts as they are, and of all else what it is.
fn text_of(result: &CallToolResult) -> String {
    let parts = result.content.iter().map(|block| match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => format!("(a picture of the type {})", image.mime_type),
        ContentBlock::Audio(sound) => format!("(sound of the type {})", sound.mime_type),
        ContentBlock::ResourceLink(link) => format!("{}: {}", link.name, link.uri),
        ContentBlock::Resource(held) => match &held.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            _ => "(a file that is no text)".to_owned(),
        },
        _ => "(something that cannot be read)".to_owned(),
    });
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    match (&result.structured_content, parts.is_empty()) {
        (Some(structured), true) => structured.to_string(),
        _ => parts.join("\n"),
    }
}

/// Why the first words failed, and whether the server may know another form of them.
struct Greeting {
    trouble: McpTrouble,
    is_other_form: bool,
}

fn of_greeting(error: &ClientInitializeError) -> Greeting {
    let (trouble, is_other_form) = match error {
        ClientInitializeError::JsonRpcError(said) => {
            let is_unknown = matches!(said.code, ErrorCode::METHOD_NOT_FOUND) || said.code.0 == -32022;
            (McpTrouble::Said(short(&said.message)), is_unknown)
        }
        ClientInitializeError::TransportError { error, .. } => {
            let trouble = of_cause(error.error.as_ref());
            // A server of the other form may answer the request that it does not know with 400 or 404 alone.
            let is_other = matches!(&trouble, McpTrouble::Broken(said) if said.starts_with("HTTP 400") || said.starts_with("HTTP 404"));
            (trouble, is_other)
        }
        ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
            (McpTrouble::Broken("it speaks no version of the protocol that is known here".to_owned()), false)
        }
        other => (of_cause(other), false),
    };
    Greeting { trouble, is_other_form }
}

fn of_service(error: &ServiceError) -> McpTrouble {
    match error {
        ServiceError::McpError(said) => McpTrouble::Said(short(&said.message)),
        ServiceError::TransportSend(error) => of_cause(error.error.as_ref()),
        ServiceError::Timeout { .. } => McpTrouble::Timeout,
        ServiceError::UnexpectedResponse => McpTrouble::Broken("it asks for something in return".to_owned()),
        _ => McpTrouble::Broken("the connection broke".to_owned()),
    }
}

/// What lies at the bottom. Nothing of an address gets into the words.
fn of_cause(error: &(dyn Error + 'static)) -> McpTrouble {
    let mut cause = Some(error);
    while let Some(one) = cause {
        if let Some(known) = one.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            return of_http(known);
        }
        if let Some(known) = one.downcast_ref::<reqwest::Error>() {
            return of_request(known);
        }
        cause = one.source();
    }
    McpTrouble::Broken("what it answered cannot be read".to_owned())
}

fn of_http(error: &StreamableHttpError<reqwest::Error>) -> McpTrouble {
    match error {
        StreamableHttpError::Client(error) => of_request(error),
        StreamableHttpError::AuthRequired(_) | StreamableHttpError::InsufficientScope(_) => McpTrouble::Credentials,
        StreamableHttpError::ResponseBodyTooLarge { .. } => McpTrouble::TooLarge,
        StreamableHttpError::UnexpectedContentType(_) => {
            McpTrouble::Broken("it answers with something else".to_owned())
        }
        StreamableHttpError::UnexpectedServerResponse(said) => {
            let is_refusal = ["HTTP 401", "HTTP 403"].iter().any(|status| said.starts_with(status));
            if is_refusal { McpTrouble::Credentials } else { McpTrouble::Broken(short(said)) }
        }
        StreamableHttpError::HttpStatus(status) => McpTrouble::Broken(format!("it answered with {status}")),
        StreamableHttpError::SessionExpired => McpTrouble::Broken("it lost the session".to_owned()),
        _ => McpTrouble::Broken("the connection broke".to_owned()),
    }
}

fn of_request(error: &reqwest::Error) -> McpTrouble {
    let mut cause = error.source();
    while let Some(one) = cause {
        // The resolver's refusal lies deep inside.
        if let Some(refused) = one.downcast_ref::<Refused>() {
            return McpTrouble::Refused(refused.to_string());
        }
        cause = one.source();
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => McpTrouble::Unreachable,
        (false, true) => McpTrouble::Timeout,
        (false, false) => McpTrouble::Broken("the connection broke".to_owned()),
    }
}

/// Somebody else's words, as far as they are worth showing.
fn short(text: &str) -> String {
    crate::error::one_line(text).chars().take(300).collect()
}
