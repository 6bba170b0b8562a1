//! Whatever bytes a file holds, every probe comes to an end and says something.

use proptest::prelude::*;

use seaworthy_image::{FileFacts, LayerTree, Sink};
use seaworthy_inventory::{LayerRecords, Recorder, read_sbom};

const PLACES: [&str; 11] = [
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/base",
    "lib/apk/db/installed",
    "etc/os-release",
    "etc/lsb-release",
    "etc/redhat-release",
    "etc/debian_version",
    "a.dist-info/METADATA",
    "a.egg-info",
    "a.egg",
    "node_modules/a/package.json",
];

/// Text that looks like the formats in question more often than chance has it.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("Package: ".to_owned()),
        Just("Status: install ok installed".to_owned()),
        Just("Version: ".to_owned()),
        Just("Name:".to_owned()),
        Just("ID=\"".to_owned()),
        Just("P:".to_owned()),
        Just("V:".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("{\"name\": \"a\", \"version\": ".to_owned()),
        Just("\"1\"}".to_owned()),
        Just(
            "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.4\", \"components\": [".to_owned()
        ),
        Just("{\"type\": \"library\", \"name\": \"a\", \"purl\": \"pkg:npm/a@1\"}".to_owned()),
        Just("]}".to_owned()),
        "\\PC{0,5}",
    ];
    let pieces = prop::collection::vec(piece, 0..30).prop_map(|it| it.concat().into_bytes());
    prop_oneof![pieces, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #[test]
    fn no_bytes_upset_a_probe(bytes in text()) {
        let mut recorder = Recorder::new();
        for path in PLACES {
            let file = FileFacts { path, mode: 0o644, size: bytes.len() as u64 };
            prop_assert!(recorder.wants(&file));
            recorder.file(&file, &mut &*bytes).unwrap();
        }
        let records = recorder.finish(LayerTree::default());
        for record in &records.files {
            for package in &record.packages {
                prop_assert!(!package.name.is_empty() && !package.version.is_empty());
                prop_assert!(!package.name.contains(char::is_control));
            }
        }
        let again = LayerRecords::decode(&records.encode()).unwrap();
        prop_assert_eq!(again, records);
        let _ = read_sbom(&bytes);
        let _ = LayerRecords::decode(&bytes);
    }
}
