//! The token may play jobs of a tag: it can push to the project, and create the tag where tags are protected.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::gitlab::account::{Protected, User};
use crate::actuator::gitlab::client::Gitlab;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::E3612;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::GitlabRights;

/// GitLab's number for a developer, who may push and play jobs.
const DEVELOPER: u32 = 30;

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: GitlabRights,
) -> Box<dyn Check> {
    Box::new(Rights { wire, call, with })
}

#[derive(Debug)]
struct Rights {
    wire: Arc<Wire>,
    call: Call,
    with: GitlabRights,
}

#[async_trait]
impl Check for Rights {
    async fn look(&self) -> Finding {
        self.read().await.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

impl Rights {
    async fn read(&self) -> Result<Finding, Trouble> {
        let gitlab = Gitlab::open(&self.wire, &self.call.workflow)?;
        let user = gitlab.user().await?;
        let (mut all, mut evidence) = (true, vec![]);
        for project in &self.with.projects {
            let source = format!("gitlab {project}");
            let level = gitlab.project(project).await?.level().unwrap_or(0);
            let protected = gitlab.protected_tags(project).await?;
            evidence.push(match forbids(&protected, &self.with.r#ref, &user, level) {
                None => {
                    let says = format!("{} may play jobs of {}", user.username, self.with.r#ref);
                    self.wire.evidence_with(&source, says, json!({ "level": level }))
                }
                Some(why) => {
                    all = false;
                    coded(&self.wire, &E3612, &source, format!("{} may not: {why}", user.username))
                }
            });
        }
        Ok(finding(verdict(all), evidence))
    }
}

/// Why this user may not play jobs of the tag; any rule that lets them is enough.
fn forbids(protected: &[Protected], tag: &str, user: &User, level: u32) -> Option<String> {
    if level < DEVELOPER {
        return Some(format!("their access level is {level}, below {DEVELOPER}"));
    }
    let mut rules = protected.iter().filter(|it| fits(&it.name, tag)).peekable();
    rules.peek()?;
    let lets = rules.flat_map(|it| &it.create_access_levels).any(|it| {
        it.user_id.map_or_else(
            || it.access_level.is_some_and(|wanted| wanted > 0 && wanted <= level),
            |id| id == user.id,
        )
    });
    (!lets).then(|| format!("{tag} is protected from their level, {level}"))
}

/// Whether a pattern with `*` fits the whole text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|it| it.0)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| fits(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Protected, User, fits, forbids};

    fn rule(name: &str, levels: &str) -> Protected {
        let text = format!(r#"{{"name": "{name}", "create_access_levels": {levels}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn patterns() {
        assert!(
            fits("v*", "v4.3.4") && fits("*", "") && fits("v*.4", "v4.3.4") && fits("v1", "v1")
        );
        assert!(!fits("v*", "4") && !fits("v1", "v12") && !fits("v*.5", "v4.3.4"));
    }

    #[test]
    fn one_rule_that_lets_is_enough() {
        let user = User { id: 7, username: "bot".into() };
        let forbids = |rules: &[Protected], level| forbids(rules, "v1", &user, level).is_some();
        assert!(!forbids(&[], 30) && forbids(&[], 20));
        let maintainers = rule("v*", r#"[{"access_level": 40}]"#);
        assert!(forbids(std::slice::from_ref(&maintainers), 30));
        assert!(!forbids(std::slice::from_ref(&maintainers), 40));
        let nobody = rule("v*", r#"[{"access_level": 0}]"#);
        assert!(forbids(std::slice::from_ref(&nobody), 50));
        assert!(!forbids(&[nobody, rule("*", r#"[{"user_id": 7}]"#)], 30));
    }
}
