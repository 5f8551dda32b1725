//! GitLab's API, version 4: the calls we make, typed, each sent once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::actuator::Wire;
use crate::actuator::trouble::Trouble;
use crate::fault::{E3601, E3602, E3603, E3604};
use crate::workflow::{Secret, Workflow};

/// Pages of a list that are read at most; a page has a hundred.
const PAGES_MAX: u32 = 10;
/// The longest answer read, in bytes.
const ANSWER_MAX: usize = 8 << 20;

/// A tag.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Tag {
    /// What an annotated tag says.
    pub message: Option<String>,
    /// The tag object, or the commit if it has none.
    pub target: String,
    /// The commit.
    pub commit: Commit,
}

/// A commit.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Commit {
    /// Its hash.
    pub id: String,
}

/// A pipeline.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pipeline {
    /// Grows with time.
    pub id: u64,
    /// The commit it was made for.
    pub sha: String,
}

/// One try of a job.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Job {
    /// Grows with time; a retry has a new one.
    pub id: u64,
    /// Its name in the pipeline.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// GitLab's word.
    pub status: Status,
    /// The pipeline goes on when it fails.
    #[serde(default)]
    pub allow_failure: bool,
}

/// What a job or a deployment is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Waits for a person.
    Manual,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Was stopped.
    Canceled,
    /// Was left out.
    Skipped,
    /// Waits for other jobs.
    Created,
    /// Is on its way: pending, running and the like.
    #[serde(other)]
    Active,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manual => "manual",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
            Self::Created => "created",
            Self::Active => "active",
        })
    }
}

/// A deployment to an environment.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Deployment {
    /// Grows with time.
    pub id: u64,
    /// The tag or branch.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The commit.
    pub sha: String,
    /// How it ended.
    pub status: Status,
    /// The job that made it.
    pub deployable: Option<Deployable>,
}

/// The job that made a deployment.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Deployable {
    /// Its name.
    pub name: String,
}

/// A variable's value.
#[derive(Clone, Debug, Deserialize)]
struct Variable {
    value: Option<String>,
}

/// What is done to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// A manual job is started.
    Play,
    /// A job that ended is made again.
    Retry,
}

impl Push {
    /// GitLab's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Retry => "retry",
        }
    }
}

/// The API of one GitLab.
#[derive(Debug)]
pub(super) struct Gitlab {
    wire: Arc<Wire>,
    http: Client,
    token: SecretString,
    deadline: Duration,
}

impl Gitlab {
    /// Opens it with the token of `GITLAB_TOKEN`.
    pub(super) fn open(wire: &Arc<Wire>, workflow: &Workflow) -> Result<Self, Trouble> {
        let deadline = workflow.limits.call.0;
        let token = wire
            .secret(&Secret::Env("GITLAB_TOKEN".to_owned()))
            .map_err(|says| Trouble::harmless(&E3601, "gitlab", says))?;
        let http = client(deadline).map_err(|says| Trouble::harmless(&E3602, "gitlab", says))?;
        Ok(Self { wire: Arc::clone(wire), http, token, deadline })
    }

    /// A tag; `None` if there is none.
    pub(super) async fn tag(&self, project: &str, tag: &str) -> Result<Option<Tag>, Trouble> {
        let url = self.url(project, &["repository", "tags", tag])?;
        absent(self.one(&format!("gitlab tag {tag}"), Method::GET, url, None).await)
    }

    /// The newest pipeline of a tag.
    pub(super) async fn pipeline(
        &self,
        project: &str,
        tag: &str,
    ) -> Result<Option<Pipeline>, Trouble> {
        let mut url = self.url(project, &["pipelines"])?;
        url.query_pairs_mut().extend_pairs([
            ("ref", tag),
            ("order_by", "id"),
            ("sort", "desc"),
            ("per_page", "20"),
        ]);
        let found: Vec<Pipeline> =
            self.one(&format!("gitlab pipelines {tag}"), Method::GET, url, None).await?;
        Ok(found.into_iter().max_by_key(|it| it.id))
    }

    /// All tries of all jobs of a pipeline.
    pub(super) async fn jobs(&self, project: &str, pipeline: u64) -> Result<Vec<Job>, Trouble> {
        let mut url = self.url(project, &["pipelines", &pipeline.to_string(), "jobs"])?;
        url.query_pairs_mut().append_pair("include_retried", "true");
        self.all(&format!("gitlab jobs {project}"), url).await
    }

    /// The newest deployments to the environment, in this state.
    pub(super) async fn deployments(
        &self,
        project: &str,
        environment: &str,
        status: &str,
    ) -> Result<Vec<Deployment>, Trouble> {
        let mut url = self.url(project, &["deployments"])?;
        url.query_pairs_mut().extend_pairs([
            ("environment", environment),
            ("status", status),
            ("order_by", "id"),
            ("sort", "desc"),
            ("per_page", "100"),
        ]);
        self.one(&format!("gitlab deployments {project}"), Method::GET, url, None).await
    }

    /// The value of a variable in a scope; `None` if it has none.
    pub(super) async fn variable(
        &self,
        project: &str,
        key: &str,
        scope: &str,
    ) -> Result<Option<String>, Trouble> {
        let url = self.variable_url(project, Some(key), scope)?;
        let found: Result<Variable, _> =
            self.one(&format!("gitlab variable {key}"), Method::GET, url, None).await;
        Ok(absent(found)?.map(|it| it.value.unwrap_or_default()))
    }

    /// Sets a variable that is there. Sent once.
    pub(super) async fn change_variable(
        &self,
        project: &str,
        key: &str,
        scope: &str,
        value: &str,
    ) -> Result<(), Trouble> {
        let url = self.variable_url(project, Some(key), scope)?;
        let body = json!({ "value": value });
        let label = format!("gitlab put {key}");
        self.one::<Value>(&label, Method::PUT, url, Some(body)).await.map(drop)
    }

    /// Makes a variable that is missing. Sent once.
    pub(super) async fn create_variable(
        &self,
        project: &str,
        key: &str,
        scope: &str,
        value: &str,
    ) -> Result<(), Trouble> {
        let url = self.url(project, &["variables"])?;
        let body = json!({ "key": key, "value": value, "environment_scope": scope });
        let label = format!("gitlab post {key}");
        self.one::<Value>(&label, Method::POST, url, Some(body)).await.map(drop)
    }

    /// Plays or retries a job. Sent once.
    pub(super) async fn push(
        &self,
        project: &str,
        push: Push,
        job: u64,
        name: &str,
    ) -> Result<Job, Trouble> {
        let url = self.url(project, &["jobs", &job.to_string(), push.word()])?;
        let body = (push == Push::Play).then(|| json!({}));
        self.one(&format!("gitlab {} {name}", push.word()), Method::POST, url, body).await
    }

    fn variable_url(&self, project: &str, key: Option<&str>, scope: &str) -> Result<Url, Trouble> {
        let mut url = self.url(project, &[&["variables"], key.as_slice()].concat())?;
        url.query_pairs_mut().append_pair("filter[environment_scope]", scope);
        Ok(url)
    }

    /// The address of something in a project; its path is one segment.
    pub(super) fn url(&self, project: &str, rest: &[&str]) -> Result<Url, Trouble> {
        let base = &self.wire.outside.gitlab;
        let bad = || Trouble::harmless(&E3602, "gitlab", format!("{base} is not an address"));
        let mut url = Url::parse(base).map_err(|_| bad())?;
        url.path_segments_mut()
            .map_err(|()| bad())?
            .pop_if_empty()
            .extend(["api", "v4", "projects", project])
            .extend(rest);
        Ok(url)
    }

    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        label: &str,
        url: Url,
    ) -> Result<Vec<T>, Trouble> {
        let mut found = Vec::new();
        for page in 1..=PAGES_MAX {
            let mut url = url.clone();
            url.query_pairs_mut()
                .append_pair("per_page", "100")
                .append_pair("page", &page.to_string());
            let items: Vec<T> = self.one(label, Method::GET, url, None).await?;
            let last = items.len() < 100;
            found.extend(items);
            if last {
                return Ok(found);
            }
        }
        Err(Trouble::new(&E3602, label, "more entries than can be read"))
    }

    pub(super) async fn one<T: DeserializeOwned>(
        &self,
        label: &str,
        method: Method,
        url: Url,
        body: Option<Value>,
    ) -> Result<T, Trouble> {
        let request =
            self.http.request(method, url).header("PRIVATE-TOKEN", self.token.expose_secret());
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        match self.wire.call(label, self.deadline, answer(request)).await {
            Ok(Ok((status, text))) => read(label, status, &text),
            Ok(Err(error)) => {
                // Without a connection nothing was sent.
                let harmless = error.is_connect();
                let says = format!("no answer: {}", error.without_url());
                Err(Trouble { harmless, ..Trouble::new(&E3602, label, says) })
            }
            Err(late) => Err(Trouble::new(&E3602, label, format!("no answer within {:?}", late.0))),
        }
    }
}

async fn answer(request: RequestBuilder) -> reqwest::Result<(u16, Vec<u8>)> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await? {
        text.extend_from_slice(&part);
        if text.len() > ANSWER_MAX {
            break;
        }
    }
    Ok((status, text))
}

fn read<T: DeserializeOwned>(label: &str, status: u16, text: &[u8]) -> Result<T, Trouble> {
    if (200..300).contains(&status) {
        return serde_json::from_slice(text)
            .map_err(|error| Trouble::new(&E3602, label, format!("an odd answer: {error}")));
    }
    let body: String = String::from_utf8_lossy(text).chars().take(300).collect();
    let says = format!("status {status}: {body}");
    Err(match status {
        401 | 403 => Trouble::harmless(&E3601, label, says),
        404 => Trouble::harmless(&E3604, label, says),
        400..=499 if status != 408 => Trouble::harmless(&E3603, label, says),
        _ => Trouble::new(&E3602, label, says),
    })
}

/// What is not there, as such.
pub(super) fn absent<T>(found: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match found {
        Err(trouble) if trouble.code == &E3604 => Ok(None),
        other => other.map(Some),
    }
}

/// A client that trusts what the operating system trusts and follows nothing.
fn client(deadline: Duration) -> Result<Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(deadline)
        .user_agent(concat!("changeover/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}
