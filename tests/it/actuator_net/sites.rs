//! HTTP, TLS, announcements and the embargo against sites of our own.

use std::net::SocketAddr;
use std::sync::Arc;

use changeover::machine::{Embargo, Fact};
use changeover::model::{Time, Verdict};
use changeover::port::{Call, ConnectTo, Finding, Outside, Seen, Sent, World};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::stand_in::read;
use super::world::{JOURNAL, call, outside, params, record, setting, text};

/// An authority of our own, and the file that makes it trusted.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// Serves this page with a certificate for these names, valid until the end of 2030.
    async fn site(&self, names: &[&str], page: &'static str) -> SocketAddr {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = rcgen::date_time_ymd(2030, 12, 31);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let (line, head, _) = read(&mut stream).await?;
                    let host = head.lines().find_map(|it| it.strip_prefix("host: "))?.to_owned();
                    let status = if line.starts_with("GET /moved ") { 302 } else { 200 };
                    let body = format!("{page} for {host}");
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\nlocation: /\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.ok()?;
                    stream.shutdown().await.ok()
                });
            }
        });
        at
    }

    fn outside(&self) -> Outside {
        let mut outside = outside();
        let file = self.file.path().to_str().unwrap().to_owned();
        outside.env.insert("SSL_CERT_FILE".into(), file.into());
        outside
    }

    async fn look(&self, kind: &str, with: &str) -> Finding {
        setting(self.outside()).world.check(call(params(kind, with))).look().await
    }
}

/// An address at which nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_page_is_judged_by_status_and_text_under_the_urls_name() {
    let authority = Authority::new();
    let at = authority.site(&["gigadb.org"], "Version: v4.4.0").await;
    let page = |rest: &str| format!("{{ url: 'https://gigadb.org/x', address: '{at}', {rest} }}");
    for (rest, verdict) in [
        ("status: 200", Verdict::Pass),
        ("status: 200, body: 'Version: v4.4.0 for gigadb.org'", Verdict::Pass),
        ("status: 200, body: 'Version: v4.4.1'", Verdict::Fail),
        ("status: 404", Verdict::Fail),
    ] {
        let found = authority.look("http", &page(rest)).await;
        assert_eq!(found.verdict, verdict, "{rest}: {found:?}");
        assert_eq!(found.evidence[0].data["start"], "Version: v4.4.0 for gigadb.org");
    }
    let moved = format!("{{ url: 'https://gigadb.org/moved', address: '{at}', status: 302 }}");
    assert_eq!(authority.look("http", &moved).await.verdict, Verdict::Pass, "not followed");
}

#[tokio::test]
async fn no_answer_is_unknown_and_a_wrong_certificate_fails() {
    let authority = Authority::new();
    let page = |at| format!("{{ url: 'https://gigadb.org/', address: '{at}', status: 200 }}");
    let found = authority.look("http", &page(nobody().await)).await;
    assert_eq!(found.verdict, Verdict::Unknown);
    assert_eq!(found.evidence[0].data["unreachable"], true);

    let other = authority.site(&["alt-live.gigadb.host"], "x").await;
    let found = authority.look("http", &page(other)).await;
    assert_eq!(found.verdict, Verdict::Fail, "{found:?}");
    assert!(
        text(&found.evidence).contains("E3301")
            && text(&found.evidence).contains("not valid for name")
    );

    let untrusted = Authority::new().site(&["gigadb.org"], "x").await;
    let found = authority.look("http", &page(untrusted)).await;
    assert_eq!(found.verdict, Verdict::Fail, "{found:?}");
    assert!(text(&found.evidence).contains("invalid peer certificate"));
}

#[tokio::test]
async fn the_same_page_is_compared_with_the_other_sites_under_productions_name() {
    let authority = Authority::new();
    let hk = authority.site(&["gigadb.org"], "a feed").await;
    let same = authority.site(&["gigadb.org"], "a feed").await;
    let other = authority.site(&["gigadb.org"], "another feed").await;
    for (at, verdict) in [(same, Verdict::Pass), (other, Verdict::Fail)] {
        let with = format!(
            "{{ url: 'https://gigadb.org/rss', address: '{at}', status: 200, same_as: production }}"
        );
        let mut known = record();
        let addresses = known.addresses.get_mut(&"hk".into()).unwrap();
        addresses.insert("web".into(), hk.to_string());
        let call = Call { record: Arc::new(known), ..call(params("http", &with)) };
        let found = setting(authority.outside()).world.check(call).look().await;
        assert_eq!((found.verdict, found.evidence.len()), (verdict, 2), "{found:?}");
    }
}

#[tokio::test]
async fn connect_to_leads_names_and_addresses_elsewhere() {
    let authority = Authority::new();
    let at = authority.site(&["gigadb.org"], "hello").await;
    let mut rule =
        ConnectTo { host: None, port: Some(443), to_host: None, to_port: Some(at.port()) };
    let with = |rule: &ConnectTo| Outside { connect_to: vec![rule.clone()], ..authority.outside() };
    let look = async |outside: Outside, with: &str| {
        setting(outside).world.check(call(params("http", with))).look().await.verdict
    };
    let by_address = "{ url: 'https://gigadb.org/', address: '127.0.0.1', status: 200 }";
    assert_eq!(look(with(&rule), by_address).await, Verdict::Pass, "any host, another port");
    rule.host = Some("gigadb.org".into());
    rule.to_host = Some("127.0.0.1".into());
    let by_name = "{ url: 'https://gigadb.org/', status: 200 }";
    assert_eq!(look(with(&rule), by_name).await, Verdict::Pass);
    let elsewhere = "{ url: 'https://gigadb.org/', address: '127.0.0.9', status: 200 }";
    let found = look(with(&rule), elsewhere).await;
    assert_eq!(found, Verdict::Unknown, "a rule for the name does not lead away from an address");
}

#[tokio::test]
async fn certificates_are_verified_for_every_name() {
    let authority = Authority::new();
    let at = authority.site(&["gigadb.org", "*.gigadb.org"], "x").await;
    let with = |rest: &str| format!("{{ address: '{at}', {rest} }}");
    let found = authority.look("tls", &with("name: gigadb.org, days_min: 11")).await;
    assert_eq!(found.verdict, Verdict::Pass, "{found:?}");
    assert_eq!(found.evidence[0].data["days"], 1500, "from 2026-11-21 12:00 to 2030-12-31 00:00");
    let found = authority.look("tls", &with("name: gigadb.org, days_min: 1501")).await;
    assert_eq!(found.verdict, Verdict::Fail);
    let found = authority.look("tls", &with("days_min: 1")).await;
    assert_eq!((found.verdict, found.evidence.len()), (Verdict::Fail, 4), "{found:?}");
    assert!(found.evidence[3].source.contains("bastion.gigadb.host"));
    assert!(found.evidence[3].data["tls"].as_str().unwrap().contains("not valid for name"));
    let silent = format!("{{ address: '{}', name: gigadb.org, days_min: 1 }}", nobody().await);
    assert_eq!(authority.look("tls", &silent).await.verdict, Verdict::Unknown);
}

/// A webhook that answers with this status; 0 breaks the connection.
async fn webhook(status: u16) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook/s3cr3t-part", listener.local_addr().unwrap());
    let (sender, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (_, _, body) = read(&mut stream).await.unwrap();
            sender.send(body).unwrap();
            if status > 0 {
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url, received)
}

#[tokio::test]
async fn an_announcement_is_sent_once_an_attempt_and_carries_the_op_id() {
    for (status, sent) in [(200, "accepted"), (404, "refused"), (503, "unknown"), (0, "unknown")] {
        let (url, mut received) = webhook(status).await;
        let mut outside = outside();
        outside.env.insert("TEAM_URL".into(), url.clone().into());
        let world = setting(outside).world;
        let action = world.action(call(params("announce", "{ to: team, text: hello }")));
        let Seen::Todo { changes, .. } = action.observe().await else { panic!() };
        let answer = action.apply(&changes).await;
        let name = match &answer {
            Sent::Accepted { .. } => "accepted",
            Sent::Refused { .. } => "refused",
            Sent::Unknown { .. } => "unknown",
        };
        assert_eq!(name, sent, "{status}: {answer:?}");
        assert!(!format!("{answer:?}").contains("s3cr3t"), "{answer:?}");
        let done = matches!(action.observe().await, Seen::Done { .. });
        assert_eq!(done, sent == "accepted");
        let body: serde_json::Value =
            serde_json::from_str(&received.recv().await.unwrap()).unwrap();
        assert_eq!((&body["text"], &body["op_id"]), (&"hello".into(), &"0011".into()));
        assert!(received.try_recv().is_err(), "one attempt");
    }
}

#[tokio::test]
async fn an_embargo_is_a_fact_of_the_line_that_ends_its_step() {
    let world = setting(outside()).world;
    let on = call(params("embargo.on", "{ scope: [content, schema], expires: 12h }"));
    let action = world.action(on.clone());
    let Seen::Todo { changes, .. } = action.observe().await else { panic!() };
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    let Seen::Done { facts, .. } = action.observe().await else { panic!() };
    let now = Time::parse("2026-11-21T12:00:00Z").unwrap();
    let embargo = Embargo {
        run: 3,
        owner: String::new(),
        scope: vec!["content".into(), "schema".into()],
        reason: "release v4.4.0".into(),
        since: now,
        until: now.plus_seconds(12 * 60 * 60),
    };
    assert_eq!(facts, [Fact::EmbargoOn { site: "hk".into(), embargo: embargo.clone() }]);

    let mut known = record();
    assert_eq!(known.journal, JOURNAL);
    known.embargoes.insert("hk".into(), embargo);
    let laid = Call { record: Arc::new(known.clone()), ..on };
    assert!(
        matches!(world.action(laid).observe().await, Seen::Done { facts, .. } if facts.is_empty())
    );
    let off = Call { record: Arc::new(known), ..call(params("embargo.off", "{}")) };
    let action = world.action(off);
    let Seen::Todo { changes, .. } = action.observe().await else { panic!() };
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    let Seen::Done { facts, .. } = action.observe().await else { panic!() };
    assert_eq!(facts, [Fact::EmbargoOff { site: "hk".into() }]);
    let none = world.action(call(params("embargo.off", "{}"))).observe().await;
    assert!(matches!(none, Seen::Done { facts, .. } if facts.len() == 1));
}
