//! The floor of a small answer: the HTTP stack of the product, saying the same
//! bytes to everyone.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use axum::Router;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use tokio::runtime::Runtime;

use super::salt::Salted;

/// Answers until it is dropped.
pub(crate) struct Echo {
    /// Dropping it ends the tasks in it.
    _runtime: Runtime,
    pub(crate) address: SocketAddr,
}

impl Echo {
    /// Answers every `GET` and `HEAD` of a manifest with `bytes`.
    pub(crate) fn start(bytes: Vec<u8>, digest: &str, threads: usize) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .context("cannot start the echo")?;
        let bytes = Bytes::from(bytes);
        let digest = digest.to_owned();
        let answer = move || {
            let head = [
                (CONTENT_TYPE, Salted::MEDIA_TYPE.to_owned()),
                (ETAG, digest.clone()),
            ];
            std::future::ready((head, bytes.clone()))
        };
        let router = Router::new().route("/v2/{*rest}", get(answer));
        let bound = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(bound).context("cannot listen")?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // Without it, small answers wait; where it fails the floor is slower.
            let _ = stream.set_nodelay(true);
        });
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            _runtime: runtime,
            address,
        })
    }
}
