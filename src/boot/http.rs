use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use leptos::config::LeptosOptions;
use leptos::prelude::provide_context;
use leptos_axum::{LeptosRoutes, generate_route_list};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_sessions::{Expiry, SessionManagerLayer};

use super::config::Config;
use super::slow::{self, Patience};
use super::static_files::{site_pkg_dir, static_files};
use super::{document, events, forms, guard, telemetry};
use crate::app::App;
use patchbay_access::server::{
    Db, SessionTable, Visitor, identify, limits, own_path, page_before, path_and_query, record_downloads,
    refresh_session,
};
use patchbay_brand::model::Brand;
use patchbay_brand::server::layer::apply_brand;
use patchbay_shared::error::internal;
use patchbay_shared::{AppError, Reason};
use patchbay_ui::form::Typed;
use patchbay_ui::page_boundary::SetStatus;

/// Says to load balancers whether this process takes requests.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }
}

/// Everything that answers HTTP.
pub fn router(config: &Config, db: Db, readiness: Readiness) -> Result<Router, AppError> {
    let pkg_dir = site_pkg_dir(&config.site_root)
        .map_err(|error| AppError::Conflict(Reason::Configuration, error.to_string()))?;
    let style = format!("/{pkg_dir}/patchbay.css");
    let options = LeptosOptions::builder()
        .output_name("patchbay")
        .site_root(config.site_root.display().to_string())
        .site_pkg_dir(pkg_dir)
        .site_addr(config.listen)
        .build();
    let secure = config.public_url.scheme() == "https";
    let sessions = SessionManagerLayer::new(SessionTable::new(db.clone()))
        .with_name(if secure { "__Host-patchbay" } else { "patchbay" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(tower_sessions::cookie::SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(time::Duration::hours(12)));

    let routes = generate_route_list(App);
    let (shell_options, shell_style) = (options.clone(), style.clone());
    let pages: Router<LeptosOptions> = Router::new()
        .leptos_routes_with_context(&options, routes, page_context, move || {
            document::document(shell_options.clone(), shell_style.clone())
        })
        .layer(middleware::from_fn(send_unauthenticated_to_sign_in))
        .layer(middleware::from_fn(forms::without_empty_fields));
    // Leptos routes each server function itself; this is for addresses that name none.
    let functions: Router<LeptosOptions> =
        Router::new().route("/rpc/{*function}", post(server_function)).layer(RequestBodyLimitLayer::new(limits::FORM));
    let raw: Router<LeptosOptions> = Router::new()
        .route("/events", get(events::events))
        .merge(for_the_gallery())
        .route("/preferences", post(set_preference))
        .route("/preferences/theme", post(set_preference))
        .route("/preferences/density", post(set_preference))
        .merge(super::work::rest_routes(&db))
        .layer(axum::extract::DefaultBodyLimit::max(limits::FORM));
    let render_nothing = {
        let (options, style) = (options.clone(), style.clone());
        leptos_axum::render_app_async_with_context(page_context, move || {
            document::document(options.clone(), style.clone())
        })
    };
    let inside: Router = Router::new()
        .merge(functions)
        .merge(raw)
        .merge(pages)
        .route("/", get(|| async { Redirect::to("/dashboard") }))
        .route("/settings", get(|| async { Redirect::to("/settings/profile") }))
        .fallback(move |request: Request| nothing_here(render_nothing.clone(), request))
        .with_state(options)
        .layer(middleware::from_fn(guard::error_statuses))
        .layer(middleware::from_fn(forms::take_form))
        .layer(middleware::from_fn(forms::give_refused))
        .layer(middleware::from_fn(record_downloads))
        .layer(middleware::from_fn_with_state(db.clone(), apply_brand))
        .layer(middleware::from_fn_with_state(db.clone(), identify))
        .layer(middleware::from_fn(refresh_session))
        .layer(sessions)
        .layer(middleware::from_fn_with_state(config.public_url.clone(), guard::same_origin))
        .layer(compression());

    let open: Router = Router::new()
        .merge(super::work::webhook_routes(&db))
        .merge(super::work::api_routes(&db).layer(axum::extract::DefaultBodyLimit::max(limits::API)))
        .merge(super::work::brand_routes(&db))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state((db.clone(), readiness)))
        .route("/metrics", get(metrics).with_state((db, config.metrics_token.clone())))
        .merge(static_files::<()>(&config.site_root));

    Ok(open
        .merge(inside)
        .layer(middleware::from_fn_with_state(Patience::of_seconds(config.slow_client_seconds), slow::limit_body))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            patchbay_shared::error::internal("a request's code broke").into_response()
        }))
        .layer(middleware::from_fn_with_state(config.public_url.clone(), guard::headers))
        .layer(middleware::from_fn(log_request))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        // Ours alone: it stands in the audit log.
        .layer(middleware::map_request(|mut request: Request| async move {
            request.headers_mut().remove("x-request-id");
            request
        })))
}

/// What pages and server functions find in their context.
fn page_context() {
    provide_context(SetStatus(Arc::new(document::set_status)));
    let Some(parts) = leptos::prelude::use_context::<axum::http::request::Parts>() else { return };
    if let Some(brand) = parts.extensions.get::<Brand>() {
        provide_context(brand.clone());
    }
    if let Some(typed) = parts.extensions.get::<Typed>() {
        provide_context(typed.clone());
    }
}

/// The page for an address that is none, whatever is done there.
async fn nothing_here<F, R>(render: F, request: Request) -> Response
where
    F: Fn(Request) -> R,
    R: Future<Output = Response>,
{
    let mut page = render(request).await;
    if page.status().is_success() {
        *page.status_mut() = StatusCode::NOT_FOUND;
    }
    page
}

async fn server_function(request: Request) -> impl IntoResponse {
    leptos_axum::handle_server_fns_with_context(page_context, request).await
}

/// Pages are for people who have signed in; others go to the sign-in page and come back after it.
async fn send_unauthenticated_to_sign_in(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let known = request.extensions().get::<Visitor>().is_some_and(|visitor| visitor.viewer.is_some());
    if known && ["/login", "/login/passkey"].contains(&path) {
        return Redirect::to("/dashboard").into_response();
    }
    if known || document::is_signed_out_page(path) || path.starts_with("/rpc/") {
        return next.run(request).await;
    }
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    Redirect::to(&format!("/login?next={next}")).into_response()
}

/// A recording without a sound, as long as the gallery's player says. Only debug builds have the gallery.
fn for_the_gallery() -> Router<LeptosOptions> {
    if !cfg!(debug_assertions) {
        return Router::new();
    }
    let silence = || async {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 8,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).map_err(internal)?;
        for _ in 0..312 * spec.sample_rate {
            writer.write_sample(0_i8).map_err(internal)?;
        }
        writer.finalize().map_err(internal)?;
        Ok::<_, AppError>(([(header::CONTENT_TYPE, "audio/wav")], file.into_inner()))
    };
    Router::new().route("/dev/silence.wav", get(silence))
}

/// Theme and density, in cookies that scripts may read, because the first page must already have them.
async fn set_preference(headers: axum::http::HeaderMap, body: String) -> Response {
    let allowed = [("theme", ["light", "dark", "system"]), ("density", ["compact", "regular", "roomy"])];
    let back = page_before(&headers).map(|url| path_and_query(&url));
    let mut response = Redirect::to(back.as_deref().and_then(own_path).unwrap_or("/dashboard")).into_response();
    for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
        let fits = allowed.iter().any(|(key, values)| *key == name && values.contains(&value.as_ref()));
        let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax");
        if let (true, Ok(cookie)) = (fits, HeaderValue::from_str(&cookie)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

async fn ready(State((db, readiness)): State<(Db, Readiness)>) -> Response {
    if !readiness.0.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if !db.ready().await {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response();
    }
    "ready\n".into_response()
}

async fn metrics(State((db, token)): State<(Db, Option<String>)>, headers: axum::http::HeaderMap) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let allowed = match (&token, given) {
        (Some(token), Some(given)) => bool::from(subtle::ConstantTimeEq::ct_eq(token.as_bytes(), given.as_bytes())),
        // Where it comes from says nothing: behind a proxy on this machine everybody comes from this machine.
        _ => false,
    };
    if !allowed {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (open, idle) = db.pool_size();
    metrics::gauge!("patchbay_db_connections", "state" => "open").set(f64::from(open));
    metrics::gauge!("patchbay_db_connections", "state" => "idle").set(idle as f64);
    telemetry::start_metrics().render().into_response()
}

/// One line per request with its id, and a figure for the metrics. The line names the route, not the address: addresses carry ids.
async fn log_request(request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |matched| matched.as_str().to_owned());
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took = started.elapsed();
    metrics::histogram!("patchbay_request_seconds", "route" => route.clone(), "status" => status.to_string())
        .record(took.as_secs_f64());
    if status >= 500 {
        tracing::warn!(request_id = %id, %method, %route, status, ms = took.as_millis() as u64, "request failed");
    } else {
        tracing::debug!(request_id = %id, %method, %route, status, ms = took.as_millis() as u64, "request");
    }
    response
}

fn compression() -> CompressionLayer<impl Predicate> {
    // The live stream must not wait in a compressor's buffer; audio is already small.
    CompressionLayer::new().compress_when(
        DefaultPredicate::new().and(NotForContentType::new("text/event-stream")).and(NotForContentType::new("audio/")),
    )
}

/// Serves until `stop`; then finishes open requests within ten seconds.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    slow_client_seconds: u64,
    readiness: Readiness,
    stop: CancellationToken,
) {
    readiness.set(true);
    let patience = Patience::of_seconds(slow_client_seconds);
    let deadline = async {
        stop.cancelled().await;
        readiness.set(false);
        tokio::time::sleep(Duration::from_secs(10)).await;
    };
    tokio::select! {
        () = slow::serve(listener, router, patience, slow::most_connections(), stop.clone()) => {}
        () = deadline => {}
    }
}
