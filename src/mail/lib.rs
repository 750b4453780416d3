//! [server] E-mail to people: written in the transaction that makes it necessary, sent by a job afterwards.
//! The surprising part: links in messages are secrets, so a waiting message lies sealed in the queue.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_brand::model::Brand;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, NewJob, Registry, enqueue};
use patchbay_providers::Binding;
use patchbay_providers::smtp::{Email, SmtpError};
use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ClientId;
use patchbay_shared::text::one_line;

/// A plain text to one person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    pub to: String,
    pub subject: String,
    pub text: String,
    /// What the sender is called. None: as the configuration has it. The address always is the configured one.
    #[serde(default)]
    pub from: Option<String>,
    /// Where answers go, if not to the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
}

impl Message {
    /// A text that comes from a brand, with its name and where to find help below it.
    pub fn new(brand: &Brand, to: &str, subject: String, text: &str) -> Self {
        let support = brand.support.as_ref().map(|support| format!("{support}\n")).unwrap_or_default();
        Self {
            to: to.to_owned(),
            subject: one_line(&subject),
            text: format!("{text}\n-- \n{}\n{support}", one_line(&brand.product)),
            from: brand.own_name().map(one_line),
            reply_to: brand.support_mail().map(str::to_owned),
        }
    }
}

/// Whether this installation sends e-mail. Without a server, links are shown to whoever makes them.
pub fn is_set_up(services: &Services) -> bool {
    services.mail.is_some()
}

/// Sends the message after the commit.
pub async fn send(tx: &mut WriteTx, message: &Message) -> Result<(), AppError> {
    let id = Uuid::now_v7();
    let sealed = tx.services().ring.seal(&place(tx.workspace_uuid(), id), message).map_err(internal)?;
    enqueue(tx, &SendMail { id, sealed }, NewJob::default()).await
}

/// Sends a text in the brand of the agency, or of one of its clients, after the commit.
pub async fn send_branded(
    tx: &mut WriteTx,
    client: Option<ClientId>,
    to: &str,
    subject: String,
    text: &str,
) -> Result<(), AppError> {
    let brand = patchbay_brand::server::ops::brand(tx.reading(), client).await?;
    send(tx, &Message::new(&brand, to, subject, text)).await
}

fn place(workspace: Uuid, id: Uuid) -> Binding {
    Binding::new(workspace, format!("mail:{id}"), "message")
}

#[derive(Serialize, Deserialize)]
struct SendMail {
    id: Uuid,
    sealed: String,
}

impl Job for SendMail {
    const KIND: &'static str = "send_mail";
    const ACTIONS: &'static [Action] = &[];
    // People of a suspended workspace still sign in, with links for new passwords too.
    const RUNS_SUSPENDED: bool = true;
}

/// The job of this crate.
pub fn register(registry: &mut Registry) {
    registry.add(|scope: Scope, job: SendMail| async move {
        let place = place(scope.workspace_id().0, job.id);
        let opened = scope.services().ring.open::<Message>(&place, &job.sealed);
        let failure = |error: String, permanent: bool| Failure { error, retry_after: None, permanent };
        let message = opened.map_err(|error| failure(error.to_string(), true))?;
        let Some(server) = &scope.services().mail else {
            return Err(failure("This process knows no mail server: set PATCHBAY_SMTP_URL.".into(), false));
        };
        let email = Email {
            to: &message.to,
            subject: &message.subject,
            text: &message.text,
            from: message.from.as_deref(),
            reply_to: message.reply_to.as_deref(),
        };
        match server.send(&email).await {
            Ok(()) => Ok(Verdict::Done),
            Err(error) => Err(failure(error.to_string(), !matches!(error, SmtpError::Down(_)))),
        }
    });
}
