//! Report documents, read once for all the pages that are made of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use seaworthy_report::{read_v1, v1};
use seaworthy_store::{Packed, Scans, StoreError};

use crate::problem::Problem;

/// The most bytes of documents, as text, that are kept in memory.
const MOST: usize = 64 << 20;

/// A report of one image.
pub(crate) type Kept = Arc<v1::Image<'static>>;

/// Documents that were read lately. A report never changes, so that its number says
/// all.
#[derive(Default)]
pub(crate) struct Documents(Mutex<VecDeque<Entry>>);

struct Entry {
    report: i64,
    bytes: usize,
    image: Kept,
}

impl Documents {
    /// The report with this number of this image; `None` where there is no such
    /// document.
    pub(crate) async fn read(
        &self,
        scans: &Scans,
        image: i64,
        report: i64,
    ) -> Result<Option<Kept>, Problem> {
        // Asked of the store before the cache: a report that was deleted meanwhile is
        // gone, whoever remembers it.
        let Some(packed) = scans.document(image, Some(report)).await? else {
            return Ok(None);
        };
        if let Some(image) = self.recall(report) {
            return Ok(Some(image));
        }
        let (image, bytes) = tokio::task::spawn_blocking(move || parse(&packed))
            .await
            .map_err(|_| Problem::internal())??;
        self.remember(report, bytes, &image);
        Ok(Some(image))
    }

    fn recall(&self, report: i64) -> Option<Kept> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|entry| entry.report == report)?;
        let entry = entries.remove(at)?;
        let image = entry.image.clone();
        entries.push_back(entry);
        Some(image)
    }

    fn remember(&self, report: i64, bytes: usize, image: &Kept) {
        if bytes > MOST {
            return;
        }
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.report != report);
        entries.push_back(Entry {
            report,
            bytes,
            image: image.clone(),
        });
        while entries.iter().map(|entry| entry.bytes).sum::<usize>() > MOST {
            entries.pop_front();
        }
    }
}

fn parse(packed: &Packed) -> Result<(Kept, usize), Problem> {
    let bytes = packed.unpack()?;
    let unreadable = |text: String| Problem::from(StoreError::Unreadable(text));
    let document = read_v1(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let image = document.images.into_iter().next();
    let image = image.ok_or_else(|| unreadable("a report of no image".to_owned()))?;
    Ok((Arc::new(image), bytes.len()))
}
