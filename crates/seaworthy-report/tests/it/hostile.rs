//! Whatever an image or a feed says, a terminal is only ever told our colours.

use proptest::prelude::*;
use seaworthy_core::{Gap, Layer};
use seaworthy_report::{Look, table};
use unicode_width::UnicodeWidthStr;

use crate::example::{Example, failing, machine};
use crate::table::without_colours;

/// The example with `text` in every place that an image or a feed fills.
pub(crate) fn filled_with(mut example: Example, text: &str) -> Example {
    let put = |place: &mut Box<str>| *place = text.into();
    let report = &mut example.report;
    put(&mut report.image.target);
    report.image.tags.push(text.into());
    if let Some(distro) = &mut report.inventory.distro {
        put(&mut distro.id);
        distro.pretty_name = Some(text.into());
        distro.version_id = Some(text.into());
    }
    for package in &mut report.inventory.packages {
        put(&mut package.name);
        package.version = seaworthy_core::Version::of(package.version.scheme(), text);
        package.source = None;
        for sighting in &mut package.seen {
            put(&mut sighting.path);
        }
    }
    report.inventory.layers.push(Layer {
        digest: None,
        diff_id: None,
        created_by: Some(text.into()),
    });
    for layer in &mut report.inventory.layers {
        layer.created_by = Some(text.into());
    }
    report.inventory.gaps.push(Gap {
        path: text.into(),
        probe: text.into(),
        why: text.into(),
        layer: Some(0),
    });
    for finding in &mut report.findings {
        put(&mut finding.summary);
        put(&mut finding.vulnerability);
        if finding.fix.is_available() {
            finding.fix = seaworthy_core::FixState::In(vec![text.into()]);
        }
    }
    for coverage in &mut report.coverage {
        put(&mut coverage.ecosystem);
    }
    example.verdict.blindness.extend([
        seaworthy_core::Blindness::NotCovered {
            ecosystem: text.into(),
            packages: 1,
        },
        seaworthy_core::Blindness::NotCompared {
            ecosystem: text.into(),
            names: vec![text.into()],
        },
        seaworthy_core::Blindness::Gaps { count: 1 },
    ]);
    example
}

fn check(example: &Example, look: &Look) {
    let shown = table(&[example.assessed()], look);
    let plain = without_colours(&shown);
    if !look.colour {
        assert_eq!(shown, plain);
    }
    for line in plain.split('\n') {
        assert!(
            !line.chars().any(char::is_control),
            "a control character in {line:?}"
        );
        assert!(
            line.width() <= look.width.max(40),
            "{} columns in {line:?}",
            line.width()
        );
        assert!(
            !line.chars().any(|character| matches!(character,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')),
            "a direction in {line:?}"
        );
    }
    assert!(look.unicode || plain.is_ascii());
}

const LOOKS: [Look; 3] = [
    Look {
        width: 80,
        colour: true,
        unicode: true,
        packages: true,
    },
    Look {
        width: 0,
        colour: false,
        unicode: false,
        packages: true,
    },
    Look {
        width: 133,
        colour: false,
        unicode: true,
        packages: false,
    },
];

#[test]
fn known_attacks_on_terminals_stay_text() {
    for attack in [
        "\x1b[2J\x1b[H",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
        "\u{9b}31m",
        "\u{90}q\u{9c}",
        "a\r\nPASS",
        "\u{202e}tper\u{202c}",
        "zero\u{200b}width",
        "a\u{2028}b\u{2029}c\u{85}d",
        "o\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "👩‍👩‍👧‍👦🇩🇪",
        "",
        "   ",
    ] {
        for look in LOOKS {
            check(&filled_with(failing(), attack), &look);
            check(&filled_with(machine(), attack), &look);
        }
    }
}

#[test]
fn no_line_is_a_command_to_a_build_server() {
    for attack in [
        "::set-output name=a::b",
        "x\n::error::y",
        "##vso[task.setvariable]x",
        "a ##[command]b ::warning::c",
        "##teamcity[x]",
    ] {
        for look in LOOKS {
            let example = filled_with(failing(), attack);
            let shown = without_colours(&table(&[example.assessed()], &look));
            for line in shown.lines() {
                let obeyed = line.trim_start().starts_with("::")
                    || ["##[", "##vso[", "##teamcity["]
                        .iter()
                        .any(|command| line.contains(command));
                assert!(!obeyed, "{line:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_is_shown_and_never_obeyed(text in any::<String>(), look in 0..LOOKS.len()) {
        check(&filled_with(failing(), &text), &LOOKS[look]);
    }

    #[test]
    fn any_controls_are_shown_and_never_obeyed(
        text in "[\u{0}-\u{a0}\u{300}-\u{36f}\u{200b}-\u{206f}\u{fe00}-\u{feff}日x ]{0,60}",
        look in 0..LOOKS.len(),
    ) {
        check(&filled_with(machine(), &text), &LOOKS[look]);
    }
}
