//! Targets that somebody else chose: only public addresses, only HTTPS.
//!
//! The name is resolved once, the addresses are checked, and the connection goes to a checked address. Checking the
//! name first and resolving it again for the connection would let a name server answer differently the second time.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use url::{Host, Url};

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("only https addresses are allowed")]
    Scheme,
    #[error("only ports 443 and 8443 are allowed")]
    Port,
    #[error("an address must not carry a user name or password")]
    UserInfo,
    #[error("the address has no host")]
    Host,
    #[error("private and special addresses are not allowed")]
    Private,
}

/// Checks everything about a target that can be known before its name is resolved.
pub fn check_url(url: &Url) -> Result<(), Refused> {
    if url.scheme() != "https" {
        return Err(Refused::Scheme);
    }
    if !matches!(url.port_or_known_default(), Some(443 | 8443)) {
        return Err(Refused::Port);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::UserInfo);
    }
    // A literal address never reaches the resolver. The parser has already read its decimal and octal spellings.
    match url.host() {
        None => Err(Refused::Host),
        Some(Host::Ipv4(ip)) if !is_public_v4(ip) => Err(Refused::Private),
        Some(Host::Ipv6(ip)) if !is_public_v6(ip) => Err(Refused::Private),
        Some(_) => Ok(()),
    }
}

/// True for an address of the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)         // carrier-grade NAT
            | (169, 254, _)              // link-local, cloud metadata
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)            // protocol assignments, documentation
            | (192, 88, 99)              // 6to4 relays
            | (192, 168, _)
            | (198, 18..=19, _)          // benchmarks
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..) // multicast, reserved, broadcast
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    // Only 2000::/3 is public. That alone refuses loopback, link-local, unique-local, mapped and NAT64 addresses.
    let global = s[0] & 0xe000 == 0x2000;
    let special = match s[0] {
        // Protocol assignments with Teredo, and documentation.
        0x2001 => s[1] < 0x0200 || s[1] == 0x0db8,
        // 6to4
        0x2002 => true,
        // Documentation.
        0x3fff => s[1] < 0x1000,
        _ => false,
    };
    global && !special
}

/// A resolver that hands out public addresses only.
#[derive(Clone)]
pub struct PublicResolver {
    inner: Arc<dyn Resolve>,
}

impl PublicResolver {
    /// On top of the system's resolver.
    pub fn system() -> Self {
        Self::over(Arc::new(SystemResolver))
    }

    /// On top of another resolver.
    pub fn over(inner: Arc<dyn Resolve>) -> Self {
        Self { inner }
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.inner.resolve(name);
        Box::pin(async move {
            // One private address among public ones is a trap: refuse the whole name.
            let addresses: Vec<SocketAddr> = found.await?.collect();
            if addresses.is_empty() || addresses.iter().any(|a| !is_public(a.ip())) {
                return Err(Box::new(Refused::Private) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_refused() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "ff02::1",
            "fec0::1",
            "3fff::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn odd_spellings_of_loopback_are_refused() {
        for text in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
        ] {
            assert_eq!(check_url(&Url::parse(text).unwrap()), Err(Refused::Private), "{text}");
        }
        let check = |text: &str| check_url(&Url::parse(text).unwrap());
        assert_eq!(check("http://files.example/"), Err(Refused::Scheme));
        assert_eq!(check("https://files.example:22/"), Err(Refused::Port));
        assert_eq!(check("https://a:b@files.example/"), Err(Refused::UserInfo));
        assert_eq!(check("https://files.example:8443/x"), Ok(()));
    }
}
