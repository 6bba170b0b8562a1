//! Layers are read once, and only what was proved is remembered.

use std::fs;
use std::path::PathBuf;

use seaworthy_inventory::probe_set;
use seaworthy_scan::{LayerCache, TakeError};
use seaworthy_testkit::{Image, image};

use crate::stage::{Store, tell};

fn module(name: &str, version: &str) -> (String, String) {
    let text = format!("{{\"name\":\"{name}\",\"version\":\"{version}\"}}");
    (format!("/node_modules/{name}/package.json"), text)
}

fn sample(top: &str) -> Image {
    let (base_path, base) = module("base", "1.0.0");
    let (top_path, top) = module(top, "2.0.0");
    image()
        .layer(|layer| layer.file(&base_path, &base))
        .layer(|layer| layer.zstd().file(&top_path, &top))
        .build()
}

#[test]
fn a_layer_is_opened_once_ever_and_the_answer_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let cache = LayerCache::open(folder.path(), &probe_set()).unwrap();
    let store = Store::of(sample("top"));
    let cold = store.take(Some(&cache), 1).unwrap();
    assert_eq!(tell(&cold), ["base 1.0.0 @0", "top 2.0.0 @1"]);
    assert_eq!(store.opened.lock().unwrap().len(), 2);
    let warm = store.take(Some(&cache), 1).unwrap();
    assert_eq!(*store.opened.lock().unwrap(), Vec::<String>::new());
    assert_eq!(warm, cold);
    assert_eq!(
        store.take(None, 8).unwrap(),
        cold,
        "without a cache, on many threads"
    );

    let shared = Store::of(sample("other"));
    assert_eq!(
        tell(&shared.take(Some(&cache), 1).unwrap()),
        ["base 1.0.0 @0", "other 2.0.0 @1"]
    );
    assert_eq!(shared.opened.lock().unwrap().len(), 1, "the base was known");
}

#[test]
fn other_probes_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::of(sample("top"));
    let cache = LayerCache::open(folder.path(), &probe_set()).unwrap();
    store.take(Some(&cache), 1).unwrap();
    let newer = seaworthy_core::ProbeSet::new("npm/999");
    let cache = LayerCache::open(folder.path(), &newer).unwrap();
    store.take(Some(&cache), 1).unwrap();
    assert_eq!(store.opened.lock().unwrap().len(), 2);
}

#[test]
fn a_damaged_memory_is_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let cache = LayerCache::open(folder.path(), &probe_set()).unwrap();
    let store = Store::of(sample("top"));
    let cold = store.take(Some(&cache), 1).unwrap();
    for path in files(folder.path().to_owned()) {
        let bytes = fs::read(&path).unwrap();
        for damaged in [&bytes[..bytes.len() - 1], b"", b"nonsense"] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(store.take(Some(&cache), 1).unwrap(), cold);
            assert_eq!(
                store.opened.lock().unwrap().len(),
                1,
                "one layer is read again"
            );
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "and remembered again");
    }
}

#[test]
fn bytes_that_are_not_what_the_image_says_are_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let cache = LayerCache::open(folder.path(), &probe_set()).unwrap();
    let mut forged = sample("top");
    let other = sample("evil").layers[1].blob.bytes.clone();
    forged.layers[1].blob.bytes = other;
    let store = Store::of(forged);
    let error = store.take(Some(&cache), 1).unwrap_err();
    assert!(matches!(error, TakeError::Verify { .. }), "{error}");

    let honest = Store::of(sample("top"));
    let inventory = honest.take(Some(&cache), 1).unwrap();
    assert_eq!(tell(&inventory), ["base 1.0.0 @0", "top 2.0.0 @1"]);
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}
