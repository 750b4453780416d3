//! The address that a request comes from, and the addresses that it may be sent on to. Behind a proxy the former is the proxy's, unless
//! the configuration names it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};

/// The sender's address: the peer's, or, from a trusted proxy, the last one in `X-Forwarded-For` that is no proxy of ours.
/// `proxies`: whose `X-Forwarded-For` is believed. From anybody else the header counts for nothing.
pub fn sender(request: &Request, proxies: &[IpAddr]) -> Option<String> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip();
    let headers = request.headers().get_all("x-forwarded-for");
    let named: Vec<&str> =
        headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).collect();
    Some(choose(peer, &named, proxies).to_string())
}

fn choose(peer: IpAddr, named: &[&str], proxies: &[IpAddr]) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    let named = named.iter().rev().map_while(|text| text.trim().parse::<IpAddr>().ok());
    named.into_iter().find(|address| !proxies.contains(address)).unwrap_or(peer)
}

/// `text` if it is a path of this site, query included; whoever follows it stays here. Browsers read `//elsewhere`, `/\\elsewhere` and
/// `/<tab>/elsewhere` as other hosts: they take `\\` for a slash, and drop blanks and line breaks. Source: the URL Standard, 4.4.
pub fn own_path(text: &str) -> Option<&str> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_plain && text.starts_with('/') && !text.starts_with("//")).then_some(text)
}

/// The page that a form was on, as the browser says (`Referer`): path and query only, so that nobody is sent elsewhere.
pub fn page_before(headers: &HeaderMap) -> Option<url::Url> {
    let text = headers.get(header::REFERER)?.to_str().ok()?;
    let mut url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let path = format!("/{}", url.path().trim_start_matches('/'));
    url.set_path(&path);
    url.set_fragment(None);
    Some(url)
}

/// Path and query of an address.
pub fn path_and_query(url: &url::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for good in ["/", "/calls?client=1&q=a%20b", "/%09/evil.example", "/login/passkey"] {
            assert_eq!(own_path(good), Some(good));
        }
        for bad in [
            "",
            "calls",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "/ /x",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_path(bad), None, "{bad:?}");
        }
        for (referer, page) in [
            ("https://own.example//evil.example/x?a=1#b", "/evil.example/x?a=1"),
            ("https://own.example/\\evil.example", "/evil.example"),
            ("https://own.example/calls", "/calls"),
            ("https://own.example", "/"),
        ] {
            let headers = HeaderMap::from_iter([(header::REFERER, referer.parse().expect("a header"))]);
            assert_eq!(page_before(&headers).map(|url| path_and_query(&url)).as_deref(), Some(page), "{referer}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_last_word() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let (proxy, person) = (ip("10.0.0.1"), ip("203.0.113.9"));
        assert_eq!(choose(person, &["198.51.100.1"], &[proxy]), person);
        assert_eq!(choose(proxy, &["198.51.100.1", " 203.0.113.9"], &[proxy]), person);
        assert_eq!(choose(proxy, &["198.51.100.1", "203.0.113.9", "10.0.0.1"], &[proxy]), person);
        assert_eq!(choose(proxy, &["203.0.113.9", "nonsense"], &[proxy]), proxy);
        assert_eq!(choose(proxy, &[], &[proxy]), proxy);
    }
}
