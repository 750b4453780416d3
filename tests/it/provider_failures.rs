//! Every way in which an answer can be missing or wrong, over one plain request.

use crate::provider_stub::*;
use patchbay_providers::openrouter::{OpenRouter, OpenRouterConfig};
use patchbay_providers::public_address::PublicResolver;
use patchbay_providers::telnyx::{Telnyx, TelnyxConfig};
use patchbay_providers::{ChatProvider, HttpClient, HttpSettings, Kind, ProviderError, TelephonyProvider};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const KEY: &str = "KEY0123456789-very-secret";

async fn ask(http: &HttpClient, origin: &str) -> ProviderError {
    let config = TelnyxConfig { base_url: format!("{origin}/v2"), api_key: KEY.into() };
    Telnyx::new(http, &config).unwrap().get_number("n-1").await.unwrap_err()
}

async fn ask_for(answer: Answer) -> ProviderError {
    let stub = Stub::playing([answer]).await;
    let error = ask(&client(), &stub.origin).await;
    assert_eq!(stub.seen().len(), 1, "nothing is repeated here");
    error
}

#[tokio::test]
async fn too_many_requests_say_how_long_to_wait() {
    let body = r#"{"errors":[{"code":"10011","title":"Too many requests","detail":"You have exceeded the limit."}]}"#;
    let error = ask_for(Answer::json(429, body).header("retry-after", "7")).await;
    assert_eq!((error.kind, error.retry_after), (Kind::RateLimited, Some(Duration::from_secs(7))));
    assert_eq!(error.message, "You have exceeded the limit.");

    let at = chrono::Utc::now() + chrono::Duration::seconds(90);
    let date = at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let wait = ask_for(Answer::json(429, body).header("retry-after", date)).await.retry_after.unwrap();
    assert!((85..=90).contains(&wait.as_secs()), "{wait:?}");

    let error = ask_for(Answer::json(429, body).header("x-ratelimit-reset", "12")).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(12)));
    assert!(error.is_retryable());
    assert_eq!(ask_for(Answer::json(429, "")).await.retry_after, None);
}

#[tokio::test]
async fn statuses_become_kinds() {
    for (status, kind) in [
        (400, Kind::Rejected),
        (401, Kind::Credentials),
        (403, Kind::Credentials),
        (404, Kind::NotFound),
        (408, Kind::Timeout),
        (422, Kind::Rejected),
        (500, Kind::Unavailable),
        (503, Kind::Unavailable),
        (529, Kind::Unavailable),
    ] {
        let error = ask_for(Answer::json(status, r#"{"errors":[{"title":"Said so"}]}"#)).await;
        assert_eq!((error.kind, error.status, error.message.as_str()), (kind, Some(status), "Said so"));
        assert_eq!(error.provider, "telnyx");
        assert!(!error.outcome_unknown(), "reading has no outcome to lose");
    }
}

#[tokio::test]
async fn pages_of_html_and_cut_json_are_garbage() {
    let html = "<html><head><title>502 Bad Gateway</title></head><body>\n<h1>502 Bad Gateway</h1></body></html>";
    let error = ask_for(Answer::new(502, html).header("content-type", "text/html")).await;
    assert_eq!((error.kind, error.message.as_str()), (Kind::Unavailable, "502 Bad Gateway 502 Bad Gateway"));

    let error = ask_for(Answer::new(200, html)).await;
    assert_eq!(error.kind, Kind::Garbage);
    assert!(error.message.contains("the answer began: 502 Bad Gateway"), "{}", error.message);

    for body in [r#"{"data":{"id":"n-1","phone_"#, "", "null", r#"{"data":[]}"#, "\u{0}\u{1}"] {
        let error = ask_for(Answer::json(200, body)).await;
        assert_eq!(error.kind, Kind::Garbage, "{body}");
        assert!(error.is_retryable() && error.message.chars().count() <= 500);
    }

    let cut = writing_and_closing(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"data\":").await;
    assert_eq!(ask(&client(), &cut).await.kind, Kind::Network);
    let nonsense = writing_and_closing(b"220 smtp.example ESMTP\r\n").await;
    assert_eq!(ask(&client(), &nonsense).await.kind, Kind::Network);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let small = client_with(HttpSettings { json_limit: 100, ..HttpSettings::default() });
    let stub = Stub::playing([Answer::json(200, vec![b' '; 101])]).await;
    let error = ask(&small, &stub.origin).await;
    assert_eq!((error.kind, error.message.as_str()), (Kind::Garbage, "The answer is too large"));
    // Without a length the limit holds while reading.
    let body = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n                                                                                                         ";
    let endless = writing_and_closing(body).await;
    assert_eq!(ask(&small, &endless).await.message, "The answer is too large");
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_one_that_is_away_is_named() {
    let hang = Stub::playing([Answer::json(200, "{}").after(Duration::from_secs(20))]).await;
    let error = ask(&impatient_client(), &hang.origin).await;
    assert_eq!(error.kind, Kind::Timeout);
    assert!(error.is_retryable());
    assert_eq!(error.sentence(), "Telnyx took too long to answer. Try again in a few minutes.");

    let error = ask(&client(), &nobody().await).await;
    assert_eq!(error.kind, Kind::Network);
    assert!(error.sentence().starts_with("Telnyx can't be reached."), "{error}");
}

#[tokio::test]
async fn redirects_are_refused() {
    let canary = Stub::playing([]).await;
    for status in [301, 302, 303, 307, 308] {
        let error = ask_for(Answer::new(status, "").header("location", &canary.origin)).await;
        assert_eq!((error.kind, error.status), (Kind::Garbage, Some(status)));
    }
    assert!(canary.seen().is_empty());
}

#[tokio::test]
async fn a_key_that_the_service_repeats_stays_hidden() {
    let body = format!(r#"{{"errors":[{{"detail":"The key {KEY} is wrong"}}]}}"#);
    let error = ask_for(Answer::json(401, body)).await;
    assert_eq!(error.message, "The key [hidden] is wrong");
    let error = ask_for(Answer::new(500, format!("trace: {KEY}"))).await;
    assert!(!format!("{error:?} {error}").contains(KEY));
    // Not even half of it, where the excerpt ends.
    let error = ask_for(Answer::new(500, format!("{}{KEY}", "x".repeat(190)))).await;
    assert!(!error.message.contains(&KEY[..5]), "{}", error.message);
}

#[tokio::test]
async fn a_long_complaint_is_cut() {
    let body = format!(r#"{{"errors":[{{"detail":"{}"}}]}}"#, "é".repeat(2000));
    assert_eq!(ask_for(Answer::json(400, body)).await.message.chars().count(), 500);
}

#[tokio::test]
async fn one_client_serves_several_services() {
    let http = client();
    let stub = Stub::playing([Answer::json(200, r#"{"data":{"label":"k","usage":0}}"#)]).await;
    let config = OpenRouterConfig {
        base_url: stub.origin.clone(),
        api_key: KEY.into(),
        answer_timeout: Duration::from_secs(1),
        title: None,
    };
    OpenRouter::new(&http, &config).unwrap().check_credentials().await.unwrap();
    assert_eq!(ask(&http, &nobody().await).await.kind, Kind::Network);
}

/// A name server that answers differently every time.
struct Flipping(AtomicUsize);

impl Resolve for Flipping {
    fn resolve(&self, _: Name) -> Resolving {
        let turn = self.0.fetch_add(1, Ordering::SeqCst);
        let addresses: Vec<SocketAddr> = match turn {
            0 => vec!["8.8.8.8:0".parse().unwrap()],
            1 => vec!["127.0.0.1:0".parse().unwrap()],
            2 => vec!["8.8.8.8:0".parse().unwrap(), "10.0.0.1:0".parse().unwrap()],
            _ => vec![],
        };
        Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
    }
}

#[tokio::test]
async fn a_name_server_that_flips_its_answer_gains_nothing() {
    let resolver = PublicResolver::over(Arc::new(Flipping(AtomicUsize::new(0))));
    let lookup = || resolver.resolve("files.example".parse().unwrap());
    let first: Vec<_> = lookup().await.map(Iterator::collect).ok().unwrap();
    assert_eq!(first, ["8.8.8.8:0".parse::<SocketAddr>().unwrap()]);
    for what in ["loopback", "a private one among public ones", "nothing"] {
        assert!(lookup().await.is_err(), "{what}");
    }
}
