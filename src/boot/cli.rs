use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::{Config, Options};
use super::embedded_postgres::EmbeddedPostgres;
use super::{demo, doctor, http, keys, migrate, services, telemetry, work};
use patchbay_access::server::{Db, DbSettings, Machine, Scope};
use patchbay_access::{Action, Role};
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Reason};

/// Makes an agency and its owner.
const COMMAND_LINE: Machine = Machine { name: "command line", actions: &[Action::ManagePlatform] };

/// The control room for agencies that run AI voice agents.
#[derive(Parser)]
#[command(name = "patchbay", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Pages, webhooks and workers.
    Serve {
        /// Leave background work to `patchbay work`.
        #[arg(long)]
        no_workers: bool,
    },
    /// Workers only. Run as many as you like.
    Work {
        /// Sees to the targets of this pool; may be given several times. Default: default
        #[arg(long)]
        pool: Vec<String>,
    },
    /// A private database, sandbox providers and two agencies with a past; then everything that `serve` does.
    Demo(demo::DemoOptions),
    /// The sandbox providers alone.
    Sandbox {
        #[arg(long, default_value = "127.0.0.1:3900")]
        at: std::net::SocketAddr,
    },
    /// Read a file from standard input and say what stands in it. Started by the workers, once for each file.
    #[command(hide = true)]
    Extract { nonce: String, name: String },
    /// Run a job in namespaces of its own. Started by the workers, once for each job of the target “This machine”.
    #[command(hide = true)]
    RunJob {
        folder: std::path::PathBuf,
        #[arg(long)]
        inside: bool,
    },
    /// Bring the schema up to date.
    Migrate,
    /// Create people from the command line.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Usage by day.
    Usage {
        #[command(subcommand)]
        command: UsageCommand,
    },
    /// Check database, schema, keys, files, clock and audit log, and say what is wrong.
    Doctor,
    /// Say how much each key of PATCHBAY_KEYS seals.
    Keys {
        #[command(subcommand)]
        command: Option<KeysCommand>,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Seal everything with the first key. Safe beside a running product, and to break off and repeat.
    Rotate,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a platform admin, or with --workspace the owner of a new agency. The password is read from PATCHBAY_PASSWORD.
    Add {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// Name of the agency to create with this person as its owner. Without it: a platform admin.
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Forget somebody's second factor, for whoever has lost it and the recovery codes. Ends their sessions, in every agency.
    ClearSecondFactor {
        #[arg(long)]
        email: String,
    },
    /// Set somebody's password, for whoever has no other way in, in every agency where the address has an account. It is read from
    /// PATCHBAY_PASSWORD, and ends their sessions.
    Password {
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
enum UsageCommand {
    /// Count every day anew from the calls and the answers of models. Safe at any time and to repeat; what is right stays as it is.
    Rebuild,
}

/// Runs the command. Errors are one line on standard error and exit code 1.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Without database, network and threads: what it reads is somebody else's.
    if let Command::Extract { nonce, name } = &cli.command {
        return ExitCode::from(patchbay_knowledge::server::extract::main(nonce, name));
    }
    if let Command::RunJob { folder, inside } = &cli.command {
        return ExitCode::from(patchbay_targets::inside::main(folder, *inside));
    }
    patchbay_providers::http::use_ring();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("patchbay: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("patchbay: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, AppError> {
    let config = cli.options.resolve()?;
    telemetry::start_logs(config.log_json);
    match cli.command {
        Command::Serve { no_workers } => {
            let app = App::open(&config).await?;
            serve(&config, app.db.clone(), bind(&config).await?, !no_workers, stop_signal()).await?;
            app.close().await;
        }
        Command::Work { pool } => {
            let app = App::open(&config).await?;
            let stop = stop_signal();
            let bridge = tokio::spawn(patchbay_jobs::live::bridge(app.db.clone(), stop.clone()));
            work::run_workers(app.db.clone(), work::pools(&pool), stop).await;
            let _ = bridge.await;
            app.close().await;
        }
        // Done before there was a runtime.
        Command::Extract { .. } | Command::RunJob { .. } => {}
        Command::Demo(options) => demo::run(config, options).await?,
        Command::Sandbox { at } => {
            let listener = TcpListener::bind(at).await.map_err(|error| {
                AppError::Conflict(Reason::Configuration, format!("--at: {at} cannot be used: {error}"))
            })?;
            println!("Sandbox providers answer at http://{at}");
            let settings = patchbay_sandbox::SandboxSettings::default();
            patchbay_sandbox::serve(listener, settings, stop_signal())
                .await
                .map_err(patchbay_shared::error::internal)?;
        }
        Command::Migrate => {
            let (owner, postgres) = owner_url(&config).await?;
            migrate::migrate(&owner).await?;
            println!("The schema is up to date.");
            if let Some(postgres) = postgres {
                let _ = postgres.stop().await;
            }
        }
        Command::User { command: UserCommand::ClearSecondFactor { email } } => {
            let app = App::open(&config).await?;
            let cleared = patchbay_sign_in::server::second_factor::clear_from_command_line(&app.db, &email).await;
            app.close().await;
            cleared.map_err(|error| somebody(error, &email))?;
            println!("{email} signs in with the password only.");
        }
        Command::User { command: UserCommand::Password { email } } => {
            let app = App::open(&config).await?;
            let set = patchbay_sign_in::server::resets::set_from_command_line(&app.db, &email, &password()?).await;
            app.close().await;
            set.map_err(|error| somebody(error, &email))?;
            println!("{email} has a new password.");
        }
        Command::User { command: UserCommand::Add { email, name, workspace } } => {
            let password = password()?;
            let app = App::open(&config).await?;
            let role = if workspace.is_some() { Role::AgencyOwner } else { Role::Admin };
            match workspace {
                Some(workspace) => {
                    let scope = Scope::of_operator(app.db.clone(), WorkspaceId::new(), COMMAND_LINE);
                    patchbay_platform::server::ops::create_workspace(
                        &scope, &workspace, &name, &email, &password, "UTC",
                    )
                    .await?;
                }
                None => patchbay_platform::server::ops::create_admin(&app.db, &name, &email, &password).await?,
            }
            println!("{email} can sign in as {}.", role.label().to_lowercase());
            app.close().await;
        }
        Command::Usage { command: UsageCommand::Rebuild } => {
            let app = App::open(&config).await?;
            let rebuilt = patchbay_metering::server::days::rebuild(&app.db).await;
            app.close().await;
            println!("Usage by day is counted anew. Agencies: {}", rebuilt?);
        }
        Command::Keys { command: None } => keys::list(&config).await?,
        Command::Keys { command: Some(KeysCommand::Rotate) } => keys::rotate(&config).await?,
        Command::Doctor => return Ok(if doctor::run(&config).await { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
    }
    Ok(ExitCode::SUCCESS)
}

fn somebody(error: AppError, email: &str) -> AppError {
    match error {
        AppError::NotFound => AppError::Conflict(Reason::Configuration, format!("Nobody has the address {email}.")),
        other => other,
    }
}

fn password() -> Result<String, AppError> {
    std::env::var("PATCHBAY_PASSWORD").map_err(|_| {
        AppError::Conflict(Reason::Configuration, "Put the person's password into PATCHBAY_PASSWORD.".into())
    })
}

/// The database that this process works on, its private server included if it runs one.
pub struct App {
    pub db: Db,
    postgres: Option<EmbeddedPostgres>,
}

impl App {
    /// Opens the configured database, or starts the private one and brings its schema up to date.
    pub async fn open(config: &Config) -> Result<Self, AppError> {
        let (url, postgres) = match &config.database_url {
            Some(url) => {
                if let Some(owner) = &config.owner_database_url {
                    migrate::migrate(owner).await?;
                }
                (url.clone(), None)
            }
            None => {
                let postgres = start_private(config).await?;
                migrate::migrate(&postgres.owner_url()).await?;
                (postgres.app_url(), Some(postgres))
            }
        };
        let services = Arc::new(services::services(config)?);
        let db = Db::connect(&DbSettings { url, max_connections: config.db_connections }, services).await?;
        Ok(Self { db, postgres })
    }

    /// Where the role answers that owns the tables, if this process knows it.
    pub fn owner_url(&self, config: &Config) -> Option<String> {
        config.owner_database_url.clone().or_else(|| self.postgres.as_ref().map(EmbeddedPostgres::owner_url))
    }

    /// Closes connections and stops the private server.
    pub async fn close(self) {
        self.db.close().await;
        if let Some(postgres) = self.postgres
            && let Err(error) = postgres.stop().await
        {
            tracing::warn!(cause = %error, "the private database did not stop");
        }
    }
}

async fn start_private(config: &Config) -> Result<EmbeddedPostgres, AppError> {
    EmbeddedPostgres::start(&config.data_dir.join("postgres")).await.map_err(|error| {
        AppError::Conflict(Reason::Configuration, format!("The private database did not start: {error}"))
    })
}

async fn owner_url(config: &Config) -> Result<(String, Option<EmbeddedPostgres>), AppError> {
    match (&config.owner_database_url, &config.database_url) {
        (Some(owner), _) => Ok((owner.clone(), None)),
        (None, Some(_)) => Err(AppError::Conflict(Reason::Configuration, "Set PATCHBAY_OWNER_DATABASE_URL to the address of the role that owns the tables. DATABASE_URL belongs to the application.".into(),
        )),
        (None, None) => {
            let postgres = start_private(config).await?;
            Ok((postgres.owner_url(), Some(postgres)))
        }
    }
}

/// The listening socket of the configured address.
pub async fn bind(config: &Config) -> Result<TcpListener, AppError> {
    TcpListener::bind(config.listen).await.map_err(|error| {
        AppError::Conflict(Reason::Configuration, format!("--listen: {} cannot be used: {error}", config.listen))
    })
}

/// Pages, webhooks and, if wanted, workers, until `stop`.
pub async fn serve(
    config: &Config,
    db: Db,
    listener: TcpListener,
    workers: bool,
    stop: CancellationToken,
) -> Result<(), AppError> {
    let readiness = http::Readiness::default();
    telemetry::start_metrics();
    let router = http::router(config, db.clone(), readiness.clone())?;
    tracing::info!(address = %config.listen, workers, "serving");
    let bridge = tokio::spawn(patchbay_jobs::live::bridge(db.clone(), stop.clone()));
    let tidy = tokio::spawn(telemetry::tidy_metrics(stop.clone()));
    let work = workers.then(|| tokio::spawn(work::run_workers(db.clone(), work::pools(&[]), stop.clone())));
    http::serve(listener, router, config.slow_client_seconds, readiness, stop.clone()).await;
    stop.cancel();
    if let Some(work) = work {
        let _ = work.await;
    }
    let _ = tokio::join!(bridge, tidy);
    tracing::info!("stopped");
    Ok(())
}

/// Cancelled by the first SIGTERM or SIGINT. The second ends the process at once; leases bring its work back.
pub(crate) fn stop_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else { return };
        for round in 0..2 {
            tokio::select! { _ = term.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
            if round == 0 {
                tracing::info!("stopping: finishing what is under way");
                token.cancel();
            }
        }
        std::process::exit(130);
    });
    stop
}
