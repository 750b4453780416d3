//! `patchbay doctor`: looks at everything that must be right and says what is wrong and what to do.

use super::cli::App;
use super::config::Config;
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope, SystemTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// True when all checks pass.
pub async fn run(config: &Config) -> bool {
    let mut healthy = true;
    let mut say = |name: &str, result: Result<String, String>| match result {
        Ok(text) => println!("ok    {name}: {text}"),
        Err(text) => {
            println!("FAIL  {name}: {text}");
            healthy = false;
        }
    };
    say(
        "site",
        match super::static_files::site_pkg_dir(&config.site_root) {
            Ok(dir) => Ok(format!("{} ({dir})", config.site_root.display())),
            Err(error) => Err(format!("{error}")),
        },
    );
    let app = match App::open(config).await {
        Ok(app) => app,
        Err(error) => {
            say("database and keys", Err(error.to_string()));
            return false;
        }
    };
    say("database and keys", Ok("the application's role answers, row security binds it, keys can be read".into()));
    say(
        "clock",
        clock(&app).await.map_err(|error| error.to_string()).and_then(|skew| {
            if skew.abs() < 5.0 {
                Ok(format!("{skew:+.2} s from the database"))
            } else {
                Err(format!("{skew:+.0} s from the database: webhooks would be refused as stale. Set the clock."))
            }
        }),
    );
    say(
        "files",
        match app.db.services().try_files().await {
            Ok(()) => Ok("written, read and deleted".into()),
            Err(error) => Err(format!("{error}. Set --files (PATCHBAY_FILES) and the keys of the bucket.")),
        },
    );
    say(
        "sealed values",
        match super::keys::held(&app.db).await {
            Ok(held) => held.said(),
            Err(error) => Err(error.to_string()),
        },
    );
    match chains(&app).await {
        Ok(lines) => lines.into_iter().for_each(|(name, result)| say(&name, result)),
        Err(error) => say("audit log", Err(error.to_string())),
    }
    app.close().await;
    healthy
}

/// Reads the audit logs.
const DOCTOR: Machine = Machine { name: "doctor", actions: &[Action::ReadAudit] };

async fn clock(app: &App) -> Result<f64, AppError> {
    let mut tx = SystemTx::open(&app.db, "doctor").await?;
    let theirs: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("select clock_timestamp()").fetch_one(tx.conn()).await?;
    Ok((chrono::Utc::now() - theirs).num_milliseconds() as f64 / 1000.0)
}

async fn chains(app: &App) -> Result<Vec<(String, Result<String, String>)>, AppError> {
    let mut tx = SystemTx::open(&app.db, "doctor").await?;
    let rows = sqlx::query!("select id, slug from workspaces order by slug").fetch_all(tx.conn()).await?;
    drop(tx);
    let mut tx = SystemTx::open(&app.db, "doctor").await?;
    let mut lines =
        vec![("the platform's log".to_owned(), said(patchbay_audit::server::platform::verify(&mut tx).await?))];
    drop(tx);
    for row in rows {
        let scope = Scope::of_operator(app.db.clone(), WorkspaceId(row.id), DOCTOR);
        let mut tx = scope.read(Action::ReadAudit).await?;
        let result = said(patchbay_audit::server::verify(&mut tx).await?);
        lines.push((format!("audit log of {}", row.slug), result));
    }
    Ok(lines)
}

/// What the walk along a chain found, in words.
fn said(walked: Result<i64, i64>) -> Result<String, String> {
    match walked {
        Ok(count) => Ok(format!("{count} events, chain unbroken")),
        Err(seq) => Err(format!(
            "the chain breaks at event {seq}: it, or one before it, was changed or removed outside Patchbay"
        )),
    }
}
