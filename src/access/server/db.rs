use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Postgres, Transaction};
use tokio::sync::broadcast;

use patchbay_services::{Notice, Services, Wakers};
use patchbay_shared::{AppError, Reason, error::internal};

/// The database. Nobody outside this folder gets the pool: work goes through `ReadTx`, `WriteTx` or `SystemTx`.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    options: PgConnectOptions,
    services: Arc<Services>,
}

/// How to reach the database, as the application's role.
#[derive(Debug, Clone)]
pub struct DbSettings {
    pub url: String,
    pub max_connections: u32,
}

impl Db {
    /// Opens the pool. The role must not be able to bypass row security: that is checked here, once.
    pub async fn connect(settings: &DbSettings, services: Arc<Services>) -> Result<Self, AppError> {
        let options: PgConnectOptions = settings.url.parse().map_err(|error| {
            AppError::Conflict(Reason::Configuration, format!("DATABASE_URL cannot be read: {error}"))
        })?;
        let options = options
            .application_name("patchbay")
            .options([
                ("statement_timeout", "30s"),
                ("idle_in_transaction_session_timeout", "30s"),
                ("lock_timeout", "10s"),
                // Every statement is a short one. A page that is read in order has a made-up cost that would have it compiled, which
                // takes longer than all the rest.
                ("jit", "off"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(Duration::from_secs(5))
            // A request that is dropped while `begin` is on its way can leave a transaction open on a pooled connection, and a later
            // borrower's insert would be acknowledged and rolled back (sqlx #4385). `begin` below runs in a task of its own;
            // this is the second net: a connection that is still inside a transaction never goes back to the pool.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // As a simple query: inside a transaction `now()` stands still, outside it is the statement's own time.
                    let row = sqlx::raw_sql("select now() = statement_timestamp()").fetch_one(&mut *connection).await?;
                    sqlx::Row::try_get::<bool, _>(&row, 0)
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(|error| {
                AppError::Conflict(Reason::Configuration, format!("The database does not answer: {error}"))
            })?;
        let bypass: bool =
            sqlx::query_scalar("select rolbypassrls or rolsuper from pg_roles where rolname = current_user")
                .fetch_one(&pool)
                .await?;
        if bypass {
            return Err(AppError::Conflict(
                Reason::Configuration,
                "DATABASE_URL signs in as a role that bypasses row security. Use the role patchbay_app.".into(),
            ));
        }
        Ok(Self { inner: Arc::new(Inner { pool, options, services }) })
    }

    /// Opens a transaction and sets its scope in the same round trip. Runs in a task of its own, so that a caller who goes
    /// away cannot leave half a `begin` behind: the finished transaction is dropped and rolls back.
    pub(super) async fn begin(&self, settings: String) -> Result<Transaction<'static, Postgres>, AppError> {
        let pool = self.inner.pool.clone();
        let opened = tokio::spawn(async move {
            // As one simple query, which is one round trip.
            pool.begin_with(sqlx::AssertSqlSafe(format!("begin; {settings}"))).await
        });
        match opened.await {
            Ok(Ok(tx)) => Ok(tx),
            Ok(Err(error)) => Err(unavailable(error)),
            Err(join) => Err(internal(join)),
        }
    }

    /// A pool of one connection beside the main one, for listening to notices.
    pub async fn listener_pool(&self) -> Result<PgPool, sqlx::Error> {
        PgPoolOptions::new().max_connections(1).connect_with(self.inner.options.clone()).await
    }

    /// True when the database answers.
    pub async fn ready(&self) -> bool {
        sqlx::query_scalar::<_, i32>("select 1").fetch_one(&self.inner.pool).await.is_ok()
    }

    /// Live notices of this process, and, through `jobs::live`, of every other.
    pub fn live(&self) -> &broadcast::Sender<Notice> {
        &self.inner.services.live
    }

    /// Wakes workers of this process when there is something to do, so that they need not poll fast.
    pub fn wakers(&self) -> &Wakers {
        &self.inner.services.wakers
    }

    /// What boot built: keys, the way out, stores, mail, clock.
    pub fn services(&self) -> &Services {
        &self.inner.services
    }

    /// Open connections and idle ones, for metrics.
    pub fn pool_size(&self) -> (u32, usize) {
        (self.inner.pool.size(), self.inner.pool.num_idle())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.inner.pool.close().await;
    }
}

fn unavailable(error: sqlx::Error) -> AppError {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed => {
            tracing::warn!(cause = %error, "the database does not answer");
            AppError::Transport("The database is not available right now. Try again in a moment.".into())
        }
        other => internal(other),
    }
}
