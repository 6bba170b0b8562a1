//! The main section of `META-INF/MANIFEST.MF`, after the JAR file specification:
//! `Name: value` lines, a leading blank continues the line before, the first
//! empty line ends the section.

/// What is kept of a manifest.
const KEYS: [&str; 12] = [
    "Automatic-Module-Name",
    "Bundle-SymbolicName",
    "Bundle-Version",
    "Group-Id",
    "Implementation-Title",
    "Implementation-Vendor-Id",
    "Implementation-Version",
    "Main-Class",
    "Plugin-Version",
    "Short-Name",
    "Specification-Version",
    "Start-Class",
];

/// The longest value kept, in bytes.
const MAX_VALUE: usize = 1024;

/// The fields that say what an archive is.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    fields: Vec<(&'static str, String)>,
}

impl Manifest {
    /// Reads the main section.
    pub(super) fn parse(text: &str) -> Self {
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        // Whether the line before is one that is kept, and may go on.
        let mut is_kept = false;
        for line in text.lines() {
            if line.is_empty() {
                break;
            }
            if let Some(more) = line.strip_prefix(' ') {
                if let Some((_, value)) = fields.last_mut().filter(|_| is_kept)
                    && value.len() + more.len() <= MAX_VALUE
                {
                    value.push_str(more);
                }
                continue;
            }
            is_kept = false;
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let key = KEYS.into_iter().find(|key| key.eq_ignore_ascii_case(name));
            let is_new = |key: &&str| fields.iter().all(|(it, _)| it != key);
            if let Some(key) = key.filter(is_new)
                && value.len() <= MAX_VALUE
            {
                fields.push((key, value.trim_start().to_owned()));
                is_kept = true;
            }
        }
        Self { fields }
    }

    /// The value of one of [`KEYS`], if there is any.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        debug_assert!(KEYS.contains(&key), "`{key}` is not kept");
        let field = self.fields.iter().find(|(it, _)| *it == key);
        field
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The name as a bundle, without its attributes.
    pub(super) fn symbolic_name(&self) -> Option<&str> {
        let name = self.value("Bundle-SymbolicName")?;
        name.split(';').next().map(str::trim)
    }

    /// Whether the archive is started, and not used by others.
    pub(super) fn is_program(&self) -> bool {
        self.value("Main-Class").is_some() || self.value("Start-Class").is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_section_is_read_with_its_long_lines() {
        let manifest = Manifest::parse(
            "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.apache.logging.lo\r\n g4j.core;singl\r\n eton:=true\r\n\
             Other: a\r\n b\r\nimplementation-version: 2.14.1\r\nImplementation-Version: 3\r\n\r\n\
             Name: x\r\nImplementation-Title: no\r\n",
        );
        assert_eq!(
            manifest.symbolic_name(),
            Some("org.apache.logging.log4j.core")
        );
        assert_eq!(manifest.value("Implementation-Version"), Some("2.14.1"));
        assert_eq!(manifest.value("Implementation-Title"), None);
        assert!(!manifest.is_program());
        assert!(Manifest::parse("Main-Class: a.B").is_program());
    }

    #[test]
    fn values_without_end_are_not_kept() {
        let text = format!("Main-Class: a\n{}", " xxxxxxxxxxxxxxx\n".repeat(10_000));
        let manifest = Manifest::parse(&text);
        assert!(
            manifest
                .value("Main-Class")
                .is_some_and(|it| it.len() <= MAX_VALUE)
        );
    }
}
