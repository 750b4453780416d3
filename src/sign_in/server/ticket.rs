//! Links that let somebody in once: an invitation, a new password. The link carries ids and 256 random bits; the table keeps only
//! the SHA-256 of those bits, so that a copy of it opens nothing.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use patchbay_access::server::random_token;

/// A new ticket: what goes into the link, and what the table keeps.
pub struct Ticket {
    pub text: String,
    pub hash: Vec<u8>,
}

/// A ticket for the thing that the ids name.
pub fn issue(ids: &[Uuid]) -> Ticket {
    let secret = random_token();
    let mut parts: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let hash = Sha256::digest(&secret).to_vec();
    parts.push(secret);
    Ticket { text: parts.join("."), hash }
}

/// The ids and the hash of a ticket that somebody brings. None: it has another form.
pub fn read<const N: usize>(text: &str) -> Option<([Uuid; N], Vec<u8>)> {
    let mut parts: Vec<&str> = text.split('.').collect();
    let secret = parts.pop().filter(|secret| !secret.is_empty() && secret.len() <= 64)?;
    let ids = parts.into_iter().map(|part| Uuid::try_parse(part).ok()).collect::<Option<Vec<_>>>()?;
    Some((ids.try_into().ok()?, Sha256::digest(secret).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_leads_back_to_its_ids_and_nothing_else_does() {
        let ids = [Uuid::now_v7(), Uuid::now_v7()];
        let ticket = issue(&ids);
        assert_eq!(read::<2>(&ticket.text), Some((ids, ticket.hash.clone())));
        assert_eq!(read::<1>(&ticket.text), None);
        let other = format!("{}x", ticket.text);
        assert_ne!(read::<2>(&other).map(|(_, hash)| hash), Some(ticket.hash));
        for text in ["", ".", "..", "a.b", "é.é.é", &"a".repeat(10_000)] {
            assert_eq!(read::<2>(text), None, "{text}");
        }
    }
}
