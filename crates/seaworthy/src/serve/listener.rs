//! The port: connections come in, are secured, and end politely.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::config::Limits;

use super::door::Door;
use super::guard::Guarded;
use super::meter::Meter;

/// Longest head of a request over HTTP/1, and list of headers over HTTP/2, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Requests at the same time on one connection of HTTP/2.
const MOST_STREAMS: u32 = 128;

/// How much of a body a client of HTTP/2 may send ahead, in bytes: enough for a
/// gigabit at 20 ms.
const WINDOW: u32 = 2 * 1024 * 1024;

/// Rest after the system could not give a connection, so that a machine without
/// free descriptors is not kept busy by asking.
const REST: Duration = Duration::from_millis(50);

/// A port that is open.
pub(super) struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    meter: Arc<Meter>,
}

impl Listener {
    /// Opens the port.
    pub(super) async fn open(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        limits: Limits,
        meter: Arc<Meter>,
    ) -> io::Result<Self> {
        Ok(Self {
            socket: TcpListener::bind(address).await?,
            tls: tls.map(TlsAcceptor::from),
            limits,
            meter,
        })
    }

    /// The address with the port that was taken.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `draining`; then closes the port, lets what is under way end,
    /// and gives up after `patience`. Answers whether everything ended by itself.
    pub(super) async fn serve(
        self,
        door: Door,
        mut draining: watch::Receiver<bool>,
        patience: Duration,
    ) -> bool {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(self.limits.connections));
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.socket.accept().await)
            };
            let accepted = tokio::select! {
                biased;
                _ = draining.wait_for(|it| *it) => break,
                accepted = next => accepted,
            };
            let (Ok(place), accepted) = accepted else {
                break;
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            let connection = Connection {
                tls: self.tls.clone(),
                limits: self.limits,
                meter: Arc::clone(&self.meter),
                door: door.clone(),
                watcher: graceful.watcher(),
                peer,
            };
            tokio::spawn(async move {
                connection.carry(stream).await;
                drop(place);
            });
        }
        drop(self.socket);
        let under_way = graceful.count();
        tracing::info!(
            connections = under_way,
            "the port is closed; waiting for {under_way} connections"
        );
        timeout(patience, graceful.shutdown()).await.is_ok()
    }
}

/// What one connection needs.
struct Connection {
    tls: Option<TlsAcceptor>,
    limits: Limits,
    meter: Arc<Meter>,
    door: Door,
    watcher: Watcher,
    peer: SocketAddr,
}

impl Connection {
    async fn carry(self, stream: TcpStream) {
        // Answers are written whole; waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let meter = Arc::clone(&self.meter);
        meter.connection_begun();
        match &self.tls {
            None => self.talk(stream).await,
            Some(tls) => {
                let shaken = timeout(self.limits.head, tls.accept(stream)).await;
                match shaken {
                    Ok(Ok(stream)) => self.talk(stream).await,
                    Ok(Err(error)) => {
                        meter.connection_refused();
                        tracing::debug!(peer = %self.peer.ip(), "no TLS: {error}");
                    }
                    Err(_) => meter.connection_refused(),
                }
            }
        }
        meter.connection_ended();
    }

    async fn talk<T>(self, stream: T)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = self.limits;
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(4 * LONGEST_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(LONGEST_HEAD).unwrap_or(u32::MAX))
            .max_concurrent_streams(MOST_STREAMS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .max_frame_size(256 * 1024)
            .keep_alive_interval(limits.stall)
            .keep_alive_timeout(limits.head);
        let door = self.door;
        let peer = self.peer;
        let service = hyper::service::service_fn(move |request| {
            let door = door.clone();
            async move { Ok::<_, std::convert::Infallible>(door.answer(request, peer).await) }
        });
        let guarded = TokioIo::new(Guarded::new(stream, limits.head, limits.stall));
        let connection = builder.serve_connection(guarded, service).into_owned();
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(peer = %peer.ip(), "a connection broke: {error}");
        }
    }
}
