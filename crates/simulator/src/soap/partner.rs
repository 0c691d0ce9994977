//! The partner service, as far as old clients log in with it: login, getUserInfo, logout.

use super::{Answer, Operation, xml};
use crate::error::ApiError;
use crate::http::Call;
use crate::oauth::users;
use crate::org::sessions;
use roxmltree::Node;
use serde_json::{Value, json};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "login",
        open: true,
        run: login,
    },
    Operation::new("getUserInfo", |call, _| Ok(user_info(call, &call.user)?.into())),
    Operation::new("logout", logout),
];

fn login(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    if call.version >= 65 {
        return Err(ApiError::new(
            "INVALID_OPERATION",
            "SOAP API login() is disabled by default in this org.",
        ));
    }
    let username = xml::text(request, "username").unwrap_or_default();
    let password = xml::text(request, "password").unwrap_or_default();
    let user = users::by_password(call, &username, &password)?.ok_or_else(|| {
        ApiError::new(
            "INVALID_LOGIN",
            "Invalid username, password, security token; or user locked out.",
        )
    })?;
    let user = user.id;
    let token = sessions::grant_access(call.org, call.db, call.world.config.seed, &user, None, call.now)?;
    let origin = call.origin();
    let id = call.org_id_short();
    let version = call.version;
    Ok(json!({
        "metadataServerUrl": format!("{origin}/services/Soap/m/{version}.0/{id}"),
        "passwordExpired": false,
        "sandbox": call.org.kind.is_sandbox(),
        "serverUrl": format!("{origin}/services/Soap/u/{version}.0/{id}"),
        "sessionId": token,
        "userId": user,
        "userInfo": user_info(call, &user)?,
    })
    .into())
}

fn user_info(call: &Call<'_>, user: &str) -> Result<Value, ApiError> {
    let row = call.db.query_row(
        "SELECT u.Username, u.Name, u.Email, u.ProfileId, u.TimeZoneSidKey, u.LanguageLocaleKey, u.LocaleSidKey, o.Name
         FROM User u, Organization o WHERE u.Id = ?1",
        [user],
        |row| {
            (0..8)
                .map(|at| row.get::<_, Option<String>>(at))
                .collect::<Result<Vec<_>, _>>()
        },
    )?;
    let [name, full, email, profile, zone, language, locale, organization] = row.as_slice() else {
        return Err(ApiError::session());
    };
    Ok(json!({
        "organizationId": call.org.id,
        "organizationMultiCurrency": false,
        "organizationName": organization,
        "profileId": profile,
        "roleId": null,
        "sessionSecondsValid": 7200,
        "userEmail": email,
        "userFullName": full,
        "userId": user,
        "userLanguage": language,
        "userLocale": locale,
        "userName": name,
        "userTimeZone": zone,
        "userType": "Standard",
    }))
}

fn logout(call: &Call<'_>, _: Node<'_, '_>) -> Result<Answer, ApiError> {
    if let Some(token) = super::session(call) {
        sessions::revoke(call.db, &token, call.now)?;
    }
    Ok(Answer::default())
}
