//! What is not a file must be small: a form may not fill the server's memory with what comes before its file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use patchbay_access::server::MAX_BEFORE_FILE;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, ORIGIN};

use super::support::{Agency, Answer, Browser, World, run};

/// What follows the head of the form, for ever.
const PIECE: usize = 8 * 1024;
const WHOLE: usize = 40 * 1024 * 1024;

/// Sends `head` and then 40 MB of `x`, made as the server takes them. Gives the answer, and how many bytes were taken.
///
/// The stream stands still after what the server may take, so that the answer is there before anything is cut off. A server that
/// wanted more would wait in vain.
async fn endless(world: &World, browser: &Browser, path: &str, head: &str) -> (Answer, usize) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let head = head.as_bytes().to_vec();
    let stream = futures::stream::unfold(Some(head), move |head| {
        let taken = counter.clone();
        async move {
            let piece = head.unwrap_or_else(|| vec![b'x'; PIECE]);
            let before = taken.fetch_add(piece.len(), Ordering::SeqCst);
            if before > MAX_BEFORE_FILE + PIECE {
                std::future::pending::<()>().await;
            }
            (before < WHOLE).then_some((Ok::<_, std::io::Error>(piece), None))
        }
    });
    let request = browser
        .raw(Method::POST, path)
        .header(ORIGIN, &world.base)
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=frontier")
        .body(reqwest::Body::wrap_stream(stream));
    let answer = tokio::time::timeout(Duration::from_secs(20), Browser::answer(request)).await;
    let answer = answer.unwrap_or_else(|_| panic!("{path} takes more than it may"));
    (answer, taken.load(Ordering::SeqCst))
}

#[test]
fn fields_before_a_file_are_not_read_without_end() {
    run(|world| async move {
        let agency = Agency::new(world, "endless").await;
        let field = |name: &str| format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        let heads = [
            field("client"),
            field("campaign"),
            field("nobody-asked-for-this"),
            // A header without an end, and no field at all.
            "--frontier\r\nX-Endless: ".to_owned(),
            "no boundary ".to_owned(),
        ];
        for (path, page, words) in [
            ("/contacts/imports/upload", "/contacts/imports/new", "What came before the file is longer"),
            ("/settings/brand/logo", "/settings/brand", "What came before the picture is longer"),
        ] {
            for head in &heads {
                let (answer, taken) = endless(world, &agency.owner, path, head).await;
                assert_eq!(answer.status, 303, "{head:?}: {answer:?}");
                assert_eq!(answer.location, Some(format!("{page}?problem=long-field")), "{head:?}");
                assert!(taken <= MAX_BEFORE_FILE + 4 * PIECE, "{taken} bytes were taken");
            }
            let shown = agency.owner.get(&format!("{page}?problem=long-field")).await;
            assert!(shown.text.contains(words), "{}", shown.text);
        }
    });
}

/// What is allowed still comes through, whatever the size of the pieces that the network makes of it. The parser is some kilobytes ahead.
#[test]
fn a_file_behind_fields_that_fill_their_room_is_taken() {
    run(|world| async move {
        let agency = Agency::new(world, "room").await;
        let filler = "x".repeat(MAX_BEFORE_FILE - 16 * 1024);
        let file: String = (0..20_000).map(|line| format!("Ada {line},+4179{line:07}\n")).collect();
        let file = format!("name,phone\n{file}").into_bytes();
        let fields = [("client", agency.one.id.as_str()), ("filler", filler.as_str())];
        let answer = agency.owner.upload("/contacts/imports/upload", &fields, "long.csv", file).await;
        assert!(answer.location.as_deref().is_some_and(|to| to.ends_with("/mapping")), "{answer:?}");
    });
}

/// Forms, server functions and the public API take bodies of some size, and no more, whoever asks and whatever they say they accept.
#[test]
fn no_body_is_read_without_end() {
    run(|world| async move {
        let agency = Agency::new(world, "bodies").await;
        for path in ["/rpc/sign_in", "/rpc/check_import", "/rpc/nothing", "/preferences", "/v1/contacts", "/sign-in"] {
            for is_announced in [true, false] {
                let taken = Arc::new(AtomicUsize::new(0));
                let counter = taken.clone();
                let stream = futures::stream::unfold(0, move |sent| {
                    let taken = counter.clone();
                    async move {
                        taken.fetch_add(PIECE, Ordering::SeqCst);
                        (sent < WHOLE).then(|| (Ok::<_, std::io::Error>(vec![b'x'; PIECE]), sent + PIECE))
                    }
                });
                let mut request = agency
                    .owner
                    .raw(Method::POST, path)
                    .header(ORIGIN, &world.base)
                    .header(ACCEPT, "*/*")
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(reqwest::Body::wrap_stream(stream));
                if is_announced {
                    request = request.header("content-length", WHOLE.to_string());
                }
                // A server that stops reading may cut the line before its answer is read: what counts is what it took.
                if let Ok(answer) = request.send().await {
                    assert!(
                        answer.status().is_client_error() || answer.status().is_server_error(),
                        "{path}: {answer:?}"
                    );
                }
                assert!(taken.load(Ordering::SeqCst) < WHOLE / 2, "{path} took {taken:?} bytes");
            }
        }
    });
}
