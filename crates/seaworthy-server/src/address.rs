//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;

/// The address that asks, as whoever accepted the connection tells it (or, behind a
/// proxy that is trusted, as they were told). IPv6 neighbours count as one: whoever
/// has one such address has the whole network.
pub(crate) fn of(extensions: &Extensions) -> IpAddr {
    let address = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut parts = address.segments();
            for part in &mut parts[4..] {
                *part = 0;
            }
            IpAddr::V6(parts.into())
        }
        address @ IpAddr::V4(_) => address,
    }
}
