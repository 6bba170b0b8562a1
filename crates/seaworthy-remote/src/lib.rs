//! Talks to other people's registries and engines: login and pull. The only
//! network of a scan.
mod credentials;
mod registry;
mod secret;
mod stream;
pub use credentials::{Credential, CredentialError, CredentialFile, Credentials, FileFault};
pub use registry::{
    Codes, Limits, Manifest, Options, Proxy, PullError, Refusal, Registry, Security,
};
pub use secret::Secret;
pub use stream::BlobReader;
