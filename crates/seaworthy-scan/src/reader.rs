//! Who turns the bytes of a layer into records.

use std::io::Read;

use seaworthy_image::{Limits, walk};
use seaworthy_inventory::{LayerRecords, Recorder};

/// Reads one layer. The product's reader is a confined process; this seam is
/// what keeps hostile bytes out of the process that holds credentials and files.
pub trait LayerReader: Sync {
    /// Reads `layer` to its end and says what is in it.
    ///
    /// # Errors
    ///
    /// When the layer cannot be read as one: its records then do not count.
    fn read_layer(&self, layer: &mut dyn Read) -> Result<LayerRecords, ReadLayerError>;
}

/// Why a layer's bytes yielded nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadLayerError {
    /// The bytes are not a readable layer.
    #[error("{reason}")]
    Layer {
        /// What is wrong with them, in a line.
        reason: String,
    },
    /// The reader itself ended early: it was stopped for using too much memory
    /// or time, or it broke.
    #[error("the confined reader stopped: {reason}")]
    Reader {
        /// How it ended.
        reason: String,
    },
    /// It could not be started or talked to.
    #[error("cannot run the confined reader")]
    Start(#[source] std::io::Error),
}

/// Reads in this very process, without confinement: what the confined process
/// runs inside, and what tests use.
#[derive(Clone, Debug, Default)]
pub struct Inline {
    /// Ceilings of the walk.
    pub limits: Limits,
}

impl LayerReader for Inline {
    fn read_layer(&self, layer: &mut dyn Read) -> Result<LayerRecords, ReadLayerError> {
        let mut recorder = Recorder::new();
        let tree =
            walk(layer, &self.limits, &mut recorder).map_err(|error| ReadLayerError::Layer {
                reason: told(&error),
            })?;
        Ok(recorder.finish(tree))
    }
}

/// An error and its causes in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        line.push_str(": ");
        line.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    line
}
