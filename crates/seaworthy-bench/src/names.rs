//! Names and versions that images and advisories agree on.

use crate::dice::Dice;

/// Packages that advisories of one ecosystem speak of.
pub(crate) const KNOWN: usize = 11_667;

/// Of this many names in a thousand, advisories speak.
pub(crate) const PRESENT: usize = 600;

/// The name of a package. Numbers from [`KNOWN`] on are nobody's subject.
pub(crate) fn package(number: usize) -> String {
    let mut dice = Dice::of(number as u64 ^ 0xca11);
    let stems = [
        "lib", "python3-", "node-", "golang-", "fonts-", "", "", "", "ruby-", "perl-",
    ];
    let ends = ["", "", "-dev", "-common", "-data", "2", "-utils", "-core"];
    let stem = stems.get(dice.below(stems.len())).unwrap_or(&"");
    let end = ends.get(dice.below(ends.len())).unwrap_or(&"");
    let mut middle = String::new();
    let mut rest = number + 40;
    while rest > 0 {
        let syllables = [
            "ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo",
            "xu", "za",
        ];
        middle.push_str(syllables.get(rest % 16).unwrap_or(&"ba"));
        rest /= 16;
    }
    format!("{stem}{middle}{end}")
}

/// The numbers of `count` different installed packages.
pub(crate) fn installed(count: usize, seed: u64) -> Vec<usize> {
    let mut dice = Dice::of(seed);
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let number = if dice.happens(PRESENT) {
            dice.below(KNOWN)
        } else {
            KNOWN + dice.below(KNOWN)
        };
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

/// A version as dpkg writes them.
pub(crate) fn dpkg_version(dice: &mut Dice) -> String {
    let epoch = if dice.happens(120) { "1:" } else { "" };
    let revision = if dice.happens(400) {
        format!("{}+deb12u{}", 1 + dice.below(6), 1 + dice.below(4))
    } else {
        (1 + dice.below(9)).to_string()
    };
    format!("{epoch}{}-{revision}", three(dice))
}

/// A version as apk writes them.
pub(crate) fn apk_version(dice: &mut Dice) -> String {
    format!("{}-r{}", three(dice), dice.below(12))
}

/// A version as rpm writes them.
pub(crate) fn rpm_version(dice: &mut Dice) -> String {
    format!(
        "0:{}-{}.el9_{}",
        three(dice),
        1 + dice.below(60),
        dice.below(5)
    )
}

/// Three numbers.
pub(crate) fn three(dice: &mut Dice) -> String {
    format!("{}.{}.{}", dice.below(12), dice.below(30), dice.below(20))
}
