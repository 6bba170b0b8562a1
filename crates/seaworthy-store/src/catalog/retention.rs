//! Which tags and manifests a namespace removes by itself.

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;

/// Which tags are kept, and what becomes of manifests without one.
///
/// A tag that no rule is about stays. One that rules are about stays if one of them
/// keeps it. A rule that says nothing about keeping tags keeps them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// The repositories it is about, by their whole name; all where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<Pattern>,
    /// The tags it is about; all where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Pattern>,
    /// Keeps this many tags of a repository, those that moved last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_newest: Option<u32>,
    /// Keeps tags that moved within this many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_pushed_days: Option<u32>,
    /// Keeps tags whose image was pulled within this many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_pulled_days: Option<u32>,
    /// Removes manifests that have had no tag, no index that names them and nothing
    /// they refer to, and were pushed and pulled longer than this many days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untagged_days: Option<u32>,
}
