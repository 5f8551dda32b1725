//! What GitLab says of the token: its user, its rights, the runners that take its jobs; and of a tag's signature.

use reqwest::Method;
use serde::Deserialize;
use url::Url;

use crate::actuator::gitlab::client::{Gitlab, absent};
use crate::actuator::trouble::Trouble;

/// Who the token is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    /// Its number.
    pub id: u64,
    /// Its login: the tag of the runners that take its jobs.
    pub username: String,
}

/// A runner as lists show it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Runner {
    /// Its number.
    pub id: u64,
    /// It takes no jobs for now.
    #[serde(default)]
    pub paused: bool,
}

/// A project as the token's user sees it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Project {
    #[serde(default)]
    permissions: Option<Permissions>,
}

#[derive(Clone, Debug, Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Clone, Debug, Deserialize)]
struct Access {
    access_level: u32,
}

impl Project {
    /// The higher of the levels that the project and its group give; none where the token is no member.
    pub(super) fn level(&self) -> Option<u32> {
        let permissions = self.permissions.as_ref()?;
        let both = [&permissions.project_access, &permissions.group_access];
        both.into_iter().flatten().map(|it| it.access_level).max()
    }
}

/// Tags that only some people may create, and so deploy.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Protected {
    /// A name, or a pattern with `*`.
    pub name: String,
    /// Who may; one of them is enough.
    #[serde(default)]
    pub create_access_levels: Vec<Allowed>,
}

/// One entry of who may.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Allowed {
    /// Everybody of this level and above; 0 is nobody.
    #[serde(default)]
    pub access_level: Option<u32>,
    /// This user.
    #[serde(default)]
    pub user_id: Option<u64>,
}

/// What GitLab made of a tag's signature.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Signature {
    /// For example `verified`.
    pub verification_status: String,
    /// For example `X509`.
    pub signature_type: String,
}

impl Gitlab {
    /// The token's user.
    pub(super) async fn user(&self) -> Result<User, Trouble> {
        // The path of a project is cut off again: this call belongs to none.
        let mut url: Url = self.url("", &[])?;
        url.set_path(&url.path().replace("/projects/", "/user"));
        self.one("gitlab user", Method::GET, url, None).await
    }

    /// Runners of a project that are online and take jobs with this tag.
    pub(super) async fn runners(&self, project: &str, tag: &str) -> Result<Vec<Runner>, Trouble> {
        let mut url = self.url(project, &["runners"])?;
        url.query_pairs_mut().extend_pairs([("status", "online"), ("tag_list", tag)]);
        self.all(&format!("gitlab runners {project}"), url).await
    }

    /// A project.
    pub(super) async fn project(&self, project: &str) -> Result<Project, Trouble> {
        let url = self.url(project, &[])?;
        self.one(&format!("gitlab project {project}"), Method::GET, url, None).await
    }

    /// What is said of protected tags.
    pub(super) async fn protected_tags(&self, project: &str) -> Result<Vec<Protected>, Trouble> {
        let url = self.url(project, &["protected_tags"])?;
        self.all(&format!("gitlab protected tags {project}"), url).await
    }

    /// What GitLab made of a tag's signature; `None` if it has none of the kinds that GitLab reads.
    pub(super) async fn signature(
        &self,
        project: &str,
        tag: &str,
    ) -> Result<Option<Signature>, Trouble> {
        let url = self.url(project, &["repository", "tags", tag, "signature"])?;
        absent(self.one(&format!("gitlab signature {tag}"), Method::GET, url, None).await)
    }
}
