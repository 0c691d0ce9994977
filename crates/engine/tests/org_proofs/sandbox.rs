//! A world with a sandbox, and connections to it that wait for nothing.

use std::sync::Arc;
use std::time::SystemTime;

use syncline_salesforce::auth::App;
use syncline_salesforce::{Clock, Connection, Http, Login, Options};
use syncline_simulator::config::{Config, OrgConfig};
use syncline_simulator::oauth::{apps, users};
use syncline_simulator::org::sessions;
use syncline_simulator::server;
use syncline_simulator::world::World;

/// The org that all proofs use.
pub const ORG: &str = "dev1";

/// A world with a production and one sandbox.
pub async fn world(seed: u64) -> Arc<World> {
    world_with(seed, |_| {}).await
}

/// The same with other settings.
pub async fn world_with(seed: u64, change: impl FnOnce(&mut Config)) -> Arc<World> {
    let org = |name: &str, kind: &str| OrgConfig {
        name: name.to_owned(),
        kind: kind.to_owned(),
        of: None,
    };
    let mut config = Config {
        seed,
        port: 0,
        orgs: vec![org("prod", "production"), org(ORG, "Developer")],
        ..Config::default()
    };
    change(&mut config);
    server::start(config, None).await.expect("a world")
}

/// A connection of the sandbox's administrator that can renew its session and waits for nothing.
pub async fn connect(world: &Arc<World>) -> Connection {
    let org = world.org(ORG).expect("the sandbox");
    let token = {
        let state = org.lock();
        let admin = users::first_admin(&state.db).expect("read").expect("an administrator");
        sessions::grant_refresh(&org, &state.db, 1, &admin.id, Some(apps::CLI), world.clock.now()).expect("a token")
    };
    let login = Login::RefreshToken {
        app: App::platform_cli(),
        host: org.origin.http.parse().expect("an address"),
        token: token.into(),
    };
    let mut options = Options::named(ORG);
    options.api_version = Some("66.0".parse().expect("a version"));
    options.clock = Clock::new(SystemTime::now, |_| Box::pin(std::future::ready(())));
    Connection::open(&Http::new().expect("a client"), login, options)
        .await
        .expect("a connection")
}
