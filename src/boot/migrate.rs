use sqlx::{Connection, PgConnection};

use patchbay_shared::{AppError, Reason};

/// Brings the schema up to date as the role that owns the tables. Safe to run twice and by two at once: one waits.
pub async fn migrate(owner_url: &str) -> Result<(), AppError> {
    let mut connection = PgConnection::connect(owner_url).await.map_err(|error| {
        AppError::Conflict(Reason::Configuration, format!("The database does not answer for its owner: {error}"))
    })?;
    sqlx::migrate!("./migrations").run(&mut connection).await.map_err(|error| {
        AppError::Conflict(Reason::Configuration, format!("The schema could not be brought up to date: {error}"))
    })?;
    // Whoever may read sees how far the schema is; nobody but the owner changes it.
    sqlx::raw_sql("revoke insert, update, delete on _sqlx_migrations from patchbay_app")
        .execute(&mut connection)
        .await?;
    Ok(())
}
