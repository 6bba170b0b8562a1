//! What a worker is told.

use std::sync::Arc;
use std::time::Duration;

use seaworthy_core::Policy;
use seaworthy_scan::LayerReader;

use crate::chore::Chore;
use crate::ear::Ear;
use crate::editions::Editions;

/// What a worker is told by whoever composes the program.
#[derive(Clone)]
pub struct WorkerOptions {
    /// Its name, for people who look why a job is not done: host and process.
    pub name: String,
    /// How many jobs run at once; at least one does.
    pub slots: usize,
    /// How many layers of one image are read at once; at least one is.
    pub layer_threads: usize,
    /// How long a job stays claimed after the worker last said that it is at it.
    pub lease: Duration,
    /// How often to look for jobs when nobody rang.
    pub poll: Duration,
    /// How long running jobs may take to end when the worker is to stop.
    pub drain: Duration,
    /// What is asked of images.
    pub policy: Policy,
    /// The edition in use.
    pub editions: Arc<dyn Editions>,
    /// Who reads layers.
    pub reader: Arc<dyn LayerReader + Send + Sync>,
    /// Who listens to the uploads of this process, if it has any.
    pub ear: Option<Arc<Ear>>,
    /// What is done now and then, by one node at a time.
    pub chores: Vec<Arc<dyn Chore>>,
}
