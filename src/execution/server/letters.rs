//! What people who may decide are written when an approval is asked for.

use super::store::views::approvals::{self, Decider};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::ApprovalId;
use patchbay_shared::text::one_line;
use patchbay_shared::zone::{full_text, zone};
use patchbay_tools::server::{Letter, SendLetter};

/// With more than so many waiting, a letter says how many there are.
const FEW: i64 = 5;

/// Hook: what links to the agency's pages begin with.
pub struct LinkBase(pub for<'a> fn(&'a mut ReadTx) -> HookFuture<'a, String>);

/// Whom a letter about an approval goes to, where this installation sends e-mail.
pub(crate) async fn receivers(tx: &mut ReadTx) -> Result<Option<Vec<Decider>>, AppError> {
    match tx.services().mail.is_some() {
        true => Ok(Some(approvals::deciders(tx, None).await?)),
        false => Ok(None),
    }
}

/// Writes to everybody who may decide, after the commit. Once for an approval: whoever asks calls it in the same transaction.
pub(crate) async fn approval_asked(tx: &mut WriteTx, id: ApprovalId) -> Result<(), AppError> {
    if tx.services().mail.is_none() {
        return Ok(());
    }
    let (send, base) = (tx.services().hooks.get::<SendLetter>()?.0, tx.services().hooks.get::<LinkBase>()?.0);
    let asked = approvals::asked(tx.reading(), id).await?;
    let for_client = asked.client.filter(|_| asked.for_client);
    let receivers = approvals::deciders(tx.reading(), for_client).await?;
    let waiting = approvals::open(tx.reading(), None).await?;
    let base = base(tx.reading()).await?;
    for receiver in receivers {
        let until = full_text(asked.expires_at, zone(&receiver.timezone));
        let mut text = format!(
            "Hello,\n\nsomething waits for a person before it is done:\n\n{}\n\nThe rule that asks: {}\nUntil: {until}. Then it counts as rejected.\n\n\
             Look at it and decide here:\n\n{base}/approvals/{id}\n",
            one_line(&asked.title),
            one_line(&asked.rule),
        );
        // How much waits at the agency is not for its clients.
        if waiting > FEW && !receiver.is_client {
            text += &format!("\n{waiting} approvals wait at the moment. All of them: {base}/approvals\n");
        }
        let letter = Letter {
            to: receiver.email,
            subject: format!("Waits for approval: {}", one_line(&asked.title)),
            text,
            client: for_client.filter(|_| receiver.is_client),
        };
        send(tx, letter).await?;
    }
    Ok(())
}
