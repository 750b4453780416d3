//! Notes that agents keep about a contact.

use super::contacts::on_the_line;
use super::{Ask, Done};
use crate::server::memory;
use patchbay_access::Action;
use patchbay_shared::AppError;

/// The most that is read back.
const MOST_READ: i64 = 20;
const LONGEST: usize = 1000;

pub(super) async fn run(ask: &Ask<'_>) -> Result<Done, AppError> {
    let Some(client) = ask.invocation.client else {
        return Ok(Done::failed("It is not known for which client this is, so there are no notes."));
    };
    let Some(contact) = on_the_line(ask, client).await? else {
        return Ok(Done::failed("The person on the call is not among the contacts, so there are no notes."));
    };
    if ask.text("action") == "read" {
        let mut tx = ask.scope.read(Action::ReadContacts).await?;
        let notes = memory::of_contact(&mut tx, contact.id, MOST_READ).await?;
        if notes.is_empty() {
            return Ok(Done::said("There are no notes about this person yet."));
        }
        let lines: Vec<String> =
            notes.iter().map(|note| format!("{}: {}", note.at.format("%-d %b %Y"), note.note)).collect();
        return Ok(Done::said(lines.join("\n")));
    }
    let note = ask.text("note");
    if note.is_empty() || note.chars().count() > LONGEST {
        return Ok(Done::failed(format!("Give a note of at most {LONGEST} characters.")));
    }
    let mut tx = ask.scope.write(Action::ManageContacts).await?;
    memory::keep(&mut tx, client, contact.id, ask.tool.agent, ask.invocation.call, &note).await?;
    tx.commit().await?;
    Ok(Done::said("Noted."))
}
