//! Asking an address on the internet, as the agency has set it up.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Ask, Done, NOT_KNOWN, Secrets};
use crate::model::{Http, as_text, escaped, filled_address};
use crate::server::invoke::{MOST_TO_MODEL, cut};
use patchbay_providers::outside::{OutsideAnswer, OutsideAsk, OutsideTrouble};
use patchbay_shared::AppError;

/// The most of an answer that is read at all.
const MOST_READ: usize = 1024 * 1024;
/// The wait before a further try, unless the service asks for a longer one.
const PAUSE: Duration = Duration::from_millis(500);
/// What stands for a secret where a request is shown.
const HIDDEN: &str = "•••";

pub(super) async fn run(ask: &Ask<'_>, config: &Http) -> Result<Done, AppError> {
    Ok(asked(ask, config).await?.0)
}

/// What came of it, and the answer's body where there was an answer.
pub(super) async fn asked(ask: &Ask<'_>, config: &Http) -> Result<(Done, Vec<u8>), AppError> {
    let secrets = ask.secrets()?;
    let (url, body) = match request_of(config, ask.arguments) {
        Ok(parts) => parts,
        Err(why) => return Ok((Done::failed(why), Vec::new())),
    };
    let shown = shown_request(config, &url, body.as_deref(), ask);
    let (answer, tries) = tried(ask, config, &secrets, url, body).await;
    let mut whole = Vec::new();
    let mut done = match answer {
        Ok(answer) => {
            let done = read(&answer, &secrets);
            whole = answer.body;
            done
        }
        // It was sent, and may have been done.
        Err(OutsideTrouble::Timeout | OutsideTrouble::Broken(_)) if !config.method.is_idempotent() => {
            Done::failed(NOT_KNOWN.to_owned())
        }
        Err(trouble) => Done::failed(match &trouble {
            OutsideTrouble::Refused(why) => format!("The address was not asked: {why}."),
            OutsideTrouble::Timeout => {
                format!("The service did not answer within {} seconds.", config.timeout_seconds)
            }
            OutsideTrouble::Unreachable(_) => "The service cannot be reached.".to_owned(),
            OutsideTrouble::Broken(_) => "The service broke off while it answered.".to_owned(),
        }),
    };
    done.request = Some(if tries > 1 { format!("{shown}\n\n({tries} tries)") } else { shown });
    Ok((done, whole))
}

/// Address and body. Parameters that do not stand in the address are the query, or the body.
fn request_of(config: &Http, arguments: &Map<String, Value>) -> Result<(String, Option<Vec<u8>>), String> {
    let (mut url, left) = filled_address(&config.address, arguments)?;
    if config.method.has_body() {
        return Ok((url, Some(Value::Object(left).to_string().into_bytes())));
    }
    for (name, value) in &left {
        let values: Vec<&Value> = value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
        for value in values {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{}={}", escaped(name), escaped(&as_text(value))));
        }
    }
    Ok((url, None))
}

/// Asks, and again where that is safe, while there is time.
async fn tried(
    ask: &Ask<'_>,
    config: &Http,
    secrets: &Secrets,
    url: String,
    body: Option<Vec<u8>>,
) -> (Result<OutsideAnswer, OutsideTrouble>, u32) {
    let services = ask.scope.services();
    let mut headers = config.headers.clone();
    headers.extend(
        secrets.iter().filter(|(name, _)| config.secret_headers.contains(name)).map(|(n, v)| (n.clone(), v.clone())),
    );
    headers.push(("Idempotency-Key".to_owned(), ask.id.to_string()));
    if body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let mut request = OutsideAsk {
        method: config.method.as_str().to_owned(),
        url,
        headers,
        body,
        timeout: ask.left(),
        limit: MOST_READ,
        except: services.sandbox.as_ref().map(|sandbox| sandbox.tools.clone()),
    };
    let most = if config.method.is_idempotent() { config.retries + 1 } else { 1 };
    let mut tries = 0;
    loop {
        tries += 1;
        request.timeout = ask.left();
        let answer = services.http.ask_outside(&request).await;
        let pause = match &answer {
            Ok(answer) if matches!(answer.status, 429 | 502 | 503 | 504) => {
                answer.retry_after().map_or(PAUSE, |seconds| Duration::from_secs(seconds).max(PAUSE))
            }
            Err(OutsideTrouble::Unreachable(_) | OutsideTrouble::Broken(_)) => PAUSE,
            _ => return (answer, tries),
        };
        if tries >= most || pause >= ask.left() {
            return (answer, tries);
        }
        tokio::time::sleep(pause).await;
    }
}

/// What the model and people read of an answer.
fn read(answer: &OutsideAnswer, secrets: &Secrets) -> Done {
    let is_text = is_text(&answer.content_type, &answer.body);
    let body = if is_text {
        // What comes back may hold what was sent: some services echo headers. Before it is cut: half a secret would stay.
        without(secrets, &String::from_utf8_lossy(&answer.body))
    } else {
        format!("({} bytes of {})", answer.body.len(), answer.content_type)
    };
    let cut_off = if answer.is_cut { "\n(The answer is longer than 1 MB; the rest was not read.)" } else { "" };
    let mut done = Done {
        http_status: Some(answer.status),
        response: Some(format!("HTTP {}\nContent-Type: {}\n\n{body}{cut_off}", answer.status, answer.content_type)),
        ..Done::default()
    };
    let short = |most| cut(body.trim(), most);
    (done.is_error, done.text) = match answer.status {
        200..300 if !is_text => {
            (true, format!("The service answered with {}, which cannot be read.", answer.content_type))
        }
        200..300 if body.trim().is_empty() => (false, "Done. The service said nothing else.".to_owned()),
        200..300 => (false, short(MOST_TO_MODEL)),
        300..400 => {
            let to = answer.redirect().and_then(|to| to.split('?').next()).unwrap_or("another address");
            (true, format!("The service points to {}, which is not followed.", cut(&without(secrets, to), 200)))
        }
        status => (true, format!("The service answered with an error ({status}): {}", short(2000))),
    };
    done
}

/// Whether it can be read as text: what it says it is, or what it looks like.
fn is_text(content_type: &str, body: &[u8]) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_named = kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml") || kind.is_empty();
    let is_form = kind == "application/x-www-form-urlencoded";
    (is_named || is_form || body.is_empty()) && !body.contains(&0)
}

fn shown_request(config: &Http, url: &str, body: Option<&[u8]>, ask: &Ask<'_>) -> String {
    let mut shown = format!("{} {url}\n", config.method.as_str());
    for (name, value) in &config.headers {
        shown += &format!("{name}: {value}\n");
    }
    for name in &config.secret_headers {
        shown += &format!("{name}: {HIDDEN}\n");
    }
    shown += &format!("Idempotency-Key: {}\n", ask.id);
    if let Some(body) = body {
        let pretty =
            serde_json::from_slice::<Value>(body).ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
        shown += &format!("Content-Type: application/json\n\n{}", pretty.unwrap_or_default());
    }
    shown
}

/// The text without any of the secrets: nor the part behind `Bearer`, nor as JSON or an address writes them. Shorter ones would blank out
/// ordinary words.
pub(super) fn without(secrets: &Secrets, text: &str) -> String {
    let parts =
        secrets.values().flat_map(|secret| [secret.as_str(), secret.split_once(' ').map_or("", |(_, rest)| rest)]);
    let mut all: Vec<String> = parts
        .map(str::trim)
        .filter(|part| part.len() >= 4)
        .flat_map(|part| {
            let json = Value::from(part).to_string();
            let json = json[1..json.len() - 1].to_owned();
            [part.to_owned(), json.replace('/', "\\/"), json, escaped(part)]
        })
        .collect();
    all.sort_by_key(|part| std::cmp::Reverse(part.len()));
    all.iter().fold(text.to_owned(), |text, part| text.replace(part.as_str(), HIDDEN))
}
