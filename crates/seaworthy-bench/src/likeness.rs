//! Our content beside that of a real folder: does it compress and inflate alike?

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::content::{Author, Content};
use crate::dice::Dice;
use crate::floor::{self, Decoder};
use crate::layout::{self, Draft, Packing};
use crate::shape;
use crate::workload::Cellar;

/// Bytes compared.
const SAMPLE: usize = 80_000_000;

/// Prints one line for the folder and one for each kind of ours.
pub(crate) fn compare(cellar: &Cellar, folder: &Path) -> anyhow::Result<()> {
    println!("                      MB  ratio  inflated MB/s  compressed MB/s");
    line(cellar, "the folder", &|out| {
        let mut tar = tar::Builder::new(out);
        let mut left = SAMPLE as u64;
        add(&mut tar, folder, &mut left)?;
        tar.finish()?;
        Ok(())
    })?;
    let author = Author::new();
    for (name, content) in [("text", Content::Text), ("code", Content::Code)] {
        line(cellar, name, &|out| {
            let mut dice = Dice::of(1);
            let mut bytes = Vec::new();
            for _ in 0..SAMPLE / 100_000 {
                bytes.clear();
                author.write(content, 100_000, &mut dice, &mut bytes);
                out.write_all(&bytes)?;
            }
            Ok(())
        })?;
    }
    for number in 0..shape::SMALL.layers.len() {
        line(cellar, &format!("small, layer {number}"), &|out| {
            shape::write_layer(&author, &shape::SMALL, number, out)
        })?;
    }
    Ok(())
}

fn line(
    cellar: &Cellar,
    name: &str,
    fill: &dyn Fn(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = cellar.table("likeness")?;
    let mut draft = Draft::create(&folder, Packing::Gzip)?;
    draft.layer(fill)?;
    draft.finish()?;
    for blob in layout::layers(&folder)? {
        let mut inflated = 0;
        let mut fastest = f64::MAX;
        for _ in 0..3 {
            let begun = floor::processor_time();
            inflated = floor::inflate(&blob, Decoder::OfTheProduct, &mut |_| ())?;
            let took = floor::processor_time().saturating_sub(begun);
            fastest = fastest.min(took.as_secs_f64());
        }
        let mega = |bytes: u64| precise(bytes) / 1e6;
        println!(
            "{name:<18} {:>7.1} {:>6.2} {:>14.0} {:>16.0}",
            mega(inflated),
            precise(inflated) / precise(blob.size),
            mega(inflated) / fastest,
            mega(blob.size) / fastest,
        );
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes are printed with few digits"
)]
fn precise(bytes: u64) -> f64 {
    bytes as f64
}

/// Adds files below `folder` until `left` bytes are used up. What cannot be
/// read is passed over.
fn add(
    tar: &mut tar::Builder<&mut dyn Write>,
    folder: &Path,
    left: &mut u64,
) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if *left == 0 {
            break;
        }
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            add(tar, &path, left)?;
        } else if kind.is_file()
            && let Ok(bytes) = fs::read(&path)
            && bytes.len() < SAMPLE / 4
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            let name = path.strip_prefix("/").unwrap_or(&path).to_owned();
            tar.append_data(&mut header, name, bytes.as_slice())?;
            *left = left.saturating_sub(bytes.len() as u64);
        }
    }
    Ok(())
}
