//! Requests that come slowly. Whoever opens connections and sends a byte now and then would hold one each for as long as they like
//! ("slow loris"). So a request's head has a time limit, the pieces of its body may not be too far apart, and everything but an upload
//! has to be there in time; an upload takes as long as it takes, while bytes keep coming. And no more connections are taken than leave
//! the process files for its database, uploads and providers: the next ones wait in the system's queue.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The longest head of a request: address, cookies and other headers together. More is answered with 431.
const MOST_HEAD: usize = 64 * 1024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the head of a request, and between two requests on one connection.
    pub head: Duration,
    /// Between two pieces of a body.
    pub piece: Duration,
    /// For a whole body that is no upload.
    pub body: Duration,
}

impl Patience {
    pub(crate) fn of_seconds(seconds: u64) -> Self {
        let piece = Duration::from_secs(seconds);
        Self { head: piece, piece, body: piece * 2 }
    }
}

/// A body came too slowly.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl std::error::Error for TooSlow {}

impl TooSlow {
    pub(crate) fn is_cause_of(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Gives a request's body its time limits. Whoever reads it gets an error when they are over.
pub(crate) async fn limit_body(State(patience): State<Patience>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_upload = kind.starts_with("multipart/form-data");
    let end = (!is_upload).then(|| Instant::now() + patience.body);
    next.run(request.map(|body| paced(body, patience.piece, end))).await
}

fn paced(body: Body, piece: Duration, end: Option<Instant>) -> Body {
    Body::from_stream(stream::try_unfold(body.into_data_stream(), move |mut pieces| async move {
        let next = Instant::now() + piece;
        match timeout_at(end.map_or(next, |end| end.min(next)), pieces.next()).await {
            Ok(Some(piece)) => Ok::<_, axum::BoxError>(Some((piece?, pieces))),
            Ok(None) => Ok(None),
            Err(_) => Err(TooSlow.into()),
        }
    }))
}

/// Connections that are open at once: three quarters of the files that the system lets this process open.
pub(crate) fn most_connections() -> usize {
    // Where there is no such file, the usual limit.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    share_of(open_files(&limits).unwrap_or(1024))
}

/// The soft limit in what Linux says about a process. None: without limit, or not said.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn share_of(files: usize) -> usize {
    (files / 4 * 3).clamp(16, 100_000)
}

/// Whether an error in taking a connection is that connection's alone: it is gone already, and the next one can be taken.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A sentence for the log, once a minute at most.
#[derive(Default)]
struct Once {
    last: Option<Instant>,
}

impl Once {
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.last.is_none_or(|last| now - last >= Duration::from_secs(60));
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

/// Takes connections until `stop`, `most` at once, and then waits for the requests that are under way.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    most: usize,
    stop: CancellationToken,
) {
    // Nothing is ever sent: the channel closes when the last connection has let go of its end.
    let (open, mut closed) = mpsc::channel::<()>(1);
    let places = Arc::new(Semaphore::new(most));
    let (mut full, mut refused) = (Once::default(), Once::default());
    loop {
        if places.available_permits() == 0 && full.is_due(Instant::now()) {
            tracing::warn!(most, "as many connections are open as are taken; the next ones wait");
        }
        let taken = tokio::select! {
            () = stop.cancelled() => break,
            taken = take(&listener, &places) => taken,
        };
        let (stream, peer, place) = match taken {
            Ok(taken) => taken,
            Err(error) if is_of_one(&error) => continue,
            Err(error) => {
                // Mostly that too many files are open. It passes when others are closed.
                metrics::counter!("patchbay_accept_errors_total").increment(1);
                if refused.is_due(Instant::now()) {
                    tracing::warn!(cause = %error, "connections cannot be taken");
                }
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(Duration::from_millis(50)) => continue,
                }
            }
        };
        let (router, stop, open) = (router.clone(), stop.clone(), open.clone());
        tokio::spawn(async move {
            talk(stream, peer, router, patience, stop).await;
            drop((open, place));
        });
    }
    drop(open);
    closed.recv().await;
}

/// The next connection, once there is a place for it.
async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn talk(stream: TcpStream, peer: SocketAddr, router: Router, patience: Patience, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(MOST_HEAD);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(cause = %error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::middleware;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(3600);

    /// A server that answers with the length of what it was sent. Whoever asks gets all that it says until it hangs up.
    async fn ask(patience: Patience, request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/", post(|body: String| async move { body.len().to_string() }))
            .layer(middleware::from_fn_with_state(patience, limit_body));
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, app, patience, 10, stop.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        stop.cancel();
        server.await.unwrap();
        answer
    }

    #[tokio::test]
    async fn half_a_request_does_not_stay_open() {
        let impatient = Patience { head: SHORT, piece: LONG, body: LONG };
        assert_eq!(ask(impatient, "").await, "", "nothing at all");
        assert_eq!(ask(impatient, "POST / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n").await, "", "half a head");
        let whole = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
        assert!(ask(impatient, whole).await.ends_with("\r\n\r\n3"), "a connection without a further request");
        let half = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 30\r\n\r\nabc";
        let answer = ask(Patience { head: SHORT, piece: SHORT, body: LONG }, half).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "a body that stops: {answer}");
        let answer = ask(Patience { head: SHORT, piece: LONG, body: SHORT }, half).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "a body that never comes to its end: {answer}");
    }

    #[tokio::test]
    async fn an_upload_goes_on_while_bytes_keep_coming_and_nothing_else_does() {
        let (send, sent) = mpsc::channel::<Result<axum::body::Bytes, axum::BoxError>>(1);
        let pieces = stream::unfold(sent, |mut sent| async move { Some((sent.recv().await?, sent)) });
        let body = paced(Body::from_stream(pieces), LONG, None);
        let reading = tokio::spawn(axum::body::to_bytes(body, usize::MAX));
        for _ in 0..100 {
            send.send(Ok("x".into())).await.unwrap();
        }
        drop(send);
        assert_eq!(reading.await.unwrap().unwrap().len(), 100);
        let stalled =
            paced(Body::from_stream(stream::pending::<Result<String, axum::BoxError>>()), LONG, Some(Instant::now()));
        let error = axum::body::to_bytes(stalled, usize::MAX).await.unwrap_err();
        assert!(TooSlow::is_cause_of(&error), "{error:?}");
    }

    #[tokio::test]
    async fn who_finds_no_place_waits_until_somebody_leaves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (send, mut asked) = mpsc::unbounded_channel();
        let app = Router::new()
            .route("/", post(|name: String| async move { send.send(name).map_err(|_| ()).is_ok().to_string() }));
        let patience = Patience { head: LONG, piece: LONG, body: LONG };
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, app, patience, 1, stop.clone()));
        let request = |name: &str| {
            let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length";
            format!("{head}: {}\r\n\r\n{name}", name.len())
        };
        // The first has the only place and says nothing yet; the second has said everything.
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(request("second").as_bytes()).await.unwrap();
        assert!(asked.try_recv().is_err());
        first.write_all(request("first").as_bytes()).await.unwrap();
        let mut answer = String::new();
        first.read_to_string(&mut answer).await.unwrap();
        second.read_to_string(&mut answer).await.unwrap();
        let order = (asked.recv().await, asked.recv().await);
        assert_eq!(order, (Some("first".to_owned()), Some("second".to_owned())), "{answer}");
        stop.cancel();
        server.await.unwrap();
    }

    #[test]
    fn the_number_of_places_comes_from_the_systems_limit() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             127235               127235               processes \n\
                      Max open files            1024                 1048576              files     \n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files(&limits.replace("1024 ", "unlimited ")), None);
        assert_eq!(open_files(""), None);
        assert_eq!([1024, 8, 2_000_000_000].map(share_of), [768, 16, 100_000]);
    }

    #[test]
    fn a_connection_that_is_gone_holds_up_nobody_and_all_else_is_said_once_a_minute() {
        for kind in [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset] {
            assert!(is_of_one(&kind.into()), "{kind:?}");
        }
        // EMFILE: too many open files.
        assert!(!is_of_one(&io::Error::from_raw_os_error(24)));
        let (mut said, start) = (Once::default(), Instant::now());
        let due = [0, 1, 59, 60, 61, 200].map(|second| said.is_due(start + Duration::from_secs(second)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
