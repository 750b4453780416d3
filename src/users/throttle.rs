//! Slows guessing down: five wrong passwords per account, or thirty per address, in a quarter of an hour, then a wait that doubles up
//! to an hour. Kept in the database, so that every process counts alike. Keys are hashes: the table names nobody.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use patchbay_access::server::{Db, SystemTx};
use patchbay_shared::AppError;

/// Wrong tries per address in a quarter of an hour.
const PER_ADDRESS: i32 = 30;
/// Wrong tries per account from all addresses together, and from all devices that it is known to.
const PER_ACCOUNT: i32 = 20;
/// Wrong tries per account from one address.
const PER_ACCOUNT_AND_ADDRESS: i32 = 5;

pub struct Keys {
    /// The count of one account alone: a right try clears it.
    own: Option<Vec<u8>>,
    /// Counts to which tries on other accounts add as well: a right try takes itself back, and no other.
    shared: Vec<(Vec<u8>, i32)>,
}

fn key(kind: &str, text: &str) -> Vec<u8> {
    Sha256::digest(format!("{kind}:{text}")).to_vec()
}

/// Whoever has one address of IPv6 has 2^64 of them, so those count as one.
fn network(ip: Option<&str>) -> String {
    match ip.and_then(|ip| ip.parse::<IpAddr>().ok()) {
        Some(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => format!("{:x?}/64", &ip.segments()[..4]),
        },
        Some(IpAddr::V4(ip)) => ip.to_string(),
        None => "-".to_owned(),
    }
}

impl Keys {
    /// For a password. An e-mail address may have several accounts, and all of them are tried: so whoever has one of them clears nothing
    /// by signing in to it.
    pub fn new(email: &str, ip: Option<&str>) -> Self {
        let from = network(ip);
        Self {
            own: None,
            shared: vec![
                (key("account", &format!("{email} {from}")), PER_ACCOUNT_AND_ADDRESS),
                (key("address", &from), PER_ADDRESS),
                // For many addresses that guess together.
                (key("everywhere", email), PER_ACCOUNT),
            ],
        }
    }

    /// For a device on which this account's owner has signed in before. Others, however many, behind the same address or with another
    /// account of the same e-mail address, have no part in these counts and lock nobody out of it.
    pub fn known(account: uuid::Uuid, ip: Option<&str>) -> Self {
        let from = network(ip);
        Self {
            own: Some(key("known from", &format!("{account} {from}"))),
            shared: vec![(key("known", &account.to_string()), PER_ACCOUNT)],
        }
    }

    fn own(kind: &str, text: &str) -> Self {
        Self { own: Some(key(kind, text)), shared: Vec::new() }
    }

    /// For typing one's password once more in a session: counted by person, from wherever.
    pub fn proof(user: uuid::Uuid) -> Self {
        Self::own("proof", &user.to_string())
    }

    /// For asking for a new password: every try counts, right or wrong.
    pub fn reset(email: &str, ip: Option<&str>) -> Self {
        let from = network(ip);
        let shared = vec![(key("reset address", &from), PER_ADDRESS)];
        Self { shared, ..Self::own("reset", &format!("{email} {from}")) }
    }

    /// For the messages that follow: so many for one person, wherever they were asked for.
    pub fn reset_messages(user: uuid::Uuid) -> Self {
        Self::own("reset messages", &user.to_string())
    }

    /// For the code or passkey after the right password.
    pub fn second_factor(user: uuid::Uuid) -> Self {
        Self::own("second factor", &user.to_string())
    }

    /// For a passkey alone: nobody has said yet which account it is for. Counted together with wrong passwords.
    pub fn passkey(ip: Option<&str>) -> Self {
        Self { own: None, shared: vec![(key("address", &network(ip)), PER_ADDRESS)] }
    }

    fn each(&self) -> impl Iterator<Item = (&Vec<u8>, i32)> {
        self.own.iter().map(|key| (key, PER_ACCOUNT_AND_ADDRESS)).chain(self.shared())
    }

    fn shared(&self) -> impl Iterator<Item = (&Vec<u8>, i32)> {
        self.shared.iter().map(|(key, most)| (key, *most))
    }
}

/// Counts a try before it is judged, so that a burst of them side by side gets no further than the same ones in a row.
/// Errors: `Limited` with the seconds to wait.
pub async fn charge(db: &Db, keys: &Keys) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "sign-in throttle").await?;
    for (key, most) in keys.each() {
        // The window goes on through waits, and ends a quarter of an hour after the last one: so that waits really double.
        // The try that fills the measure is judged still; those after it wait, and the next one after the wait is judged again.
        let judged = sqlx::query!(
            "insert into sign_in_throttles as t (key, failures, window_started_at) values ($1, 1, now())
             on conflict (key) do update set
               failures = case when greatest(t.window_started_at, t.blocked_until) < now() - interval '15 minutes' then 1 else t.failures + 1 end,
               window_started_at = case when greatest(t.window_started_at, t.blocked_until) < now() - interval '15 minutes' then now()
                                   else t.window_started_at end,
               blocked_until = case when greatest(t.window_started_at, t.blocked_until) >= now() - interval '15 minutes' and t.failures + 1 >= $2
                               then now() + least(interval '1 hour', interval '30 seconds' * power(2, least(t.failures + 1 - $2, 7)))
                               end
             where coalesce(t.blocked_until, now()) <= now()",
            key,
            most
        )
        .execute(tx.conn())
        .await?
        .rows_affected();
        if judged == 0 {
            let wait = sqlx::query_scalar!(
                "select ceil(extract(epoch from blocked_until - now()))::bigint from sign_in_throttles where key = $1",
                key
            )
            .fetch_optional(tx.conn())
            .await?;
            metrics::counter!("patchbay_sign_ins_total", "result" => "limited").increment(1);
            tracing::warn!("too many tries to sign in: somebody has to wait");
            return Err(AppError::Limited(wait.flatten().unwrap_or(1).unsigned_abs().max(1)));
        }
    }
    tx.commit().await
}

/// The try was right: it clears the account's own count, and takes itself back from those that tries on others share.
pub async fn succeeded(db: &Db, keys: &Keys) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "sign-in throttle").await?;
    if let Some(own) = &keys.own {
        sqlx::query!("delete from sign_in_throttles where key = $1", own).execute(tx.conn()).await?;
    }
    for (key, most) in keys.shared() {
        sqlx::query!(
            "update sign_in_throttles set failures = greatest(failures - 1, 0),
                    blocked_until = case when failures > $2 then blocked_until end where key = $1",
            key,
            most
        )
        .execute(tx.conn())
        .await?;
    }
    tx.commit().await
}

/// Removes counts that have served their time.
pub async fn prune(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "old throttles").await?;
    sqlx::query!(
        "delete from sign_in_throttles
         where window_started_at < now() - interval '1 day' and coalesce(blocked_until, now()) <= now()"
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
