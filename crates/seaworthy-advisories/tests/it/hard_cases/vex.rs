//! Vendors' documents of the Common Security Advisory Framework, built as Red Hat and
//! SUSE build theirs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// One document about one vulnerability.
pub(super) struct Vex {
    pub(super) vendor: Vendor,
    pub(super) vulnerability: &'static str,
    /// The vendor's word on how bad it is.
    pub(super) impact: &'static str,
    /// Status, platform of the product, item of the product, and why or what is
    /// planned. An item is a package URL, or its name and version with SUSE.
    pub(super) says: &'static [(Status, &'static str, &'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Vendor {
    RedHat,
    Suse,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Status {
    Fixed,
    Affected,
    NotAffected,
    Investigated,
}

impl Status {
    const ALL: [Self; 4] = [
        Self::Fixed,
        Self::Affected,
        Self::NotAffected,
        Self::Investigated,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "known_affected",
            Self::NotAffected => "known_not_affected",
            Self::Investigated => "under_investigation",
        }
    }
}

/// The category that Red Hat gives what it plans.
fn category(plan: &str) -> &'static str {
    match plan {
        "Will not fix" | "Out of support scope" => "no_fix_planned",
        "Affected" | "Fix deferred" => "none_available",
        other => panic!("Red Hat plans no `{other}`"),
    }
}

impl Vex {
    fn text(&self) -> String {
        let (mut branches, mut relationships) = (Vec::new(), Vec::new());
        let (mut flags, mut remediations) = (Vec::new(), Vec::new());
        for (at, (status, platform, item, why)) in self.says.iter().enumerate() {
            branches.push(format!(
                r#"{{"category": "product_name", "name": "{platform}", "product": {{"name": "{platform}", "product_id": "P{at}",
                "product_identification_helper": {{"cpe": "{platform}"}}}}}}"#
            ));
            let (id, helper) = match self.vendor {
                Vendor::RedHat => (
                    format!("I{at}"),
                    format!(r#", "product_identification_helper": {{"purl": "{item}"}}"#),
                ),
                Vendor::Suse => ((*item).to_owned(), String::new()),
            };
            branches.push(format!(
                r#"{{"category": "product_version", "name": "{id}", "product": {{"name": "{id}", "product_id": "{id}"{helper}}}}}"#
            ));
            relationships.push(format!(
                r#"{{"category": "default_component_of", "full_product_name": {{"name": "x", "product_id": "P{at}:{id}"}},
                "product_reference": "{id}", "relates_to_product_reference": "P{at}"}}"#
            ));
            let of = format!(r#""product_ids": ["P{at}:{id}"]"#);
            match status {
                Status::Affected => remediations.push(format!(
                    r#"{{"category": "{}", "details": "{why}", {of}}}"#,
                    category(why)
                )),
                Status::NotAffected => flags.push(format!(r#"{{"label": "{why}", {of}}}"#)),
                Status::Fixed | Status::Investigated => {}
            }
        }
        let mut statuses = Vec::new();
        for status in Status::ALL {
            let ids = self
                .says
                .iter()
                .enumerate()
                .filter(|(_, it)| it.0 == status);
            let ids = ids.map(|(at, (_, _, item, _))| match self.vendor {
                Vendor::RedHat => format!(r#""P{at}:I{at}""#),
                Vendor::Suse => format!(r#""P{at}:{item}""#),
            });
            let ids: Vec<String> = ids.collect();
            statuses.push(format!(r#""{}": [{}]"#, status.name(), ids.join(", ")));
        }
        let mut text = String::new();
        write!(
            text,
            r#"{{"document": {{"category": "csaf_vex", "title": "a flaw", "tracking": {{"id": "{id}",
                "current_release_date": "2026-01-01T00:00:00Z"}}}},
            "product_tree": {{"branches": [{{"category": "vendor", "name": "v", "branches": [{}]}}], "relationships": [{}]}},
            "vulnerabilities": [{{"cve": "{id}", "title": "a flaw", "product_status": {{{}}}, "flags": [{}],
                "remediations": [{}], "threats": [{{"category": "impact", "details": "{}"}}]}}]}}"#,
            branches.join(", "),
            relationships.join(", "),
            statuses.join(", "),
            flags.join(", "),
            remediations.join(", "),
            self.impact,
            id = self.vulnerability,
        )
        .expect("a string takes any text");
        text
    }
}

/// Writes the documents into the mirror at `folder`, in the archives of their vendors.
pub(super) fn write(folder: &Path, documents: &[Vex]) {
    for (vendor, path) in [
        (
            Vendor::RedHat,
            "vendor/redhat/csaf/v2/vex/csaf_vex_2026-01-01.tar.zst",
        ),
        (
            Vendor::Suse,
            "vendor/suse/projects/security/csaf-vex.tar.bz2",
        ),
    ] {
        let texts: Vec<String> = documents
            .iter()
            .filter(|it| it.vendor == vendor)
            .map(Vex::text)
            .collect();
        if texts.is_empty() {
            continue;
        }
        let path = folder.join(path);
        let beside = path.parent().expect("an archive lies in a folder");
        fs::create_dir_all(beside).expect("a test may write here");
        // What an archive is made with is told by its first bytes.
        let file = fs::File::create(&path).expect("a test may write here");
        let mut archive = zip::ZipWriter::new(file);
        for (at, text) in texts.iter().enumerate() {
            archive
                .start_file(
                    format!("2026/{at}.json"),
                    zip::write::SimpleFileOptions::default(),
                )
                .and_then(|()| Ok(archive.write_all(text.as_bytes())?))
                .expect("a test may write here");
        }
        archive.finish().expect("a test may write here");
        if vendor == Vendor::RedHat {
            for (name, text) in [
                ("archive_latest.txt", "csaf_vex_2026-01-01.tar.zst\n"),
                ("deletions.csv", ""),
                ("changes.csv", ""),
            ] {
                fs::write(beside.join(name), text).expect("a test may write here");
            }
        }
    }
}
