//! The sites from outside: pages, certificates, deployments, times of day; and which kind is looked at how.

use changeover::model::{Change, Role, Verb};
use changeover::port::{Finding, Seen, Sent};
use changeover::workflow::step::Params;
use changeover::workflow::step::params::{GitlabPlay, GitlabVariables, Http};

use super::door::Act;
use super::earth::{DAY, Earth, MINUTE};
use super::gitlab::Status;
use super::lost::Gone;

/// What the pages of a site show of its newest rows.
const NEWEST: usize = 10;

/// What was there before a job was pushed: job, its state, awaited, its state, deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fence([String; 5]);

impl Fence {
    fn text(&self) -> String {
        self.0.join(" ")
    }

    fn parse(text: &str) -> Option<Self> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        words.try_into().ok().map(Self)
    }

    fn deployment(&self) -> u64 {
        self.0[4].parse().unwrap()
    }
}

impl Act {
    pub(crate) async fn look_at(&self) -> Finding {
        match &self.call.params {
            Params::SwitchWhole(it) => self.whole(it.owned).await,
            Params::SwitchConfirm(_) => self.confirm().await,
            Params::Tls(it) => self.certificate(&it.address, it.name.as_deref()).await,
            Params::Closed(_) => self.open_now().await,
            Params::Http(it) => self.page(it).await,
            Params::GitlabIdle(_) => {
                let busy =
                    self.door.read(None, |it, _| it.sites.iter().any(|it| it.gitlab.deploys()));
                self.holds(busy.await.map(|it| !it), "no deployment runs")
            }
            Params::AwsRds(_) => {
                let site = self.site(&self.call.production);
                let read = |it: &mut Earth, _| {
                    let now = it.now;
                    it.sites[site].snapshots.values().all(|(_, ready)| *ready <= now)
                };
                self.holds(
                    self.door.read_api(site, read).await,
                    "available, no snapshot in the making",
                )
            }
            Params::JobsOff(it) => self.jobs_off(&it.jobs).await,
            Params::BackupWhole(it) => self.backup_whole(it.newer_than.is_some()).await,
            Params::DatabaseTarget(_) => self.database_target().await,
            Params::DatabaseEqual(_) => self.database_equal().await,
            // What these look at is always well here; that nobody can look is not.
            Params::HostImage(_)
            | Params::HostFile(_)
            | Params::HostDisk(_)
            | Params::HostMounted(_) => {
                let mut seen = Ok(true);
                for site in 0..2 {
                    seen = seen.and(self.door.read(Some(site), |_, _| true).await);
                }
                self.holds(seen, "present")
            }
            Params::EmbargoHolds(_) => self.embargo_holds().await,
            Params::DatabaseRows(_) => self.rows_now().await,
            Params::Drained(_) => {
                let left = self.standby();
                let read = move |it: &mut Earth, _: bool| {
                    let (now, site) = (it.now, &it.sites[left]);
                    let comes = |record: &str| {
                        it.resolvers.iter().any(|any| any.leads_to(&site.addresses[record], now))
                    };
                    !comes("web") && !comes("files")
                };
                self.holds(self.door.read(Some(left), read).await, "nobody comes here any more")
            }
            // Reported, never judged.
            Params::Traffic(_) => self.holds(self.door.read(None, |_, _| true).await, "counted"),
            Params::JobsPlaced(_) => self.jobs_placed().await,
            Params::AwsDaily(it) => self.daily(it.age_max.as_seconds()).await,
            Params::SiteMarker(it) => {
                let address = it.address.clone();
                let read = move |it: &mut Earth, _: bool| {
                    it.owner("web", &address).is_some_and(|at| it.sites[at].speaks())
                };
                self.holds(self.door.read(None, read).await, "the site's own marker")
            }
            Params::TlsGroup(_) | Params::SiteWarm(_) => {
                let site = self.site(&self.call.standby);
                let read = move |it: &mut Earth, _: bool| answers(it, site, "gigadb.org");
                self.holds(self.door.read(None, read).await, "it answers under production's names")
            }
            Params::AwsIdentity(_)
            | Params::AwsEip(_)
            | Params::AwsQuota(_)
            | Params::AwsRdsPending(_)
            | Params::AwsRdsWindows(_) => {
                let silent = self.door.earth().sites.iter().any(|it| it.gone.contains(&Gone::Api));
                let read = self.door.read(None, |_, _| true).await;
                match read.map(|it| it && !silent) {
                    Ok(true) => self.found(true, "well"),
                    Ok(false) => self.dark("a region does not answer"),
                    Err(why) => self.dark(why),
                }
            }
            Params::CloudflareToken(_)
            | Params::DnsTtl(_)
            | Params::DnsDelegated(_)
            | Params::DnsRecords(_)
            | Params::DnsProxied(_)
            | Params::DnsAged(_)
            | Params::DnsDnssec(_)
            | Params::SiteNames(_)
            | Params::GitlabTag(_)
            | Params::GitlabPipeline(_)
            | Params::GitlabSigned(_)
            | Params::GitlabRunner(_)
            | Params::GitlabRights(_) => {
                self.holds(self.door.read(None, |_, _| true).await, "well")
            }
            Params::GitlabVariables(_)
            | Params::GitlabPlay(_)
            | Params::EmbargoOn(_)
            | Params::EmbargoOff(_)
            | Params::Announce(_)
            | Params::JobOff(_)
            | Params::JobOn(_)
            | Params::AwsRdsSnapshot(_)
            | Params::HostRun(_)
            | Params::BackupCopy(_)
            | Params::Move(_)
            | Params::StatusRender(_) => self.dark("an action is no check"),
        }
    }

    pub(crate) async fn observe_it(&self) -> Seen {
        match &self.call.params {
            Params::GitlabVariables(it) => self.variables_now(it).await,
            Params::GitlabPlay(it) => self.job_now(it).await,
            Params::EmbargoOn(_) | Params::EmbargoOff(_) => self.embargo_now().await,
            Params::Announce(it) => self.told_now(&it.text).await,
            Params::JobOff(it) => self.job_off_now(&it.job).await,
            Params::JobOn(it) => self.job_on_now(&it.job).await,
            Params::AwsRdsSnapshot(it) => self.snapshot_now(&it.name, &it.instance).await,
            Params::HostRun(it) => self.run_now(it).await,
            Params::BackupCopy(_) => self.copy_now().await,
            Params::Move(_) => self.switch_now().await,
            Params::StatusRender(it) => self.told_now(&it.file).await,
            // `look_at` makes whoever adds a kind decide what it is here.
            _ => self.failed("a check is no action"),
        }
    }

    pub(crate) async fn apply_it(&self, changes: &[Change]) -> Sent {
        match &self.call.params {
            Params::GitlabVariables(it) => self.set_variables(it, changes).await,
            Params::GitlabPlay(it) => self.push_job(it, changes).await,
            Params::EmbargoOn(_) => self.set_embargo(true).await,
            Params::EmbargoOff(_) => self.set_embargo(false).await,
            Params::Announce(_) | Params::StatusRender(_) => {
                self.request(None, Box::new(|_: &mut Earth| Ok(()))).await
            }
            Params::JobOff(it) => self.take_out(&it.job, changes).await,
            Params::JobOn(it) => self.put_in(&it.job).await,
            Params::AwsRdsSnapshot(it) => self.take_snapshot(&it.name).await,
            Params::HostRun(it) => self.run_it(it, changes).await,
            Params::BackupCopy(_) => self.copy_it(changes).await,
            Params::Move(_) => self.switch_moves(changes).await,
            _ => Sent::Refused { evidence: self.door.evidence("a check is no action") },
        }
    }

    pub(crate) fn holds(&self, read: Result<bool, String>, says: &str) -> Finding {
        match read {
            Ok(holds) => self.found(holds, says),
            Err(why) => self.dark(why),
        }
    }

    /// Announcements leave nothing that can be read: done once this object was told so.
    async fn told_now(&self, text: &str) -> Seen {
        if self.sent.lock().unwrap().is_some() {
            return self.done("told", vec![]);
        }
        self.todo(Verb::Tell, "people".to_owned(), None, text)
    }

    async fn certificate(&self, address: &str, name: Option<&str>) -> Finding {
        let address = address.trim_end_matches(":443").to_owned();
        let name = name.unwrap_or("gigadb.org").to_owned();
        let read = move |it: &mut Earth, _: bool| {
            it.owner("web", &address).is_some_and(|at| answers(it, at, &name))
        };
        self.holds(self.door.read(None, read).await, "the certificate covers it")
    }

    async fn open_now(&self) -> Finding {
        let closed = self.call.workflow.closed.clone();
        let read = move |it: &mut Earth, _: bool| {
            let started = u64::try_from(it.start.0 / 1000).unwrap();
            let (minute, day) = ((started + it.now) % DAY / MINUTE, (started + it.now) / DAY);
            // The first day of 1970 was a Thursday.
            let monday = day % 7 == 4;
            !closed.iter().any(|window| within(window, minute, monday))
        };
        self.holds(self.door.read(None, read).await, "outside closed windows")
    }

    async fn page(&self, with: &Http) -> Finding {
        let url = with.url.trim_start_matches("https://");
        let (name, path) = url.split_once('/').unwrap_or((url, ""));
        let (name, path) = (name.to_owned(), path.to_owned());
        let (address, body, same) = (with.address.clone(), with.body.clone(), with.same_as);
        let production = self.production();
        let read = move |it: &mut Earth, _: bool| {
            let now = it.now;
            // The operator's own resolver remembers like any other.
            let found = address.or_else(|| it.resolvers[0].ask(&it.zones, &name, now));
            let Some(at) = found.and_then(|found| it.owner("web", &found)) else {
                return (false, "it leads nowhere".to_owned());
            };
            let site = &it.sites[at];
            let shown =
                site.shown() && answers(it, at, &name) && (path.is_empty() || site.db.tables);
            let says = format!("Version: {}", site.version);
            let newest =
                |at: usize| it.sites[at].db.rows.iter().rev().take(NEWEST).collect::<Vec<_>>();
            let alike = same != Some(Role::Production) || newest(at) == newest(production);
            let right = body.as_ref().is_none_or(|body| says.starts_with(body.as_str()));
            let wanted = body.unwrap_or_default();
            let said = format!("{}: {shown}, {alike}, {says} for {wanted}", site.name);
            (shown && alike && right, said)
        };
        match self.door.read(None, read).await {
            Ok((holds, says)) => self.found(holds, says),
            Err(why) => self.dark(why),
        }
    }

    async fn variables_now(&self, with: &GitlabVariables) -> Seen {
        let (site, wanted) = (self.site(&self.call.standby), self.wanted_variables(with));
        let look = move |it: &mut Earth, _: bool| {
            let now = &it.sites[site].gitlab.variables;
            wanted
                .into_iter()
                .filter(|(key, value)| now.get(key) != Some(value))
                .collect::<Vec<_>>()
        };
        match self.door.read(None, look).await {
            Err(why) => self.unseen(why),
            Ok(missing) if missing.is_empty() => self.done("as wanted", vec![]),
            Ok(missing) => {
                let names: Vec<String> = missing.into_iter().map(|it| it.0).collect();
                self.todo(Verb::Change, names.join(","), None, "values of the role")
            }
        }
    }

    fn wanted_variables(&self, with: &GitlabVariables) -> Vec<(String, String)> {
        let value = |it: &changeover::workflow::PerRole| match with.r#as {
            Role::Production => it.production.clone(),
            Role::Standby | Role::Quarantined => it.standby.clone(),
        };
        self.call.workflow.variables.iter().map(|(key, it)| (key.clone(), value(it))).collect()
    }

    async fn set_variables(&self, with: &GitlabVariables, _: &[Change]) -> Sent {
        let (site, wanted) = (self.site(&self.call.standby), self.wanted_variables(with));
        let effect = move |it: &mut Earth| {
            it.sites[site].gitlab.variables.extend(wanted);
            Ok(())
        };
        self.request(None, Box::new(effect)).await
    }

    async fn job_now(&self, with: &GitlabPlay) -> Seen {
        let site = self.project_site(&with.project);
        let (tag, job, awaited) = (with.r#ref.clone(), with.job.clone(), with.r#await.clone());
        let look = move |it: &mut Earth, _: bool| {
            it.pipeline(site, &tag, &job, &awaited);
            let gitlab = &it.sites[site].gitlab;
            let (first, second) =
                (gitlab.newest(&tag, &job).unwrap(), gitlab.newest(&tag, &awaited).unwrap());
            let deployed = gitlab.deployed(&tag, &awaited);
            Fence([
                first.id.to_string(),
                first.status.word().to_owned(),
                second.id.to_string(),
                second.status.word().to_owned(),
                deployed.to_string(),
            ])
        };
        let now = match self.door.read(None, look).await {
            Ok(now) => now,
            Err(why) => return self.unseen(why),
        };
        let before = self.sent.lock().unwrap().clone().or_else(|| self.intended());
        match before.as_deref().and_then(Fence::parse) {
            Some(before) => self.job_after(with, &before, &now),
            None if self.has_sent() => self.unseen("the intent does not say what was there"),
            None => self.job_first(with, &now),
        }
    }

    fn project_site(&self, project: &str) -> usize {
        let earth = self.door.earth.lock().unwrap();
        earth.sites.iter().position(|it| it.project == project).unwrap()
    }

    /// What the open intent says was there before it.
    fn intended(&self) -> Option<String> {
        let open = self.call.record.intents.values().map(|it| &it.intent);
        let mut mine = open.filter(|it| it.op == self.call.op);
        mine.next()?.changes.first()?.old.clone()
    }

    fn job_first(&self, with: &GitlabPlay, now: &Fence) -> Seen {
        let (job, awaited) = (now.0[1].as_str(), now.0[3].as_str());
        if [job, awaited].contains(&Status::Running.word()) {
            return Seen::Foreign { evidence: self.door.evidence("runs, and not by us") };
        }
        self.todo(Verb::Run, with.job.clone(), Some(now.text()), "is played")
    }

    fn job_after(&self, with: &GitlabPlay, before: &Fence, now: &Fence) -> Seen {
        let busy = || Seen::Busy { evidence: self.door.evidence(now.text()) };
        if now.deployment() > before.deployment() {
            return self.done("deployed", vec![]);
        }
        if now.0[..2] == before.0[..2] {
            return self.job_first(with, before);
        }
        match (now.0[1].as_str(), now.0[3].as_str()) {
            ("running" | "created", _) => busy(),
            ("success", "running" | "created") => busy(),
            // What had ended is not started again by GitLab.
            ("success", _) if now.0[2..4] == before.0[2..4] => {
                self.todo(Verb::Run, with.r#await.clone(), Some(before.text()), "is made again")
            }
            ("success", "success") => busy(),
            (_, _) => self.failed(format!("a job failed: {}", now.text())),
        }
    }

    async fn push_job(&self, with: &GitlabPlay, changes: &[Change]) -> Sent {
        let site = self.project_site(&with.project);
        let name = changes[0].key.clone();
        let fence = changes[0].old.as_deref().and_then(Fence::parse).unwrap();
        let at = if name == with.job { 0 } else { 2 };
        let id: u64 = fence.0[at].parse().unwrap();
        let effect = move |it: &mut Earth| it.push(site, id).map(|_| ());
        match self.request(None, Box::new(effect)).await {
            // "Unplayable" may mean that an earlier request has landed: reading back tells.
            Sent::Refused { evidence } if evidence[0].says.contains("unplayable") => {
                Sent::Unknown { evidence }
            }
            other => other,
        }
    }
}

/// Whether a site answers as this name, certificate included: by what it was deployed with.
fn answers(earth: &Earth, at: usize, name: &str) -> bool {
    let site = &earth.sites[at];
    site.speaks()
        && (name.ends_with("gigadb.host")
            || site.deployed.get("REMOTE_HOSTNAME").is_some_and(|it| it == "gigadb.org"))
}

fn within(window: &str, minute: u64, monday: bool) -> bool {
    let (day, times) = window.split_once(' ').unwrap_or(("", window));
    let (from, to) = times.split_once('-').unwrap();
    let at = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u64>().unwrap() * 60 + minute.parse::<u64>().unwrap()
    };
    (day.is_empty() || monday) && (at(from)..at(to)).contains(&minute)
}
