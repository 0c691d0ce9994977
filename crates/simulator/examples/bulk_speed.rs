//! How long a Bulk job of many contacts takes, and a query of them: `cargo run --release --example bulk_speed -- 1000000`.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;
use syncline_simulator::config::Config;
use syncline_simulator::http::{Reply, answer};
use syncline_simulator::org::{Org, OrgKind, Origin, sessions};
use syncline_simulator::world::World;

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let folder = std::env::args().nth(2).map(std::path::PathBuf::from);
    let config = Config {
        orgs: Vec::new(),
        ..Config::default()
    };
    let world = Arc::new(World::new(config, folder).expect("world"));
    let origin = Origin {
        http: "http://127.0.0.1:1".to_owned(),
        https: None,
    };
    let org = world.add_org("prod", OrgKind::Production, origin).expect("org");
    let token = {
        let state = org.lock();
        let sql = "SELECT \"Id\" FROM \"User\" WHERE \"Alias\" = 'admin'";
        let user: String = state.db.query_row(sql, [], |row| row.get(0)).expect("user");
        sessions::grant_access(&org, &state.db, 1, &user, None, world.clock.now()).expect("token")
    };
    let send = |method: Method, path: &str, body: String| -> Reply { send(&world, &org, &token, method, path, body) };

    let account = text(&send(Method::POST, "sobjects/Account", r#"{"Name":"Acme"}"#.to_owned()));
    let account = account.split('"').nth(3).unwrap_or_default().to_owned();
    let mut csv = String::from("FirstName,LastName,Email,Phone,AccountId,MailingCity\n");
    for n in 0..count {
        let _ = writeln!(csv, "First{n},Last{n},p{n}@acme.example,555-{n},{account},Lisbon");
    }
    let started = Instant::now();
    let job = send(
        Method::POST,
        "jobs/ingest",
        r#"{"object":"Contact","operation":"insert"}"#.to_owned(),
    );
    let job = text(&job).split('"').nth(3).unwrap_or_default().to_owned();
    send(Method::PUT, &format!("jobs/ingest/{job}/batches"), csv);
    println!("uploaded after {:.2?}", started.elapsed());
    send(
        Method::PATCH,
        &format!("jobs/ingest/{job}"),
        r#"{"state":"UploadComplete"}"#.to_owned(),
    );
    let done = text(&send(Method::GET, &format!("jobs/ingest/{job}"), String::new()));
    println!("inserted {count} after {:.2?}: {done}", started.elapsed());

    let started = Instant::now();
    let query = r#"{"operation":"query","query":"SELECT Id, Name, Email, Phone, AccountId, CreatedDate FROM Contact"}"#;
    let job = text(&send(Method::POST, "jobs/query", query.to_owned()))
        .split('"')
        .nth(3)
        .unwrap_or_default()
        .to_owned();
    let done = text(&send(Method::GET, &format!("jobs/query/{job}"), String::new()));
    println!("queried after {:.2?}: {done}", started.elapsed());
    let (mut locator, mut bytes, mut csv) = (String::new(), 0, String::from("Id,Phone\n"));
    loop {
        let page = send(
            Method::GET,
            &format!("jobs/query/{job}/results?locator={locator}"),
            String::new(),
        );
        bytes += page.body.len();
        for line in text(&page).lines().skip(1) {
            let _ = writeln!(csv, "{},1", line.split(',').next().unwrap_or_default());
        }
        let next = page.headers.iter().find(|(name, _)| *name == "Sforce-Locator");
        locator = next.map(|(_, value)| value.clone()).unwrap_or_default();
        if locator == "null" {
            break;
        }
    }
    println!("read {} MB after {:.2?}", bytes / 1_000_000, started.elapsed());

    let started = Instant::now();
    let job = send(
        Method::POST,
        "jobs/ingest",
        r#"{"object":"Contact","operation":"update"}"#.to_owned(),
    );
    let job = text(&job).split('"').nth(3).unwrap_or_default().to_owned();
    send(Method::PUT, &format!("jobs/ingest/{job}/batches"), csv);
    send(
        Method::PATCH,
        &format!("jobs/ingest/{job}"),
        r#"{"state":"UploadComplete"}"#.to_owned(),
    );
    let done = text(&send(Method::GET, &format!("jobs/ingest/{job}"), String::new()));
    println!("updated after {:.2?}: {done}", started.elapsed());
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        println!(
            "{}",
            status
                .lines()
                .filter(|line| line.starts_with("VmHWM"))
                .collect::<String>()
        );
    }
}

fn send(world: &Arc<World>, org: &Arc<Org>, token: &str, method: Method, path: &str, body: String) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().expect("token"));
    let path = format!("/services/data/v67.0/{path}");
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    answer(world, org, method, path, query, headers, Bytes::from(body))
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}
