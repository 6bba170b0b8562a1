//! Echo's list of vulnerabilities, which rebuilds packages of Debian.
//!
//! It maps source packages to vulnerabilities to the version that has the fix; a
//! version `0` says that no version is affected, and none that there is no fix.

use seaworthy_core::{
    AffectedInterval, Ecosystem, Fix, PackageKey, Scheme, Stance, Statement, Upper,
};
use serde_json::Value;

use super::element::{Place, each_element};
use super::{Content, Intake, VendorError};
use crate::osv::is_id;

/// Reads `data.json`.
pub(crate) fn read(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_element(content, intake, Place::Map, &mut |name, element, intake| {
        let Some(cases) = element.as_object().filter(|_| is_id(name)) else {
            intake.refuse(name, "not a package with vulnerabilities");
            return Ok(());
        };
        for (id, case) in cases {
            match stance(id, case) {
                Ok(stance) => intake.gathered(id)?.statements.push(Statement {
                    about: PackageKey {
                        ecosystem: Ecosystem::family_only("Echo"),
                        name: name.into(),
                    },
                    stance,
                }),
                Err(why) => intake.refuse(&format!("{name} {id}"), why),
            }
        }
        Ok(())
    })
}

fn stance(id: &str, case: &Value) -> Result<Stance, &'static str> {
    if !is_id(id) {
        return Err("not an id");
    }
    let case = case.as_object().ok_or("it says nothing")?;
    let upper = match case.get("fixed_version") {
        None | Some(Value::Null) => Upper::Open,
        Some(Value::String(version)) if version == "0" => {
            return Ok(Stance::NotAffected {
                why: "Echo counts no version as affected".into(),
            });
        }
        Some(Value::String(version)) if Scheme::Dpkg.check(version).is_ok() => {
            Upper::Fixed(version.as_str().into())
        }
        Some(_) => return Err("`fixed_version` is not a version"),
    };
    Ok(Stance::Affected {
        intervals: vec![AffectedInterval { from: None, upper }],
        versions: Vec::new(),
        fix: Fix::AsRanges,
    })
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::{shared_lines, told, withstands_damage};
    use super::*;

    #[test]
    fn a_fix_its_absence_and_zero_are_told_apart() {
        let text = r#"{"a": {"CVE-2020-1": {}, "CVE-2020-2": {"fixed_version": "0"}, "CVE-2020-3": {"fixed_version": "1:2-1"}},
            "b": {"CVE-2020-1": {"fixed_version": null}, "CVE-2020-4": {"fixed_version": 7}, "x y": {}, "CVE-2020-5": []},
            "c d": {}, "e": 7}"#;
        insta::assert_snapshot!(told(read, "echo/data.json", text.as_bytes()), @r"
        CVE-2020-1 
          Echo a: [..)
          Echo b: [..)
        CVE-2020-2 
          Echo a: not affected (Echo counts no version as affected)
        CVE-2020-3 
          Echo a: [..1:2-1)
        refused b CVE-2020-4: `fixed_version` is not a version
        refused b CVE-2020-5: it says nothing
        refused b x y: not an id
        refused c d: not a package with vulnerabilities
        refused e: not a package with vulnerabilities
        ");
    }

    #[test]
    fn the_shared_list_is_read() {
        let telling = ["CVE-2025-4084", "CVE-2025-4091"];
        let Some(said) = shared_lines("echo/data", &telling) else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        echo/data: 1 parts, 3 records, 4 statements, 0 refused
        CVE-2025-4084 
          Echo firefox-esr: not affected (Echo counts no version as affected)
        CVE-2025-4091 
          Echo firefox: [..)
          Echo firefox-esr: [..128.10.0esr-1~deb12u1)
        ");
    }

    #[test]
    fn a_damaged_list_is_read_or_refused() {
        let sample = br#"{"a": {"CVE-2020-1": {}, "CVE-2020-3": {"fixed_version": "1:2-1"}}}"#;
        withstands_damage(read, "echo/data.json", sample);
    }
}
