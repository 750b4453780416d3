//! Tokens: what they say is all that is needed to take them, so that they outlive a restart of the sandbox.

use axum::http::HeaderMap;

use super::book::CrmBook;
use super::{CrmKind, bearer_text};

/// What a token says: account, sign-in, number, and when it was given.
struct Said {
    account: String,
    generation: u32,
    serial: u32,
    /// Seconds since 1970.
    at: i64,
}

fn before(kind: CrmKind) -> &'static str {
    match kind {
        CrmKind::Hubspot => "CJ",
        CrmKind::Zoho => "1000.",
    }
}

fn read(kind: CrmKind, token: &str) -> Option<Said> {
    let mut parts = token.strip_prefix(before(kind))?.split('~');
    let account = parts.next().filter(|account| is_account(account))?.to_owned();
    let mut figure = || parts.next()?.parse::<i64>().ok();
    let (generation, serial, at) = (figure()?, figure()?, figure()?);
    Some(Said { account, generation: u32::try_from(generation).ok()?, serial: u32::try_from(serial).ok()?, at })
}

/// A name of an account.
pub(super) fn is_account(text: &str) -> bool {
    text.starts_with("sandbox-") && text.len() <= 80 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The account of a request: that of its token, or the token itself.
pub(super) fn bearer(kind: CrmKind, headers: &HeaderMap) -> Option<String> {
    account_of(kind, bearer_text(headers)?)
}

pub(super) fn account_of(kind: CrmKind, token: &str) -> Option<String> {
    match is_account(token) {
        true => Some(token.to_owned()),
        false => read(kind, token).map(|said| said.account),
    }
}

impl CrmBook {
    fn made(&self, serial: u32) -> String {
        let at = self.now().timestamp();
        format!("{}{}~{}~{serial}~{at}", before(self.kind), self.account, self.generation)
    }

    /// A fresh access token.
    pub(super) fn access_token(&mut self) -> String {
        self.serial += 1;
        self.made(self.serial)
    }

    /// The refresh token: the same for all of a sign-in.
    pub(super) fn refresh_token(&self) -> String {
        self.made(0)
    }

    /// An access token that is good now.
    pub(super) fn is_good(&self, token: &str) -> bool {
        if is_account(token) {
            // It has no sign-in that could be renewed: it ends with any.
            return self.generation == 0 && self.good_from == 0;
        }
        read(self.kind, token).is_some_and(|said| {
            said.generation >= self.generation
                && said.serial > 0
                && said.serial >= self.good_from
                && said.at + i64::from(self.token_secs()) > self.now().timestamp()
        })
    }

    /// A refresh token that is good now.
    pub(super) fn renews(&self, token: &str) -> bool {
        read(self.kind, token).is_some_and(|said| said.serial == 0 && said.generation >= self.generation)
    }

    pub(super) fn token_secs(&self) -> u32 {
        match self.faults.token_secs {
            0 => self.kind.token_secs(),
            set => set,
        }
    }
}
