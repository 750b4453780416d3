//! Slows guessing down: five wrong passwords per account, or thirty per address, in a quarter of an hour, then a wait that doubles up
//! to an hour. Kept in the database, so that every process counts alike. Keys are hashes: the table names nobody.

use sha2::{Digest, Sha256};

use crate::access::server::{Db, SystemTx};
use crate::shared::AppError;

pub struct Keys {
    account: Vec<u8>,
    address: Option<Vec<u8>>,
}

fn key(kind: &str, text: &str) -> Vec<u8> {
    Sha256::digest(format!("{kind}:{text}")).to_vec()
}

impl Keys {
    pub fn new(email: &str, ip: Option<&str>) -> Self {
        // With the address in the account's key, a stranger elsewhere cannot lock the account's owner out.
        let account = key("account", &format!("{email} {}", ip.unwrap_or("-")));
        Self { account, address: ip.map(|ip| key("address", ip)) }
    }

    /// For asking for a new password: every try counts, right or wrong.
    pub fn reset(email: &str, ip: Option<&str>) -> Self {
        let account = key("reset", &format!("{email} {}", ip.unwrap_or("-")));
        Self { account, address: ip.map(|ip| key("reset address", ip)) }
    }

    /// For the code after the right password.
    pub fn second_factor(user: uuid::Uuid) -> Self {
        Self { account: key("second factor", &user.to_string()), address: None }
    }

    fn each(&self) -> impl Iterator<Item = (&Vec<u8>, i32)> {
        std::iter::once((&self.account, 5)).chain(self.address.iter().map(|key| (key, 30)))
    }
}

/// Errors: `Limited` with the seconds to wait.
pub async fn check(db: &Db, keys: &Keys) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "sign-in throttle").await?;
    for (key, _) in keys.each() {
        let wait = sqlx::query_scalar!(
            r#"select ceil(extract(epoch from blocked_until - now()))::bigint as "wait!"
               from sign_in_throttles where key = $1 and blocked_until > now()"#,
            key
        )
        .fetch_optional(tx.conn())
        .await?;
        if let Some(wait) = wait {
            return Err(AppError::Limited(wait.unsigned_abs().max(1)));
        }
    }
    Ok(())
}

/// Counts a wrong attempt.
pub async fn failed(db: &Db, keys: &Keys) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "sign-in throttle").await?;
    for (key, most) in keys.each() {
        sqlx::query!(
            "insert into sign_in_throttles as t (key, failures, window_started_at) values ($1, 1, now())
             on conflict (key) do update set
               failures = case when t.window_started_at < now() - interval '15 minutes' and coalesce(t.blocked_until, now()) <= now()
                               then 1 else t.failures + 1 end,
               window_started_at = case when t.window_started_at < now() - interval '15 minutes' then now() else t.window_started_at end,
               blocked_until = case when t.failures + 1 >= $2 and t.window_started_at >= now() - interval '15 minutes'
                               then now() + least(interval '1 hour', interval '30 seconds' * power(2, least(t.failures + 1 - $2, 7)))
                               else t.blocked_until end",
            key,
            most
        )
        .execute(tx.conn())
        .await?;
    }
    tx.commit().await
}

/// A right password clears the account's count.
pub async fn succeeded(db: &Db, keys: &Keys) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "sign-in throttle").await?;
    sqlx::query!("delete from sign_in_throttles where key = $1", keys.account).execute(tx.conn()).await?;
    tx.commit().await
}
