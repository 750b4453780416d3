//! What text messages cost: by day and client beside what calls come to, and in the client's budget together with them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::budget;
use super::days::{self, Asked, Touched};
use super::store::texts::{self, KeptTexts};
use crate::model::TextSums;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

/// A text message that a carrier has, before and after something was heard of it.
#[derive(Debug, Clone, Copy)]
pub struct TextCost {
    pub client: ClientId,
    /// The moment that it counts under, whenever its price becomes known.
    pub at: DateTime<Utc>,
    /// What was known of its cost; none: nothing.
    pub was: Option<Decimal>,
    pub is: Option<Decimal>,
}

/// Says, in the transaction that changed it, that a message counts differently now. Its own row is changed before.
pub async fn counted(tx: &mut WriteTx, cost: TextCost) -> Result<(), AppError> {
    days::touch(tx, &[Touched { client_id: Some(cost.client), at: cost.at }]).await?;
    budget::add(tx, Some(cost.client), cost.at, cost.is.unwrap_or_default() - cost.was.unwrap_or_default()).await
}

/// What messages of some days come to.
#[derive(Debug, Clone, Default)]
pub struct FoundTexts {
    pub days: BTreeMap<NaiveDate, TextSums>,
    pub clients: BTreeMap<ClientId, TextSums>,
}

impl FoundTexts {
    pub fn total(&self) -> TextSums {
        let mut total = TextSums::default();
        self.days.values().for_each(|day| total.add(day));
        total
    }
}

/// What the messages of the days come to: from the rows of the days, and where they were touched since from the messages.
pub async fn read(tx: &mut ReadTx, asked: Asked) -> Result<FoundTexts, AppError> {
    let (kept, live) = days::sources(tx, asked).await?;
    let mut found = FoundTexts::default();
    if let Some(kept) = kept {
        for row in texts::kept(tx, asked.client, (kept.first, kept.last), &live).await? {
            match row {
                KeptTexts::Day(day, sums) => found.days.entry(day).or_default().add(&sums),
                KeptTexts::Client(client, sums) => found.clients.entry(client).or_default().add(&sums),
            }
        }
    }
    for cell in texts::made(tx, &live).await? {
        found.days.entry(cell.day).or_default().add(&cell.sums);
        found.clients.entry(cell.client).or_default().add(&cell.sums);
    }
    Ok(found)
}
