//! Cases of distributions that are made of rpms.

use super::vex::{Status, Vendor, Vex};
use super::{Case, NONE};

const RHEL_8: &str = "cpe:/o:redhat:enterprise_linux:8";
const RHEL_9: &str = "cpe:/o:redhat:enterprise_linux:9";

const LIBSSH: Vex = red_hat(
    "CVE-2026-10",
    "Low",
    &[(
        Status::Investigated,
        RHEL_9,
        "pkg:rpm/redhat/libssh?arch=src",
        "",
    )],
);

/// The fixes of the mainline and of one stream of a minor release.
const CURL: Vex = red_hat(
    "CVE-2023-38545",
    "Important",
    &[
        (
            Status::Fixed,
            "cpe:/o:redhat:enterprise_linux:9::baseos",
            "pkg:rpm/redhat/libcurl@7.76.1-26.el9_3.2?arch=x86_64",
            "",
        ),
        (
            Status::Fixed,
            "cpe:/o:redhat:enterprise_linux:9::baseos",
            "pkg:rpm/redhat/libcurl@7.76.1-23.el9_2.4?arch=x86_64",
            "",
        ),
        (
            Status::Fixed,
            "cpe:/o:redhat:rhel_eus:9.0::baseos",
            "pkg:rpm/redhat/libcurl@7.76.1-14.el9_0.9?arch=x86_64",
            "",
        ),
    ],
);

/// Two streams of one major version, each with a fix.
const PODMAN: Vex = red_hat(
    "CVE-2026-12",
    "Important",
    &[
        (
            Status::Fixed,
            "cpe:/a:redhat:enterprise_linux:8::appstream",
            "pkg:rpm/redhat/podman@4.0.2-30.module%2Bel8.9.0%2B1%2Ba?arch=x86_64&epoch=2&rpmmod=container-tools:4.0:8090020240101:a",
            "",
        ),
        (
            Status::Fixed,
            "cpe:/a:redhat:enterprise_linux:8::appstream",
            "pkg:rpm/redhat/podman@4.9.4-18.module%2Bel8.10.0%2B2%2Bb?arch=x86_64&epoch=2&rpmmod=container-tools:rhel8:8100020240101:b",
            "",
        ),
    ],
);

const fn red_hat(
    vulnerability: &'static str,
    impact: &'static str,
    says: &'static [(Status, &'static str, &'static str, &'static str)],
) -> Vex {
    Vex {
        vendor: Vendor::RedHat,
        vulnerability,
        impact,
        says,
    }
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "10: known not affected, whatever a collector says",
        says: "Red Hat's VEX, cve-2023-38545: curl of RHEL 8, vulnerable_code_not_present",
        osv: &[(
            "Red Hat",
            r#"{"id": "COLLECTED-10", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2023-38545"], "affected": [{"package":
            {"ecosystem": "Red Hat:enterprise_linux:8::baseos", "name": "curl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#,
        )],
        vex: &[red_hat(
            "CVE-2023-38545",
            "Important",
            &[
                (
                    Status::NotAffected,
                    RHEL_8,
                    "pkg:rpm/redhat/curl",
                    "vulnerable_code_not_present",
                ),
                (
                    Status::NotAffected,
                    RHEL_8,
                    "pkg:rpm/redhat/curl?arch=src",
                    "vulnerable_code_not_present",
                ),
            ],
        )],
        distro: "rhel 8.9",
        installed: "rpm curl 7.61.1-33.el8 curl vendor=Red_Hat,_Inc.",
        ..NONE
    },
    Case {
        name: "10: under investigation is neither affected nor clean",
        says: "Red Hat's VEX files: under_investigation, nobody has decided yet",
        vex: &[LIBSSH],
        distro: "rhel 9.4",
        installed: "rpm libssh 0.10.4-13.el9 libssh\nrpm libssh-config 0.10.4-13.el9 libssh",
        answer: "libssh CVE-2026-10 under review, low
            libssh-config CVE-2026-10 under review, low",
        ..NONE
    },
    Case {
        name: "10: will not fix",
        says: "Red Hat's VEX, cve-2023-6228: compat-libtiff3 of RHEL 8, no_fix_planned, Will not fix",
        vex: &[red_hat(
            "CVE-2023-6228",
            "Low",
            &[(
                Status::Affected,
                RHEL_8,
                "pkg:rpm/redhat/compat-libtiff3?arch=src",
                "Will not fix",
            )],
        )],
        distro: "rhel 8.9",
        installed: "rpm compat-libtiff3 3.9.4-13.el8 compat-libtiff3",
        answer: "compat-libtiff3 CVE-2023-6228 won't fix, low",
        ..NONE
    },
    Case {
        name: "10: fix deferred",
        says: "Red Hat's VEX, cve-2024-0727: compat-openssl11 of RHEL 9, none_available, Fix deferred",
        vex: &[red_hat(
            "CVE-2024-0727",
            "Low",
            &[(
                Status::Affected,
                RHEL_9,
                "pkg:rpm/redhat/compat-openssl11",
                "Fix deferred",
            )],
        )],
        distro: "rhel 9.4",
        installed: "rpm compat-openssl11 1:1.1.1k-4.el9 compat-openssl11",
        answer: "compat-openssl11 CVE-2024-0727 no fix yet, low",
        ..NONE
    },
    Case {
        name: "10: out of support scope is affected for ever",
        says: "Red Hat's VEX, cve-2024-2961: glibc of RHEL 6, no_fix_planned, Out of support scope",
        vex: &[red_hat(
            "CVE-2024-2961",
            "Important",
            &[(
                Status::Affected,
                "cpe:/o:redhat:enterprise_linux:6",
                "pkg:rpm/redhat/glibc?arch=src",
                "Out of support scope",
            )],
        )],
        distro: "rhel 6.10",
        installed: "rpm glibc-common 2.12-1.212.el6 glibc",
        answer: "glibc-common CVE-2024-2961 won't fix, high",
        ..NONE
    },
    Case {
        name: "10: affected, and nothing more is known",
        says: "Red Hat's VEX, cve-2026-0968: libssh of RHEL 9, none_available, Affected",
        vex: &[red_hat(
            "CVE-2026-0968",
            "Low",
            &[(
                Status::Affected,
                RHEL_9,
                "pkg:rpm/redhat/libssh?arch=src",
                "Affected",
            )],
        )],
        distro: "rhel 9.4",
        installed: "rpm libssh 0.10.4-13.el9 libssh",
        answer: "libssh CVE-2026-0968 no fix yet, low",
        ..NONE
    },
    Case {
        name: "11: an image on the mainline gets its fixes from the mainline",
        says: "Red Hat's VEX, cve-2023-38545: rhel_eus:9.0 is a product of its own",
        vex: &[CURL],
        distro: "rhel 9.0",
        content_sets: &["rhel-9-for-x86_64-baseos-rpms"],
        installed: "rpm libcurl 7.76.1-14.el9_0.9 curl",
        answer: "libcurl CVE-2023-38545 fixed in 7.76.1-23.el9_2.4, high",
        ..NONE
    },
    Case {
        name: "11: an image on a stream of its minor release gets that one's fixes, too",
        says: "Red Hat's VEX, cve-2023-38545; repository-to-cpe.json: …-baseos-eus-rpms is rhel_eus:9.0",
        vex: &[CURL],
        distro: "rhel 9.0",
        content_sets: &["rhel-9-for-x86_64-baseos-eus-rpms"],
        installed: "rpm libcurl 7.76.1-14.el9_0.8 curl
            rpm libcurl 7.76.1-14.el9_0.9 curl",
        answer: "libcurl CVE-2023-38545 fixed in 7.76.1-14.el9_0.9 or 7.76.1-23.el9_2.4, high",
        ..NONE
    },
    Case {
        name: "11: a later build than the stream's fix need not have it",
        says: "Red Hat's VEX, cve-2023-38545: 9.2 was fixed in 7.76.1-23.el9_2.4, after 9.0 in 7.76.1-14.el9_0.9",
        vex: &[CURL],
        distro: "rhel 9.0",
        content_sets: &["rhel-9-for-x86_64-baseos-eus-rpms"],
        installed: "rpm libcurl 7.76.1-19.el9_1.1 curl",
        answer: "libcurl CVE-2023-38545 fixed in 7.76.1-23.el9_2.4, high",
        ..NONE
    },
    Case {
        name: "11: the stream of one minor release says nothing of another",
        says: "Red Hat's VEX names streams by their minor release; RHEL life cycle: EUS is per minor release",
        vex: &[red_hat(
            "CVE-2026-11",
            "Important",
            &[
                (
                    Status::Fixed,
                    "cpe:/o:redhat:rhel_eus:8.6::baseos",
                    "pkg:rpm/redhat/glibc@2.28-189.el8_6.9?arch=x86_64",
                    "",
                ),
                (
                    Status::Fixed,
                    "cpe:/o:redhat:enterprise_linux:8::baseos",
                    "pkg:rpm/redhat/glibc@2.28-251.el8_10.2?arch=x86_64",
                    "",
                ),
            ],
        )],
        distro: "rhel 8.4",
        content_sets: &["rhel-8-for-x86_64-baseos-eus-rpms"],
        installed: "rpm glibc 2.28-151.el8_4.1 glibc\nrpm glibc-minimal 2.28-189.el8_6.9 glibc",
        answer: "glibc CVE-2026-11 fixed in 2.28-251.el8_10.2, high",
        ..NONE
    },
    Case {
        name: "12: two streams of one major version are told apart by their names",
        says: "Red Hat's VEX: rpmmod of the package URL is name:stream:version:context",
        vex: &[PODMAN],
        distro: "rhel 8.10",
        installed: "rpm podman 2:4.0.2-29.module+el8.9.0+1+a podman module=container-tools:4.0
            rpm podman 2:4.0.2-30.module+el8.9.0+1+a podman module=container-tools:4.0
            rpm podman 2:4.9.4-17.module+el8.10.0+2+b podman module=container-tools:rhel8
            rpm podman 2:4.9.4-18.module+el8.10.0+2+b podman module=container-tools:rhel8
            rpm podman 2:4.6.1-1.module+el8.9.0+3+c podman module=container-tools:other
            rpm podman 2:4.0.2-1.el8 podman",
        answer: "podman CVE-2026-12 fixed in 2:4.0.2-30.module+el8.9.0+1+a, high
            podman CVE-2026-12 fixed in 2:4.9.4-18.module+el8.10.0+2+b, high",
        ..NONE
    },
    Case {
        name: "12: what one stream leaves open is open in no other",
        says: "Red Hat's VEX, cve-2026-27142: golang of go-toolset:rhel8, RHEL 8, known_affected",
        vex: &[red_hat(
            "CVE-2026-27142",
            "Moderate",
            &[(
                Status::Affected,
                RHEL_8,
                "pkg:rpm/redhat/golang?arch=src&rpmmod=go-toolset:rhel8",
                "Affected",
            )],
        )],
        distro: "rhel 8.10",
        installed: "rpm golang-bin 1.25.7-1.module+el8.10.0+1+a golang module=go-toolset:rhel8
            rpm golang-src 1.25.7-1.module+el8.10.0+1+a golang module=go-toolset:other
            rpm golang-docs 1.25.7-1.el8 golang",
        answer: "golang-bin CVE-2026-27142 no fix yet, medium",
        ..NONE
    },
    Case {
        name: "12: a build whose stream a document does not tell is of its major version",
        says: "Red Hat's VEX, cve-2023-2454: postgresql 13.11 and 15.3 of modules, without rpmmod",
        vex: &[red_hat(
            "CVE-2023-2454",
            "Moderate",
            &[
                (
                    Status::Fixed,
                    "cpe:/a:redhat:enterprise_linux:8::appstream",
                    "pkg:rpm/redhat/postgresql@13.11-1.module%2Bel8.8.0%2B19081%2B0a277c66?arch=x86_64",
                    "",
                ),
                (
                    Status::Fixed,
                    "cpe:/a:redhat:enterprise_linux:8::appstream",
                    "pkg:rpm/redhat/postgresql@15.3-1.module%2Bel8.8.0%2B19565%2B1b0ddae0?arch=x86_64",
                    "",
                ),
            ],
        )],
        distro: "rhel 8.8",
        installed: "rpm postgresql 13.10-1.module+el8.7.0+1+a postgresql module=postgresql:13
            rpm postgresql 15.3-1.module+el8.8.0+19565+1b0ddae0 postgresql module=postgresql:15
            rpm postgresql 15.2-1.module+el8.7.0+1+a postgresql",
        answer: "postgresql CVE-2023-2454 fixed in 13.11-1.module+el8.8.0+19081+0a277c66, medium
            postgresql CVE-2023-2454 fixed in 15.3-1.module+el8.8.0+19565+1b0ddae0, medium",
        ..NONE
    },
    Case {
        name: "12: where no stream is told, the major version stands for it",
        says: "AlmaLinux: nodejs:18 and nodejs:20 are separate streams",
        osv: &[(
            "AlmaLinux",
            r#"{"id": "ALSA-2026:12", "modified": "2026-01-01T00:00:00Z", "summary": "Important: nodejs:20 security update", "related": ["CVE-2026-12"], "affected": [{"package":
            {"ecosystem": "AlmaLinux:8", "name": "nodejs"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:20.11.1-1.module_el8.9.0+3775+d8460d29"}]}]}]}"#,
        )],
        distro: "almalinux 8.9",
        installed: "rpm nodejs 1:18.19.0-1.module_el8.9.0+3733+e1eb0e7e module=nodejs:18
            rpm nodejs 1:20.9.0-1.module_el8.9.0+3700+aaaaaaaa module=nodejs:20
            rpm nodejs 1:20.9.0-1.el8",
        answer: "nodejs CVE-2026-12 fixed in 1:20.11.1-1.module_el8.9.0+3775+d8460d29, high",
        ..NONE
    },
    Case {
        name: "13: nobody publishes advisories for CentOS Stream",
        says: "CentOS: Stream gets fixes with its next build, without notices; RHEL's versions are not its own",
        vex: &[CURL],
        distro: "centos 9",
        installed: "rpm libcurl 7.76.1-14.el9 curl vendor=CentOS",
        answer: "not covered: rpm on centos 9",
        ..NONE
    },
    Case {
        name: "13: AlmaLinux",
        says: "ALSA-2022:7288",
        osv: &[(
            "AlmaLinux",
            r#"{"id": "ALSA-2022:7288", "modified": "2026-01-01T00:00:00Z", "summary": "Important: openssl security update", "related": ["CVE-2022-3602"], "affected": [{"package":
            {"ecosystem": "AlmaLinux:9", "name": "openssl-libs"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:3.0.1-43.el9_0"}]}]}]}"#,
        )],
        distro: "almalinux 9.0",
        installed: "rpm openssl-libs 1:3.0.1-41.el9_0 openssl vendor=AlmaLinux
            rpm openssl-libs 1:3.0.1-43.el9_0 openssl vendor=AlmaLinux",
        answer: "openssl-libs CVE-2022-3602 fixed in 1:3.0.1-43.el9_0, high",
        ..NONE
    },
    Case {
        name: "13: Rocky Linux writes an epoch of zero",
        says: "RLSA-2023:0005",
        osv: &[(
            "Rocky Linux",
            r#"{"id": "RLSA-2023:0005", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2022-42920"], "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "affected": [{"package": {"ecosystem": "Rocky Linux:9", "name": "bcel"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0:6.4.1-9.el9_1"}]}]}]}"#,
        )],
        distro: "rocky 9.1",
        installed: "rpm bcel 6.4.1-8.el9 bcel vendor=Rocky_Enterprise_Software_Foundation
            rpm bcel 6.4.1-9.el9_1 bcel vendor=Rocky_Enterprise_Software_Foundation",
        answer: "bcel CVE-2022-42920 fixed in 0:6.4.1-9.el9_1, high",
        ..NONE
    },
    Case {
        name: "13: a topic of Amazon's extras says nothing of the core's package of the same name",
        says: "ALAS2KERNEL-5.15-2022-001",
        parts: &[
            (
                "vendor/amazon/amazon-linux-2/extras/kernel-5.15/x86_64/repodata/repomd.xml",
                r#"<repomd><data type="updateinfo"><location href="repodata/updateinfo.xml"/></data></repomd>"#,
            ),
            (
                "vendor/amazon/amazon-linux-2/extras/kernel-5.15/x86_64/repodata/updateinfo.xml",
                r#"<updates><update author="linux-security@amazon.com" status="final" type="security" version="1.4"><id>ALAS2KERNEL-5.15-2022-001</id><title>t</title>
                <issued date="2022-06-06 17:58"/><updated date="2022-11-17 19:23"/><severity>important</severity><references><reference href="https://cve.mitre.org/x" id="CVE-2022-3526" type="cve"/></references>
                <pkglist><collection short="amazon-linux-extras"><package arch="x86_64" epoch="0" name="kernel" release="20.123.amzn2" version="5.15.43"><filename>x</filename></package></collection></pkglist></update></updates>"#,
            ),
        ],
        distro: "amzn 2",
        installed: "rpm kernel 4.14.281-212.502.amzn2 kernel vendor=Amazon_Linux
            rpm kernel 5.15.40-1.amzn2 kernel vendor=Amazon_Linux
            rpm kernel 5.15.43-20.123.amzn2 kernel vendor=Amazon_Linux",
        answer: "kernel CVE-2022-3526 fixed in 5.15.43-20.123.amzn2, high, of a kernel that does not run",
        ..NONE
    },
    Case {
        name: "13: Oracle's ksplice builds are not judged by the plain ones",
        says: "Oracle: ksplice versions are in advisories of their own",
        osv: &[(
            "Oracle Linux",
            r#"{"id": "ELSA-2026-13", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-13"], "affected": [{"package":
            {"ecosystem": "Oracle Linux:9", "name": "glibc"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.34-200.el9"}]}]}]}"#,
        )],
        distro: "ol 9.4",
        installed: "rpm glibc 2:2.34-100.0.1.ksplice1.el9\nrpm glibc 2.34-100.el9",
        answer: "glibc CVE-2026-13 fixed in 2.34-200.el9, unrated
            not covered: Oracle Linux:ksplice:9",
        ..NONE
    },
    Case {
        name: "13: a module of SUSE Linux Enterprise belongs to its service pack",
        says: "SUSE's VEX, cve-2023-5568: samba of 15 SP5 known not affected, Micro 6.0 fixed",
        vex: &[Vex {
            vendor: Vendor::Suse,
            vulnerability: "CVE-2023-5568",
            impact: "moderate",
            says: &[
                (
                    Status::NotAffected,
                    "cpe:/o:suse:sle-module-basesystem:15:sp5",
                    "samba-client-libs",
                    "vulnerable_code_not_present",
                ),
                (
                    Status::Fixed,
                    "cpe:/o:suse:sl-micro:6.0",
                    "samba-client-libs-4.19.4+git.339.acf1ccaa02-1.22",
                    "",
                ),
                (
                    Status::Fixed,
                    "cpe:/o:suse:sle-module-basesystem:15:sp6",
                    "samba-client-libs-4.19.4+git.339.acf1ccaa02-150600.1.1",
                    "",
                ),
            ],
        }],
        distro: "sles 15.5",
        installed: "rpm samba-client-libs 4.17.12-150500.3.20.1 samba vendor=SUSE_LLC_<https://www.suse.com/>",
        ..NONE
    },
    Case {
        name: "13: a module of SUSE Linux Enterprise 12 belongs to all service packs",
        says: "SUSE: modules of SLE 12 have a life cycle of their own, without service packs",
        vex: &[Vex {
            vendor: Vendor::Suse,
            vulnerability: "CVE-2026-13",
            impact: "important",
            says: &[(
                Status::Fixed,
                "cpe:/o:suse:sle-module-containers:12",
                "docker-24.0.7_ce-98.106.1",
                "",
            ), (
                Status::Fixed,
                "cpe:/o:suse:sles:12:sp5",
                "something-else-1-1.1",
                "",
            )],
        }],
        distro: "sles 12.5",
        installed: "rpm docker 23.0.6_ce-98.100.1 docker vendor=SUSE_LLC_<https://www.suse.com/>",
        answer: "docker CVE-2026-13 fixed in 24.0.7_ce-98.106.1, high",
        ..NONE
    },
    Case {
        name: "13: Azure Linux speaks of sources",
        says: "Azure Linux' OVAL: definition 50124, CVE-2024-47191 in oath-toolkit before 0:2.6.7-3.azl3",
        parts: &[(
            "vendor/azurelinux/azurelinux-3.0-oval.xml",
            r#"<oval_definitions><definitions><definition class="vulnerability" id="oval:com.microsoft.azurelinux:def:50124" version="1"><metadata>
            <title>CVE-2024-47191 affecting package oath-toolkit for versions less than 2.6.7-3</title><reference ref_id="CVE-2024-47191" ref_url="https://nvd.nist.gov/vuln/detail/CVE-2024-47191" source="CVE"/>
            <patchable>true</patchable><advisory_date>2024-07-23T22:05:39Z</advisory_date><advisory_id>50124-1</advisory_id><severity>High</severity></metadata>
            <criteria operator="AND"><criterion comment="Package oath-toolkit is earlier than 2.6.7-3" test_ref="oval:com.microsoft.azurelinux:tst:50124000"/></criteria></definition></definitions>
            <tests><rpminfo_test check="at least one" id="oval:com.microsoft.azurelinux:tst:50124000" version="1"><object object_ref="oval:com.microsoft.azurelinux:obj:50124001"/><state state_ref="oval:com.microsoft.azurelinux:ste:50124002"/></rpminfo_test></tests>
            <objects><rpminfo_object id="oval:com.microsoft.azurelinux:obj:50124001" version="1"><name>oath-toolkit</name></rpminfo_object></objects>
            <states><rpminfo_state id="oval:com.microsoft.azurelinux:ste:50124002" version="1"><evr datatype="evr_string" operation="less than">0:2.6.7-3.azl3</evr></rpminfo_state></states></oval_definitions>"#,
        )],
        distro: "azurelinux 3.0",
        installed: "rpm liboath 2.6.7-2.azl3 oath-toolkit vendor=Microsoft_Corporation
            rpm liboath 2.6.7-3.azl3 oath-toolkit vendor=Microsoft_Corporation",
        answer: "liboath CVE-2024-47191 fixed in 2.6.7-3.azl3, high",
        ..NONE
    },
    Case {
        name: "14: a package of somebody else's repository is not the distribution's",
        says: "docker.com builds containerd.io and docker-ce itself; EPEL: packages of the Fedora Project, no product of Red Hat",
        vex: &[red_hat(
            "CVE-2026-14",
            "Important",
            &[
                (
                    Status::Fixed,
                    "cpe:/a:redhat:enterprise_linux:9::appstream",
                    "pkg:rpm/redhat/runc@1.1.12-2.el9?arch=x86_64&epoch=4",
                    "",
                ),
                (
                    Status::Fixed,
                    "cpe:/a:redhat:enterprise_linux:9::appstream",
                    "pkg:rpm/redhat/redis@7.2.4-1.el9?arch=x86_64",
                    "",
                ),
            ],
        )],
        distro: "rhel 9.4",
        installed: "rpm runc 1.1.0-1.el9 runc vendor=Docker
            rpm redis 6.2.7-1.el9 redis vendor=Fedora_Project
            rpm redis-remi 7.2.0-1.el9.remi redis vendor=Remi's_RPM_repository_<https://rpms.remirepo.net/>
            rpm runc 4:1.1.12-1.el9 runc vendor=Red_Hat,_Inc.
            rpm redis 7.2.3-1.el9 redis",
        answer: "runc CVE-2026-14 fixed in 4:1.1.12-2.el9, high
            redis CVE-2026-14 fixed in 7.2.4-1.el9, high
            not covered: rpm of vendor Docker
            not covered: rpm of vendor Fedora Project
            not covered: rpm of vendor Remi's RPM repository <https://rpms.remirepo.net/>",
        ..NONE
    },
    Case {
        name: "14: a deb with another origin is not Debian's",
        says: "Debian policy: Origin names who made a package, where it was not Debian",
        osv: &[(
            "Debian",
            r#"{"id": "DSA-14", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-14"], "affected": [{"package":
            {"ecosystem": "Debian:12", "name": "nginx"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.22.1-9+deb12u1"}]}]}]}"#,
        )],
        distro: "debian 12",
        installed: "deb nginx 1.20.0-1 nginx vendor=Somebody\ndeb nginx-doc 1.22.1-9 nginx vendor=debian",
        answer: "nginx-doc CVE-2026-14 fixed in 1.22.1-9+deb12u1, unrated
            not covered: deb of vendor Somebody",
        ..NONE
    },
];
