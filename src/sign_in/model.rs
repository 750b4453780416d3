use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;

/// One place where the viewer is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    pub id: String,
    /// `Chrome on Linux`
    pub device: String,
    pub ip: Option<String>,
    pub started: Stamp,
    pub seen: Stamp,
    /// The session that asks.
    pub is_this: bool,
}

/// What a browser's own description of itself means to a person. Unknown ones keep their first word.
pub fn device(agent: &str) -> String {
    // In this order: most browsers name their forebears too.
    let browsers = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => {
            let first: String = agent.split(['/', ' ']).next().unwrap_or_default().chars().take(40).collect();
            if first.is_empty() { "Unknown device".into() } else { first }
        }
    }
}

/// How the viewer's second factor stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// Codes of an app are.
    pub is_on: bool,
    /// Signing in with the password takes a second step: a code, or a passkey.
    pub is_awaited: bool,
    /// Recovery codes that have not been used.
    pub codes_left: i64,
    /// While it is being set up: not confirmed yet.
    pub setup: Option<SecondFactorSetup>,
    /// New recovery codes, shown this once.
    pub new_codes: Vec<String>,
}

/// What an authenticator app needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondFactorSetup {
    /// Base32, in groups of four for typing.
    pub secret: String,
    /// A picture as `data:` address.
    pub qr: String,
}

/// The viewer's passkeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passkeys {
    pub rows: Vec<PasskeyRow>,
    /// There is no room for another.
    pub is_full: bool,
    /// Why passkeys cannot work at this site's address.
    pub hurdle: Option<String>,
    /// While one is being added.
    pub setup: Option<PasskeySetup>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasskeyRow {
    pub id: String,
    /// What the person calls it, for example `Chrome on Linux`.
    pub name: String,
    /// The host name that it belongs to, if it is not this site's present one.
    pub elsewhere: Option<String>,
    pub made: Stamp,
    pub used: Option<Stamp>,
}

/// What the browser needs to make a passkey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasskeySetup {
    /// `PublicKeyCredentialCreationOptionsJSON`
    pub options: String,
    /// A name to begin with.
    pub name: String,
}

/// What the second step can be made with. Recovery codes always can.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SecondStep {
    pub app: bool,
    /// A passkey that belongs to this site's present address.
    pub passkey: bool,
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn browsers_are_named_as_people_know_them() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(device(chrome), "Chrome on Linux");
        assert_eq!(device(edge), "Edge on Windows");
        assert_eq!(device(phone), "Safari on iPhone");
        assert_eq!(device("curl/8.0"), "curl");
        assert_eq!(device(""), "Unknown device");
    }
}
