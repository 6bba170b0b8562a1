//! An S3-compatible store for tests, with faults on command.
//!
//! A [`Bucket`] is a server on a free port of the loopback address, inside the
//! test's process but on threads of its own, so that tests with and without a
//! runtime use it alike, and programs that a test starts reach it too. What it
//! stores goes when it is dropped.
//!
//! A test may hand it a rule that says which requests fail, and [how](Fault).
//!
//! Deliberately absent: anything the S3 protocol itself has to know. That is the
//! business of the crate `s3s`; here it is only given a port and bad manners.

mod body;
mod fault;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use fault::Fault;

/// Says how a request fails, by method and path with query; `None` lets it pass.
type Rule = Box<dyn FnMut(&str, &str) -> Option<Fault> + Send>;

/// A bucket of an S3-compatible store. Dropping it stops the server.
pub struct Bucket {
    folder: TempDir,
    address: SocketAddr,
    rule: Arc<Mutex<Option<Rule>>>,
    runtime: Option<Runtime>,
}

impl Bucket {
    /// What every bucket here is called.
    pub const NAME: &str = "harbour";

    /// The access key that may use it.
    pub const ACCESS_KEY: &str = "test-access-key";

    /// The secret that goes with the access key.
    pub const SECRET_KEY: &str = "test-secret-key";

    /// Starts a server with one empty bucket.
    ///
    /// # Panics
    ///
    /// When the machine has no port, thread or temporary folder left.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join(Self::NAME)).expect("the folder is empty");
        let disk = s3s_fs::FileSystem::new(folder.path()).expect("the folder can be read");
        let mut builder = S3ServiceBuilder::new(disk);
        builder.set_auth(SimpleAuth::from_single(Self::ACCESS_KEY, Self::SECRET_KEY));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads for the server");
        let listener = runtime
            .block_on_elsewhere(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let rule = Arc::new(Mutex::new(None));
        runtime.spawn(serve(listener, service, Arc::clone(&rule)));
        Self {
            folder,
            address,
            rule,
            runtime: Some(runtime),
        }
    }

    /// Where it is, such as `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        Self::NAME
    }

    /// The access key that may use it.
    pub fn access_key(&self) -> &'static str {
        Self::ACCESS_KEY
    }

    /// The secret that goes with the access key.
    pub fn secret_key(&self) -> &'static str {
        Self::SECRET_KEY
    }

    /// From now on `rule` is asked, by method and path with query, how each request
    /// fails.
    pub fn fail(&self, rule: impl FnMut(&str, &str) -> Option<Fault> + Send + 'static) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(rule));
    }

    /// From now on every request passes.
    pub fn recover(&self) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What it stores: keys and sizes in bytes.
    ///
    /// # Panics
    ///
    /// When the folder behind it cannot be read.
    pub fn objects(&self) -> BTreeMap<String, u64> {
        let mut objects = BTreeMap::new();
        list(&self.folder.path().join(Self::NAME), "", &mut objects);
        objects
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Bucket")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // A test's own runtime must not wait here for ours.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn list(folder: &Path, prefix: &str, objects: &mut BTreeMap<String, u64>) {
    for entry in fs::read_dir(folder).expect("the bucket's folder").flatten() {
        let name = format!("{prefix}{}", entry.file_name().display());
        // It may be removed between two looks.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_dir() {
            list(&entry.path(), &format!("{name}/"), objects);
        } else {
            objects.insert(name, metadata.len());
        }
    }
}

/// Waits for the runtime's answer without entering it: the caller may be inside
/// another one, which forbids that.
trait BlockOnElsewhere {
    fn block_on_elsewhere<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T;
}

impl BlockOnElsewhere for Runtime {
    fn block_on_elsewhere<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (tell, hear) = std::sync::mpsc::channel();
        self.spawn(async move { tell.send(future.await) });
        hear.recv().expect("the future ends")
    }
}

async fn serve(listener: TcpListener, service: S3Service, rule: Arc<Mutex<Option<Rule>>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Without it each answer waits for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let (service, rule) = (service.clone(), Arc::clone(&rule));
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let path = request.uri().path_and_query();
                let path = path.map_or("", |path| path.as_str());
                let fault = rule
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .as_mut()
                    .and_then(|rule| rule(request.method().as_str(), path));
                fault::answer(service.clone(), request, fault)
            });
            let server = auto::Builder::new(TokioExecutor::new());
            // How a connection ends is the client's to notice.
            let _ = server
                .serve_connection(TokioIo::new(stream), answer)
                .await
                .map_err(drop::<Box<dyn std::error::Error + Send + Sync>>);
            Ok::<(), Infallible>(())
        });
    }
}
