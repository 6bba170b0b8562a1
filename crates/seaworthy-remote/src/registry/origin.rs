//! Where a request goes, and whom we may talk to on the way.
//!
//! A registry answers with addresses of its choice: redirects to a blob store,
//! the realm of a token server. Two rules keep them honest. Secrets belong to an
//! [`Origin`]. And a registry on the open internet cannot send us into the
//! network we stand in: see [`Reach`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Scheme, host and port: what a secret is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: Box<str>,
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// The origin of an `http` or `https` URL.
    pub(super) fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().into(),
            host: url.host_str()?.into(),
            port: url.port_or_known_default()?,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn is_encrypted(&self) -> bool {
        &*self.scheme == "https"
    }
}

/// What people may see of a URL. Paths and queries of blob stores carry
/// signatures that are as good as passwords.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// How far inside a network an address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The open internet.
    Public,
    /// Networks of an organisation: RFC 1918, unique local, carrier-grade NAT.
    Private,
    /// This machine.
    Loopback,
    /// This link, where clouds keep their metadata servers.
    Link,
    /// Nobody can be there: unspecified, multicast, reserved.
    Nowhere,
}

/// Metadata servers of clouds that do not live in the link-local block.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

impl Reach {
    pub(super) fn of(address: IpAddr) -> Self {
        if METADATA.contains(&address) {
            return Self::Link;
        }
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::Link,
            [10, ..] | [192, 168, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] => Self::Private,
            [172, second, ..] if (16..32).contains(&second) => Self::Private,
            [100, second, ..] if (64..128).contains(&second) => Self::Private,
            [0 | 224.., ..] => Self::Nowhere,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let inner = |high: u16, low: u16| {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Self::of(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        };
        match address.segments() {
            // Unspecified, and Teredo, which hides an IPv4 address that nobody
            // should need.
            [0, 0, 0, 0, 0, 0, 0, 0] | [0x2001, 0, ..] => Self::Nowhere,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // An IPv4 address in IPv6 clothes means that IPv4 address: mapped,
            // compatible, NAT64 and 6to4.
            [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
            | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
            | [0x2002, high, low, ..] => inner(high, low),
            [0x64, 0xff9b, 1, ..] => Self::Private,
            [first, ..] if first & 0xffc0 == 0xfe80 => Self::Link,
            [first, ..] if first & 0xffc0 == 0xfec0 => Self::Private,
            [first, ..] if first & 0xfe00 == 0xfc00 => Self::Private,
            [first, ..] if first & 0xff00 == 0xff00 => Self::Nowhere,
            _ => Self::Public,
        }
    }

    /// The reach of a registry that has all of `addresses`. Only a registry that
    /// lies inside with every one of them counts as inside: a stranger's name
    /// can always be made to point at one address of ours.
    pub(super) fn of_all(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut all = addresses.into_iter().map(Self::of);
        let Some(first) = all.next() else {
            return Self::Public;
        };
        if all.all(|reach| reach == first) {
            first
        } else {
            Self::Public
        }
    }

    /// Whether a registry here may point us to `there`: outwards always,
    /// inwards never, and to a metadata server only from its own link.
    pub(super) fn may_point_to(self, there: Self) -> bool {
        match there {
            Self::Public => true,
            Self::Private => matches!(self, Self::Private | Self::Loopback),
            Self::Loopback => self == Self::Loopback,
            Self::Link => self == Self::Link,
            Self::Nowhere => false,
        }
    }
}

/// The reach of a URL's host as far as the text tells: an address, or a name
/// that means this machine by definition.
pub(super) fn literal_reach(url: &Url) -> Option<Reach> {
    let host = url.host_str()?;
    if let Some(address) = literal_address(host) {
        return Some(Reach::of(address));
    }
    is_localhost(host).then_some(Reach::Loopback)
}

/// The address that `host` is, `[…]` of IPv6 included.
pub(super) fn literal_address(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().ok()
}

pub(super) fn is_localhost(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Asks the system for the addresses of `host`.
pub(super) async fn look_up(host: &str) -> std::io::Result<Vec<SocketAddr>> {
    // The port is replaced by the one of the URL.
    Ok(tokio::net::lookup_host((host, 0)).await?.collect())
}

/// A name led to an address that the registry may not point us to.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{host}` leads to {address}, inside a network the registry is not in")]
pub(super) struct Inside {
    host: Box<str>,
    address: IpAddr,
}

/// Resolves the names that a registry pointed us to, and refuses those that lead
/// where it may not point. The connection is made to the very addresses that
/// were judged, so a name that changes its mind in between gains nothing.
pub(super) struct Guard {
    pub(super) home: Reach,
    /// Hosts of the proxies the user named. They resolve the rest themselves.
    pub(super) proxies: Vec<Box<str>>,
}

impl Guard {
    pub(super) fn is_proxy(&self, host: &str) -> bool {
        self.proxies.iter().any(|proxy| **proxy == *host)
    }

    fn judge(&self, host: &str, addresses: &[SocketAddr]) -> Result<(), Inside> {
        if self.is_proxy(host) {
            return Ok(());
        }
        let forbidden = addresses
            .iter()
            .map(SocketAddr::ip)
            .find(|address| !self.home.may_point_to(Reach::of(*address)));
        match forbidden {
            Some(address) => Err(Inside {
                host: host.into(),
                address,
            }),
            None => Ok(()),
        }
    }
}

/// [`Guard`] in the shape that the HTTP client wants.
pub(super) struct GuardedNames(pub(super) Arc<Guard>);

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = look_up(name.as_str()).await?;
            guard.judge(name.as_str(), &addresses)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    fn reach(text: &str) -> Reach {
        literal_reach(&Url::parse(&format!("http://{text}/")).unwrap()).unwrap_or(Reach::Public)
    }

    #[test]
    fn addresses_in_every_disguise_are_seen_through() {
        use Reach::{Link, Loopback, Nowhere, Private, Public};
        for (text, expected) in [
            ("8.8.8.8", Public),
            ("172.32.0.1", Public),
            ("100.128.0.1", Public),
            ("[2606:4700::1111]", Public),
            ("registry.example", Public),
            ("10.0.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("192.0.0.192", Private),
            ("100.64.0.1", Private),
            ("[fd12::1]", Private),
            ("[64:ff9b:1::1]", Private),
            ("127.0.0.1", Loopback),
            ("127.255.0.9", Loopback),
            ("2130706433", Loopback),
            ("0x7f.1", Loopback),
            ("0177.0.0.1", Loopback),
            ("127.1", Loopback),
            ("[::1]", Loopback),
            ("[::ffff:127.0.0.1]", Loopback),
            ("[::ffff:7f00:1]", Loopback),
            ("[::127.0.0.1]", Loopback),
            ("[64:ff9b::7f00:1]", Loopback),
            ("[2002:7f00:1::]", Loopback),
            ("localhost", Loopback),
            ("LOCALHOST", Loopback),
            ("localhost.", Loopback),
            ("a.localhost", Loopback),
            ("169.254.169.254", Link),
            ("2852039166", Link),
            ("[::ffff:169.254.169.254]", Link),
            ("[fe80::1]", Link),
            ("[fd00:ec2::254]", Link),
            ("168.63.129.16", Link),
            ("[::ffff:168.63.129.16]", Link),
            ("100.100.100.200", Link),
            ("0.0.0.0", Nowhere),
            ("0", Nowhere),
            ("[::]", Nowhere),
            ("224.0.0.1", Nowhere),
            ("255.255.255.255", Nowhere),
            ("[ff02::1]", Nowhere),
        ] {
            assert_eq!(reach(text), expected, "{text}");
        }
    }

    #[test]
    fn a_registry_points_outwards_but_never_inwards() {
        use Reach::{Link, Loopback, Nowhere, Private, Public};
        let allowed = |from: Reach| {
            [Public, Private, Loopback, Link, Nowhere].map(|to| u8::from(from.may_point_to(to)))
        };
        assert_eq!(allowed(Public), [1, 0, 0, 0, 0]);
        assert_eq!(allowed(Private), [1, 1, 0, 0, 0]);
        assert_eq!(allowed(Loopback), [1, 1, 1, 0, 0]);
        assert_eq!(allowed(Link), [1, 0, 0, 1, 0]);
    }

    #[test]
    fn a_registry_with_one_public_address_is_public() {
        let all = |texts: &[&str]| Reach::of_all(texts.iter().map(|text| text.parse().unwrap()));
        assert_eq!(all(&["10.0.0.1", "192.168.0.1"]), Reach::Private);
        assert_eq!(all(&["127.0.0.1", "::1"]), Reach::Loopback);
        assert_eq!(all(&["10.0.0.1", "8.8.8.8"]), Reach::Public);
        assert_eq!(all(&[]), Reach::Public);
    }

    #[test]
    fn a_name_with_one_inside_address_is_refused_whole() {
        let guard = Guard {
            home: Reach::Public,
            proxies: vec!["proxy.example".into()],
        };
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts
                .iter()
                .map(|text| SocketAddr::new(text.parse().unwrap(), 0))
                .collect()
        };
        let judge = |host: &str, texts: &[&str]| guard.judge(host, &addresses(texts)).is_ok();
        assert!(judge("cdn.example", &["8.8.8.8", "2606:4700::1"]));
        assert!(!judge("cdn.example", &["8.8.8.8", "10.0.0.1"]));
        assert!(!judge("cdn.example", &["::ffff:169.254.169.254"]));
        assert!(judge("proxy.example", &["10.0.0.1"]));
    }

    #[test]
    fn a_name_is_judged_after_it_was_resolved() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let resolve = |home| {
            let guard = Guard {
                home,
                proxies: Vec::new(),
            };
            let names = GuardedNames(Arc::new(guard));
            runtime
                .block_on(names.resolve("localhost".parse().unwrap()))
                .map(drop)
        };
        assert!(resolve(Reach::Loopback).is_ok());
        let refusal = resolve(Reach::Public).unwrap_err();
        assert!(refusal.is::<Inside>(), "{refusal}");
    }

    #[test]
    fn an_origin_shows_neither_path_nor_query() {
        let url = Url::parse("https://blobs.example/secret/path?signature=canary").unwrap();
        assert_eq!(
            Origin::of(&url).unwrap().to_string(),
            "https://blobs.example:443"
        );
        assert_eq!(Origin::of(&Url::parse("file:///etc/passwd").unwrap()), None);
    }
}
