//! A small web site, for pages that are read by their address.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

const HOURS: &str = r#"<!doctype html>
<html lang="en">
<head><title>Opening hours</title><style>main { max-width: 40rem; }</style></head>
<body>
<nav><a href="/tools/pages/hours">Opening hours</a> <a href="/tools/pages/costs">Costs</a></nav>
<main>
<h1>Opening hours</h1>
<p>The practice is open from Monday to Friday, from eight in the morning until six in the evening, and on Thursday until eight.</p>
<p>On Saturday it opens at nine and closes at one. On Sunday and on holidays it is closed.</p>
<h2>Emergencies</h2>
<p>With severe pain, a swelling or a tooth that was knocked out there is an appointment on the same day. Call before you come.</p>
</main>
<footer>Alpenrad Dental, Zurich</footer>
</body>
</html>
"#;

const COSTS: &str = r#"<!doctype html>
<html lang="en">
<head><title>Costs</title></head>
<body>
<main>
<h1>Costs</h1>
<p>A cleaning costs between 140 and 210 francs, depending on how long it takes. Whoever has no insurance pays on the day.</p>
</main>
</body>
</html>
"#;

/// `/tools/pages/{name}`.
pub(super) async fn page(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "hours" => Html(HOURS).into_response(),
        "costs" => Html(COSTS).into_response(),
        _ => (StatusCode::NOT_FOUND, Html("<!doctype html><h1>There is no such page</h1>")).into_response(),
    }
}
