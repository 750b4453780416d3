//! What the tools ask of whoever keeps contacts. Boot gives the contacts of Patchbay itself.

use async_trait::async_trait;

use patchbay_access::server::Scope;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId};

/// Where contacts are kept. Everything is asked for one client: an agent sees no other client's contacts.
#[async_trait]
pub trait ContactBook: Send + Sync {
    /// Up to `most` contacts that fit.
    async fn find(
        &self,
        scope: &Scope,
        client: ClientId,
        question: &ContactQuestion,
        most: usize,
    ) -> Result<Vec<ContactCard>, AppError>;

    /// Sets details and gives the contact as it is then. A name is `name`, `email`, `company`, or a detail's own. Errors: `NotFound`;
    /// `Invalid` with a message per detail.
    async fn change(
        &self,
        scope: &Scope,
        client: ClientId,
        contact: ContactId,
        details: &[(String, String)],
    ) -> Result<ContactCard, AppError>;
}

/// Hook: the contacts of this installation.
pub struct Contacts(pub Box<dyn ContactBook>);

/// Whom to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactQuestion {
    One(ContactId),
    /// As somebody said or wrote it.
    Phone(String),
    /// Words of a name or company.
    Words(String),
}

/// A contact as an agent is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactCard {
    pub id: ContactId,
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub company: Option<String>,
    /// What time it is there: `16:42 CET`.
    pub local_time: String,
    pub do_not_call: bool,
    pub details: Vec<(String, String)>,
}
