//! E-mail through an SMTP server.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};

/// A server that takes e-mail, and the sender's address.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A plain text to one person.
#[derive(Debug, Clone, Copy)]
pub struct Email<'a> {
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    /// The sender's name in place of the configured one; the address stays.
    pub from: Option<&'a str>,
    pub reply_to: Option<&'a str>,
}

/// Why a message did not leave. Texts name no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    #[error("the mail server's address is not of the form smtps://user:password@host:465 or smtp://host:25")]
    BadUrl,
    #[error("the sender is not an e-mail address")]
    BadFrom,
    #[error("the receiver is not an e-mail address")]
    BadTo,
    /// The server says that it will never take this message.
    #[error("the mail server refuses the message: {0}")]
    Refused(String),
    /// Trying again may help.
    #[error("the mail server does not take the message now: {0}")]
    Down(String),
}

impl Smtp {
    /// `url`: `smtps://` for TLS from the start, `smtp://…?tls=required` for STARTTLS, `smtp://` for a server on this machine.
    /// `from`: an address, with a name if wanted: `Halden Voice <voice@halden.example>`.
    pub fn new(url: &str, from: &str) -> Result<Self, SmtpError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| SmtpError::BadUrl)?;
        let from = from.parse().map_err(|_| SmtpError::BadFrom)?;
        Ok(Self { transport: transport.timeout(Some(Duration::from_secs(20))).build(), from })
    }

    /// Hands a plain text to the server.
    pub async fn send(&self, email: &Email<'_>) -> Result<(), SmtpError> {
        let mut from = self.from.clone();
        if let Some(name) = email.from {
            from.name = Some(name.to_owned());
        }
        let mut message = Message::builder()
            .from(from)
            .to(email.to.parse().map_err(|_| SmtpError::BadTo)?)
            .subject(email.subject)
            .header(lettre::message::header::ContentType::TEXT_PLAIN);
        // An address that cannot be answered is no reason to keep the message back.
        if let Some(address) = email.reply_to.and_then(|address| address.parse().ok()) {
            message = message.reply_to(address);
        }
        let message = message.body(email.text.to_owned()).map_err(|error| SmtpError::Refused(error.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SmtpError::Refused(error.to_string())),
            Err(error) => Err(SmtpError::Down(error.to_string())),
        }
    }
}
