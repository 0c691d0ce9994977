//! Ending a session or a refresh token.

use super::token;
use crate::address::Address;
use crate::error::Result;
use crate::http::Http;
use crate::secret::Secret;

/// Revokes an access or refresh token (RFC 7009). A refresh token takes its sessions along.
///
/// # Errors
/// `login_refused` when the token is not known any more.
pub async fn revoke(http: &Http, host: &Address, token: &Secret<String>) -> Result<()> {
    let form = [("token", token.expose().as_str())];
    token::post(http, host, "sign out", "/services/oauth2/revoke", &form).await?;
    Ok(())
}
