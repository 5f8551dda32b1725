//! What stands behind the world's door: one folder or file per outside world.
//!
//! One exhaustive match joins a step's parameters to the code that does it. Every outside call goes
//! through [`Wire`], the one place for deadlines, the tap and redaction.

mod ahead;
mod aws;
mod backup;
mod by_hand;
mod cloudflare;
mod crontab;
mod database;
mod dns;
mod embargo;
mod gitlab;
mod host;
mod http;
mod job;
mod job_placed;
mod jobs_off;
mod marker;
mod notify;
mod sight;
mod site;
mod status_table;
mod survey;
mod tls;
mod tls_group;
mod traffic;
mod trouble;
mod warm;
mod window;
mod wire;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::machine::{Life, Record};
use crate::model::{Evidence, Owned, Sight, SiteName, Verdict, ZoneKept};
use crate::port::{
    Action, Asked, ByHand, Call, Check, Finding, Seen, Sent, Survey, Testimony, World,
};
use crate::workflow::Workflow;
use crate::workflow::step::Params;

pub use wire::{Allowance, Answer, NoAnswer, Spent, TimedOut, Wire};

/// All actuators, over one wire.
#[derive(Clone, Debug)]
pub struct Actuators {
    wire: Arc<Wire>,
    readings: Arc<traffic::Readings>,
    ahead: Arc<ahead::Ahead>,
}

impl Actuators {
    /// Actuators that reach the outside through this wire.
    pub fn new(wire: Arc<Wire>) -> Self {
        Self { wire, readings: Arc::default(), ahead: Arc::default() }
    }
}

#[async_trait]
impl World for Actuators {
    fn check(&self, call: Call) -> Box<dyn Check> {
        let wire = Arc::clone(&self.wire);
        match call.params.clone() {
            Params::AwsIdentity(it) => aws::identity::check(wire, call, it),
            Params::AwsEip(it) => aws::eip::check(wire, call, it),
            Params::AwsRds(it) => aws::rds::check(wire, call, it),
            Params::SwitchWhole(it) => cloudflare::whole::check(wire, call, it),
            Params::SwitchConfirm(it) => dns::confirm::check(wire, call, it),
            Params::Traffic(it) => traffic::check(wire, call, it),
            Params::Drained(it) => traffic::drained(wire, call, it, Arc::clone(&self.readings)),
            Params::DnsTtl(it) => dns::ttl::check(wire, call, it),
            Params::DnsDelegated(it) => dns::delegated::check(wire, call, it),
            Params::Tls(it) => tls::check(wire, call, it),
            Params::GitlabTag(it) => gitlab::tag::check(wire, call, it),
            Params::GitlabPipeline(it) => gitlab::pipeline::check(wire, call, it),
            Params::GitlabIdle(it) => gitlab::idle::check(wire, call, it),
            Params::HostImage(it) => host::image::check(wire, call, it),
            Params::HostFile(it) => host::file::check(wire, call, it),
            Params::Closed(it) => window::check(wire, call, it),
            Params::JobsOff(it) => jobs_off::check(wire, call, it),
            Params::Http(it) => http::check(wire, call, it),
            Params::BackupWhole(it) => backup::check(wire, call, it),
            Params::DatabaseTarget(it) => database::target(wire, call, it),
            Params::DatabaseEqual(it) => database::equal(wire, call, it),
            Params::DatabaseRows(it) => database::rows(wire, call, it),
            Params::DnsRecords(it) => cloudflare::records::check(wire, call, it),
            Params::DnsProxied(it) => cloudflare::proxied::check(wire, call, it),
            Params::DnsAged(it) => cloudflare::aged::check(wire, call, it),
            Params::DnsDnssec(it) => dns::dnssec::check(wire, call, it),
            Params::CloudflareToken(it) => cloudflare::token::check(wire, call, it),
            Params::SiteMarker(it) => marker::check(wire, call, it),
            Params::SiteWarm(it) => warm::check(wire, call, it),
            Params::SiteNames(it) => gitlab::names::check(wire, call, it),
            Params::TlsGroup(it) => tls_group::check(wire, call, it),
            Params::AwsRdsPending(it) => aws::pending::check(wire, call, it),
            Params::AwsRdsWindows(it) => aws::windows::check(wire, call, it),
            Params::AwsDaily(it) => aws::daily::check(wire, call, it),
            Params::AwsQuota(it) => aws::quota::check(wire, call, it),
            Params::JobsPlaced(it) => job_placed::check(wire, call, it),
            Params::GitlabSigned(it) => gitlab::signed::check(wire, call, it),
            Params::GitlabRunner(it) => gitlab::runner::check(wire, call, it),
            Params::GitlabRights(it) => gitlab::rights::check(wire, call, it),
            Params::HostDisk(it) => host::disk::check(wire, call, it),
            Params::HostMounted(it) => host::mounted::check(wire, call, it),
            Params::EmbargoHolds(it) => embargo::holds(wire, call, it),
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
            | Params::StatusRender(_) => Box::new(Misplaced(wire)),
        }
    }

    fn action(&self, call: Call) -> Box<dyn Action> {
        let wire = Arc::clone(&self.wire);
        match call.params.clone() {
            Params::GitlabVariables(it) => gitlab::variables::action(wire, call, it),
            Params::GitlabPlay(it) => gitlab::play::action(wire, call, it),
            Params::EmbargoOn(it) => embargo::on(wire, call, it),
            Params::EmbargoOff(it) => embargo::off(wire, call, it),
            Params::Announce(it) => notify::action(wire, call, it),
            Params::JobOff(it) => job::off(wire, call, it, Arc::clone(&self.ahead)),
            Params::JobOn(it) => job::on(wire, call, it),
            Params::AwsRdsSnapshot(it) => aws::snapshot::action(wire, call, it),
            Params::HostRun(it) => host::run::action(wire, call, it),
            Params::BackupCopy(it) => backup::copy(wire, call, it),
            Params::Move(it) => cloudflare::swap::action(wire, call, it),
            Params::StatusRender(it) => status_table::action(self.clone(), call, it),
            Params::AwsIdentity(_)
            | Params::AwsEip(_)
            | Params::AwsRds(_)
            | Params::SwitchWhole(_)
            | Params::SwitchConfirm(_)
            | Params::Traffic(_)
            | Params::Drained(_)
            | Params::DnsTtl(_)
            | Params::DnsDelegated(_)
            | Params::Tls(_)
            | Params::GitlabTag(_)
            | Params::GitlabPipeline(_)
            | Params::GitlabIdle(_)
            | Params::HostImage(_)
            | Params::HostFile(_)
            | Params::Closed(_)
            | Params::JobsOff(_)
            | Params::Http(_)
            | Params::BackupWhole(_)
            | Params::DatabaseTarget(_)
            | Params::DatabaseRows(_)
            | Params::DnsRecords(_)
            | Params::DnsProxied(_)
            | Params::DnsAged(_)
            | Params::DnsDnssec(_)
            | Params::CloudflareToken(_)
            | Params::SiteMarker(_)
            | Params::SiteWarm(_)
            | Params::SiteNames(_)
            | Params::TlsGroup(_)
            | Params::AwsRdsPending(_)
            | Params::AwsRdsWindows(_)
            | Params::AwsDaily(_)
            | Params::AwsQuota(_)
            | Params::JobsPlaced(_)
            | Params::GitlabSigned(_)
            | Params::GitlabRunner(_)
            | Params::GitlabRights(_)
            | Params::HostDisk(_)
            | Params::HostMounted(_)
            | Params::DatabaseEqual(_)
            | Params::EmbargoHolds(_) => Box::new(Misplaced(wire)),
        }
    }

    async fn addresses(
        &self,
        workflow: &Workflow,
        site: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        aws::eip::addresses(&self.wire, workflow, site).await
    }

    async fn survey(&self, workflow: &Workflow) -> Result<Survey, Vec<Evidence>> {
        survey::survey(self, &self.wire, workflow).await
    }

    async fn sight(&self, workflow: &Workflow, known: &Owned, deadline: Duration) -> Sight {
        sight::sight(&self.wire, workflow, known, deadline).await
    }

    async fn publish(&self, workflow: &Workflow, life: &Life, ask: bool) -> Result<(), Evidence> {
        status_table::publish(self, workflow, life, ask).await
    }

    async fn first_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        survey: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        cloudflare::marks::first(&self.wire, workflow, journal, survey).await
    }

    async fn counts(
        &self,
        workflow: &Workflow,
        site: &SiteName,
        queries: &[String],
    ) -> BTreeMap<String, String> {
        database::counts(&self.wire, workflow, site, queries).await
    }

    async fn kept(&self, workflow: &Workflow) -> Result<Vec<ZoneKept>, Evidence> {
        let client = cloudflare::Client::new(&self.wire, workflow, None)?;
        cloudflare::kept(&client, workflow).await
    }

    fn by_hand_setup(&self, workflow: &Workflow) -> String {
        by_hand::setup(&self.wire, workflow)
    }

    async fn by_hand(&self, call: Call) -> Result<Option<ByHand>, Vec<Evidence>> {
        by_hand::by_hand(&self.wire, call).await
    }

    fn ahead(&self, workflow: &Arc<Workflow>, record: &Record) {
        if let Some(to) = record.production().and_then(|lost| workflow.other(lost)) {
            self.ahead.begin(&self.wire, workflow, to);
        }
        // Certificates are read and the client is made while the machines answer.
        drop(self.wire.http());
    }

    async fn witness(&self, asked: &Asked) -> Testimony {
        witness::testimony(&self.wire, asked).await
    }

    async fn take_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        survey: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        cloudflare::marks::take(&self.wire, workflow, journal, survey).await
    }
}

/// A check where an action stands, or the other way round; the linter refuses such files.
#[derive(Debug)]
struct Misplaced(Arc<Wire>);

impl Misplaced {
    fn evidence(&self) -> Vec<Evidence> {
        vec![self.0.evidence("changeover", "this kind of step cannot stand here")]
    }
}

#[async_trait]
impl Check for Misplaced {
    async fn look(&self) -> Finding {
        Finding { verdict: Verdict::Unknown, evidence: self.evidence(), facts: vec![] }
    }
}

#[async_trait]
impl Action for Misplaced {
    async fn observe(&self) -> Seen {
        Seen::Failed { evidence: self.evidence() }
    }

    async fn apply(&self, _: &[crate::model::Change]) -> Sent {
        Sent::Refused { evidence: self.evidence() }
    }
}
