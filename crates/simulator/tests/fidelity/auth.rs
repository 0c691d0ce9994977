//! Logging in: items 12, 19 and 20, and what clients need of OAuth.

use crate::support::{Client, header, json, text, world};
use axum::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};
use syncline_simulator::oauth::{apps, jwt, users};

const TOKEN: &str = "/services/oauth2/token";
const ADMIN: &str = "admin@prod.example";

fn jwt_body(claims: &Value) -> String {
    let assertion = jwt::sign(claims, jwt::TEST_KEY).expect("signed");
    format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}")
}

fn claims(client: &Client, exp: Value) -> Value {
    json!({ "iss": apps::SIMULATOR, "sub": ADMIN, "aud": client.org.origin.http, "exp": exp })
}

fn seconds(client: &Client) -> i64 {
    client.world.clock.now() / 1000
}

fn refused(client: &Client, body: &str) -> (u16, String, String) {
    let reply = client.post(TOKEN, body);
    let body = json(&reply);
    let part = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (reply.status, part("error"), part("error_description"))
}

#[tokio::test(flavor = "multi_thread")]
async fn item_12_oauth_errors_are_objects_and_rest_errors_are_arrays() {
    let world = world("stepped").await;
    let prod = Client::open(&world, "prod");
    assert_eq!(
        refused(&prod, "grant_type=password&client_id=nobody&username=a&password=b"),
        (
            400,
            "invalid_client_id".to_owned(),
            "client identifier invalid".to_owned()
        )
    );
    assert_eq!(refused(&prod, "grant_type=device&code=1").1, "unsupported_grant_type");
    let reply = prod.get("/services/data/v67.0");
    assert_eq!(reply.status, 401);
    assert_eq!(json(&reply)[0]["errorCode"], "INVALID_SESSION_ID");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_19_a_jwt_access_token_is_for_rest_only() {
    let world = world("stepped").await;
    let mut prod = Client::open(&world, "prod");
    {
        let state = prod.org.lock();
        let app = apps::find(&state.db, apps::SIMULATOR).expect("read").expect("app");
        let app = apps::App {
            jwt_tokens: true,
            ..app
        };
        apps::put(&state.db, &app).expect("kept");
    }
    let reply = prod.post(TOKEN, &jwt_body(&claims(&prod, json!(seconds(&prod) + 180))));
    let token = json(&reply)["access_token"].as_str().expect("token").to_owned();
    assert!(jwt::claims(&token).is_some() && !token.contains('!'));
    prod.token = Some(token.clone());
    assert_eq!(prod.get("/services/data/v67.0").status, 200);
    // What SOAP asks for.
    let state = prod.org.lock();
    let soap = syncline_simulator::org::sessions::user_of(&state.db, &token, "access").expect("read");
    assert_eq!(soap, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_20_the_expiry_of_an_assertion_is_taken_loosely() {
    let world = world("stepped").await;
    let prod = Client::open(&world, "prod");
    let now = seconds(&prod);
    for exp in [now + 180, now * 1000 + 300, now, now - 150] {
        let reply = prod.post(TOKEN, &jwt_body(&claims(&prod, json!(exp))));
        assert_eq!(reply.status, 200, "exp {exp}: {}", text(&reply));
    }
    assert_eq!(
        refused(&prod, &jwt_body(&claims(&prod, json!(now - 600)))),
        (400, "invalid_grant".to_owned(), "expired authorization code".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_login_gives_a_token_that_names_the_org() {
    let world = world("stepped").await;
    let prod = Client::open(&world, "prod");
    let exp = json!(seconds(&prod) + 180);
    let reply = prod.post(TOKEN, &jwt_body(&claims(&prod, exp.clone())));
    let body = json(&reply);
    let token = body["access_token"].as_str().expect("token");
    assert_eq!(token.split('!').next(), Some(&prod.org.id[..15]));
    assert_eq!(body["instance_url"], json!(prod.org.origin.http));
    assert!(body["issued_at"].is_string());
    assert!(body.get("refresh_token").is_none() && body.get("expires_in").is_none());

    for audience in [
        "https://login.salesforce.com",
        "https://test.salesforce.com/",
        &format!("{}/", prod.org.origin.http),
    ] {
        let mut with = claims(&prod, exp.clone());
        with["aud"] = json!(audience);
        assert_eq!(prod.post(TOKEN, &jwt_body(&with)).status, 200, "{audience}");
    }
    for (name, value, description) in [
        ("aud", "https://example.com", "audience is invalid"),
        ("sub", "nobody@prod.example", "invalid assertion"),
        ("iss", "nothing", "client identifier invalid"),
        ("iss", apps::CLI, "invalid assertion"),
    ] {
        let mut with = claims(&prod, exp.clone());
        with[name] = json!(value);
        assert_eq!(refused(&prod, &jwt_body(&with)).2, description);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jwt_needs_consent_unless_administrators_gave_it() {
    let world = world("stepped").await;
    let prod = Client::open(&world, "prod");
    {
        let state = prod.org.lock();
        let app = apps::find(&state.db, apps::SIMULATOR).expect("read").expect("app");
        let app = apps::App {
            pre_authorized: false,
            ..app
        };
        apps::put(&state.db, &app).expect("kept");
    }
    let login = jwt_body(&claims(&prod, json!(seconds(&prod) + 180)));
    assert_eq!(refused(&prod, &login).2, "user hasn't approved this consumer");
    let consent = format!(
        "grant_type=password&client_id={}&client_secret={}&username={ADMIN}&password={}&scope=api+refresh_token",
        apps::SIMULATOR,
        apps::SIMULATOR_SECRET,
        users::PASSWORD
    );
    assert_eq!(prod.post(TOKEN, &consent).status, 200);
    assert_eq!(prod.post(TOKEN, &login).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_flow_with_pkce_gives_tokens_once() {
    let world = world("stepped").await;
    let prod = Client::open(&world, "prod");
    let verifier = "a".repeat(171);
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    let redirect = "http%3A%2F%2Flocalhost%3A1717%2FOauthRedirect";
    let ask = format!(
        "/services/oauth2/authorize?response_type=code&client_id=PlatformCLI&redirect_uri={redirect}&state=5a&prompt=login\
         &scope=refresh_token%20api%20web&code_challenge={challenge}"
    );
    assert!(text(&prod.get(&ask)).contains("Allow access?"));
    let denied = prod.get(&format!("{ask}&approve=0"));
    assert_eq!(
        header(&denied, "location"),
        "http://localhost:1717/OauthRedirect?error=access%5Fdenied&error_description=end%2Duser+denied+authorization&state=5a"
    );
    let allowed = prod.get(&format!("{ask}&approve=1"));
    assert_eq!(allowed.status, 302);
    let code = header(&allowed, "location")
        .split_once("?code=")
        .and_then(|(_, rest)| rest.split_once('&'))
        .expect("code")
        .0
        .to_owned();
    let exchange = |verifier: &str, code: &str| {
        format!(
            "grant_type=authorization_code&client_id=PlatformCLI&code={code}&redirect_uri={redirect}&code_verifier={verifier}"
        )
    };
    let reply = prod.post(TOKEN, &exchange(&verifier, &code));
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let refresh = json(&reply)["refresh_token"]
        .as_str()
        .expect("refresh token")
        .to_owned();
    assert!(refresh.starts_with("5Aep861"));
    assert_eq!(
        refused(&prod, &exchange(&verifier, &code)).2,
        "expired authorization code"
    );

    let again = header(&prod.get(&format!("{ask}&approve=1")), "location").to_owned();
    let code = again
        .split_once("?code=")
        .and_then(|(_, r)| r.split_once('&'))
        .expect("code")
        .0;
    assert_eq!(refused(&prod, &exchange("wrong", code)).2, "invalid code verifier");

    let renew = format!("grant_type=refresh_token&client_id=PlatformCLI&refresh_token={refresh}");
    let renewed = json(&prod.post(TOKEN, &renew));
    assert!(renewed["access_token"].is_string() && renewed.get("refresh_token").is_none());
    let ended = prod.post("/services/oauth2/revoke", &format!("token={refresh}"));
    assert_eq!((ended.status, ended.body.len()), (200, 0));
    assert_eq!(refused(&prod, &renew).2, "expired access/refresh token");
    // With a refresh token end the access tokens it gave.
    let mut session = Client::open(&world, "prod");
    session.token = renewed["access_token"].as_str().map(str::to_owned);
    assert_eq!(session.get("/services/data/v67.0").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_says_who_the_token_stands_for() {
    let world = world("stepped").await;
    let prod = Client::admin(&world, "prod");
    let info = json(&prod.get("/services/oauth2/userinfo"));
    assert_eq!(info["organization_id"], json!(prod.org.id));
    assert_eq!(info["preferred_username"], ADMIN);
    let open = Client::open(&world, "prod");
    let user = info["user_id"].as_str().expect("user");
    let token = prod.token.as_deref().expect("token");
    let path = format!("/id/{}/{user}?format=json&oauth_token={token}", prod.org.id);
    assert_eq!(json(&open.get(&path))["username"], ADMIN);
    let reply = open.get("/services/oauth2/userinfo");
    assert_eq!((reply.status, text(&reply).as_str()), (403, "Bad_OAuth_Token"));
    let door = json(&prod.get("/services/oauth2/singleaccess"));
    assert!(
        door["frontdoor_uri"]
            .as_str()
            .is_some_and(|uri| uri.contains("/secur/frontdoor.jsp?sid="))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_and_inactive_users_lose_their_sessions() {
    let world = world("stepped").await;
    for change in [
        "UPDATE UserLogin SET IsFrozen = 1 WHERE UserId = (SELECT Id FROM User WHERE Alias = 'admin')",
        "UPDATE User SET IsActive = 0 WHERE Alias = 'admin'",
    ] {
        let prod = Client::admin(&world, "prod");
        assert_eq!(prod.get("/services/data/v67.0").status, 200);
        let changed = prod.org.lock().db.execute(change, []).expect("changed");
        assert_eq!(changed, 1);
        assert_eq!(prod.get("/services/data/v67.0").status, 401);
        let login = jwt_body(&claims(&prod, json!(seconds(&prod) + 180)));
        assert_eq!(refused(&prod, &login).2, "invalid assertion");
        prod.org
            .lock()
            .db
            .execute_batch("UPDATE UserLogin SET IsFrozen = 0; UPDATE User SET IsActive = 1")
            .expect("back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_are_for_the_orgs_own_host() {
    let world = world("stepped").await;
    let prod = Client::open(&world, "prod");
    let body = "grant_type=client_credentials";
    let basic =
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", apps::SIMULATOR, apps::SIMULATOR_SECRET));
    let basic = format!("Basic {basic}");
    let own = prod.send(Method::POST, TOKEN, &[("authorization", &basic)], body);
    assert_eq!(own.status, 200, "{}", text(&own));
    assert!(json(&own).get("refresh_token").is_none());
    let login = [("authorization", basic.as_str()), ("host", "login.salesforce.com")];
    assert_eq!(prod.send(Method::POST, TOKEN, &login, body).status, 400);
    assert_eq!(
        refused(
            &prod,
            "grant_type=client_credentials&client_id=syncline-simulator&client_secret=no"
        )
        .1,
        "invalid_client"
    );
}
