//! Slows guessing down: five wrong passwords per account, or thirty per address, in a quarter of an hour, then a wait that doubles up
//! to an hour. Kept in the database, so that every process counts alike. Keys are hashes: the table names nobody.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use patchbay_access::server::{Db, SystemTx};
use patchbay_shared::AppError;

/// Wrong tries per address in a quarter of an hour.
const PER_ADDRESS: i32 = 30;
/// Wrong tries per account from all addresses together, known devices left out.
const PER_ACCOUNT: i32 = 20;

pub struct Keys {
    /// The account as tried from one address.
    account: Option<Vec<u8>>,
    address: Option<Vec<u8>>,
    /// The account wherever it is tried from: for many addresses that guess together.
    everywhere: Option<Vec<u8>>,
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
    /// `is_known`: the account's owner has signed in with this device before. Others elsewhere, however many, do not lock them out, nor
    /// do others behind the same address: unknown devices share their counts, and known ones have one of their own.
    pub fn new(email: &str, ip: Option<&str>, is_known: bool) -> Self {
        let from = network(ip);
        let account = Some(key("account", &format!("{email} {from}")));
        if is_known {
            return Self { account, address: None, everywhere: Some(key("known", email)) };
        }
        Self { account, address: Some(key("address", &from)), everywhere: Some(key("everywhere", email)) }
    }

    /// For typing one's password once more in a session: counted by person, from wherever.
    pub fn proof(user: uuid::Uuid) -> Self {
        Self { account: Some(key("proof", &user.to_string())), address: None, everywhere: None }
    }

    /// For asking for a new password: every try counts, right or wrong.
    pub fn reset(email: &str, ip: Option<&str>) -> Self {
        let from = network(ip);
        let account = key("reset", &format!("{email} {from}"));
        Self { account: Some(account), address: Some(key("reset address", &from)), everywhere: None }
    }

    /// For the messages that follow: so many for one person, wherever they were asked for.
    pub fn reset_messages(user: uuid::Uuid) -> Self {
        Self { account: Some(key("reset messages", &user.to_string())), address: None, everywhere: None }
    }

    /// For the code or passkey after the right password.
    pub fn second_factor(user: uuid::Uuid) -> Self {
        Self { account: Some(key("second factor", &user.to_string())), address: None, everywhere: None }
    }

    /// For a passkey alone: nobody has said yet which account it is for. Counted together with wrong passwords.
    pub fn passkey(ip: Option<&str>) -> Self {
        Self { account: None, address: Some(key("address", &network(ip))), everywhere: None }
    }

    fn each(&self) -> impl Iterator<Item = (&Vec<u8>, i32)> {
        self.account.iter().map(|key| (key, 5)).chain(self.shared())
    }

    /// The counts that others add to as well.
    fn shared(&self) -> impl Iterator<Item = (&Vec<u8>, i32)> {
        let address = self.address.iter().map(|key| (key, PER_ADDRESS));
        address.chain(self.everywhere.iter().map(|key| (key, PER_ACCOUNT)))
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

/// The try was right: it clears the account's count at this address, and takes itself back from those that others share.
pub async fn succeeded(db: &Db, keys: &Keys) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "sign-in throttle").await?;
    if let Some(account) = &keys.account {
        sqlx::query!("delete from sign_in_throttles where key = $1", account).execute(tx.conn()).await?;
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
