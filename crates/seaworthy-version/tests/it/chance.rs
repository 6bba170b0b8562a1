//! Versions made by chance: close to each scheme's grammar, and often just
//! outside it.

use std::env;

use seaworthy_version::Scheme;

/// A reproducible source of chance (`SplitMix64`).
pub(crate) struct Chance(u64);

impl Chance {
    /// Starts from `SEAWORTHY_SEED`, or from a fixed seed.
    pub(crate) fn seeded() -> (Self, usize) {
        let seed = asked("SEAWORTHY_SEED", 0x5ea_0123);
        (Self(seed as u64), seed)
    }

    /// A number below `limit`, which is not zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit as u64).expect("smaller than a usize")
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn in_hundred(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// The number in the variable `name`, or `usual`.
#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test run is chosen from outside"
)]
pub(crate) fn asked(name: &str, usual: usize) -> usize {
    env::var(name).map_or(usual, |text| {
        text.parse().expect("the variable holds a number")
    })
}

/// A pair of texts: the second is new, or the first with a few edits.
pub(crate) fn pair(scheme: Scheme, chance: &mut Chance) -> (String, String) {
    let a = version(scheme, chance);
    let b = if chance.in_hundred(60) {
        edited(scheme, &a, chance)
    } else {
        version(scheme, chance)
    };
    (a, b)
}

/// A text made by the grammar of `scheme`, one in six damaged.
fn version(scheme: Scheme, chance: &mut Chance) -> String {
    let text = match scheme {
        Scheme::Dpkg => dpkg(chance),
        Scheme::Rpm | Scheme::Alpm => rpm(chance),
        Scheme::Apk => apk(chance),
        Scheme::Semver => semver(chance),
        Scheme::Pep440 => pep440(chance),
        Scheme::Maven => maven(chance),
        Scheme::Go => go(chance),
        Scheme::Gem => gem(chance),
        Scheme::Composer => composer(chance),
        Scheme::NuGet => nuget(chance),
        Scheme::Hex | Scheme::Pub | Scheme::Cargo => strict(chance),
        Scheme::Bitnami => bitnami(chance),
        Scheme::Cran => cran(chance),
        Scheme::Hackage => dotted(chance, 4, plain),
        Scheme::Verbatim => number(chance),
    };
    if chance.in_hundred(16) {
        edited(scheme, &text, chance)
    } else {
        text
    }
}

/// `text` with one to three small changes.
pub(crate) fn edited(scheme: Scheme, text: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(3) {
        let place = chance.below(letters.len() + 1);
        let near = place.min(letters.len().saturating_sub(1));
        match chance.below(8) {
            0 if !letters.is_empty() => {
                letters.remove(near);
            }
            1 if !letters.is_empty() => letters.insert(near, letters[near]),
            2 if !letters.is_empty() && letters[near].is_ascii_digit() => {
                letters[near] = char::from(b'0' + u8::try_from(chance.below(10)).unwrap());
            }
            3 if !letters.is_empty() => {
                letters[near] = if letters[near].is_ascii_lowercase() {
                    letters[near].to_ascii_uppercase()
                } else {
                    letters[near].to_ascii_lowercase()
                };
            }
            4 if chance.in_hundred(20) => letters.truncate(place),
            5 => letters
                .splice(place..place, number(chance).chars())
                .for_each(drop),
            _ => {
                let word = chance.pick(words(scheme));
                letters.splice(place..place, word.chars()).for_each(drop);
            }
        }
    }
    letters.into_iter().collect()
}

/// What is likely to upset the order of a scheme.
pub(crate) fn words(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Dpkg => &[
            "~", "~~", "-", ":", "1:", "+", ".", "a", "Z", "~rc1", "+deb12u1", "-1", "0", "00",
            " ", "_", "^",
        ],
        Scheme::Rpm => &[
            "~", "^", "~~", "^^", "~^", "-", ":", "1:", "0:", "+", ".", "_", "a", "Z", "~rc1",
            "^git1", ".el9", "0", "00", " ", "é",
        ],
        Scheme::Apk => &[
            "_alpha", "_beta", "_pre", "_rc", "_cvs", "_svn", "_git", "_hg", "_p", "_foo", "-r",
            "-r0", "~", "~ab", ".", ".0", ".01", "a", "z", "A", "_", "-",
        ],
        Scheme::Semver | Scheme::Go => &[
            "-",
            "+",
            ".",
            "v",
            "=",
            "-rc",
            ".1",
            ".0",
            "-0",
            "-01",
            "+b",
            "alpha",
            "beta.2",
            " ",
            "+incompatible",
            "-20200101000000-abcdefabcdef",
            "_",
        ],
        Scheme::Pep440 => &[
            "a", "b", "rc", "c", "alpha", "beta", "pre", "preview", ".post", "post", "-", "rev",
            "r", ".dev", "dev", "+", "+local", "1!", "!", "v", "V", ".", "_", " ", ".0", "RC",
            "+ABC.1",
        ],
        Scheme::Maven => &[
            "alpha",
            "beta",
            "milestone",
            "rc",
            "cr",
            "snapshot",
            "ga",
            "final",
            "release",
            "sp",
            "a",
            "b",
            "m",
            "-",
            ".",
            "x",
            "RELEASE",
            "_",
            "0",
            "-0",
            ".0",
            ".ga",
            "-final",
            "é",
            "É",
            "~",
            " ",
        ],
        Scheme::Gem => &[
            ".", "-", "a", "b", "rc", ".rc", ".rc1", ".pre", "beta.2", ".0", ".0.0", "-1", "-x86",
            "Z", "_", " ", "+b", "--", "..",
        ],
        Scheme::Composer => &[
            "-",
            ".",
            "_",
            "v",
            "V",
            "dev",
            "-dev",
            ".dev",
            "dev-",
            "dev-main",
            "-beta",
            "b",
            "RC",
            "-rc.1",
            "a",
            "alpha",
            "-alpha2",
            "p",
            "pl",
            "-patch1",
            "stable",
            "-Stable",
            "@dev",
            "@beta",
            "+b",
            " as 1",
            ".x",
            ".*",
            ".x-dev",
            "master",
            "2010-01-02",
            "20200101",
            "-01",
            ":30",
            ".1.2",
            " ",
            "#",
        ],
        Scheme::NuGet => &[
            "-",
            "+",
            ".",
            "-rc",
            "-RC",
            ".1",
            ".0",
            "-0",
            "-01",
            "+b",
            "beta",
            "BETA",
            ".2",
            " ",
            "v",
            "-2147483648",
            ".2147483647",
            "_",
            "--1",
        ],
        Scheme::Hex | Scheme::Cargo | Scheme::Bitnami => &[
            "-", "+", ".", "v", "-rc", ".1", ".0", "-0", "-01", "+b", "alpha", "beta.2", " ", "-x",
            "X", ".x", "-1", "_",
        ],
        Scheme::Pub => &[
            "-",
            "+",
            ".",
            "v",
            "-rc",
            ".1",
            ".0",
            "-0",
            "-01",
            "+b",
            "+1",
            "+01",
            "alpha",
            "0x1f",
            "-0x1F",
            "--1",
            " ",
            "-9223372036854775808",
            "_",
        ],
        Scheme::Alpm => &[
            "-", "--", ":", "1:", "0:", "+", ".", "..", "_", "a", "Z", "rc1", ".rc", "~", "^",
            "-1", "0", "00", " ", "é",
        ],
        Scheme::Cran => &[".", "-", "0", "00", "-1", ".0", "a", " "],
        Scheme::Hackage => &[".", "0", ".0", ".1", "-", "a", "00"],
        Scheme::Verbatim => &["a", "."],
    }
}

/// A number as people write them, and as they do not.
fn number(chance: &mut Chance) -> String {
    match chance.below(40) {
        0..=19 => chance.below(4).to_string(),
        20..=29 => chance.below(30).to_string(),
        30..=32 => (2000 + chance.below(30)).to_string(),
        33 => format!("0{}", chance.below(12)),
        34 => "00".to_owned(),
        35 => format!("{}", 20_200_000 + chance.below(70_000)),
        36 => (99_999_998 + chance.below(4)).to_string() + chance.pick(&["", "9", "99"]),
        37 => "9007199254740991".to_owned() + chance.pick(&["", "1", "00000", "999999"]),
        38 => "1844674407370955161".to_owned() + &chance.below(10).to_string(),
        _ => "0".repeat(chance.below(22)) + &chance.below(2).to_string(),
    }
}

/// A number without leading zeros.
fn plain(chance: &mut Chance) -> String {
    let written = number(chance);
    match written.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

/// One to `most` parts, joined by dots.
fn dotted(chance: &mut Chance, most: usize, part: impl Fn(&mut Chance) -> String) -> String {
    let parts: Vec<String> = (0..=chance.below(most)).map(|_| part(chance)).collect();
    parts.join(".")
}

fn dpkg(chance: &mut Chance) -> String {
    let mut text = String::new();
    if chance.in_hundred(20) {
        text += &number(chance);
        text.push(':');
    }
    text += &dotted(chance, 4, number);
    for _ in 0..chance.below(3) {
        text += chance.pick(&[
            "~", "+", "~rc", "+dfsg", "a", "b", ".", "-", "~~", "+git", "+really",
        ]);
        text += &number(chance);
    }
    if chance.in_hundred(60) {
        text.push('-');
        text += &number(chance);
        if chance.in_hundred(40) {
            text += chance.pick(&["+deb12u", "ubuntu", "~bpo12+", "build", ".", "+b", "~"]);
            text += &number(chance);
        }
    }
    text
}

fn rpm(chance: &mut Chance) -> String {
    let mut text = String::new();
    if chance.in_hundred(20) {
        text += &number(chance);
        text.push(':');
    }
    text += &dotted(chance, 4, number);
    for _ in 0..chance.below(3) {
        text += chance.pick(&[
            "~", "^", "~rc", "^git", "a", "b", ".", "_", "+", "~~", "^^", "^~",
        ]);
        if chance.in_hundred(80) {
            text += &number(chance);
        }
    }
    if chance.in_hundred(60) {
        text.push('-');
        text += &number(chance);
        text += chance.pick(&[
            "",
            "",
            ".el9",
            ".el9_2",
            ".fc40",
            ".module_el8",
            "~1",
            "^1",
            ".x86",
        ]);
        if chance.in_hundred(30) {
            text += ".";
            text += &number(chance);
        }
    }
    text
}

fn apk(chance: &mut Chance) -> String {
    let mut text = dotted(chance, 4, number);
    if chance.in_hundred(25) {
        text += chance.pick(&["a", "b", "c", "z"]);
    }
    for _ in 0..chance.below(3) {
        text += chance.pick(&[
            "_alpha", "_beta", "_pre", "_rc", "_cvs", "_svn", "_git", "_hg", "_p",
        ]);
        if chance.in_hundred(60) {
            text += &number(chance);
        }
    }
    if chance.in_hundred(15) {
        text += chance.pick(&["~a", "~0", "~deadbeef", "~deadbeee", "~ab12"]);
    }
    if chance.in_hundred(60) {
        text += "-r";
        text += &number(chance);
    }
    text
}

fn identifier(chance: &mut Chance) -> String {
    match chance.below(6) {
        0..=2 => plain(chance),
        3 => chance
            .pick(&["alpha", "beta", "rc", "a", "b", "A", "next"])
            .to_owned(),
        4 => chance
            .pick(&["-", "--", "-1", "0a", "rc1", "rc10", "rc-1"])
            .to_owned(),
        _ => number(chance) + chance.pick(&["a", "-", "x"]),
    }
}

fn after_patch(chance: &mut Chance) -> String {
    let mut text = String::new();
    if chance.in_hundred(50) {
        text.push('-');
        text += &dotted(chance, 4, identifier);
    }
    if chance.in_hundred(20) {
        text.push('+');
        text += &dotted(chance, 3, identifier);
    }
    text
}

fn semver(chance: &mut Chance) -> String {
    let start = if chance.in_hundred(4) {
        chance.pick(&["v", "=", " ", "v ", "V"])
    } else {
        ""
    };
    format!(
        "{start}{}.{}.{}{}",
        plain(chance),
        plain(chance),
        plain(chance),
        after_patch(chance)
    )
}

fn go(chance: &mut Chance) -> String {
    let start = chance.pick(&["v", "v", ""]);
    if chance.in_hundred(15) {
        return format!("{start}{}", dotted(chance, 2, plain));
    }
    let end = match chance.below(10) {
        0 => "+incompatible".to_owned(),
        1 => format!("-0.2020010100000{}-abcdefabcdef", chance.below(10)),
        _ => after_patch(chance),
    };
    format!(
        "{start}{}.{}.{}{end}",
        plain(chance),
        plain(chance),
        plain(chance)
    )
}

fn pep440(chance: &mut Chance) -> String {
    let mut text = String::new();
    if chance.in_hundred(10) {
        text += chance.pick(&["v", "V", " ", " v"]);
    }
    if chance.in_hundred(10) {
        text += &number(chance);
        text.push('!');
    }
    text += &dotted(chance, 4, number);
    let separators = ["", "", ".", "-", "_"];
    let mut label = |text: &mut String, names: &[&str], percent: usize| {
        if chance.in_hundred(percent) {
            text.push_str(chance.pick(&separators));
            text.push_str(chance.pick(names));
            if chance.in_hundred(75) {
                text.push_str(chance.pick(&separators));
                text.push_str(&number(chance));
            }
        }
    };
    label(
        &mut text,
        &[
            "a", "alpha", "b", "beta", "c", "rc", "pre", "preview", "RC", "Alpha",
        ],
        40,
    );
    label(&mut text, &["post", "rev", "r", "Post"], 25);
    label(&mut text, &["dev", "DEV"], 25);
    if chance.in_hundred(5) {
        text.push('-');
        text += &number(chance);
    }
    if chance.in_hundred(20) {
        text.push('+');
        text += &number(chance);
        for _ in 0..chance.below(3) {
            text += chance.pick(&[".", "-", "_"]);
            text += &match chance.below(3) {
                0 => number(chance),
                1 => chance.pick(&["a", "abc", "B", "ubuntu"]).to_owned(),
                _ => number(chance) + chance.pick(&["a", "Z"]),
            };
        }
    }
    text
}

fn maven(chance: &mut Chance) -> String {
    let mut text = String::new();
    for place in 0..=chance.below(5) {
        if place > 0 {
            text += chance.pick(&[".", ".", "-", "-", "", "_"]);
        }
        if chance.in_hundred(65) {
            text += &number(chance);
        } else {
            text += chance.pick(&[
                "alpha",
                "beta",
                "milestone",
                "rc",
                "cr",
                "snapshot",
                "SNAPSHOT",
                "ga",
                "final",
                "Final",
                "release",
                "sp",
                "a",
                "b",
                "m",
                "x",
                "jre",
                "android",
                "RELEASE",
                "pfd",
            ]);
        }
    }
    text
}

fn gem(chance: &mut Chance) -> String {
    let mut text = dotted(chance, 4, number);
    for _ in 0..chance.below(3) {
        text += chance.pick(&[
            ".a", ".b", ".rc", ".pre", ".beta", ".alpha", "-", "-x", ".RC", ".", "-rc.", ".x86_",
        ]);
        if chance.in_hundred(70) {
            text += &number(chance);
        }
    }
    text
}

fn composer(chance: &mut Chance) -> String {
    match chance.below(20) {
        0 => return chance.pick(&["dev-", "DEV-", "dev-feature/"]).to_owned() + &number(chance),
        1 => {
            return chance
                .pick(&["master", "trunk", "default", "dev-main"])
                .to_owned();
        }
        2 => {
            let start = chance.pick(&["", "v"]);
            return format!(
                "{start}{}{}",
                dotted(chance, 3, plain),
                chance.pick(&[".x-dev", ".*-dev", "-dev", ".X-dev"])
            );
        }
        _ => {}
    }
    let mut text = chance.pick(&["", "", "", "v", "V"]).to_owned();
    if chance.in_hundred(15) {
        text += &(2000 + chance.below(30)).to_string();
        for _ in 0..=chance.below(6) {
            text += chance.pick(&["", ".", "-", ":"]);
            let day = chance.below(32);
            text += &[day / 10, day % 10].map(|digit| digit.to_string()).concat();
        }
        if chance.in_hundred(30) {
            text += chance.pick(&["", ".", "-"]);
            text += &chance.below(1500).to_string();
        }
    } else {
        text += &dotted(chance, 4, number);
    }
    if chance.in_hundred(55) {
        text += chance.pick(&["", "-", ".", "_"]);
        text += chance.pick(&[
            "alpha", "beta", "RC", "rc", "a", "b", "p", "pl", "patch", "stable", "Beta", "STABLE",
            "Alpha",
        ]);
        for _ in 0..chance.below(3) {
            text += chance.pick(&["", ".", "-"]);
            text += &number(chance);
        }
    }
    if chance.in_hundred(15) {
        text += chance.pick(&["-dev", ".dev", "dev", "-DEV"]);
    }
    if chance.in_hundred(6) {
        text += chance.pick(&["+build", "@dev", "@RC", "@stable", " as 2.0", "+a.b-1"]);
    }
    text
}

fn nuget(chance: &mut Chance) -> String {
    let numbers = dotted(chance, 4, number);
    numbers + &after_patch(chance)
}

fn strict(chance: &mut Chance) -> String {
    let numbers = [plain(chance), plain(chance), plain(chance)].join(".");
    numbers + &after_patch(chance)
}

fn bitnami(chance: &mut Chance) -> String {
    let numbers = [plain(chance), plain(chance), plain(chance)].join(".");
    match chance.below(3) {
        0 => format!("{numbers}-{}", plain(chance)),
        1 => numbers,
        _ => numbers + &after_patch(chance),
    }
}

fn cran(chance: &mut Chance) -> String {
    let start = dotted(chance, 4, number);
    start + chance.pick(&["", ".", "-"]) + &number(chance)
}
