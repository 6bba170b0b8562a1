//! Images that containerd keeps, through its socket.
//!
//! Unlike an engine it gives away the parts as they came from the registry: an
//! image is a name for a descriptor, and everything else is content by digest.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use seaworthy_core::{Digest, Reference};
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::stream::{self, BlobReader};

/// Time for a call that does not stream, and between two messages of one that
/// does.
const CALL_TIME: Duration = Duration::from_mins(1);

/// Where containerd keeps what belongs together.
const NAMESPACE: &str = "containerd-namespace";

/// One namespace of a containerd that answers.
pub struct Containerd {
    path: PathBuf,
    namespace: String,
    header: MetadataValue<Ascii>,
    channel: Channel,
    runtime: Handle,
}

/// What an image's name stands for: a manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerdImage {
    /// The name under which containerd keeps it.
    pub name: String,
    /// Media type of the content.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Bytes of the content.
    pub size: u64,
}

/// Why containerd did not give an image.
#[derive(Debug, thiserror::Error)]
pub enum ContainerdError {
    /// There is no such file.
    #[error("there is no containerd socket at `{path}`")]
    NoSocket {
        /// Where we looked.
        path: PathBuf,
    },
    /// The socket is not for us.
    #[error("the containerd socket `{path}` may not be opened by this user")]
    Permission {
        /// The socket.
        path: PathBuf,
    },
    /// Nobody answers at the socket.
    #[error("no containerd answers at `{path}`")]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Not a namespace that containerd could have.
    #[error("`{0}` is not the name of a namespace")]
    Namespace(String),
    /// The namespace has no image of this name.
    #[error("containerd has no image `{name}` in the namespace `{namespace}`")]
    NoSuchImage {
        /// What we asked for.
        name: String,
        /// Where we looked.
        namespace: String,
    },
    /// The content is not, or no longer, there.
    #[error("containerd does not have the content `{digest}` in the namespace `{namespace}`")]
    NoContent {
        /// What we asked for.
        digest: Digest,
        /// Where we looked.
        namespace: String,
    },
    /// Not the number of bytes that the manifest promises.
    #[error("`{digest}` should have {said} bytes, containerd has {found}")]
    Size {
        /// What we asked for.
        digest: Digest,
        /// As the manifest says.
        said: u64,
        /// As containerd says, or as came.
        found: u64,
    },
    /// The answer makes no sense.
    #[error("containerd gave an answer without {0}")]
    Answer(&'static str),
    /// The call failed.
    #[error("containerd failed while asked for {what}")]
    Call {
        /// What we asked for.
        what: String,
        /// What it said.
        source: Box<Status>,
    },
    /// Nothing came for too long.
    #[error("containerd did not answer in time while asked for {what}")]
    Timeout {
        /// What we asked for.
        what: String,
    },
}

impl ContainerdError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSocket { .. } | Self::Connect { .. } => Some(
                "start containerd (`systemctl start containerd`), or say where its socket is with CONTAINERD_ADDRESS",
            ),
            Self::Permission { .. } => Some("containerd's socket is for root: try `sudo`"),
            Self::NoSuchImage { .. } => Some(
                "see `ctr namespaces list` and `ctr --namespace NAME images list`: Kubernetes keeps its images in `k8s.io`, docker in `moby`; CONTAINERD_NAMESPACE chooses",
            ),
            Self::NoContent { .. } => Some(
                "the image may have been pulled for another platform, or its layers were dropped after unpacking: pull it again with `ctr images pull --all-platforms`, or scan it from its registry",
            ),
            Self::Namespace(_)
            | Self::Size { .. }
            | Self::Answer(_)
            | Self::Call { .. }
            | Self::Timeout { .. } => None,
        }
    }
}

/// The few messages of containerd's API that we exchange, written out by hand.
/// Numbers are those of `images.proto`, `content.proto` and `descriptor.proto`;
/// fields that we do not read are left out.
mod message {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct GetImageRequest {
        #[prost(string, tag = "1")]
        pub(super) name: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct GetImageResponse {
        #[prost(message, optional, tag = "1")]
        pub(super) image: Option<Image>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Image {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(message, optional, tag = "3")]
        pub(super) target: Option<Descriptor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Descriptor {
        #[prost(string, tag = "1")]
        pub(super) media_type: String,
        #[prost(string, tag = "2")]
        pub(super) digest: String,
        #[prost(int64, tag = "3")]
        pub(super) size: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct InfoRequest {
        #[prost(string, tag = "1")]
        pub(super) digest: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct InfoResponse {
        #[prost(message, optional, tag = "1")]
        pub(super) info: Option<Info>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Info {
        #[prost(int64, tag = "2")]
        pub(super) size: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ReadContentRequest {
        #[prost(string, tag = "1")]
        pub(super) digest: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ReadContentResponse {
        #[prost(int64, tag = "1")]
        pub(super) offset: i64,
        #[prost(bytes = "bytes", tag = "2")]
        pub(super) data: bytes::Bytes,
    }
}

use message::{
    GetImageRequest, GetImageResponse, InfoRequest, InfoResponse, ReadContentRequest,
    ReadContentResponse,
};

impl Containerd {
    /// Opens the socket at `path` for one `namespace`, such as `default`. Must be
    /// called on the async runtime that shall carry the transfers.
    pub async fn open(path: impl Into<PathBuf>, namespace: &str) -> Result<Self, ContainerdError> {
        let path = path.into();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let header = MetadataValue::try_from(namespace)
            .ok()
            .filter(|_| (1..=76).contains(&namespace.len()) && namespace.bytes().all(is_plain))
            .ok_or_else(|| {
                let shown = namespace.chars().filter(char::is_ascii_graphic);
                ContainerdError::Namespace(shown.take(76).collect())
            })?;
        // Tried by hand first: the gRPC client would not say why it failed.
        if let Err(source) = UnixStream::connect(&path).await {
            return Err(match source.kind() {
                io::ErrorKind::NotFound => ContainerdError::NoSocket { path },
                io::ErrorKind::PermissionDenied => ContainerdError::Permission { path },
                _ => ContainerdError::Connect {
                    path,
                    source: Box::new(source),
                },
            });
        }
        let socket = path.clone();
        let channel = Endpoint::from_static("http://containerd")
            .connect_timeout(CALL_TIME)
            .connect_with_connector(tower::service_fn(move |_| {
                let socket = socket.clone();
                async move { UnixStream::connect(socket).await.map(TokioIo::new) }
            }))
            .await
            .map_err(|source| ContainerdError::Connect {
                path: path.clone(),
                source: Box::new(source),
            })?;
        Ok(Self {
            path,
            namespace: namespace.to_owned(),
            header,
            channel,
            runtime: Handle::current(),
        })
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The namespace that is looked into.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Looks up an image by what people call it: `alpine` is kept as
    /// `docker.io/library/alpine:latest`. A name that containerd keeps as it was
    /// typed is found, too.
    pub async fn image(&self, name: &str) -> Result<ContainerdImage, ContainerdError> {
        let full = name
            .parse::<Reference>()
            .map(|reference| reference.to_string());
        for candidate in full.iter().map(String::as_str).chain([name]) {
            if let Some(image) = self.exact_image(candidate).await? {
                return Ok(image);
            }
        }
        Err(ContainerdError::NoSuchImage {
            name: name
                .chars()
                .filter(|letter| !letter.is_control())
                .take(1024)
                .collect(),
            namespace: self.namespace.clone(),
        })
    }

    async fn exact_image(&self, name: &str) -> Result<Option<ContainerdImage>, ContainerdError> {
        let request = GetImageRequest {
            name: name.to_owned(),
        };
        let path = PathAndQuery::from_static("/containerd.services.images.v1.Images/Get");
        let answer: GetImageResponse = match self.call(path, request).await {
            Ok(answer) => answer,
            Err(Failure::Status(status)) if status.code() == Code::NotFound => return Ok(None),
            Err(failure) => return Err(failure.during(format!("image `{name}`"))),
        };
        let image = answer.image.ok_or(ContainerdError::Answer("an image"))?;
        let target = image
            .target
            .ok_or(ContainerdError::Answer("a descriptor"))?;
        Ok(Some(ContainerdImage {
            name: image.name,
            media_type: target.media_type,
            digest: target
                .digest
                .parse()
                .map_err(|_| ContainerdError::Answer("a digest that can be proved"))?,
            size: u64::try_from(target.size).map_err(|_| ContainerdError::Answer("a size"))?,
        }))
    }

    /// Starts to read the content `digest`, which has `size` bytes, as its
    /// descriptor says.
    ///
    /// The reader gives exactly `size` bytes or ends in an error. It does not
    /// prove the digest: whoever reads hashes the bytes anyway, once.
    pub async fn blob(&self, digest: &Digest, size: u64) -> Result<BlobReader, ContainerdError> {
        let what = || format!("content `{digest}`");
        let missing = || ContainerdError::NoContent {
            digest: digest.clone(),
            namespace: self.namespace.clone(),
        };
        let refused = |failure: Failure| match failure {
            Failure::Status(status) if status.code() == Code::NotFound => missing(),
            failure => failure.during(what()),
        };
        let request = InfoRequest {
            digest: digest.to_string(),
        };
        let path = PathAndQuery::from_static("/containerd.services.content.v1.Content/Info");
        let answer: InfoResponse = self.call(path, request).await.map_err(refused)?;
        let found = answer
            .info
            .and_then(|info| u64::try_from(info.size).ok())
            .ok_or(ContainerdError::Answer("a size"))?;
        let wrong_size = |found| ContainerdError::Size {
            digest: digest.clone(),
            said: size,
            found,
        };
        if found != size {
            return Err(wrong_size(found));
        }
        let request = ReadContentRequest {
            digest: digest.to_string(),
        };
        let path = PathAndQuery::from_static("/containerd.services.content.v1.Content/Read");
        let mut chunks = self.stream(path, request).await.map_err(refused)?;
        let digest = digest.clone();
        Ok(stream::spawn(&self.runtime, |feed| async move {
            let what = || format!("content `{digest}`");
            let wrong = |found| {
                let digest = digest.clone();
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    ContainerdError::Size {
                        digest,
                        said: size,
                        found,
                    },
                )
            };
            let mut received = 0_u64;
            loop {
                let failure = match tokio::time::timeout(CALL_TIME, chunks.message()).await {
                    Ok(Ok(Some(chunk))) => {
                        // Chunks come in order, or they are not that content.
                        if u64::try_from(chunk.offset) != Ok(received) {
                            return Err(wrong(received));
                        }
                        received = received.saturating_add(chunk.data.len() as u64);
                        if received > size {
                            return Err(wrong(received));
                        }
                        if feed.send(chunk.data).await.is_err() {
                            return Ok(());
                        }
                        continue;
                    }
                    Ok(Ok(None)) if received == size => return Ok(()),
                    Ok(Ok(None)) => return Err(wrong(received)),
                    Ok(Err(status)) => Failure::Status(Box::new(status)),
                    Err(_) => Failure::Timeout,
                };
                return Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    failure.during(what()),
                ));
            }
        }))
    }

    /// [`Containerd::image`] for a thread outside the async runtime.
    pub fn image_blocking(&self, name: &str) -> Result<ContainerdImage, ContainerdError> {
        self.runtime.block_on(self.image(name))
    }

    /// [`Containerd::blob`] for a thread outside the async runtime.
    pub fn blob_blocking(&self, digest: &Digest, size: u64) -> Result<BlobReader, ContainerdError> {
        self.runtime.block_on(self.blob(digest, size))
    }

    fn request<Body>(&self, body: Body) -> Request<Body> {
        let mut request = Request::new(body);
        request
            .metadata_mut()
            .insert(NAMESPACE, self.header.clone());
        request
    }

    async fn call<Asked, Answered>(
        &self,
        path: PathAndQuery,
        body: Asked,
    ) -> Result<Answered, Failure>
    where
        Asked: prost::Message + Send + Sync + 'static,
        Answered: prost::Message + Default + Send + Sync + 'static,
    {
        within(async {
            let mut grpc = ready(self.channel.clone()).await?;
            let codec = ProstCodec::<Asked, Answered>::default();
            Ok(grpc
                .unary(self.request(body), path, codec)
                .await?
                .into_inner())
        })
        .await
    }

    async fn stream(
        &self,
        path: PathAndQuery,
        body: ReadContentRequest,
    ) -> Result<Streaming<ReadContentResponse>, Failure> {
        within(async {
            let mut grpc = ready(self.channel.clone()).await?;
            let codec = ProstCodec::default();
            Ok(grpc
                .server_streaming(self.request(body), path, codec)
                .await?
                .into_inner())
        })
        .await
    }
}

impl std::fmt::Debug for Containerd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Containerd({}, {})",
            self.path.display(),
            self.namespace
        )
    }
}

/// How a call failed, before it is known what it was for.
enum Failure {
    Status(Box<Status>),
    Timeout,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl Failure {
    fn during(self, what: String) -> ContainerdError {
        match self {
            Self::Status(source) => ContainerdError::Call { what, source },
            Self::Timeout => ContainerdError::Timeout { what },
        }
    }
}

async fn ready(channel: Channel) -> Result<Grpc<Channel>, Failure> {
    let mut grpc = Grpc::new(channel);
    grpc.ready()
        .await
        .map_err(|source| Failure::from(Status::from_error(Box::new(source))))?;
    Ok(grpc)
}

async fn within<Answered>(
    call: impl Future<Output = Result<Answered, Failure>>,
) -> Result<Answered, Failure> {
    tokio::time::timeout(CALL_TIME, call)
        .await
        .unwrap_or(Err(Failure::Timeout))
}
