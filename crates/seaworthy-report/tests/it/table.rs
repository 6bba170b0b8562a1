//! Tables as people see them.

use insta::assert_snapshot;
use seaworthy_core::{PackageId, Severity};
use seaworthy_report::{Look, table};

use crate::example::{Example, bare, blind, clean, failing, fixed, machine};

fn plain(example: &Example) -> String {
    table(&[example.assessed()], &Look::default())
}

#[test]
fn a_failing_image_shows_the_worst_first() {
    assert_snapshot!(plain(&failing()), @r"
    registry.example/shop/web:1.4
    linux/amd64 · Debian GNU/Linux 12 (bookworm) · sha256:1f1f1f1f1f1f
    6 packages  deb 4 · maven 1 · pypi 1
    edition 5b5b5b5b5b5b  51,435 advisories · as of 2026-11-20

     FAIL   1 critical and 1 high vulnerabilities in 2 packages; both can be fixed.

      critical    1  ■
      high        1  ■
      medium      3  ■■■
      negligible  1  □
      unrated     1  □
      7 vulnerabilities, ■ 5 with a fix, □ 2 without

      severity    vulnerability   fixed in          EPSS  what

    org.apache.logging.log4j:log4j-core 2.14.1 → 2.17.0
      maven app/shop.jar!…/lib/log4j-core-2.14.1.jar · layer 3: COPY target/shop.ja…
      critical    CVE-2021-44228  2.15.0             98%  ransomware · JNDI lookups…
      medium      CVE-2021-45105  2.17.0                  Lookups that name themsel…

    glibc 2.36-9+deb12u1 → 2.36-9+deb12u3
      deb libc-bin, libc6 · layer 1: ADD file:1b2c in /
      high        CVE-2023-4911   2.36-9+deb12u3     71%  exploited · A long GLIBC_…
      negligible  CVE-2010-4756   won't fix               Patterns given to glob ca…

    openssl 3.0.9-1 → 3.0.11-1~deb12u2
      deb libssl3 · layer 1: ADD file:1b2c in /
      medium      CVE-2023-5363   3.0.11-1~deb12u2        Key and nonce lengths giv…
      unrated     CVE-2026-11111  no fix yet

    requests 2.25.0 → 2.31.0
      pypi usr/lib/pytho…s-2.25.0.dist-info/METADATA · layer 2: RUN pip install -r…
      medium      CVE-2023-32681  2.31.0                  A redirect to HTTPS sends…

    Not judged
      ? 1 finding carries no rating, so no threshold can judge it
        read these findings yourself, or try again when somebody has rated them

    Next  upgrade 4 packages: that fixes 5 of 7 vulnerabilities.

     FAIL   1 critical and 1 high vulnerabilities in 2 packages; both can be fixed.
    ");
}

#[test]
fn what_only_a_booted_machine_runs_is_counted_apart() {
    let mut example = clean();
    let package = PackageId(0);
    for id in ["CVE-2026-1", "CVE-2026-2"] {
        example
            .finding(package, id, Some(Severity::Critical), fixed("9"), "")
            .kernel = true;
    }
    example.verdict.reasons.clear();
    let told = plain(&example);
    assert!(
        told.contains("PASS   All 6 packages judged, nothing reaches high."),
        "{told}"
    );
    assert!(
        told.contains("2 of the kernel, which no container runs, not counted (see --kernel)"),
        "{told}"
    );
    assert!(!told.contains("CVE-2026-1"), "{told}");
    example.policy.kernel_runs = true;
    let told = plain(&example);
    assert!(
        !told.contains("of the kernel") && told.contains("CVE-2026-1"),
        "{told}"
    );
}

#[test]
fn a_clean_image_gets_a_friendly_line() {
    assert_snapshot!(plain(&clean()), @r"
    registry.example/shop/web:1.4
    linux/amd64 · Debian GNU/Linux 12 (bookworm) · sha256:1f1f1f1f1f1f
    6 packages  deb 4 · maven 1 · pypi 1
    edition 5b5b5b5b5b5b  51,435 advisories · as of 2026-11-20

     PASS   All 6 packages judged, nothing known against them. Fair winds.
    ");
}

#[test]
fn a_machine_and_the_starter_edition_are_unknown() {
    assert_snapshot!(plain(&machine()), @r"
    dir:/
    Debian GNU/Linux 12 (bookworm)
    6 packages  deb 4 · maven 1 · pypi 1
    starter edition 777777777777  153 advisories

     UNKNOWN   Nothing is known against it, but not everything could be judged.

    Not judged
      ? only the starter edition was at hand; it knows famous vulnerabilities and no
        others
        fetch a full edition: seaworthy db update
      ? 7 files could not be read, or only in part
        opt/vendor/module-1.jar: not a zip archive
        opt/vendor/module-2.jar: not a zip archive
        opt/vendor/module-3.jar: not a zip archive
        opt/vendor/module-4.jar: not a zip archive
        opt/vendor/module-5.jar: not a zip archive
        and 2 more, see --format json
    ");
}

#[test]
fn every_blind_spot_says_what_is_missing_and_how_to_get_it() {
    assert_snapshot!(plain(&blind()), @r"
    registry.example/shop/web:1.4
    linux/amd64 · Debian GNU/Linux 12 (bookworm) · sha256:1f1f1f1f1f1f
    6 packages  deb 4 · maven 1 · pypi 1
    edition 5b5b5b5b5b5b  51,435 advisories · as of 2026-11-20

     UNKNOWN   Nothing is known against it, but not everything could be judged.

    Not judged
      ? there is no edition of advisories to compare with
      ? the edition holds no advisories
      ? only the starter edition was at hand; it knows famous vulnerabilities and no
        others
        fetch a full edition: seaworthy db update
      ? there are operating system packages, but nothing says of which distribution
        keep /etc/os-release in the image, or judge these packages by other means
      ? no package and no distribution was found
        check that this is the image you mean; a static binary without build
        information tells nothing about itself
      ? the image says it is Debian GNU/Linux 12 (bookworm), but holds no package
        database that we read
        keep the package database in the image, or scan the image before it is
        stripped
      ? no feed covers Debian:14, so 312 packages could not be judged
        update from a source that covers it, if there is one: seaworthy db update
        --from SOURCE; seaworthy db status lists what the edition covers
      ? the edition has only 3 advisories for Ubuntu:24.04, too few to judge 101
        packages
        update from the complete feed, not an excerpt: seaworthy db update
      ? Debian 9 has had no security updates since 2022-06-30, so its advisories end
        there
        move to a release that is still supported
      ? what is known of npm is from 2025-11-04, older than the 7 days the policy
        allows
      ? nothing says how old the advisories for PyPI are; the policy allows 1 day
        fetch a newer edition: seaworthy db update
      ? 2 versions of Maven could not be compared: a:b, c:d
        look these packages up by hand; their versions do not follow the rules of
        their ecosystem
      ? the vendor has not decided yet about 1 finding
        read these findings yourself, or try again when the vendor has decided
      ? 2 findings carry no rating, so no threshold can judge them
        read these findings yourself, or try again when somebody has rated them
      ? 1 file could not be read, or only in part
        var/lib/rpm/Packages: page 17 points outside the file

     UNKNOWN   Nothing is known against it, but not everything could be judged.
    ");
}

#[test]
fn colours_mark_levels_and_the_verdict_only() {
    let example = failing();
    let look = Look {
        colour: true,
        ..Look::default()
    };
    let coloured = table(&[example.assessed()], &look);
    assert_snapshot!(coloured.replace('\x1b', "␛"), @r"
    ␛[1mregistry.example/shop/web:1.4␛[0m
    linux/amd64 · Debian GNU/Linux 12 (bookworm) · sha256:1f1f1f1f1f1f
    6 packages␛[2m  deb 4 · maven 1 · pypi 1␛[0m
    edition 5b5b5b5b5b5b␛[2m  51,435 advisories␛[0m␛[2m · as of 2026-11-20␛[0m

    ␛[1m␛[30m␛[41m FAIL ␛[0m  1 critical and 1 high vulnerabilities in 2 packages; both can be fixed.

      ␛[1m␛[31mcritical␛[0m    1  ␛[1m␛[31m■␛[0m
      ␛[31mhigh␛[0m        1  ␛[31m■␛[0m
      ␛[33mmedium␛[0m      3  ␛[33m■■■␛[0m
      ␛[2mnegligible␛[0m  1  ␛[2m□␛[0m
      ␛[2munrated␛[0m     1  ␛[2m□␛[0m
      ␛[2m7 vulnerabilities, ■ 5 with a fix, □ 2 without␛[0m

      ␛[2mseverity␛[0m    ␛[2mvulnerability␛[0m   ␛[2mfixed in␛[0m          ␛[2mEPSS␛[0m  ␛[2mwhat␛[0m

    ␛[1morg.apache.logging.log4j:log4j-core␛[0m 2.14.1 ␛[32m→ 2.17.0␛[0m
      ␛[2mmaven␛[0m ␛[2mapp/shop.jar!…/lib/log4j-core-2.14.1.jar␛[0m␛[2m · layer 3: COPY target/shop.ja…␛[0m
      ␛[1m␛[31mcritical␛[0m    CVE-2021-44228  ␛[32m2.15.0␛[0m             98%  ␛[1m␛[31mransomware␛[0m␛[2m · ␛[0m␛[2mJNDI lookups…␛[0m
      ␛[33mmedium␛[0m      CVE-2021-45105  ␛[32m2.17.0␛[0m                  ␛[2mLookups that name themsel…␛[0m

    ␛[1mglibc␛[0m 2.36-9+deb12u1 ␛[32m→ 2.36-9+deb12u3␛[0m
      ␛[2mdeb␛[0m ␛[2mlibc-bin, libc6␛[0m␛[2m · layer 1: ADD file:1b2c in /␛[0m
      ␛[31mhigh␛[0m        CVE-2023-4911   ␛[32m2.36-9+deb12u3␛[0m     71%  ␛[1m␛[31mexploited␛[0m␛[2m · ␛[0m␛[2mA long GLIBC_…␛[0m
      ␛[2mnegligible␛[0m  CVE-2010-4756   ␛[2mwon't fix␛[0m               ␛[2mPatterns given to glob ca…␛[0m

    ␛[1mopenssl␛[0m 3.0.9-1 ␛[32m→ 3.0.11-1~deb12u2␛[0m
      ␛[2mdeb␛[0m ␛[2mlibssl3␛[0m␛[2m · layer 1: ADD file:1b2c in /␛[0m
      ␛[33mmedium␛[0m      CVE-2023-5363   ␛[32m3.0.11-1~deb12u2␛[0m        ␛[2mKey and nonce lengths giv…␛[0m
      ␛[2munrated␛[0m     CVE-2026-11111  ␛[2mno fix yet␛[0m

    ␛[1mrequests␛[0m 2.25.0 ␛[32m→ 2.31.0␛[0m
      ␛[2mpypi␛[0m ␛[2musr/lib/pytho…s-2.25.0.dist-info/METADATA␛[0m␛[2m · layer 2: RUN pip install -r…␛[0m
      ␛[33mmedium␛[0m      CVE-2023-32681  ␛[32m2.31.0␛[0m                  ␛[2mA redirect to HTTPS sends…␛[0m

    ␛[1mNot judged␛[0m
      ␛[33m? ␛[0m1 finding carries no rating, so no threshold can judge it
        ␛[2mread these findings yourself, or try again when somebody has rated them␛[0m

    ␛[1mNext␛[0m  upgrade 4 packages: that fixes 5 of 7 vulnerabilities.

    ␛[1m␛[30m␛[41m FAIL ␛[0m  1 critical and 1 high vulnerabilities in 2 packages; both can be fixed.
    ");
    assert_eq!(without_colours(&coloured), plain(&example));
}

#[test]
fn a_terminal_without_unicode_is_served_in_ascii() {
    let example = failing();
    let look = Look {
        unicode: false,
        ..Look::default()
    };
    let text = table(&[example.assessed()], &look);
    assert!(text.is_ascii());
    assert_snapshot!(text, @r"
    registry.example/shop/web:1.4
    linux/amd64 - Debian GNU/Linux 12 (bookworm) - sha256:1f1f1f1f1f1f
    6 packages  deb 4 - maven 1 - pypi 1
    edition 5b5b5b5b5b5b  51,435 advisories - as of 2026-11-20

     FAIL   1 critical and 1 high vulnerabilities in 2 packages; both can be fixed.

      critical    1  #
      high        1  #
      medium      3  ###
      negligible  1  .
      unrated     1  .
      7 vulnerabilities, # 5 with a fix, . 2 without

      severity    vulnerability   fixed in          EPSS  what

    org.apache.logging.log4j:log4j-core 2.14.1 -> 2.17.0
      maven app/shop.jar...lib/log4j-core-2.14.1.jar - layer 3: COPY target/shop....
      critical    CVE-2021-44228  2.15.0             98%  ransomware - JNDI looku...
      medium      CVE-2021-45105  2.17.0                  Lookups that name thems...

    glibc 2.36-9+deb12u1 -> 2.36-9+deb12u3
      deb libc-bin, libc6 - layer 1: ADD file:1b2c in /
      high        CVE-2023-4911   2.36-9+deb12u3     71%  exploited - A long GLIB...
      negligible  CVE-2010-4756   won't fix               Patterns given to glob...

    openssl 3.0.9-1 -> 3.0.11-1~deb12u2
      deb libssl3 - layer 1: ADD file:1b2c in /
      medium      CVE-2023-5363   3.0.11-1~deb12u2        Key and nonce lengths g...
      unrated     CVE-2026-11111  no fix yet

    requests 2.25.0 -> 2.31.0
      pypi usr/lib/pyth...-2.25.0.dist-info/METADATA - layer 2: RUN pip install -...
      medium      CVE-2023-32681  2.31.0                  A redirect to HTTPS sen...

    Not judged
      ? 1 finding carries no rating, so no threshold can judge it
        read these findings yourself, or try again when somebody has rated them

    Next  upgrade 4 packages: that fixes 5 of 7 vulnerabilities.

     FAIL   1 critical and 1 high vulnerabilities in 2 packages; both can be fixed.
    ");
}

#[test]
fn every_package_is_listed_for_those_who_ask() {
    let example = machine();
    let look = Look {
        packages: true,
        ..Look::default()
    };
    assert_snapshot!(table(&[example.assessed()], &look), @r"
    dir:/
    Debian GNU/Linux 12 (bookworm)
    6 packages  deb 4 · maven 1 · pypi 1
    starter edition 777777777777  153 advisories

     UNKNOWN   Nothing is known against it, but not everything could be judged.

      package                           version          type   seen
      libc-bin                          2.36-9+deb12u1   deb    var/lib/dpkg/status
      libc6                             2.36-9+deb12u1   deb    var/lib/dpkg/status
      libssl3                           3.0.9-1          deb    var/lib/dpkg/status
      tzdata                            2026b-0+deb12u1  deb    var/lib/dpkg/status
      org.apache…ging.log4j:log4j-core  2.14.1           maven  app/sh…re-2.14.1.jar
      requests                          2.25.0           pypi   usr/li…info/METADATA

    Not judged
      ? only the starter edition was at hand; it knows famous vulnerabilities and no
        others
        fetch a full edition: seaworthy db update
      ? 7 files could not be read, or only in part
        opt/vendor/module-1.jar: not a zip archive
        opt/vendor/module-2.jar: not a zip archive
        opt/vendor/module-3.jar: not a zip archive
        opt/vendor/module-4.jar: not a zip archive
        opt/vendor/module-5.jar: not a zip archive
        opt/vendor/module-6.jar: not a zip archive
        opt/vendor/module-7.jar: not a zip archive

     UNKNOWN   Nothing is known against it, but not everything could be judged.
    ");
}

#[test]
fn several_images_end_with_one_verdict() {
    let (first, second) = (clean(), bare("b"));
    let both = [first.assessed(), second.assessed()];
    assert_snapshot!(table(&both, &Look::default()), @r"
    registry.example/shop/web:1.4
    linux/amd64 · Debian GNU/Linux 12 (bookworm) · sha256:1f1f1f1f1f1f
    6 packages  deb 4 · maven 1 · pypi 1
    edition 5b5b5b5b5b5b  51,435 advisories · as of 2026-11-20

     PASS   All 6 packages judged, nothing known against them. Fair winds.


    b
    0 packages
    no edition of advisories

     PASS   All 0 packages judged, nothing known against them. Fair winds.


     PASS   over all 2 images
    ");
}

/// `text` without the colours that we write ourselves.
pub(crate) fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        let (codes, after) = after.split_once('m').unwrap();
        assert!(
            codes
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b';'),
            "{codes:?} is not a colour"
        );
        rest = after;
    }
    out + rest
}
