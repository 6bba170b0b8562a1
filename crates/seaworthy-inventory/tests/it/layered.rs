//! Layers upon layers: what is hidden, what is seen, and since when.

use std::fmt::Write;

use seaworthy_core::{Inventory, Layer};
use seaworthy_image::{Limits, walk};
use seaworthy_inventory::{LayerRecords, Recorder, link};
use seaworthy_testkit::{ImageBuilder, image};

fn inventory(image: ImageBuilder) -> Inventory {
    let layers = image.build().layers;
    let layers = layers.iter().map(|layer| {
        let mut recorder = Recorder::new();
        let tree = walk(&mut &*layer.blob.bytes, &Limits::default(), &mut recorder).unwrap();
        let records = recorder.finish(tree);
        // As it would come out of the cache or out of the confined child.
        let records = LayerRecords::decode(&records.encode()).unwrap();
        let layer = Layer {
            digest: None,
            diff_id: None,
            created_by: None,
        };
        (layer, records)
    });
    link(layers.collect())
}

/// Distribution, packages with their places, and gaps.
fn told(image: ImageBuilder) -> String {
    let inventory = inventory(image);
    let mut text = String::new();
    if let Some(distro) = &inventory.distro {
        let version = distro.version_id.as_deref().unwrap_or("-");
        let codename = distro.codename.as_deref().unwrap_or("-");
        writeln!(
            text,
            "{} {version} {codename} says {}",
            distro.id, distro.path
        )
        .unwrap();
    }
    for package in &inventory.packages {
        let kind = package.kind.purl_type();
        write!(text, "{kind} {} {}", package.name, package.version).unwrap();
        for sighting in &package.seen {
            write!(text, " [{} {}]", sighting.path, sighting.layer.unwrap()).unwrap();
        }
        text.push('\n');
    }
    for gap in &inventory.gaps {
        let layer = gap.layer.map_or("-".to_owned(), |layer| layer.to_string());
        writeln!(text, "gap: {} {layer} {}: {}", gap.path, gap.probe, gap.why).unwrap();
    }
    text
}

/// A status database with these packages, all of version 1 unless said.
fn status(packages: &[&str]) -> String {
    let paragraph = |package: &&str| {
        let (name, version) = package.split_once('=').unwrap_or((package, "1"));
        format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\n\n")
    };
    packages.iter().map(paragraph).collect()
}

const STATUS: &str = "var/lib/dpkg/status";

#[test]
fn a_package_belongs_to_the_layer_that_first_brought_it() {
    let image = image()
        .layer(|it| it.file(STATUS, status(&["a", "b", "c"])))
        .layer(|it| it.file(STATUS, status(&["a", "b=2", "d"])))
        .layer(|it| it.file("unrelated", "x"))
        .layer(|it| it.file(STATUS, status(&["a", "b=2", "c", "d", "e"])));
    insta::assert_snapshot!(told(image), @r"
    deb a 1 [var/lib/dpkg/status 0]
    deb b 2 [var/lib/dpkg/status 1]
    deb c 1 [var/lib/dpkg/status 3]
    deb d 1 [var/lib/dpkg/status 1]
    deb e 1 [var/lib/dpkg/status 3]
    ");
}

#[test]
fn a_run_ends_where_the_database_was_gone() {
    let image = image()
        .layer(|it| it.file(STATUS, status(&["a", "b"])))
        .layer(|it| it.whiteout("var/lib/dpkg"))
        .layer(|it| it.file(STATUS, status(&["a"])))
        .layer(|it| it.file(STATUS, status(&["a", "b"])));
    insta::assert_snapshot!(told(image), @r"
    deb a 1 [var/lib/dpkg/status 2]
    deb b 1 [var/lib/dpkg/status 3]
    ");
}

#[test]
fn what_upper_layers_hide_does_not_count() {
    let module = |name: &str| format!(r#"{{"name": "{name}", "version": "1.0.0"}}"#);
    let image = image()
        .layer(|it| {
            it.file("app/node_modules/a/package.json", module("a"))
                .file("app/node_modules/b/package.json", module("b"))
                .file("old/node_modules/c/package.json", module("c"))
                .file("x.dist-info/METADATA", "Name: x\nVersion: 1\n")
        })
        .layer(|it| {
            it.whiteout("old")
                .opaque("app/node_modules")
                .file("app/node_modules/a/package.json", module("a"))
                .file("x.dist-info/METADATA", "")
        });
    insta::assert_snapshot!(told(image), @r"
    npm a 1.0.0 [app/node_modules/a/package.json 0]
    gap: x.dist-info/METADATA 1 python: a package without a name
    ");
}

#[test]
fn one_package_in_many_places_is_one_package() {
    let module = r#"{"name": "a", "version": "1.0.0"}"#;
    let image = image()
        .layer(|it| it.file("one/node_modules/a/package.json", module))
        .layer(|it| {
            it.file("two/node_modules/a/package.json", module)
                .file("two/node_modules/b/node_modules/a/package.json", module)
                .hardlink(
                    "two/node_modules/c/package.json",
                    "two/node_modules/a/package.json",
                )
        });
    insta::assert_snapshot!(told(image), @"npm a 1.0.0 [one/node_modules/a/package.json 0] [two/node_modules/a/package.json 1] [two/node_modules/b/node_modules/a/package.json 1] [two/node_modules/c/package.json 1]");
}

#[test]
fn all_databases_of_an_image_are_read() {
    let image = image().layer(|it| {
        it.file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n")
            .file("lib/apk/db/installed", "P:musl\nV:1.2.5-r0\no:musl\n\n")
            .file(STATUS, status(&["bash"]))
            .file(
                "var/lib/dpkg/status.d/tzdata",
                "Package: tzdata\nVersion: 2024a\n",
            )
    });
    insta::assert_snapshot!(told(image), @r"
    alpine 3.20.3 - says etc/os-release
    apk musl 1.2.5-r0 [lib/apk/db/installed 0]
    deb bash 1 [var/lib/dpkg/status 0]
    deb tzdata 2024a [var/lib/dpkg/status.d/tzdata 0]
    ");
}

#[test]
fn the_distribution_is_said_by_the_first_that_says_it() {
    let debian = "ID=debian\nPRETTY_NAME=Distroless\n";
    // As most images have it.
    let linked = image().layer(|it| {
        it.file("usr/lib/os-release", "ID=wolfi\nVERSION_ID=20230201\n")
            .symlink("etc/os-release", "../usr/lib/os-release")
            .file("etc/debian_version", "12.5\n")
            .file("usr/lib/apk/db/installed", "")
    });
    insta::assert_snapshot!(told(linked), @"wolfi 20230201 - says usr/lib/os-release");
    // As some distroless images have it.
    let older = image()
        .layer(|it| {
            it.file("etc/os-release", debian)
                .file("etc/debian_version", "10.8\n")
        })
        .layer(|it| it.file("var/lib/dpkg/status.d/base", "Package: base\nVersion: 1\n"));
    insta::assert_snapshot!(told(older), @r"
    debian 10 - says etc/os-release
    deb base 1 [var/lib/dpkg/status.d/base 1]
    ");
    // What says nothing is passed over, and not in silence.
    let empty = image().layer(|it| {
        it.file("etc/os-release", "NAME=x\n")
            .file("etc/centos-release", "CentOS release 6.10 (Final)\n")
    });
    insta::assert_snapshot!(told(empty), @r"
    centos 6.10 Final says etc/centos-release
    gap: etc/os-release 0 distro: it names no distribution
    gap: var/lib/rpm - rpm: `centos` keeps a package database, and none was found
    ");
}

#[test]
fn a_link_to_where_no_probe_looks_is_a_gap() {
    let image = image().layer(|it| {
        it.symlink("etc/os-release", "/etc/static/os-release")
            .file("etc/static/os-release", "ID=debian\n")
            .symlink(STATUS, "../../../hidden/status")
            .file("hidden/status", status(&["bash"]))
            // Nothing is lost here: what the link leads to is read itself.
            .symlink("bin/tool", "busybox")
            .symlink("a/node_modules/b/package.json", "../c/package.json")
            .file(
                "a/node_modules/c/package.json",
                r#"{"name": "c", "version": "1.0.0"}"#,
            )
    });
    insta::assert_snapshot!(told(image), @r"
    npm c 1.0.0 [a/node_modules/c/package.json 0]
    gap: etc/os-release 0 distro: it is a symbolic link to `/etc/static/os-release`, which was not read
    gap: var/lib/dpkg/status 0 dpkg: it is a symbolic link to `../../../hidden/status`, which was not read
    ");
}

#[test]
fn a_distribution_without_its_database_is_a_gap() {
    let image = image()
        .layer(|it| {
            it.file(
                "etc/os-release",
                "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04\n",
            )
            .file(STATUS, status(&["bash"]))
        })
        .layer(|it| it.whiteout(STATUS));
    insta::assert_snapshot!(told(image), @r"
    ubuntu 24.04 - says etc/os-release
    gap: var/lib/dpkg/status - dpkg: `ubuntu` keeps a package database, and none was found
    ");
    let derived = seaworthy_testkit::image()
        .layer(|it| it.file("etc/os-release", "ID=mine\nID_LIKE=\"other rhel\"\n"));
    insta::assert_snapshot!(told(derived), @r"
    mine - - says etc/os-release
    gap: var/lib/rpm - rpm: `mine` keeps a package database, and none was found
    ");
}

#[test]
fn paths_that_are_refused_are_gaps() {
    let image = image().layer(|it| it.file("../../etc/os-release", "ID=debian\n"));
    insta::assert_snapshot!(told(image), @"gap: ../../etc/os-release 0 layer: a layer may not hold such a path");
}

#[test]
fn two_names_for_lib_are_one_place() {
    let musl = "P:musl\nV:1.2.5-r0\n\n";
    let image = image()
        .layer(|it| {
            it.symlink("lib", "usr/lib")
                .file("usr/lib/apk/db/installed", musl)
        })
        .layer(|it| it.file("lib/apk/db/installed", format!("{musl}P:zlib\nV:1.3-r0\n")));
    insta::assert_snapshot!(told(image), @r"
    apk musl 1.2.5-r0 [usr/lib/apk/db/installed 0]
    apk zlib 1.3-r0 [usr/lib/apk/db/installed 1]
    ");
}

#[test]
fn an_image_was_built_from_the_repositories_of_all_its_layers() {
    let manifest = |names: &str| format!(r#"{{"metadata": {{}}, "content_sets": [{names}]}}"#);
    let image = image()
        .layer(|it| {
            it.file(
                "root/buildinfo/content_manifests/base.json",
                manifest(r#""rhel-9-for-x86_64-baseos-eus-rpms""#),
            )
            .file(
                "root/buildinfo/content_manifests/gone.json",
                manifest(r#""gone""#),
            )
        })
        .layer(|it| {
            it.whiteout("root/buildinfo/content_manifests/gone.json")
                .file(
                    "usr/share/buildinfo/content-sets.json",
                    manifest(r#""rhel-9-for-x86_64-baseos-eus-rpms", "mine""#),
                )
        });
    let sets = inventory(image).content_sets;
    let sets: Vec<&str> = sets.iter().map(|it| &**it).collect();
    assert_eq!(sets, ["mine", "rhel-9-for-x86_64-baseos-eus-rpms"]);
}
