//! Who may sign in elsewhere, as configured.

use seaworthy_access::{GroupRole, OidcOptions, Secret, SignInOptions};

use crate::failure::Hinted;

use super::sheet::Sheet;

/// Where browsers come back to.
const CALLBACK: &str = "/api/v1/session/oidc/callback";

/// What is believed of issuers.
pub(super) fn oidc(sheet: &Sheet, url: Option<&str>) -> anyhow::Result<OidcOptions> {
    Ok(OidcOptions {
        sign_in: sign_in(sheet, url)?,
        workload_issuers: list(sheet, "workload_issuers"),
    })
}

fn sign_in(sheet: &Sheet, url: Option<&str>) -> anyhow::Result<Option<SignInOptions>> {
    let text = |name| sheet.said(name).text.clone();
    let issuer = text("oidc_issuer");
    if issuer.is_empty() {
        return Ok(None);
    }
    let client_id = text("oidc_client_id");
    let Some(url) = url.filter(|_| !client_id.is_empty()) else {
        return Err(Hinted::error(
            "`oidc_issuer` is set, and `url` or `oidc_client_id` is not",
            "the issuer knows us by a client id and sends browsers back to `url`",
        ));
    };
    let groups_claim = text("oidc_groups_claim");
    Ok(Some(SignInOptions {
        issuer,
        client_id,
        client_secret: sheet.secret("oidc_client_secret")?.map(Secret::from),
        redirect_uri: format!("{url}{CALLBACK}"),
        scopes: list(sheet, "oidc_scopes"),
        name_claim: text("oidc_name_claim"),
        groups_claim: (!groups_claim.is_empty()).then_some(groups_claim),
        groups: groups(sheet)?,
    }))
}

fn groups(sheet: &Sheet) -> anyhow::Result<Vec<GroupRole>> {
    let refused = |text: &str| {
        Hinted::error(
            format!("`{text}` in `oidc_group_roles` says of no group which role it has"),
            "write `GROUP=ROLE` or `GROUP=ROLE@NAMESPACE`, such as `developers=pusher@team`",
        )
    };
    list(sheet, "oidc_group_roles")
        .into_iter()
        .map(|text| {
            // A group may have any name, also one with `=` in it.
            let (group, role) = text.rsplit_once('=').ok_or_else(|| refused(&text))?;
            let (role, namespace) = match role.split_once('@') {
                Some((role, namespace)) => (role, Some(namespace)),
                None => (role, None),
            };
            Ok(GroupRole {
                group: group.to_owned(),
                namespace: namespace
                    .map(str::parse)
                    .transpose()
                    .map_err(|_| refused(&text))?,
                role: role.parse().map_err(|_| refused(&text))?,
            })
        })
        .collect()
}

fn list(sheet: &Sheet, name: &'static str) -> Vec<String> {
    sheet
        .said(name)
        .text
        .split(',')
        .map(|it| it.trim().to_owned())
        .filter(|it| !it.is_empty())
        .collect()
}
