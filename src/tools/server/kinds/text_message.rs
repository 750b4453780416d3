//! Sending a text message to whoever is on the line, within a limit per call.

use super::{Ask, Done, NOT_KNOWN};
use crate::model::{LONGEST_SPOKEN_TEXT, TextMessage};
use crate::server::store::{self, uses};
use patchbay_access::Action;
use patchbay_access::server::WriteTx;
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId};

/// A message of an agent to whoever is on the line.
#[derive(Debug, Clone)]
pub struct TextOfAgent {
    pub client: ClientId,
    pub call: CallId,
    /// The number of the person on the line.
    pub to: String,
    pub text: String,
    /// The text has `{{variables}}` of the contact.
    pub is_template: bool,
}

/// Hook: sends a message after the commit. Gives why nothing is sent, in words for the model.
pub struct SendText(pub for<'a> fn(&'a mut WriteTx, TextOfAgent) -> HookFuture<'a, Result<(), String>>);

pub(super) async fn run(ask: &Ask<'_>, config: &TextMessage) -> Result<Done, AppError> {
    let is_template = !config.template.is_empty();
    let text = if is_template { config.template.clone() } else { plain(&ask.text("text")) };
    if text.trim().is_empty() || (!is_template && text.chars().count() > LONGEST_SPOKEN_TEXT) {
        return Ok(Done::failed(format!("Give a text of at most {LONGEST_SPOKEN_TEXT} characters.")));
    }
    let (Some(client), Some(call)) = (ask.invocation.client, ask.invocation.call) else {
        return Ok(Done::failed("There is nobody on the line, so nothing was sent."));
    };
    let Some(to) = ask.invocation.phone.clone() else {
        return Ok(Done::failed("The caller’s number is withheld, so nothing was sent."));
    };
    let hook = ask.scope.services().hooks.get::<SendText>()?;
    let mut tx = ask.scope.write(Action::UseTools).await?;
    // Two at the same moment count one after the other.
    store::lock(&mut tx, ask.tool.agent, ask.tool.id).await?;
    let before = uses::before(tx.reading(), ask.tool.id, Some(call), ask.id, NOT_KNOWN).await?;
    if before.in_call >= i64::from(config.most_in_call) {
        return Ok(Done::failed("As many messages as are allowed were sent in this call. Nothing more was sent."));
    }
    let message = TextOfAgent { client, call, to: to.clone(), text: text.clone(), is_template };
    if let Err(why) = (hook.0)(&mut tx, message).await? {
        return Ok(Done::failed(why));
    }
    tx.commit().await?;
    Ok(Done { request: Some(format!("To: {to}\n\n{text}")), ..Done::said("The text message is on its way.") })
}

fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
}
