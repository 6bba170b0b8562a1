//! The operating system an image says it is.

/// What `os-release` or an older relative says, field names as in
/// os-release(5). Texts are kept as found; an image may say anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distro {
    /// `ID`, lower case: `debian`, `alpine`, `rhel`.
    pub id: Box<str>,
    /// `VERSION_ID`: `12`, `3.20.3`. Absent on rolling releases.
    pub version_id: Option<Box<str>>,
    /// `VERSION_CODENAME`: `bookworm`.
    pub codename: Option<Box<str>>,
    /// `ID_LIKE`, split at spaces.
    pub id_like: Vec<Box<str>>,
    /// `PRETTY_NAME`, for people.
    pub pretty_name: Option<Box<str>>,
    /// The file that said so.
    pub path: Box<str>,
}

impl Distro {
    /// A name for people: `PRETTY_NAME`, or id and version.
    pub fn title(&self) -> String {
        match (&self.pretty_name, &self.version_id) {
            (Some(pretty), _) if !pretty.is_empty() => pretty.to_string(),
            (_, Some(version)) => format!("{} {version}", self.id),
            (_, None) => self.id.to_string(),
        }
    }
}
