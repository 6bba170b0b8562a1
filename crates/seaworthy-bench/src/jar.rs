//! Java archives.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::content::{Author, Content};
use crate::dice::Dice;

/// A jar of about `length` bytes that says which artifact it is.
pub(crate) fn jar(
    author: &Author,
    artifact: &str,
    version: &str,
    length: usize,
    dice: &mut Dice,
) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    zip.start_file("META-INF/MANIFEST.MF", plain)?;
    write!(
        zip,
        "Manifest-Version: 1.0\r\nImplementation-Title: {artifact}\r\nImplementation-Version: {version}\r\n\r\n"
    )?;
    zip.start_file(
        format!("META-INF/maven/org.example/{artifact}/pom.properties"),
        plain,
    )?;
    write!(
        zip,
        "groupId=org.example\nartifactId={artifact}\nversion={version}\n"
    )?;
    let mut class = Vec::new();
    let mut rest = length;
    for number in 0.. {
        if rest < 400 {
            break;
        }
        let size = (300 + dice.magnitude(12_000)).min(rest * 2);
        class.clear();
        author.write(Content::Code, size, dice, &mut class);
        zip.start_file(format!("org/example/{artifact}/Class{number}.class"), plain)?;
        zip.write_all(&class)?;
        rest = rest.saturating_sub(size / 2);
    }
    Ok(zip.finish()?.into_inner())
}
