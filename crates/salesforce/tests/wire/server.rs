//! A socket that answers as a closure says, and can break connections.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use syncline_salesforce::auth::App;
use syncline_salesforce::{Clock, Connection, Http, Login, Options, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const ORG: &str = "00DD000000IRt53";
pub const OTHER_ORG: &str = "00DD000000IRt54";

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Call {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    pub fn token(&self) -> &str {
        let line = self
            .head
            .lines()
            .find(|line| line.to_lowercase().starts_with("authorization: bearer "));
        line.map_or("", |line| &line["authorization: bearer ".len()..])
    }
}

pub enum Reply {
    Json(u16, Value),
    Text(u16, Vec<(&'static str, String)>, String),
    /// Hangs up without a word.
    HangUp,
    /// Hangs up in the middle of the body.
    Cut(Vec<(&'static str, String)>, String),
}

impl Reply {
    pub fn ok(value: Value) -> Self {
        Self::Json(200, value)
    }

    pub fn fault(status: u16, code: &str, message: &str) -> Self {
        Self::Json(status, json!([{"errorCode": code, "message": message}]))
    }

    pub fn rows(rows: Value) -> Self {
        Self::ok(json!({"totalSize": 1, "done": true, "records": rows}))
    }

    pub fn token(access: &str, host: SocketAddr) -> Self {
        Self::ok(json!({
            "access_token": access, "instance_url": format!("http://{host}"), "token_type": "Bearer",
            "id": format!("https://test.salesforce.com/id/{}/005D000000IRt53", access.split('!').next().unwrap()),
        }))
    }
}

pub struct Server {
    pub address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    /// Answers each call with what the closure says; it also gets the address.
    pub async fn start(reply: impl Fn(&Call, SocketAddr) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (noted, reply) = (calls.clone(), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, reply) = (noted.clone(), reply.clone());
                tokio::spawn(async move { serve(stream, &noted, &*reply, address).await });
            }
        });
        Self { address, calls }
    }

    /// How many calls had this method, and this in path or query.
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| call.is(method, part))
            .count()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn login(&self) -> Login {
        Login::RefreshToken {
            app: App::platform_cli(),
            host: format!("http://{}", self.address).parse().unwrap(),
            token: "CANARY-refresh".into(),
        }
    }

    /// A connection to a sandbox that does not wait between attempts. Gives also the waits that were asked for.
    pub async fn connect(&self, change: impl FnOnce(&mut Options)) -> (Result<Connection>, Arc<Mutex<Vec<Duration>>>) {
        let waits = Arc::new(Mutex::new(Vec::new()));
        let noted = waits.clone();
        let mut options = Options::named("uat");
        options.api_version = Some("66.0".parse().unwrap());
        options.clock = Clock::new(SystemTime::now, move |wait| {
            noted.lock().unwrap().push(wait);
            Box::pin(std::future::ready(()))
        });
        change(&mut options);
        let http = Http::new().unwrap();
        (Connection::open(&http, self.login(), options).await, waits)
    }
}

/// The row of a sandbox, or of a production.
pub fn organization(is_sandbox: bool) -> Reply {
    Reply::rows(json!([{
        "Id": ORG, "Name": "Acme", "InstanceName": "CS1", "IsSandbox": is_sandbox, "TrialExpirationDate": null,
        "NamespacePrefix": null, "OrganizationType": "Enterprise Edition",
    }]))
}

/// What every org answers: tokens, and that it is a sandbox.
pub fn sandbox(call: &Call, host: SocketAddr) -> Option<Reply> {
    if call.is("POST", "/oauth2/token") {
        return Some(Reply::token(&format!("{ORG}!CANARY-access"), host));
    }
    call.is("GET", "FROM+Organization").then(|| organization(true))
}

async fn serve(
    mut stream: TcpStream,
    calls: &Mutex<Vec<Call>>,
    reply: &(dyn Fn(&Call, SocketAddr) -> Reply + Send + Sync),
    address: SocketAddr,
) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while bytes.len() < end + 4 + length.unwrap_or(0) {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let mut words = head.split(' ');
    let call = Call {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&bytes[end + 4..]).into_owned(),
        head,
    };
    calls.lock().unwrap().push(call.clone());
    let (status, headers, body, announced) = match reply(&call, address) {
        Reply::Json(status, body) => (
            status,
            vec![("content-type", "application/json".to_owned())],
            body.to_string(),
            0,
        ),
        Reply::Text(status, headers, body) => (status, headers, body, 0),
        Reply::Cut(headers, body) => (200, headers, body, 10),
        Reply::HangUp => return,
    };
    let mut text = format!(
        "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len() + announced
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(&body);
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}
