//! Which account a number's messages go through, and where the carrier reports to.

use std::sync::Arc;

use super::store::numbers::Heard;
use super::store::{Message, Standing, numbers};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_providers::{ProviderError, Secret, TextCarrier};
use patchbay_services::HookFuture;
use patchbay_shared::ids::{IntegrationId, NumberId, WorkspaceId};
use patchbay_shared::{AppError, Reason};

/// The carrier whose account is a connection.
const TELNYX: &str = "telnyx";
/// Hours after which a number is told again where to tell what comes in: somebody may have changed that, and a refusal may be over.
const AGAIN_AFTER: i64 = 1;

/// An account of a carrier that is an integration.
pub struct TextAccount {
    pub carrier: Arc<dyn TextCarrier>,
    /// What its requests are signed with.
    pub auth_token: Secret<String>,
    /// Nothing is sent through it; what comes in is taken all the same.
    pub paused: bool,
}

/// Hook: opens the account. Errors: `NotFound` when there is none; `Conflict` when it is not connected.
pub struct OpenTexts(pub for<'a> fn(&'a Scope, IntegrationId) -> HookFuture<'a, TextAccount>);

/// What a message is sent with.
pub(super) struct Way {
    pub carrier: Arc<dyn TextCarrier>,
    /// Where the carrier tells what comes in and what became of it.
    pub news: String,
}

impl Way {
    /// Where the carrier tells what became of this message. It names the message: a carrier may tell of one before it has answered, and of
    /// one whose answer was lost. Events of Telnyx bring the words along.
    pub fn status_url(&self, message: &Message) -> String {
        match message.carrier.as_str() {
            TELNYX => self.news.clone(),
            _ => format!("{}?message={}", self.news, message.id),
        }
    }
}

/// Where the calls of a number go was changed at its carrier, and with that perhaps where it tells of messages.
pub async fn number_moved(tx: &mut WriteTx, number: NumberId) -> Result<(), AppError> {
    numbers::forget_heard(tx, number).await
}

/// The way that a message goes. Errors: `Conflict` with what to do.
pub(super) async fn open(scope: &Scope, message: &Message, standing: &Standing) -> Result<Way, AppError> {
    let (way, paused) = found(scope, message, standing).await?;
    if paused {
        let why = "The carrier of this number is paused. Somebody can resume it under Integrations.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    Ok(way)
}

/// The way that a message went, to ask after it: while the account is paused, too. Errors: `Conflict`.
pub(super) async fn to_ask(scope: &Scope, message: &Message, standing: &Standing) -> Result<Way, AppError> {
    Ok(found(scope, message, standing).await?.0)
}

/// The way, and whether it is paused.
async fn found(scope: &Scope, message: &Message, standing: &Standing) -> Result<(Way, bool), AppError> {
    if message.carrier == TELNYX {
        let carrier = connections::texts(scope).await?;
        let mut tx = scope.read(Action::ReadContacts).await?;
        let news = connections::carrier_news_url(&mut tx).await?.ok_or_else(not_connected)?;
        return Ok((Way { carrier, news }, false));
    }
    let id = standing.integration.ok_or_else(not_connected)?;
    let account = account(scope, id).await?;
    let news = address(&scope.services().public_url, &message.carrier, scope.workspace_id(), id);
    Ok((Way { carrier: account.carrier, news }, account.paused))
}

fn not_connected() -> AppError {
    let why = "The carrier of this number is not connected. An owner can connect it under Integrations.";
    AppError::Conflict(Reason::NotConnected, why.to_owned())
}

/// An integration's account.
pub(super) async fn account(scope: &Scope, id: IntegrationId) -> Result<TextAccount, AppError> {
    let hook = scope.services().hooks.get::<OpenTexts>()?;
    (hook.0)(scope, id).await
}

/// Where a carrier that is an integration delivers.
pub(super) fn address(public_url: &str, carrier: &str, workspace: WorkspaceId, id: IntegrationId) -> String {
    format!("{public_url}/hooks/texts/{carrier}/{workspace}/{id}")
}

/// Whether a number's carrier tells us what comes in.
pub(super) enum Listening {
    Yes,
    /// The carrier has trouble that passes.
    NotNow,
    /// The carrier refused, with why.
    No(String),
}

/// Has the number's carrier tell us what comes in. What came of it holds for a while; a refusal is kept for people.
pub(super) async fn listen(
    scope: &Scope,
    way: &Way,
    message: &Message,
    standing: &Standing,
) -> Result<Listening, AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let now = tx.now().await?;
    let known = numbers::heard(&mut tx, message.number).await?.filter(|heard| heard.url == way.news);
    drop(tx);
    if let Some(Heard { problem, looked_at, .. }) = known
        && (now - looked_at).num_hours() < AGAIN_AFTER
    {
        return Ok(problem.map_or(Listening::Yes, Listening::No));
    }
    let problem = match way.carrier.listen(&standing.number, &way.news).await {
        Ok(()) => None,
        // It is tried again with the next message.
        Err(error) if error.is_passing_trouble() => return Ok(Listening::NotNow),
        Err(error) => Some(words(&error)),
    };
    let mut tx = scope.write(Action::ManageTexts).await?;
    numbers::set_heard(&mut tx, message.number, &way.news, problem.as_deref()).await?;
    tx.commit().await?;
    Ok(problem.map_or(Listening::Yes, Listening::No))
}

/// What the carrier said, else what kind of trouble it was.
pub(super) fn words(error: &ProviderError) -> String {
    match error.message.is_empty() {
        true => error.sentence(),
        false => format!("The carrier said: {}.", error.message.trim_end_matches('.')),
    }
}

/// The person has told the carrier to stop: Telnyx's 40300, Twilio's 21610.
pub(super) fn is_opt_out(error: &ProviderError) -> bool {
    let said = error.message.to_lowercase();
    ["stop message", "unsubscribed recipient", "opted out", "opt-out list", "40300", "21610"]
        .iter()
        .any(|word| said.contains(word))
}
