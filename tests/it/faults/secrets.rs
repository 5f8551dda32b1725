//! No secret is kept or shown: not in the journal, the store, kept texts, answers or errors.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use changeover::machine::State;
use changeover::model::Phase;

use super::second::{program, said};
use crate::practice::{Lab, Operator};

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for index in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(index).copied().unwrap_or(0));
        }
        for index in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * index) & 63) as usize]);
            text.push(if index > chunk.len() { '=' } else { digit });
        }
    }
    text
}

fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|it| if keep(it) { char::from(it).to_string() } else { format!("%{it:02X}") })
        .collect()
}

/// The forms a secret travels in; of base64 the part that does not hang on what stands beside it.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let whole = base64(secret.as_bytes());
    let with_name = base64(format!("oauth2:{secret}").as_bytes());
    let middle = |text: &str| text[text.len() / 3..text.len() - 4].to_owned();
    vec![
        secret.to_owned(),
        percent(secret),
        json.trim_matches('"').to_owned(),
        middle(&whole),
        middle(&with_name),
    ]
}

/// Every file below a folder, read as bytes.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

fn holds(bytes: &[u8], form: &str) -> bool {
    bytes.windows(form.len()).any(|it| it == form.as_bytes())
}

/// Asserts that no form of a secret is in what was kept or shown; gives how many bytes were searched.
fn nothing_of(secrets: &[String], operator: &Operator, shown: &[(String, String)]) -> usize {
    let mut kept = BTreeMap::new();
    files(&operator.state, &mut kept);
    for (what, text) in shown {
        kept.insert(format!("shown by {what}"), text.clone().into_bytes());
    }
    for secret in secrets {
        for form in forms(secret) {
            assert!(form.len() > 5, "{form:?} is too short to be looked for");
            for (place, bytes) in &kept {
                assert!(!holds(bytes, &form), "{form:?} is in {place}");
            }
        }
    }
    kept.values().map(Vec::len).sum()
}

/// What a person types to bring a release to its end and to look at it.
fn typed(operator: &Operator) -> Option<Vec<&'static str>> {
    let life = operator.life();
    Some(match life.state {
        _ if life.record.roles.is_none() => vec!["init", "--yes"],
        State::Steady if life.record.now_releases("sydney") == Some("v4.3.4") => return None,
        State::Steady => vec![
            "release", "start", "v4.3.4", "--yes", "--waive", "windows", "--reason", "practice",
        ],
        State::Ready { at } if at.phase == Phase::Soak => {
            vec!["release", "accept", "--yes", "--reason", "practice"]
        }
        State::Ready { at } if at.phase == Phase::Validate && !life.record.approvals.is_empty() => {
            vec!["release", "next", "--confirm", "sydney"]
        }
        State::Asking { .. } if life.record.approvals.is_empty() => {
            vec!["--as", "curator-a", "release", "approve", "--yes"]
        }
        State::Asking { .. } => vec!["--as", "engineer-b", "release", "approve", "--yes"],
        State::Ready { .. } => vec!["release", "next", "--yes"],
        State::Doing { .. } | State::Settling { .. } | State::Halted { .. } => {
            vec!["run", "retry", "--yes"]
        }
    })
}

trait Releases {
    fn now_releases(&self, site: &str) -> Option<&str>;
}

impl Releases for changeover::machine::Record {
    fn now_releases(&self, site: &str) -> Option<&str> {
        self.releases.get(&site.into()).map(String::as_str)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_release_keeps_and_shows_no_secret() {
    let lab = Lab::start();
    let mut operator = Operator::new(&lab, "quiet");
    let url = format!("{}?key=announce-Key-77", operator.env["GIGADB_ANNOUNCE_URL"]);
    operator.env.insert("GIGADB_ANNOUNCE_URL".to_owned(), url);
    let mut shown = vec![];
    for _ in 0..40 {
        let Some(words) = typed(&operator) else { break };
        let ran = program(&operator, &[&["-vv"], &words[..]].concat()).output().unwrap();
        assert!(matches!(ran.status.code(), Some(0 | 7)), "{words:?}: {}", said(&ran));
        shown.push((words.join(" "), said(&ran)));
    }
    assert!(matches!(operator.life().state, State::Steady), "{:?}", operator.life().state);
    // The program writes its table where it was started: the operator's folder, not the clone.
    let table = std::fs::read_to_string(operator.state.join("docs/status.md")).unwrap();
    assert!(table.contains("current production"), "{table}");
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["status", "--look"],
        &["status", "--look", "--json"],
        &["audit", "log"],
        &["audit", "log", "--json"],
        &["run", "show", "1"],
    ] {
        let ran = program(&operator, words).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{words:?}: {}", said(&ran));
        shown.push((words.join(" "), said(&ran)));
    }
    let announced = lab.get("/_lab/calls?service=webhook");
    assert!(announced.to_string().contains("announce-Key-77"), "the secret address was used");
    let mut secrets: Vec<String> = ["CLOUDFLARE_API_TOKEN", "GITLAB_TOKEN"]
        .iter()
        .map(|it| operator.env[*it].clone())
        .collect();
    secrets.push("announce-Key-77".to_owned());
    let searched = nothing_of(&secrets, &operator, &shown);
    println!("{searched} bytes of state and answers searched");
    assert!(searched > 100_000);
}

/// A provider that says every credential back, in every form.
fn parrot(secrets: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0_u8; 8192];
            let read = stream.read(&mut request).unwrap_or(0);
            let heard = String::from_utf8_lossy(&request[..read]).into_owned();
            let each = |it: &String| {
                let basic = [base64(it.as_bytes()), base64(format!("oauth2:{it}").as_bytes())];
                forms(it).into_iter().take(3).chain(basic)
            };
            let mut said: Vec<String> = secrets.iter().flat_map(each).collect();
            said.push(heard);
            let said = said.join(" ");
            let body = serde_json::json!({ "success": false, "errors": [{ "code": 10000, "message": said }],
                "message": said, "error": said, "error_description": said })
            .to_string();
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nx-echo: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_says_our_secrets_back_is_not_quoted() {
    let lab = Lab::start();
    let mut operator = Operator::new(&lab, "parrot");
    operator.order("engineer-a", changeover::conductor::Command::Init).await.unwrap();
    let secrets =
        vec![r#"cf/T0ken+"quoted"=%41~x"#.to_owned(), r#"gl\pat+/&?"abc" 12=="#.to_owned()];
    let url = parrot(secrets.clone());
    for (key, value) in [
        ("CLOUDFLARE_BASE_URL", &url),
        ("CI_SERVER_URL", &url),
        ("CLOUDFLARE_API_TOKEN", &secrets[0]),
        ("GITLAB_TOKEN", &secrets[1]),
    ] {
        operator.env.insert(key.to_owned(), value.clone());
    }
    let mut shown = vec![];
    let lines: [&[&str]; 6] = [
        &[
            "-vv", "release", "start", "v4.3.4", "--yes", "--waive", "windows", "--reason",
            "practice",
        ],
        &["-vv", "run", "retry", "--yes", "--json"],
        &["status", "--json"],
        &["status", "--look", "--json"],
        &["audit", "log", "--json"],
        &["run", "logs"],
    ];
    for words in lines {
        let ran = program(&operator, words).output().unwrap();
        shown.push((words.join(" "), said(&ran)));
    }
    let all: String = shown.iter().map(|it| it.1.clone()).collect();
    assert!(
        all.contains("[secret]"),
        "something was quoted, and the secrets in it were struck out"
    );
    nothing_of(&secrets, &operator, &shown);
}
