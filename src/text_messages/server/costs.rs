//! What becomes of a message is written down together with what it costs: by day, and in the client's budget. The message is held before.

use rust_decimal::Decimal;

use super::store::{self, Counted, Known};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_metering::server::texts::{self, TextCost};
use patchbay_providers::text::{Progress, SentText};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, TextMessageId};

/// What became of a message.
pub(super) async fn settle(
    tx: &mut WriteTx,
    client: ClientId,
    id: TextMessageId,
    known: &Known<'_>,
) -> Result<(), AppError> {
    let counted = store::settle(tx, id, known).await?;
    count(tx, client, counted).await
}

/// What a message that is over took and cost.
pub(super) async fn add_price(
    tx: &mut WriteTx,
    client: ClientId,
    id: TextMessageId,
    parts: Option<i32>,
    cost: Option<Decimal>,
) -> Result<(), AppError> {
    let counted = store::add_price(tx, id, parts, cost).await?;
    count(tx, client, counted).await
}

/// The price that a carrier's word brings. While a message is on its way nothing is no price yet, and what is said late of that time takes
/// no place of the price at its end.
pub(super) fn price(sent: &SentText, is_over: bool, before: Option<Decimal>) -> Option<Decimal> {
    let is_end = matches!(sent.progress, Progress::Delivered | Progress::Failed(_));
    sent.cost.filter(|cost| is_end || !(cost.is_zero() || is_over && before.is_some()))
}

/// A message that no carrier has counts nowhere.
async fn count(tx: &mut WriteTx, client: ClientId, Counted { at, was, is }: Counted) -> Result<(), AppError> {
    let Some(at) = at else { return Ok(()) };
    texts::counted(tx, TextCost { client, at, was, is }).await
}

/// Whether the client's budget holds messages back. A month that nobody has added up is added up first.
pub(super) async fn is_spent(scope: &Scope, client: ClientId) -> Result<bool, AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let mut headroom = budget::headroom(&mut tx, client).await?;
    drop(tx);
    if matches!(headroom, Headroom::Unknown) {
        budget::add_up(scope, client).await?;
        headroom = budget::headroom(&mut scope.read(Action::ReadContacts).await?, client).await?;
    }
    Ok(matches!(headroom, Headroom::Spent))
}

/// Why the client's budget lets nothing go out. A month that nobody has added up holds nothing back here: it is asked again when a message
/// is sent.
pub(super) async fn held_back(
    tx: &mut ReadTx,
    client: ClientId,
    with_amount: bool,
) -> Result<Option<String>, AppError> {
    let status = budget::status(tx, client).await?.filter(|status| status.holds());
    Ok(status.map(|status| status.text_reason(with_amount)))
}
