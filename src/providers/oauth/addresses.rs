//! Where one signs in, and which servers are believed to be the service's own.

use url::Url;

use super::{OauthApp, OauthError, OauthKind};

/// Where HubSpot gives tokens. The one before it, `oauth/v1/token`, is switched off in February 2027.
const HUBSPOT_TOKEN_PATH: &str = "oauth/2026-03/token";

/// Zoho's data centres: what people choose, the accounts server, the end of the API's host.
const ZOHO: [(&str, &str, &str); 8] = [
    ("com", "https://accounts.zoho.com", "zohoapis.com"),
    ("eu", "https://accounts.zoho.eu", "zohoapis.eu"),
    ("in", "https://accounts.zoho.in", "zohoapis.in"),
    ("com.au", "https://accounts.zoho.com.au", "zohoapis.com.au"),
    ("jp", "https://accounts.zoho.jp", "zohoapis.jp"),
    ("com.cn", "https://accounts.zoho.com.cn", "zohoapis.com.cn"),
    ("ca", "https://accounts.zohocloud.ca", "zohoapis.ca"),
    ("sa", "https://accounts.zoho.sa", "zohoapis.sa"),
];

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthAddresses {
    /// The page at which a person agrees.
    pub authorize: String,
    /// The server that gives tokens.
    pub token: String,
    /// Its path below the server.
    pub token_path: String,
}

impl OauthAddresses {
    /// The real ones. `region` is one of Zoho's data centres (`com`, `eu`, `in`, `com.au`, `jp`, `com.cn`, `ca`, `sa`); the first for any
    /// other text. The others have one place.
    pub fn live(kind: OauthKind, region: &str) -> Self {
        match kind {
            OauthKind::HubSpot => Self {
                authorize: "https://app.hubspot.com/oauth/authorize".to_owned(),
                token: "https://api.hubapi.com".to_owned(),
                token_path: HUBSPOT_TOKEN_PATH.to_owned(),
            },
            OauthKind::Zoho => {
                let server = ZOHO.iter().find(|(name, _, _)| *name == region).unwrap_or(&ZOHO[0]).1;
                Self::zoho(server)
            }
            OauthKind::Slack => Self {
                authorize: "https://slack.com/oauth/v2/authorize".to_owned(),
                token: "https://slack.com".to_owned(),
                token_path: "api/oauth.v2.access".to_owned(),
            },
        }
    }

    /// A stand-in's.
    pub fn sandbox(kind: OauthKind, base: &str) -> Self {
        let base = base.trim_end_matches('/');
        match kind {
            OauthKind::HubSpot => Self {
                authorize: format!("{base}/oauth/authorize"),
                token: base.to_owned(),
                token_path: HUBSPOT_TOKEN_PATH.to_owned(),
            },
            OauthKind::Zoho => Self::zoho(base),
            OauthKind::Slack => Self {
                authorize: format!("{base}/oauth/v2/authorize"),
                token: base.to_owned(),
                token_path: "api/oauth.v2.access".to_owned(),
            },
        }
    }

    fn zoho(server: &str) -> Self {
        Self {
            authorize: format!("{server}/oauth/v2/auth"),
            token: server.to_owned(),
            token_path: "oauth/v2/token".to_owned(),
        }
    }
}

impl OauthApp {
    /// The server that gives tokens for this sign-in. What came through the browser is believed if it is a server of Zoho's own.
    pub(super) fn accounts(&self, said: Option<&str>) -> Result<String, OauthError> {
        let own = self.addresses.token.trim_end_matches('/');
        let Some(said) = said.map(|said| said.trim().trim_end_matches('/')).filter(|said| !said.is_empty()) else {
            return Ok(own.to_owned());
        };
        let is_ours = said == own || (is_zoho(own) && is_zoho(said));
        match self.kind {
            OauthKind::Zoho if is_ours => Ok(said.to_owned()),
            OauthKind::Zoho => {
                Err(OauthError::Refused("The sign-in came back from a server that is none of Zoho’s.".to_owned()))
            }
            OauthKind::HubSpot | OauthKind::Slack => Ok(own.to_owned()),
        }
    }

    pub(super) fn token_url(&self, accounts: &str) -> String {
        format!("{accounts}/{}", self.addresses.token_path)
    }

    pub(super) fn revoke_url(&self, accounts: &str) -> String {
        match self.kind {
            OauthKind::Slack => format!("{accounts}/api/auth.revoke"),
            OauthKind::HubSpot | OauthKind::Zoho => format!("{}/revoke", self.token_url(accounts)),
        }
    }

    /// The address at which the API is asked, as an answer names it, when it is one of Zoho's. Without a name it follows from the accounts
    /// server.
    pub(super) fn api_base(&self, named: Option<&str>, accounts: &str) -> Result<Option<String>, OauthError> {
        if self.kind != OauthKind::Zoho {
            return Ok(None);
        }
        let named = named.map(|named| named.trim().trim_end_matches('/')).filter(|named| !named.is_empty());
        let live = ZOHO.iter().find(|(_, server, _)| *server == accounts);
        let is_fine = |named: &str| match live {
            // Accounts for trying out have hosts of their own: sandbox.zohoapis.eu.
            Some(_) => ZOHO.iter().any(|(_, _, end)| is_host_below(named, end)),
            None => named == accounts,
        };
        match (named, live) {
            (Some(named), _) if is_fine(named) => Ok(Some(named.to_owned())),
            (Some(_), _) => Err(OauthError::Refused("Zoho named an address that is none of its own.".to_owned())),
            (None, Some((_, _, end))) => Ok(Some(format!("https://www.{end}"))),
            (None, None) => Ok(Some(accounts.to_owned())),
        }
    }
}

fn is_zoho(address: &str) -> bool {
    ZOHO.iter().any(|(_, server, _)| *server == address)
}

/// `https://<word>.<end>` and nothing else.
fn is_host_below(address: &str, end: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_bare =
        matches!(url.path(), "" | "/") && url.query().is_none() && url.port().is_none() && url.username().is_empty();
    let word = url.host_str().and_then(|host| host.strip_suffix(end)).and_then(|rest| rest.strip_suffix('.'));
    url.scheme() == "https" && is_bare && word.is_some_and(|word| word.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::Secret;

    fn zoho(region: &str) -> OauthApp {
        OauthApp {
            kind: OauthKind::Zoho,
            client_id: "1000.A".to_owned(),
            client_secret: Secret::from("s"),
            redirect_uri: "https://example.test/integrations/callback".to_owned(),
            addresses: OauthAddresses::live(OauthKind::Zoho, region),
        }
    }

    #[test]
    fn only_servers_of_zoho_are_believed() {
        let app = zoho("com");
        assert_eq!(app.accounts(None).as_deref(), Ok("https://accounts.zoho.com"));
        assert_eq!(app.accounts(Some("https://accounts.zoho.eu/")).as_deref(), Ok("https://accounts.zoho.eu"));
        for foreign in
            ["https://accounts.zoho.evil.test", "http://accounts.zoho.eu", "https://accounts.zoho.eu@evil.test"]
        {
            assert!(app.accounts(Some(foreign)).is_err(), "{foreign}");
        }
    }

    #[test]
    fn the_api_is_asked_where_zoho_is() {
        let app = zoho("eu");
        let base = |named: Option<&str>| app.api_base(named, "https://accounts.zoho.eu").ok().flatten();
        assert_eq!(base(Some("https://www.zohoapis.eu")).as_deref(), Some("https://www.zohoapis.eu"));
        assert_eq!(base(Some("https://sandbox.zohoapis.eu")).as_deref(), Some("https://sandbox.zohoapis.eu"));
        assert_eq!(base(None).as_deref(), Some("https://www.zohoapis.eu"));
        for foreign in [
            "https://evil.test",
            "https://www.zohoapis.eu.evil.test",
            "http://www.zohoapis.eu",
            "https://evilzohoapis.eu",
            "https://www.zohoapis.eu:8443",
            "https://x@www.zohoapis.eu",
        ] {
            assert_eq!(base(Some(foreign)), None, "{foreign}");
        }
    }
}
