//! Signing in with the browser: the web-server flow with PKCE and an answer to this machine.

use std::io;

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

use super::pkce::random_text;
use super::{App, Token, Verifier, token};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::secret::Secret;

/// The port that the sf CLI's app knows.
pub const DEFAULT_PORT: u16 = 1717;
/// The path of the callback that the sf CLI's app knows.
pub const CALLBACK_PATH: &str = "/OauthRedirect";

const ATTEMPTED: &str = "sign in with the browser";
/// A browser's request is shorter.
const LONGEST: usize = 16 * 1024;

/// A sign-in that waits for the browser. Show or open [`WebLogin::url`], then await [`WebLogin::finish`]; dropping it ends it.
#[derive(Debug)]
pub struct WebLogin {
    listeners: Vec<TcpListener>,
    app: App,
    host: Address,
    redirect: String,
    state: String,
    verifier: Verifier,
}

/// What a request to the callback means.
#[derive(Debug)]
enum Callback {
    Code(Secret<String>),
    Denied {
        error: String,
        description: String,
    },
    /// Another page, or a state that is not ours.
    Other,
}

impl WebLogin {
    /// Listens on this machine. The port has to be the one of the app's callback; 0 takes any.
    ///
    /// # Errors
    /// `bad_configuration` when something else uses the port.
    pub async fn start(app: App, host: Address, port: u16) -> Result<Self> {
        let first = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(|error| Error::Configuration {
                what: format!("port {port} of this machine cannot be used for the browser's answer: {error}"),
                hint: "end what uses it, or choose another port and add its callback address to the app",
            })?;
        let port = first.local_addr().map_err(|error| Error::io(ATTEMPTED, error))?.port();
        let mut listeners = vec![first];
        // Some browsers take localhost for the IPv6 address; machines without IPv6 have none.
        listeners.extend(TcpListener::bind(("::1", port)).await);
        Ok(Self {
            listeners,
            app,
            host,
            redirect: format!("http://localhost:{port}{CALLBACK_PATH}"),
            state: random_text()?,
            verifier: Verifier::random()?,
        })
    }

    /// Where the user signs in.
    pub fn url(&self) -> Result<String> {
        let wrong = || Error::argument("the login host has no address");
        let mut url = self.host.at("/services/oauth2/authorize").ok_or_else(wrong)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.app.id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("state", &self.state)
            .append_pair("prompt", "login")
            .append_pair("scope", "refresh_token api web")
            .append_pair("code_challenge", &self.verifier.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Waits for the browser and starts the session. How long is up to the caller.
    ///
    /// # Errors
    /// `login_refused` with `access_denied` when the user says no.
    pub async fn finish(self, http: &Http) -> Result<Token> {
        let code = self.code().await?;
        let verifier = Some(self.verifier.secret());
        exchange_code(http, &self.host, &self.app, &code, &self.redirect, verifier).await
    }

    /// The code that the browser brings. Connections are served side by side: browsers open some that they never use.
    async fn code(&self) -> Result<Secret<String>> {
        let mut calls = JoinSet::new();
        loop {
            let stream = tokio::select! {
                accepted = accept(&self.listeners) => accepted.map_err(|error| Error::io(ATTEMPTED, error))?,
                Some(call) = calls.join_next() => match call {
                    Ok(Ok(Callback::Code(code))) => return Ok(code),
                    Ok(Ok(Callback::Denied { error, description })) => {
                        return Err(Error::Login { attempted: ATTEMPTED.to_owned(), error, description });
                    }
                    // Other pages, and connections that broke.
                    _ => continue,
                },
            };
            calls.spawn(answer(stream, self.state.clone()));
        }
    }
}

async fn accept(listeners: &[TcpListener]) -> io::Result<TcpStream> {
    let (stream, _) = match listeners {
        [one, other, ..] => tokio::select! {
            accepted = one.accept() => accepted?,
            accepted = other.accept() => accepted?,
        },
        [one] => one.accept().await?,
        [] => return Err(io::Error::other("nothing listens")),
    };
    Ok(stream)
}

async fn answer(mut stream: TcpStream, state: String) -> io::Result<Callback> {
    let mut head = Vec::new();
    let read = async {
        while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LONGEST {
            if stream.read_buf(&mut head).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    timeout(Duration::from_secs(30), read).await??;
    let callback = read_callback(&String::from_utf8_lossy(&head), &state);
    let (status, text) = match &callback {
        Callback::Code(_) => ("200 OK", "You are signed in. You can close this page."),
        Callback::Denied { .. } => ("200 OK", "The sign-in was denied. You can close this page."),
        Callback::Other => ("404 Not Found", "Nothing is here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(callback)
}

fn read_callback(head: &str, state: &str) -> Callback {
    let target = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    let Some(url) = target.and_then(|target| Url::parse("http://localhost").ok()?.join(target).ok()) else {
        return Callback::Other;
    };
    if url.path() != CALLBACK_PATH {
        return Callback::Other;
    }
    let value = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let given = value("state");
    if let Some(error) = value("error")
        && given.as_deref().is_none_or(|given| given == state)
    {
        let description = value("error_description").unwrap_or_default();
        return Callback::Denied { error, description };
    }
    match value("code") {
        Some(code) if given.as_deref() == Some(state) => Callback::Code(code.into()),
        _ => Callback::Other,
    }
}

/// Starts a session with a code from the browser or from `sandboxAuth`.
///
/// # Errors
/// `login_refused` when the code was used already or is too old.
pub async fn exchange_code(
    http: &Http,
    host: &Address,
    app: &App,
    code: &Secret<String>,
    redirect: &str,
    verifier: Option<&Secret<String>>,
) -> Result<Token> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose().as_str()),
        ("redirect_uri", redirect),
    ];
    if let Some(verifier) = verifier {
        form.push(("code_verifier", verifier.expose()));
    }
    token::request(http, host, "sign in with a code", app, &form).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks() {
        let check = |target: &str, expect: &str| {
            let callback = read_callback(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"), "s1");
            let told = match callback {
                Callback::Code(code) => format!("code {}", code.expose()),
                Callback::Denied { error, description } => format!("{error}: {description}"),
                Callback::Other => "other".to_owned(),
            };
            assert_eq!(told, expect, "{target}");
        };
        check("/OauthRedirect?code=aPrx%3D%3D&state=s1", "code aPrx==");
        check("/OauthRedirect?code=aPrx&state=s2", "other");
        check("/OauthRedirect?code=aPrx", "other");
        check("/favicon.ico", "other");
        check(
            "/OauthRedirect?error=access_denied&error_description=end-user+denied+authorization&state=s1",
            "access_denied: end-user denied authorization",
        );
        check("/OauthRedirect?error=access_denied&state=s2", "other");
        check("", "other");
    }

    #[tokio::test]
    async fn a_code_arrives_beside_unused_connections() {
        let host: Address = "https://test.salesforce.com".parse().unwrap();
        let login = WebLogin::start(App::platform_cli(), host, 0).await.unwrap();
        let url = Url::parse(&login.url().unwrap()).unwrap();
        let pairs: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs["code_challenge"], login.verifier.challenge());
        let redirect = Url::parse(&pairs["redirect_uri"]).unwrap();
        let address = ("127.0.0.1", redirect.port().unwrap());
        let _unused = TcpStream::connect(address).await.unwrap();
        let state = pairs["state"].clone();
        let browser = async {
            for (target, expect) in [
                ("/favicon.ico".to_owned(), "404"),
                (format!("{CALLBACK_PATH}?code=c1&state=wrong"), "404"),
                (format!("{CALLBACK_PATH}?code=c1&state={state}"), "200"),
            ] {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let request = format!("GET {target} HTTP/1.1\r\n\r\n");
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                assert!(answer.starts_with(&format!("HTTP/1.1 {expect}")), "{answer}");
            }
        };
        let (code, ()) = tokio::join!(login.code(), browser);
        assert_eq!(code.unwrap().expose(), "c1");
    }
}
