//! Numbers that the store knows: jobs, editions.

use std::pin::Pin;

use super::health::More;
use super::meter::Page;

/// Numbers of the store.
pub(super) struct Numbers;

impl More for Numbers {
    fn write<'a>(&'a self, _: &'a mut Page) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {})
    }
}
