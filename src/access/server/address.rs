//! The address that a request comes from. Behind a proxy that is the proxy's, unless the configuration names it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

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

#[cfg(test)]
mod tests {
    use super::*;

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
