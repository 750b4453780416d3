//! Which rooms bring background work, raw routes and webhook doors. A new room adds a line here.

use axum::Router;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

use crate::access::server::Db;
use crate::jobs::{Registry, Runner};

/// Runs all queues until `stop`.
pub async fn run_workers(db: Db, stop: CancellationToken) {
    let mut registry = Registry::default();
    crate::agents::server::jobs::register(&mut registry);
    crate::batches::server::jobs::register(&mut registry);
    crate::calls::server::follow::register(&mut registry);
    crate::campaigns::server::jobs::register(&mut registry);
    crate::metering::server::jobs::register(&mut registry);
    crate::contacts::server::jobs::register(&mut registry);
    crate::mail::register(&mut registry);
    crate::numbers::server::jobs::register(&mut registry);
    let queues =
        vec![registry.queue(16), crate::inbound_webhooks::server::jobs::queue(), crate::calls::server::enrich::queue()];
    let upkeep = tokio::spawn(upkeep(db.clone(), stop.clone()));
    Runner { db, queues }.run(stop).await;
    let _ = upkeep.await;
}

/// Routes that are no pages: uploads, downloads, audio. Inside the session.
pub fn rest_routes(db: &Db) -> Router<LeptosOptions> {
    Router::new()
        .merge(crate::agents::server::rest::routes().with_state(db.clone()))
        .merge(crate::audit::server::rest::routes().with_state(db.clone()))
        .merge(crate::batches::server::rest::routes().with_state(db.clone()))
        .merge(crate::brand::server::rest::routes().with_state(db.clone()))
        .merge(crate::calls::server::rest::routes().with_state(db.clone()))
        .merge(crate::campaigns::server::rest::routes().with_state(db.clone()))
        .merge(crate::clients::server::rest::routes().with_state(db.clone()))
        .merge(crate::contacts::server::rest::routes().with_state(db.clone()))
        .merge(crate::inbound_webhooks::server::rest::downloads().with_state(db.clone()))
        .merge(crate::members::server::rest::routes().with_state(db.clone()))
        .merge(crate::numbers::server::rest::routes().with_state(db.clone()))
        .merge(crate::prompts::server::rest::routes().with_state(db.clone()))
        .merge(crate::usage::server::rest::routes().with_state(db.clone()))
}

/// The public API: for programs with a key. Outside the session.
pub fn api_routes(db: &Db) -> Router {
    Router::new()
        .merge(crate::api_keys::server::rest::v1())
        .merge(crate::batches::server::api::v1())
        .merge(crate::calls::server::api::v1())
        .merge(crate::contacts::server::api::v1())
        .route("/v1/{*nothing}", axum::routing::any(|| async { crate::shared::AppError::NotFound }))
        .layer(axum::middleware::from_fn_with_state(db.clone(), crate::api_keys::server::door::let_in))
        .with_state(db.clone())
}

/// Files of the brands: style sheets and logos. Outside the session: pages before sign-in show them.
pub fn brand_routes(db: &Db) -> Router {
    crate::brand::server::rest::open().with_state(db.clone())
}

/// Where providers deliver. Outside the session: a signature speaks for the sender.
pub fn webhook_routes(db: &Db) -> Router {
    crate::inbound_webhooks::server::rest::routes().with_state(db.clone())
}

/// Removes what has served its time: ended sessions, old throttles, finished work. In small bites, once a minute.
async fn upkeep(db: Db, stop: CancellationToken) {
    let mut minute = 0_u64;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {}
        }
        if minute.is_multiple_of(60) {
            if let Err(error) = crate::audit::server::anchors::keep_all(&db).await {
                tracing::warn!(cause = %error, "the audit trails will be sealed in an hour");
            }
            if let Err(error) = crate::brand::server::hosts::look_again(&db).await {
                tracing::warn!(cause = %error, "host names will be looked up in an hour");
            }
        }
        minute += 1;
        let pruned = async {
            crate::access::server::prune_sessions(&db).await?;
            crate::sign_in::server::resets::prune(&db).await?;
            crate::users::throttle::prune(&db).await?;
            crate::api_keys::server::store::prune(&db).await?;
            crate::jobs::queue::prune(&db).await
        };
        if let Err(error) = pruned.await {
            tracing::warn!(cause = %error, "upkeep will try again in a minute");
        }
    }
}
