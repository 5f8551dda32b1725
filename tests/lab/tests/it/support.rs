//! A practice cloud for one test, and small clients for its services.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// A running practice cloud; it is stopped at the end of the test.
pub(crate) struct Lab {
    child: Child,
    dir: PathBuf,
    env: BTreeMap<String, String>,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The head as it came.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// The emulator's program.
pub(crate) fn moto() -> String {
    std::env::var("CHANGEOVER_MOTO")
        .unwrap_or_else(|_| panic!("CHANGEOVER_MOTO names moto_server; scripts/test sets it"))
}

impl Lab {
    /// A practice cloud without AWS.
    pub(crate) fn start(name: &str, options: &[&str]) -> Self {
        let folder = format!("changeover-lab-{}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(folder);
        drop(fs::remove_dir_all(&dir));
        let child = Command::new(env!("CARGO_BIN_EXE_changeover-lab"))
            .args(["up", "--dir"])
            .arg(&dir)
            .args(options)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut lab = Self { child, dir, env: BTreeMap::new() };
        lab.until("ready", |lab| lab.dir.join("ready").exists());
        let text = fs::read_to_string(lab.dir.join("env.sh")).unwrap();
        for line in text.lines() {
            let (name, value) = line.trim_start_matches("export ").split_once('=').unwrap();
            lab.env.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
        lab
    }

    /// Waits until something holds.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < Duration::from_mins(2), "never {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
        start.elapsed()
    }

    /// A variable of `env.sh`.
    pub(crate) fn env(&self, name: &str) -> &str {
        self.env.get(name).unwrap()
    }

    /// One HTTP request; nothing when the connection is closed without an answer.
    pub(crate) fn http(&self, method: &str, url: &str, body: &str) -> Option<Answer> {
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut stream = TcpStream::connect(host).ok()?;
        let token = self.env("CLOUDFLARE_API_TOKEN");
        let private = self.env("GITLAB_TOKEN");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\nprivate-token: {private}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        answer(&mut stream)
    }

    /// A request to the control API.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/_lab/{path}", self.env("CHANGEOVER_LAB_URL"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.http(method, &url, &body).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// The world.
    pub(crate) fn world(&self) -> Value {
        self.control("GET", "world", &Value::Null)
    }

    /// Adds one fault.
    pub(crate) fn fault(&self, rule: &Value) {
        self.control("POST", "faults", rule);
    }

    /// A request to Cloudflare.
    pub(crate) fn cloudflare(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let url = format!("{}{path}", self.env("CLOUDFLARE_BASE_URL"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.http(method, &url, &body)
    }

    /// A request to GitLab about the standby's project.
    pub(crate) fn gitlab(&self, method: &str, path: &str, body: &Value) -> Answer {
        let project = "gigascience%2Fupstream%2Falt-gigadb-website";
        let url = format!("{}/api/v4/projects/{project}/{path}", self.env("CI_SERVER_URL"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.http(method, &url, &body).unwrap()
    }

    /// A command over the practice ssh.
    pub(crate) fn ssh(&self, alias: &str, command: &str, input: &str) -> Output {
        let mut child = Command::new(self.env("CHANGEOVER_SSH"))
            .args(["-T", "-o", "BatchMode=yes", alias, command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// What a command over the practice ssh prints; it must end well.
    pub(crate) fn says(&self, alias: &str, command: &str) -> String {
        let output = self.ssh(alias, command, "");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert!(output.status.success(), "{command}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// A page over HTTPS from the site at an address, under a name.
    pub(crate) fn https(&self, address: &str, name: &str, request: &str) -> Result<Answer, String> {
        let authority = CertificateDer::from_pem_file(self.env("SSL_CERT_FILE")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let port = self.env("CHANGEOVER_CONNECT_TO").rsplit(':').next().unwrap();
        let stream = TcpStream::connect(format!("{address}:{port}")).map_err(|e| e.to_string())?;
        let server = ServerName::try_from(name.to_owned()).unwrap();
        let client = ClientConnection::new(Arc::new(config), server).unwrap();
        let mut stream = StreamOwned::new(client, stream);
        let head = format!("{request} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).map_err(|error| error.to_string())?;
        answer(&mut stream).ok_or_else(|| "closed".to_owned())
    }

    /// The address that a record holds.
    pub(crate) fn address(&self, name: &str) -> String {
        let world = self.world();
        let zones = world["records"].as_object().unwrap().values();
        let mut records = zones.flat_map(|zone| zone.as_array().unwrap());
        let record = records.find(|r| r["name"] == name && r["type"] == "A").unwrap();
        record["content"].as_str().unwrap().to_owned()
    }

    /// The addresses of a list in `env.sh`.
    pub(crate) fn servers(&self, name: &str) -> Vec<SocketAddr> {
        self.env(name).split(',').map(|address| address.parse().unwrap()).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let binary = env!("CARGO_BIN_EXE_changeover-lab");
        drop(Command::new(binary).args(["down", "--dir"]).arg(&self.dir).status());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.dir));
    }
}

fn answer(stream: &mut impl Read) -> Option<Answer> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// A DNS answer, as far as tests look at it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// The response code.
    pub(crate) code: u8,
    /// The AA bit.
    pub(crate) authoritative: bool,
    /// The RA bit.
    pub(crate) recursion: bool,
    /// Answers: data and TTL.
    pub(crate) answers: Vec<(String, u32)>,
    /// Records in the authority section.
    pub(crate) authority: u16,
}

/// Asks a server over UDP (or TCP) for a type: 1 A, 2 NS, 6 SOA, 16 TXT.
pub(crate) fn look_up(server: SocketAddr, name: &str, kind: u16, tcp: bool) -> Option<Looked> {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend_from_slice(label.as_bytes());
    }
    query.push(0);
    query.extend_from_slice(&kind.to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    let mut answer = vec![0; 4096];
    let wait = Some(Duration::from_millis(500));
    if tcp {
        let mut stream = TcpStream::connect(server).ok()?;
        stream.set_read_timeout(wait).unwrap();
        let length = u16::try_from(query.len()).unwrap().to_be_bytes();
        stream.write_all(&[length.as_slice(), &query].concat()).ok()?;
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        answer.truncate(u16::from_be_bytes(length).into());
        stream.read_exact(&mut answer).ok()?;
    } else {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(wait).unwrap();
        socket.send_to(&query, server).unwrap();
        let (count, _) = socket.recv_from(&mut answer).ok()?;
        answer.truncate(count);
    }
    let word = |at: usize| u16::from_be_bytes([answer[at], answer[at + 1]]);
    let mut looked = Looked {
        code: answer[3] & 15,
        authoritative: answer[2] & 4 != 0,
        recursion: answer[3] & 128 != 0,
        authority: word(8),
        answers: Vec::new(),
    };
    let mut at = query.len();
    for _ in 0..word(6) {
        while answer[at] != 0 && answer[at] & 0xC0 == 0 {
            at += usize::from(answer[at]) + 1;
        }
        at += if answer[at] == 0 { 1 } else { 2 };
        let (kind, ttl, length) = (word(at), u32::from(word(at + 6)), usize::from(word(at + 8)));
        let data = &answer[at + 10..at + 10 + length];
        let text = match kind {
            1 => data.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
            16 => String::from_utf8_lossy(&data[1..]).into_owned(),
            _ => format!("{length} bytes"),
        };
        looked.answers.push((text, ttl));
        at += 10 + length;
    }
    Some(looked)
}

/// A batch that moves a zone's A records to an address and posts a mark.
pub(crate) fn move_batch(records: &Value, zone: &str, address: &str, mark: u32) -> Value {
    let moved = records.as_array().unwrap().iter().filter(|record| record["type"] == "A");
    let patches: Vec<Value> = moved
        .map(|r| {
            json!({"id": r["id"], "type": "A", "name": r["name"], "content": address, "ttl": 60,
                "proxied": false})
        })
        .collect();
    let mark = json!({"type": "TXT", "name": format!("_changeover-gigadb.{zone}"),
        "content": format!("\"e={mark}\""), "ttl": 60});
    json!({"patches": patches, "posts": [mark]})
}
