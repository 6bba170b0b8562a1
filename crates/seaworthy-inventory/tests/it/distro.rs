//! Release files of many distributions.

use std::fs;
use std::path::Path;

use seaworthy_testkit::shared;

use crate::folder;
use crate::look::look;

/// Where a fixture would lie in an image, by its file name.
fn place(path: &Path) -> Option<String> {
    let text = path.to_str().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let is_other = ["PROVENANCE.md", "issue", "busybox"].contains(&name);
    if is_other || name.ends_with("status.json") {
        return None;
    }
    if name.contains("system-release-cpe") {
        return None;
    }
    if name.ends_with("-release") && name != "bad-redhat-release" || name == "debian_version" {
        return Some(format!("etc/{name}"));
    }
    if name == "bad-redhat-release" || text.contains("/redhatbase/") {
        return Some("etc/redhat-release".to_owned());
    }
    Some("etc/os-release".to_owned())
}

#[test]
fn release_files_of_many_distributions_name_them() {
    let Some(root) = shared() else { return };
    let folder = root.join("fixtures/osrelease");
    let mut lines = Vec::new();
    for path in folder::files(&folder) {
        let Some(place) = place(&path) else { continue };
        let record = look("distro", &place, &fs::read(&path).unwrap());
        let said = match &record.distro {
            Some(distro) => format!(
                "{} {} {}",
                distro.id,
                distro.version_id.as_deref().unwrap_or("-"),
                distro.codename.as_deref().unwrap_or("-"),
            ),
            None => record.gaps.join(" "),
        };
        let name = path.strip_prefix(&folder).unwrap();
        lines.push(format!("{}: {said}", name.display()));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    claircore/alpine/3.10/etc/os-release: alpine 3.10.9 -
    claircore/alpine/3.11/etc/os-release: alpine 3.11.13 -
    claircore/alpine/3.12/etc/os-release: alpine 3.12.9 -
    claircore/alpine/3.13/etc/os-release: alpine 3.13.7 -
    claircore/alpine/3.14/etc/os-release: alpine 3.14.3 -
    claircore/alpine/3.15/etc/os-release: alpine 3.15.0 -
    claircore/alpine/3.16/etc/os-release: alpine 3.16.0 -
    claircore/alpine/3.17/etc/os-release: alpine 3.17.5 -
    claircore/alpine/3.18/etc/os-release: alpine 3.18.4 -
    claircore/alpine/3.3/etc/os-release: alpine 3.3.3 -
    claircore/alpine/3.4/etc/os-release: alpine 3.4.6 -
    claircore/alpine/3.5/etc/os-release: alpine 3.5.3 -
    claircore/alpine/3.6/etc/os-release: alpine 3.6.5 -
    claircore/alpine/3.7/etc/os-release: alpine 3.7.3 -
    claircore/alpine/3.8/etc/os-release: alpine 3.8.5 -
    claircore/alpine/3.9/etc/os-release: alpine 3.9.6 -
    claircore/alpine/edge/etc/os-release: alpine 3.19_alpha20230901 -
    claircore/debian/dist/10/etc/os-release: debian 10 buster
    claircore/debian/dist/11/etc/os-release: debian 11 bullseye
    claircore/debian/dist/12/etc/os-release: debian 12 bookworm
    claircore/debian/dist/7/etc/os-release: debian 7 -
    claircore/debian/dist/8/etc/os-release: debian 8 -
    claircore/debian/dist/9/etc/os-release: debian 9 stretch
    claircore/debian/distroless_dist/10/etc/os-release: debian 10 -
    claircore/debian/distroless_dist/11/etc/os-release: debian 11 -
    claircore/debian/distroless_dist/9/etc/os-release: debian 9 -
    claircore/rhel/7/etc/os-release: rhel 7.7 -
    claircore/rhel/7/etc/redhat-release: rhel 7.4 Maipo
    claircore/rhel/8/etc/os-release: rhel 8.1 -
    claircore/rhel/8/etc/redhat-release: rhel 8.1 Ootpa
    claircore/rhel/9/etc/os-release: rhel 9.0 -
    claircore/rhel/9/etc/redhat-release: rhel 9.0 Plow
    claircore/rhel/atomichost-7/etc/os-release: rhel 7.9 -
    claircore/rhel/atomichost-7/etc/redhat-release: rhel 7.9 -
    claircore/rhel/hummingbird/etc/os-release: hummingbird 20251124 -
    claircore/rhel/oracle-6/etc/oracle-release: ol 6.10 -
    claircore/rhel/oracle-6/etc/redhat-release: rhel 6.10 Santiago
    claircore/rhel/oracle-7/etc/oracle-release: ol 7.9 -
    claircore/rhel/oracle-7/etc/redhat-release: rhel 7.9 Maipo
    claircore/rhel/oracle-8/etc/oracle-release: ol 8.9 -
    claircore/rhel/oracle-8/etc/redhat-release: rhel 8.9 Ootpa
    claircore/rhel/oracle-9/etc/oracle-release: ol 9.3 -
    claircore/rhel/oracle-9/etc/redhat-release: rhel 9.3 Plow
    claircore/ubuntu/dist/10.04/etc/lsb-release: ubuntu 10.04 lucid
    claircore/ubuntu/dist/11/etc/os-release: debian 11 bullseye
    claircore/ubuntu/dist/12.04/etc/lsb-release: ubuntu 12.04 precise
    claircore/ubuntu/dist/12.04/etc/os-release: ubuntu 12.04 -
    claircore/ubuntu/dist/12.10/etc/lsb-release: ubuntu 12.10 quantal
    claircore/ubuntu/dist/12.10/etc/os-release: ubuntu 12.10 -
    claircore/ubuntu/dist/13.04/etc/lsb-release: ubuntu 13.04 raring
    claircore/ubuntu/dist/13.04/etc/os-release: ubuntu 13.04 -
    claircore/ubuntu/dist/13.10/etc/lsb-release: ubuntu 13.10 saucy
    claircore/ubuntu/dist/13.10/etc/os-release: ubuntu 13.10 -
    claircore/ubuntu/dist/14.04/etc/lsb-release: ubuntu 14.04 trusty
    claircore/ubuntu/dist/14.04/etc/os-release: ubuntu 14.04 -
    claircore/ubuntu/dist/14.10/etc/lsb-release: ubuntu 14.10 utopic
    claircore/ubuntu/dist/14.10/etc/os-release: ubuntu 14.10 -
    claircore/ubuntu/dist/15.04/etc/lsb-release: ubuntu 15.04 vivid
    claircore/ubuntu/dist/15.04/etc/os-release: ubuntu 15.04 -
    claircore/ubuntu/dist/15.10/etc/lsb-release: ubuntu 15.10 wily
    claircore/ubuntu/dist/15.10/etc/os-release: ubuntu 15.10 -
    claircore/ubuntu/dist/16.04/etc/lsb-release: ubuntu 16.04 xenial
    claircore/ubuntu/dist/16.04/etc/os-release: ubuntu 16.04 xenial
    claircore/ubuntu/dist/16.10/etc/lsb-release: ubuntu 16.10 yakkety
    claircore/ubuntu/dist/16.10/etc/os-release: ubuntu 16.10 yakkety
    claircore/ubuntu/dist/17.04/etc/lsb-release: ubuntu 17.04 zesty
    claircore/ubuntu/dist/17.04/etc/os-release: ubuntu 17.04 zesty
    claircore/ubuntu/dist/17.10/etc/lsb-release: ubuntu 17.10 artful
    claircore/ubuntu/dist/17.10/etc/os-release: ubuntu 17.10 artful
    claircore/ubuntu/dist/18.04/etc/lsb-release: ubuntu 18.04 bionic
    claircore/ubuntu/dist/18.04/etc/os-release: ubuntu 18.04 bionic
    claircore/ubuntu/dist/18.10/etc/lsb-release: ubuntu 18.10 cosmic
    claircore/ubuntu/dist/18.10/etc/os-release: ubuntu 18.10 cosmic
    claircore/ubuntu/dist/19.04/etc/lsb-release: ubuntu 19.04 disco
    claircore/ubuntu/dist/19.04/etc/os-release: ubuntu 19.04 disco
    claircore/ubuntu/dist/19.10/etc/lsb-release: ubuntu 19.10 eoan
    claircore/ubuntu/dist/19.10/etc/os-release: ubuntu 19.10 eoan
    claircore/ubuntu/dist/20.04/etc/lsb-release: ubuntu 20.04 focal
    claircore/ubuntu/dist/20.04/etc/os-release: ubuntu 20.04 focal
    claircore/ubuntu/dist/20.10/etc/lsb-release: ubuntu 20.10 groovy
    claircore/ubuntu/dist/20.10/etc/os-release: ubuntu 20.10 groovy
    claircore/ubuntu/dist/21.04/etc/lsb-release: ubuntu 21.04 hirsute
    claircore/ubuntu/dist/21.04/etc/os-release: ubuntu 21.04 hirsute
    claircore/ubuntu/dist/21.10/etc/lsb-release: ubuntu 21.10 impish
    claircore/ubuntu/dist/21.10/etc/os-release: ubuntu 21.10 impish
    claircore/ubuntu/dist/22.04/etc/lsb-release: ubuntu 22.04 jammy
    claircore/ubuntu/dist/22.04/etc/os-release: ubuntu 22.04 jammy
    claircore/ubuntu/dist/22.10/etc/lsb-release: ubuntu 22.10 kinetic
    claircore/ubuntu/dist/22.10/etc/os-release: ubuntu 22.10 kinetic
    claircore/ubuntu/dist/23.04/etc/lsb-release: ubuntu 23.04 lunar
    claircore/ubuntu/dist/23.04/etc/os-release: ubuntu 23.04 lunar
    claircore/ubuntu/dist/23.10/etc/lsb-release: ubuntu 23.10 mantic
    claircore/ubuntu/dist/23.10/etc/os-release: ubuntu 23.10 mantic
    syft/bad-redhat-release: centos 5 Final
    syft/centos-8: centos 8 -
    syft/debian-8: debian 8 -
    syft/os/almalinux/from-os-release/etc/os-release: almalinux 8.4 -
    syft/os/almalinux/from-redhat-release/etc/redhat-release: almalinux 8.10 Cerulean Leopard
    syft/os/alpine/etc/os-release: alpine 3.11.6 -
    syft/os/amazon/etc/os-release: amzn 2 -
    syft/os/arch/etc/os-release: arch - -
    syft/os/centos/usr/lib/os-release: centos 8 -
    syft/os/centos5/etc/redhat-release: centos 5.7 Final
    syft/os/custom/etc/os-release: scientific 8 -
    syft/os/debian/from-debian_version/etc/debian_version: debian 10 -
    syft/os/debian/from-debian_version/etc/os-release: debian - -
    syft/os/debian/from-os-release/usr/lib/os-release: debian 8 -
    syft/os/debian/with-point-release/etc/debian_version: debian 13 -
    syft/os/debian/with-point-release/etc/os-release: debian 13 trixie
    syft/os/empty/etc/os-release: it names no distribution
    syft/os/fedora/usr/lib/os-release: fedora 36 -
    syft/os/mariner/etc/os-release: mariner 1.0 -
    syft/os/opensuse-leap/etc/os-release: opensuse-leap 15.2 -
    syft/os/oraclelinux/etc/os-release: ol 8.3 -
    syft/os/photon/etc/os-release: photon 2.0 -
    syft/os/redhat/from-os-release/usr/lib/os-release: rhel 7.3 -
    syft/os/redhat/from-redhat-release/etc/redhat-release: rhel 8.10 Ootpa
    syft/os/rockylinux/from-os-release/etc/os-release: rocky 8.4 -
    syft/os/rockylinux/from-redhat-release/etc/redhat-release: rocky 8.10 Green Obsidian
    syft/os/scientific/from-os-release/etc/os-release: scientific 7.5 -
    syft/os/scientific/from-redhat-release/etc/redhat-release: scientific 7.9 Nitrogen
    syft/os/sles/etc/os-release: sles 15.2 -
    syft/os/ubuntu/etc/os-release: ubuntu 20.04 focal
    syft/os/wolfi/etc/os-release: wolfi 20220914 -
    syft/partial-fields/missing-id/usr/lib/os-release: it names no distribution
    syft/partial-fields/missing-version/usr/lib/os-release: it names no distribution
    syft/partial-fields/unknown-id/usr/lib/os-release: my-awesome-distro 8 -
    syft/rhel-8: rhel 8.1 -
    syft/ubuntu-20.04: ubuntu 20.04 focal
    syft/unprintable: debian 8 -
    trivy-analyzer/debian/debian_9/etc/debian_version: debian 9 -
    trivy-analyzer/debian/debian_sid/etc/debian_version: debian - buster
    trivy-analyzer/debian/empty: it names no distribution
    trivy-analyzer/redhatbase/alma/almalinux-release: almalinux 8.4 Electric Cheetah
    trivy-analyzer/redhatbase/centos/centos-release: centos 7.6.1810 Core
    trivy-analyzer/redhatbase/fedora_29/fedora-release: fedora 29 Twenty Nine
    trivy-analyzer/redhatbase/not_redhatbase/empty: it names no distribution
    trivy-analyzer/redhatbase/oracle_7/oracle-release: ol 7.6 -
    trivy-analyzer/redhatbase/redhat_6/redhat-release: redhat 6.2 Zoot
    trivy-analyzer/redhatbase/rocky/rocky-release: rocky 8.4 Green Obsidian
    trivy-analyzer/release/activestate: activestate 1.0 -
    trivy-analyzer/release/alma: almalinux 9.4 -
    trivy-analyzer/release/alpine: alpine 3.15.4 -
    trivy-analyzer/release/azurelinux-3.0: azurelinux 3.0 -
    trivy-analyzer/release/bottlerocket: bottlerocket 1.34.0 -
    trivy-analyzer/release/centos: centos 7 -
    trivy-analyzer/release/centos-stream: centos 8 -
    trivy-analyzer/release/coreos: coreos 3.15.4 -
    trivy-analyzer/release/echo: echo 1 -
    trivy-analyzer/release/fedora: fedora 42 -
    trivy-analyzer/release/mariner-1.0: mariner 1.0 -
    trivy-analyzer/release/mariner-2.0: mariner 2.0 -
    trivy-analyzer/release/minimos: minimos 20241031 -
    trivy-analyzer/release/no-id: it names no distribution
    trivy-analyzer/release/no-version: alpine - -
    trivy-analyzer/release/opensuseleap-15.2.1: opensuse-leap 15.2.1 -
    trivy-analyzer/release/opensuseleap-42.3: opensuse 42.3 -
    trivy-analyzer/release/opensusetumbleweed: opensuse-tumbleweed 20220412 -
    trivy-analyzer/release/oracle: ol 8.10 -
    trivy-analyzer/release/photon: photon 4.0 -
    trivy-analyzer/release/rhel: rhel 9.4 -
    trivy-analyzer/release/rocky: rocky 9.3 -
    trivy-analyzer/release/slemicro: sle-micro 5.3 -
    trivy-analyzer/release/slemicro-rancher: sle-micro-rancher 5.4 -
    trivy-analyzer/release/slemicro6.0: sl-micro 6.0 -
    trivy-analyzer/release/sles: sles 15.3 -
    trivy-analyzer/release/unknown: unknown 4.3.2 -
    trivy-analyzer/ubuntu/invalid: it names no distribution
    trivy-analyzer/ubuntu/lsb-release: ubuntu 18.04 bionic
    ");
}

#[test]
fn every_release_of_alpine_says_so() {
    let Some(root) = shared() else { return };
    let mut releases = 0;
    for path in folder::files(&root.join("fixtures/alpine")) {
        if !path.ends_with("etc/os-release") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let distro = look("distro", "etc/os-release", &bytes).distro.unwrap();
        assert_eq!(distro.id, "alpine");
        let release = path.ancestors().nth(2).unwrap().join("etc/alpine-release");
        if release.exists() {
            let older = look("distro", "etc/alpine-release", &fs::read(release).unwrap());
            let older = older.distro.unwrap();
            assert_eq!((older.id, older.version_id), (distro.id, distro.version_id));
        }
        releases += 1;
    }
    assert!(releases >= 15, "only {releases} releases");
}
