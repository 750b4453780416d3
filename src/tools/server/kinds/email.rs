//! Sending an e-mail in the agency's name, within limits per call and day.

use super::contacts::{changed_email, on_the_line};
use super::{Ask, Done, NOT_KNOWN};
use crate::model::SendEmail;
use crate::server::store::{self, uses};
use patchbay_access::Action;
use patchbay_access::server::WriteTx;
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;
use patchbay_shared::text::one_line;

const LONGEST_SUBJECT: usize = 150;
const LONGEST_TEXT: usize = 5000;

/// A plain text to one address, in the brand of the agency or of its client.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub client: Option<ClientId>,
}

/// Hook: sends a letter after the commit.
pub struct SendLetter(pub for<'a> fn(&'a mut WriteTx, Letter) -> HookFuture<'a>);

pub(super) async fn run(ask: &Ask<'_>, config: &SendEmail) -> Result<Done, AppError> {
    let services = ask.scope.services();
    if services.mail.is_none() {
        return Ok(Done::failed("This installation sends no e-mail. Tell them another way."));
    }
    let plain = |text: &str| -> String {
        text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
    };
    let (subject, text) = (one_line(&ask.text("subject")), plain(&ask.text("text").replace("\r\n", "\n")));
    if subject.is_empty() || subject.chars().count() > LONGEST_SUBJECT {
        return Ok(Done::failed(format!("Give a subject of at most {LONGEST_SUBJECT} characters.")));
    }
    if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        return Ok(Done::failed(format!("Give a text of at most {LONGEST_TEXT} characters.")));
    }
    let to = match config.addresses.is_empty() {
        false => config.addresses.clone(),
        true => {
            let Some(client) = ask.invocation.client else {
                return Ok(Done::failed("It is not known for which client this is, so nobody can be written to."));
            };
            if changed_email(ask).await? {
                return Ok(Done::failed("The e-mail address was changed in this call, so nothing is sent to it now."));
            }
            let contact = on_the_line(ask, client).await?;
            match contact.and_then(|contact| contact.email).filter(|email| !email.is_empty()) {
                Some(email) => vec![email],
                None => return Ok(Done::failed("No e-mail address is stored for this person, so nothing was sent.")),
            }
        }
    };
    let hook = services.hooks.get::<SendLetter>()?;
    let mut tx = ask.scope.write(Action::UseTools).await?;
    // Two at the same moment count one after the other.
    store::lock(&mut tx, ask.tool.agent, ask.tool.id).await?;
    let before = uses::before(tx.reading(), ask.tool.id, ask.invocation.call, ask.id, NOT_KNOWN).await?;
    if before.in_call >= i64::from(config.most_in_call) {
        return Ok(Done::failed("As many e-mails as are allowed were sent in this call. Nothing more was sent."));
    }
    if before.in_day >= i64::from(config.most_in_day) {
        return Ok(Done::failed(
            "As many e-mails as are allowed were sent in the last 24 hours. Nothing more was sent.",
        ));
    }
    for to in &to {
        let letter =
            Letter { to: to.clone(), subject: subject.clone(), text: text.clone(), client: ask.invocation.client };
        (hook.0)(&mut tx, letter).await?;
    }
    tx.commit().await?;
    Ok(Done {
        request: Some(format!("To: {}\nSubject: {subject}\n\n{text}", to.join(", "))),
        ..Done::said("The e-mail is on its way.")
    })
}
