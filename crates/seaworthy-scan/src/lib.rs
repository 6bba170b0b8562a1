//! The story of a scan in two functions: [`take_inventory`] reads an image,
//! [`assess`] says what is known about it. [`take_stream`] and [`take_root`] read
//! what comes as a pipe or lies unpacked.
//!
//! The bytes of layers are read by whoever implements [`LayerReader`]: the
//! product gives them to a confined child process, tests read them [`Inline`].
//! What a layer yielded is kept in a [`LayerMemory`], such as the folder of a
//! [`LayerCache`], under the digest its bytes proved to have.
//!
//! Deliberately absent: network, clock, environment, terminal. Whoever calls
//! hands in readers, cache and a listener for progress.

mod assess;
mod cache;
mod memory;
mod progress;
mod reader;
mod root;
mod stream;
mod take;

pub use assess::{Knowledge, assess};
pub use cache::{CacheError, LayerCache};
pub use memory::LayerMemory;
pub use progress::{Progress, Silent};
pub use reader::{Inline, LayerReader, ReadLayerError};
pub use root::{TakeRootError, take_root};
pub use stream::{TakeStreamError, take_stream};
pub use take::{Rig, TakeError, take_inventory};
