//! `patchbay demo`: the whole product on this machine alone. A private database, the sandbox providers, and two agencies. The voice service
//! has weeks of past calls of their agents, which their owners bring in through the front door; there they also upload files and start
//! batches. People go on calling and being called for as long as it runs, and a restart goes on with what is there.

mod agencies;
mod changes;
mod checks;
mod integrations;
mod library;
mod past;
mod people;
mod schedules;
mod skills;
mod story;
mod teams;
mod templates;
mod texts;
mod tools;
mod trickle;
mod visit;
mod webhooks;

use std::sync::Arc;

use chrono::Utc;
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::cli::{self, App};
use super::config::Config;
use agencies::{AGENCIES, Agency, PASSWORD, PLATFORM_ADMIN};
use patchbay_access::server::{Db, SystemTx};
use patchbay_sandbox::{Sandbox, SandboxSettings};
use patchbay_shared::{AppError, Reason};
use story::Served;
use visit::Visit;

/// How much faster than real time calls go while history is made, and after it.
const FAST: f64 = 40.0;
const AFTERWARDS: f64 = 3.0;

/// How much oftener than in the past people ring while somebody looks.
const RINGS: f64 = 4.0;

/// How the demo is to be.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct DemoOptions {
    /// Days of past calls that the voice service holds; 0: none.
    #[arg(long, env = "PATCHBAY_DEMO_PAST_DAYS", default_value_t = 56, value_parser = clap::value_parser!(u32).range(0..=365))]
    past_days: u32,
    /// Nobody rings and nobody is called but by the batches of the first day.
    #[arg(long, env = "PATCHBAY_DEMO_STILL")]
    still: bool,
}

/// Starts everything, makes the history on the first start, prints the sign-ins, and serves until stopped.
pub async fn run(mut config: Config, options: DemoOptions) -> Result<(), AppError> {
    // The demo never touches a database that somebody works with.
    config.database_url = None;
    config.owner_database_url = None;
    // And it writes to nobody: its people's addresses belong to no one.
    config.smtp = None;
    // People try the demo with a password that its page tells them.
    config.needs_second_factor = false;
    config.allows_local_targets = true;
    let stop = cli::stop_signal();
    let sandbox = start_sandbox(&mut config, &stop).await?;
    println!("Starting the private database …");
    let app = App::open(&config).await?;
    let listener = cli::bind(&config).await?;
    let base = format!("http://{}", config.listen);
    let made = is_made(&app.db).await?;
    let teller = Teller { base, db: app.db.clone(), sandbox, options, stop: stop.clone() };
    let story = tokio::spawn(teller.tell(made));
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
async fn start_sandbox(config: &mut Config, stop: &CancellationToken) -> Result<Arc<Sandbox>, AppError> {
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

/// Who makes the demo what it is.
struct Teller {
    base: String,
    db: Db,
    sandbox: Arc<Sandbox>,
    options: DemoOptions,
    stop: CancellationToken,
}

impl Teller {
    async fn tell(self, made: bool) -> Result<(), AppError> {
        visit::wait_until_ready(&self.base).await?;
        webhooks::receive(&self.sandbox);
        if !made {
            people::create_platform_admin(&self.db).await?;
            for agency in AGENCIES {
                println!("Setting up {} …", agency.name);
            }
            try_join_all(AGENCIES.iter().map(|agency| people::create_agency(&self.base, &self.db, agency))).await?;
        }
        print_sign_ins(&self.base);
        if !made {
            println!("Making their history: past calls are imported, batches dial, transcripts are read …");
            let served = try_join_all(AGENCIES.iter().map(|agency| self.act(agency))).await?;
            patchbay_workspaces::server::mark_demo(&self.db).await?;
            self.slow_down();
            for (agency, served) in AGENCIES.iter().zip(&served) {
                let owner = Visit::signed_in(&self.base, agency.owner.1).await?;
                try_join_all(served.iter().map(|served| story::leave_batches(&owner, served))).await?;
            }
        }
        self.slow_down();
        if !self.options.still {
            tokio::spawn(self.sandbox.clone().go_on_ringing(RINGS));
            tokio::spawn(trickle::go_on(self.base.clone(), self.stop.clone()));
        }
        println!("The demo is complete. Calls now go at {AFTERWARDS} times their real pace; stop with Ctrl C.");
        Ok(())
    }

    /// What an agency's owner does on the first day.
    async fn act(&self, agency: &'static Agency) -> Result<Vec<Served>, AppError> {
        let owner = Visit::signed_in(&self.base, agency.owner.1).await?;
        story::connect(&owner, agency, &self.sandbox).await?;
        let served = story::build_all(&owner, agency).await?;
        story::spare_number(&owner, agency).await?;
        let pages = self.db.services().sandbox.as_ref().map(|at| format!("{}/pages", at.tools)).unwrap_or_default();
        try_join_all(served.iter().map(|served| library::fill(&owner, served, &pages))).await?;
        let outside = self.db.services().sandbox.as_ref().map(|at| at.tools.clone()).unwrap_or_default();
        try_join_all(served.iter().map(|served| tools::from_outside(&owner, served, &outside))).await?;
        skills::fill(&owner).await?;
        try_join_all(served.iter().map(|served| checks::make(&owner, served))).await?;
        try_join_all(served.iter().map(|served| schedules::make(&owner, served))).await?;
        changes::make(&owner, &self.sandbox, agency, &served).await?;
        templates::make(&owner, &served).await?;
        // Contacts before calls: then the callers of the past are known by name.
        try_join_all(served.iter().map(|served| story::import_contacts(&owner, served))).await?;
        let receivers = self.db.services().sandbox.as_ref().map(|at| at.receiver.clone()).unwrap_or_default();
        webhooks::make(&owner, agency, &served, &receivers).await?;
        try_join_all(served.iter().map(|served| texts::make(&owner, served))).await?;
        integrations::make(&owner, &self.sandbox, &served).await?;
        let waves = try_join_all(served.iter().map(|served| story::first_wave(&owner, served)));
        // Side by side: a batch waits a minute before it rings again where nobody answered.
        tokio::try_join!(
            self.bring_past(&owner, agency, &served),
            async { waves.await.map(|_| ()) },
            teams::make(&owner, &served)
        )?;
        Ok(served)
    }

    async fn bring_past(&self, owner: &Visit, agency: &Agency, served: &[Served]) -> Result<(), AppError> {
        if self.options.past_days == 0 {
            return Ok(());
        }
        past::remember(&self.sandbox, agency, served, self.options.past_days, Utc::now());
        past::bring_in(owner).await?;
        try_join_all(served.iter().map(|served| past::near_budget(owner, served))).await?;
        Ok(())
    }

    fn slow_down(&self) {
        let settings = SandboxSettings { speed: AFTERWARDS, ..SandboxSettings::clone(&self.sandbox.settings()) };
        self.sandbox.set_settings(None, settings);
    }
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
    line("platform admin", PLATFORM_ADMIN, "the installation");
    println!();
}
