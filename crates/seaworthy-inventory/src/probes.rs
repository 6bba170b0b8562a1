//! Every probe, one line each.

use seaworthy_core::ProbeSet;
use seaworthy_image::WALK;

use crate::probe::Probe;
use crate::record::FORMAT;

/// The probes that look at every image. One line per probe, nothing else.
pub(crate) static PROBES: &[&dyn Probe] = &[
    &crate::apk::Apk,
    &crate::content_sets::ContentSets,
    &crate::distro::Distro,
    &crate::dpkg::Dpkg,
    &crate::go::Go,
    &crate::java::Java,
    &crate::npm::Npm,
    &crate::python::Python,
    &crate::rpm::Rpm,
    &crate::rust_audit::RustAudit,
    &crate::unread::Unread,
];

/// Which probes look, and in which form they answer: names and versions,
/// sorted, such as `apk/1 dpkg/1 records/1 walk/1`.
pub fn probe_set() -> ProbeSet {
    let mut words: Vec<String> = PROBES
        .iter()
        .map(|probe| format!("{}/{}", probe.name(), probe.version()))
        .collect();
    words.push(format!("records/{FORMAT}"));
    words.push(format!("walk/{WALK}"));
    words.sort_unstable();
    ProbeSet::new(&words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_has_a_name_of_its_own() {
        let mut names: Vec<&str> = PROBES.iter().map(|probe| probe.name()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(probe_set().as_str().contains("dpkg/1"), "{:?}", probe_set());
    }
}
