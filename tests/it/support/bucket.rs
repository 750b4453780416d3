use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};

/// A bucket that speaks as much of S3's language as is needed to keep files in it (docs.aws.amazon.com/AmazonS3/latest/API): objects,
/// ranges, uploads in parts, deleting several. Who does not sign with its key is refused; the signature itself is not computed.
#[derive(Clone)]
pub struct Bucket {
    address: SocketAddr,
    content: Arc<Content>,
}

#[derive(Default)]
struct Content {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    uploads: Mutex<HashMap<String, BTreeMap<u32, Vec<u8>>>>,
    is_closed: AtomicBool,
}

const KEY: &str = "key-of-tests";

impl Bucket {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let content = Arc::<Content>::default();
        let routes = axum::Router::new().fallback(answer).with_state(content.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, content }
    }

    /// As `--files` names it.
    pub fn url(&self) -> String {
        "s3://files/patchbay/main".into()
    }

    /// What stands beside `--files`.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let endpoint = format!("http://{}", self.address);
        let settings = [
            ("aws_endpoint", endpoint.as_str()),
            ("aws_allow_http", "true"),
            ("aws_access_key_id", KEY),
            ("aws_secret_access_key", "secret-of-tests"),
            ("aws_region", "eu-central-1"),
        ];
        settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.content.objects.lock().expect("objects").keys().cloned().collect()
    }

    /// Uploads in parts that were begun, and neither finished nor given up.
    pub fn open_uploads(&self) -> usize {
        self.content.uploads.lock().expect("uploads").len()
    }

    /// From now on everybody is refused, or nobody who has the key.
    pub fn close(&self, is_closed: bool) {
        self.content.is_closed.store(is_closed, Ordering::Relaxed);
    }
}

async fn answer(State(content): State<Arc<Content>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let signed = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_ours = signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/"));
    if !is_ours || content.is_closed.load(Ordering::Relaxed) {
        return said(StatusCode::FORBIDDEN, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
    }
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let key = head.uri.path().trim_start_matches("/files").trim_start_matches('/').to_owned();
    let upload = query.get("uploadId").cloned();
    let mut objects = content.objects.lock().expect("objects");
    let mut uploads = content.uploads.lock().expect("uploads");
    match (head.method, upload) {
        (Method::POST, None) if query.contains_key("uploads") => {
            let id = uuid::Uuid::new_v4().simple().to_string();
            uploads.insert(id.clone(), BTreeMap::new());
            let text = format!(
                "<InitiateMultipartUploadResult><Bucket>files</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            said(StatusCode::OK, &text)
        }
        (Method::POST, None) if query.contains_key("delete") => {
            let asked = String::from_utf8(body).expect("XML");
            let keys = asked.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
            let mut gone = String::new();
            for key in keys {
                objects.remove(key);
                gone += &format!("<Deleted><Key>{key}</Key></Deleted>");
            }
            said(StatusCode::OK, &format!("<DeleteResult>{gone}</DeleteResult>"))
        }
        (Method::PUT, Some(id)) => {
            let part = query["partNumber"].parse().expect("a number");
            uploads.get_mut(&id).expect("an upload").insert(part, body);
            tagged(StatusCode::OK, part as usize).body(Body::empty()).expect("an answer")
        }
        (Method::POST, Some(id)) => {
            let whole: Vec<u8> = uploads.remove(&id).expect("an upload").into_values().flatten().collect();
            let text = format!(
                "<CompleteMultipartUploadResult><Bucket>files</Bucket><Key>{key}</Key><ETag>\"{}\"</ETag></CompleteMultipartUploadResult>",
                whole.len()
            );
            objects.insert(key, whole);
            said(StatusCode::OK, &text)
        }
        (Method::DELETE, Some(id)) => {
            uploads.remove(&id);
            said(StatusCode::NO_CONTENT, "")
        }
        (Method::PUT, None) => {
            let size = body.len();
            objects.insert(key, body);
            tagged(StatusCode::OK, size).body(Body::empty()).expect("an answer")
        }
        (Method::DELETE, None) => {
            objects.remove(&key);
            said(StatusCode::NO_CONTENT, "")
        }
        (method @ (Method::GET | Method::HEAD), None) => {
            let Some(whole) = objects.get(&key) else {
                return said(StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>");
            };
            let range = head.headers.get(header::RANGE).and_then(|value| value.to_str().ok());
            let range = range.and_then(|text| text.strip_prefix("bytes=")).and_then(|text| text.split_once('-'));
            let last = whole.len().saturating_sub(1);
            let (from, to) = match range {
                Some(("", back)) => (whole.len() - back.parse::<usize>().expect("a number"), last),
                Some((from, to)) => (from.parse().expect("a number"), to.parse().unwrap_or(last).min(last)),
                None => (0, last),
            };
            let piece = whole.get(from..=to).unwrap_or_default().to_vec();
            let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
            let mut answer = tagged(status, whole.len())
                .header(header::LAST_MODIFIED, "Sun, 29 Nov 2026 09:00:00 GMT")
                .header(header::CONTENT_LENGTH, piece.len());
            if range.is_some() {
                answer = answer.header(header::CONTENT_RANGE, format!("bytes {from}-{to}/{}", whole.len()));
            }
            let is_head = method == Method::HEAD;
            answer.body(if is_head { Body::empty() } else { Body::from(piece) }).expect("an answer")
        }
        (method, _) => panic!("the bucket does not know {method} {key} {query:?}"),
    }
}

fn tagged(status: StatusCode, tag: usize) -> axum::http::response::Builder {
    Response::builder().status(status).header(header::ETAG, format!("\"{tag}\""))
}

fn said(status: StatusCode, xml: &str) -> Response<Body> {
    Response::builder().status(status).body(Body::from(xml.to_owned())).expect("an answer")
}
