//! `patchbay demo`: the whole product on this machine alone. A private database, the sandbox providers, and two agencies whose
//! history is made by acting as their owners through the front door: files are uploaded, batches are started, calls come back.

mod people;
mod story;
mod visit;

use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::cli::{self, App};
use super::config::Config;
use patchbay_access::server::{Db, SystemTx};
use patchbay_sandbox::{Sandbox, SandboxSettings};
use patchbay_shared::{AppError, Reason};
use story::{AGENCIES, PASSWORD};
use visit::Visit;

/// How much faster than real time calls go while history is made, and after it.
const FAST: f64 = 40.0;
const AFTERWARDS: f64 = 3.0;

/// Starts everything, makes the history on the first start, prints the sign-ins, and serves until stopped.
pub async fn run(mut config: Config) -> Result<(), AppError> {
    // The demo never touches a database that somebody works with.
    config.database_url = None;
    config.owner_database_url = None;
    // And it writes to nobody: its people's addresses belong to no one.
    config.smtp = None;
    // People try the demo with a password that its page tells them.
    config.needs_second_factor = false;
    let stop = cli::stop_signal();
    let sandbox = start_sandbox(&mut config, &stop).await?;
    println!("Starting the private database …");
    let app = App::open(&config).await?;
    let listener = cli::bind(&config).await?;
    let base = format!("http://{}", config.listen);
    let made = is_made(&app.db).await?;
    let story = tokio::spawn(tell(base.clone(), app.db.clone(), sandbox, made));
    let watch = stop.clone();
    tokio::spawn(async move {
        if let Ok(Err(error)) = story.await {
            eprintln!("The demo's history could not be made: {error}");
            watch.cancel();
        }
    });
    let served = cli::serve(&config, app.db.clone(), listener, true, stop).await;
    app.close().await;
    served
}

/// The sandbox listens beside the product, on the next port: connections keep its address over a restart.
async fn start_sandbox(config: &mut Config, stop: &CancellationToken) -> Result<std::sync::Arc<Sandbox>, AppError> {
    let mut at = config.listen;
    at.set_port(config.listen.port().wrapping_add(1));
    let listener = tokio::net::TcpListener::bind(at).await.map_err(|error| {
        AppError::Conflict(
            Reason::Configuration,
            format!("The sandbox providers need {at}, one above --listen, and it cannot be used: {error}"),
        )
    })?;
    let settings = SandboxSettings {
        speed: FAST,
        state_file: Some(config.data_dir.join("sandbox.json")),
        ..SandboxSettings::default()
    };
    let sandbox = Sandbox::new(settings);
    config.sandbox_url = Some(format!("http://{at}"));
    let (routes, stop) = (patchbay_sandbox::router(sandbox.clone()), stop.clone());
    tokio::spawn(async move { axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await });
    Ok(sandbox)
}

async fn is_made(db: &Db) -> Result<bool, AppError> {
    let mut tx = SystemTx::open(db, "demo").await?;
    let known = sqlx::query_scalar!(r#"select exists (select 1 from workspaces where settings ? 'demo') as "known!""#)
        .fetch_one(tx.conn())
        .await?;
    Ok(known)
}

async fn tell(base: String, db: Db, sandbox: std::sync::Arc<Sandbox>, made: bool) -> Result<(), AppError> {
    visit::wait_until_ready(&base).await?;
    if !made {
        people::create_platform_admin(&db).await?;
        for agency in AGENCIES {
            println!("Setting up {} …", agency.name);
            people::create_agency(&base, &db, agency).await?;
        }
    }
    print_sign_ins(&base);
    if !made {
        println!("Making their history: contacts are imported, batches dial, transcripts are read …");
        try_join_all(AGENCIES.iter().map(async |agency| {
            let owner = Visit::signed_in(&base, agency.owner.1).await?;
            story::act(&owner, agency, &sandbox).await
        }))
        .await?;
        patchbay_workspaces::server::mark_demo(&db).await?;
    }
    sandbox.set_settings(None, SandboxSettings { speed: AFTERWARDS, ..SandboxSettings::clone(&sandbox.settings()) });
    if !made {
        for agency in AGENCIES {
            let owner = Visit::signed_in(&base, agency.owner.1).await?;
            story::leave_batches(&owner, agency).await?;
        }
    }
    println!("The demo is complete. Calls now go at {AFTERWARDS} times their real pace; stop with Ctrl C.");
    Ok(())
}

fn print_sign_ins(base: &str) {
    println!("\n  Patchbay is at {base}\n  Everybody's password is {PASSWORD}\n");
    let line = |role: &str, email: &str, place: &str| println!("    {role:<15} {email:<28} {place}");
    for agency in AGENCIES {
        line("owner", agency.owner.1, agency.name);
        line("admin", agency.admin.1, agency.name);
        line("member", agency.member.1, agency.name);
        for client in agency.clients {
            line("client admin", client.admin.1, client.name);
            line("client viewer", client.viewer.1, client.name);
        }
    }
    line("platform admin", story::PLATFORM_ADMIN, "the installation");
    println!();
}
