//! Which crates bring background work, raw routes and webhook doors. A new crate adds a line here.

use axum::Router;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

use patchbay_access::server::Db;
use patchbay_jobs::{Registry, Runner};

/// The pool of targets that workers see to who are told nothing else.
const DEFAULT_POOL: &str = "default";

/// The pools that a worker sees to: those that are named, or the usual one.
pub(crate) fn pools(named: &[String]) -> Vec<String> {
    if named.is_empty() { vec![DEFAULT_POOL.to_owned()] } else { named.to_vec() }
}

/// All queues, and what is done with their items, by a worker of the usual pool.
pub fn runner(db: Db) -> Runner {
    runner_of(db, &pools(&[]))
}

/// The same by a worker of these pools.
pub fn runner_of(db: Db, pools: &[String]) -> Runner {
    let mut registry = Registry::default();
    patchbay_agents::server::jobs::register(&mut registry);
    patchbay_batches::server::jobs::register(&mut registry);
    patchbay_calls::server::follow::register(&mut registry);
    patchbay_calls::server::jobs::register(&mut registry);
    patchbay_campaigns::server::jobs::register(&mut registry);
    patchbay_connections::server::jobs::register(&mut registry);
    patchbay_evaluations::server::jobs::register(&mut registry);
    patchbay_execution::server::jobs::register(&mut registry);
    patchbay_history::server::jobs::register(&mut registry);
    patchbay_integrations::server::jobs::register(&mut registry);
    patchbay_knowledge::server::jobs::register(&mut registry);
    patchbay_runs::server::jobs::register(&mut registry);
    patchbay_schedules::server::jobs::register(&mut registry);
    patchbay_teams::server::jobs::register(&mut registry);
    patchbay_metering::server::jobs::register(&mut registry);
    patchbay_contacts::server::jobs::register(&mut registry);
    patchbay_mail::register(&mut registry);
    patchbay_numbers::server::jobs::register(&mut registry);
    patchbay_telephone::server::jobs::register(&mut registry);
    patchbay_text_messages::server::jobs::register(&mut registry);
    patchbay_webhooks::server::jobs::register(&mut registry);
    let queues = vec![
        registry.queue(16),
        patchbay_inbound_webhooks::server::jobs::queue(),
        patchbay_calls::server::enrich::queue(),
        patchbay_execution::server::jobs::queue(pools),
    ];
    Runner { db, queues }
}

/// Runs all queues until `stop`.
pub async fn run_workers(db: Db, pools: Vec<String>, stop: CancellationToken) {
    let upkeep = tokio::spawn(upkeep(db.clone(), stop.clone()));
    let counting = tokio::spawn(count_days(db.clone(), stop.clone()));
    let clearing = tokio::spawn(clear_leftovers(db.clone(), pools.clone(), stop.clone()));
    let telling = tokio::spawn(patchbay_webhooks::server::sending::run(db.clone(), stop.clone()));
    runner_of(db, &pools).run(stop).await;
    let _ = tokio::join!(upkeep, counting, clearing, telling);
}

/// Routes that are no pages: uploads, downloads, audio. Inside the session.
pub(crate) fn rest_routes(db: &Db) -> Router<LeptosOptions> {
    Router::new()
        .merge(patchbay_agents::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_audit::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_batches::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_brand::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_calls::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_campaigns::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_clients::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_contacts::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_dialling::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_evaluations::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_execution::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_execution::server::setup_routes::routes().with_state(db.clone()))
        .merge(patchbay_teams::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_history::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_integrations::server::callback::routes().with_state(db.clone()))
        .merge(patchbay_integrations::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_members::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_models::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_numbers::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_knowledge::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_prompts::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_queues::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_runs::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_schedules::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_skills::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_text_messages::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_tools::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_usage::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_webhooks::server::routes::routes().with_state(db.clone()))
}

/// The public API: for programs with a key. Outside the session.
pub(crate) fn api_routes(db: &Db) -> Router {
    Router::new()
        .merge(patchbay_api_keys::server::routes::v1())
        .merge(patchbay_audit::server::api::v1())
        .merge(patchbay_batches::server::api::v1())
        .merge(patchbay_calls::server::api::v1())
        .merge(patchbay_contacts::server::api::v1())
        .merge(patchbay_teams::server::api::v1())
        .merge(patchbay_usage::server::api::v1())
        .route("/v1/{*nothing}", axum::routing::any(|| async { patchbay_shared::AppError::NotFound }))
        .layer(axum::middleware::from_fn_with_state(db.clone(), patchbay_api_keys::server::authenticate::authenticate))
        .with_state(db.clone())
}

/// Files of the brands: style sheets and logos. Outside the session: pages before sign-in show them.
pub(crate) fn brand_routes(db: &Db) -> Router {
    patchbay_brand::server::routes::open().with_state(db.clone())
}

/// Where providers deliver. Outside the session: a signature speaks for the sender.
pub(crate) fn webhook_routes(db: &Db) -> Router {
    Router::new()
        .merge(patchbay_inbound_webhooks::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_telephone::server::routes::routes().with_state(db.clone()))
        .merge(patchbay_text_messages::server::routes::hooks().with_state(db.clone()))
        .merge(patchbay_tools::server::routes::hooks().with_state(db.clone()))
        .merge(patchbay_schedules::server::routes::hooks().with_state(db.clone()))
        .merge(patchbay_integrations::server::hooks::hooks().with_state(db.clone()))
        .merge(patchbay_integrations::server::notices::hooks().with_state(db.clone()))
        .merge(patchbay_integrations::server::carriers::reports::hooks().with_state(db.clone()))
}

/// Takes away what lost workers left at targets, every five minutes. By itself, because targets that do not answer take their time.
async fn clear_leftovers(db: Db, pools: Vec<String>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(300)) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            cleared = patchbay_execution::server::clear_leftovers(&db, &pools) => if let Err(error) = cleared {
                tracing::warn!(cause = %error, "what jobs left at their targets will be looked for in five minutes");
            }
        }
    }
}

/// Counts the days that calls and answers of models touched, once a second. What comes meanwhile is counted together.
async fn count_days(db: Db, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
        if let Err(error) = patchbay_metering::server::days::keep_all(&db).await {
            tracing::warn!(cause = %error, "usage by day will be counted in a second; pages count it themselves meanwhile");
        }
    }
}

/// Removes what has served its time: ended sessions, old throttles, finished work. In small bites, once a minute.
async fn upkeep(db: Db, stop: CancellationToken) {
    let mut minute = 0_u64;
    loop {
        // First: what happened while no process was there is missing until it has looked.
        if let Err(error) = patchbay_history::server::jobs::check_due(&db).await {
            tracing::warn!(cause = %error, "calls will be compared with the voice services in a minute");
        }
        if let Err(error) = patchbay_numbers::server::look::check_due(&db).await {
            tracing::warn!(cause = %error, "carriers will be asked in a minute where numbers go");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {}
        }
        if minute.is_multiple_of(60) {
            if let Err(error) = patchbay_audit::server::anchors::keep_all(&db).await {
                tracing::warn!(cause = %error, "the audit logs will be sealed in an hour");
            }
            if let Err(error) = patchbay_brand::server::hosts::look_again(&db).await {
                tracing::warn!(cause = %error, "host names will be looked up in an hour");
            }
            if let Err(error) = patchbay_contacts::server::leftovers::clear_all(&db).await {
                tracing::warn!(cause = %error, "what is left of imports will be looked at in an hour");
            }
        }
        if minute.is_multiple_of(5)
            && let Err(error) = patchbay_queues::server::sweep::sweep_all(&db).await
        {
            tracing::warn!(cause = %error, "lost work will be looked for in five minutes");
        }
        minute += 1;
        let pruned = async {
            patchbay_access::server::prune_sessions(&db).await?;
            patchbay_sign_in::server::resets::prune(&db).await?;
            patchbay_users::throttle::prune(&db).await?;
            patchbay_api_keys::server::prune(&db).await?;
            patchbay_jobs::queue::prune(&db).await
        };
        if let Err(error) = pruned.await {
            tracing::warn!(cause = %error, "upkeep will try again in a minute");
        }
    }
}
