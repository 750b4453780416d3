//! Files of the built site: the browser half under `/pkg`, fonts, icons.
//!
//! The build (see `scripts/build-site`) lays the folder out and makes compressed copies, so this only picks the right copy
//! and says how long a browser may keep it.

use std::io;
use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeDir;

/// For files whose address changes with their contents.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For files whose address stays.
const ONE_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400, must-revalidate");
/// For files whose address stays, while somebody is working on them.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// Folder of the current build inside the site, as `LeptosOptions::site_pkg_dir` wants it: `pkg/0123456789abcdef`.
///
/// # Errors
/// When `site_root` holds no built site.
pub(crate) fn site_pkg_dir(site_root: &Path) -> io::Result<String> {
    let path = site_root.join(".pkg");
    let line = std::fs::read_to_string(&path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("{} holds no built site (scripts/build-site makes it)", site_root.display()),
        )
    })?;
    Ok(line.trim().to_owned())
}

/// Routes for everything in `site_root`: `/pkg/…`, and one route for each other file and folder at its top. Merge it into
/// the application: an address that is none of these stays with the application's own routes and its page for unknown
/// addresses. A missing file inside `/pkg` or another folder is a plain 404.
pub fn static_files<S>(site_root: &Path) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let files =
        ServeDir::new(site_root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip();
    let mut router = Router::new();
    for (name, is_folder) in top_level(site_root) {
        let route = if is_folder { format!("/{name}/{{*path}}") } else { format!("/{name}") };
        router = router.route_service(&route, files.clone());
    }
    router.layer(middleware::from_fn(serve))
}

/// Names at the top of the folder that may be handed out. `pkg` is always among them.
fn top_level(site_root: &Path) -> Vec<(String, bool)> {
    let mut names = vec![("pkg".to_owned(), true)];
    for entry in std::fs::read_dir(site_root).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let compressed_copy = name.ends_with(".br") || name.ends_with(".gz");
        if plain && !name.starts_with('.') && !compressed_copy && name != "pkg" {
            names.push((name, entry.path().is_dir()));
        }
    }
    names
}

async fn serve(request: Request, next: Next) -> Response {
    let kept = how_long(request.uri());
    if is_private(request.uri().path()) {
        return not_found();
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return not_found();
    }
    let found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if found {
        headers.insert(header::CACHE_CONTROL, kept);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

fn how_long(uri: &Uri) -> HeaderValue {
    if uri.path().starts_with("/pkg/") || uri.path().starts_with("/fonts/") {
        FOR_EVER
    } else if cfg!(debug_assertions) {
        ASK_EACH_TIME
    } else {
        ONE_DAY
    }
}

/// Hidden files and source maps stay inside, and so does anything written with an escape: no file of ours needs one.
fn is_private(path: &str) -> bool {
    path.contains("/.") || path.contains('%') || (path.ends_with(".map") && !cfg!(debug_assertions))
}

fn not_found() -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (StatusCode::NOT_FOUND, headers, "not found").into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    async fn get(site: &Path, path: &str, accept: &str) -> Response {
        let app: Router = static_files(site);
        let app = app.fallback(|| async { "page of the application" });
        let request = Request::get(path).header(header::ACCEPT_ENCODING, accept).body(Body::empty()).unwrap();
        app.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn hands_out_the_site_and_nothing_else() {
        let site = std::env::temp_dir().join(format!("patchbay-site-{}", std::process::id()));
        std::fs::create_dir_all(site.join("pkg/0a")).unwrap();
        std::fs::write(site.join("pkg/0a/patchbay.wasm"), "plain").unwrap();
        std::fs::write(site.join("pkg/0a/patchbay.wasm.br"), "smaller").unwrap();
        std::fs::write(site.join("icons.svg"), "<svg/>").unwrap();
        std::fs::write(site.join(".pkg"), "pkg/0a\n").unwrap();

        assert_eq!(site_pkg_dir(&site).unwrap(), "pkg/0a");

        let wasm = get(&site, "/pkg/0a/patchbay.wasm", "br, gzip").await;
        assert_eq!(wasm.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(wasm.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(wasm.headers()[header::CACHE_CONTROL], FOR_EVER);
        assert_eq!(wasm.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");

        let plain = get(&site, "/pkg/0a/patchbay.wasm", "").await;
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());

        let icons = get(&site, "/icons.svg", "").await;
        assert_eq!(icons.headers()[header::CACHE_CONTROL], ASK_EACH_TIME);

        for hidden in ["/pkg/.pkg", "/pkg/0a/none.js", "/pkg/%2e%2e/.pkg", "/pkg/../.pkg"] {
            let response = get(&site, hidden, "").await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{hidden}");
        }
        // Not a file of the site: the application answers.
        assert_eq!(get(&site, "/calls", "").await.status(), StatusCode::OK);
        assert_eq!(get(&site, "/.pkg", "").await.status(), StatusCode::OK);
        std::fs::remove_dir_all(&site).unwrap();
    }
}
