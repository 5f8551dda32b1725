//! What a kind of step means to the rules. A new kind does not compile until somebody says it here.

use crate::model::Role;
use crate::workflow::step::Params;
use crate::workflow::step::params::{GitlabPlay, GitlabTag, HostRun, Http, NewerThan, Proves, Tls};

/// What a step does, in the words of the rules.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed<'a> {
    /// A job is switched off.
    JobOff(&'a str),
    /// A job is switched on.
    JobOn(&'a str),
    /// Looks whether jobs are off.
    JobsLook,
    /// Writes are refused.
    Refuses,
    /// Writes are allowed.
    Allows,
    /// People are told.
    Tells(&'a str),
    /// A database is copied as it stands.
    Snapshot(&'a str),
    /// A command runs.
    Runs(&'a HostRun),
    /// Looks whether the backup is whole.
    BackupLook(Option<NewerThan>),
    /// Looks at production's newest dump.
    DailyLook,
    /// Looks for files on a host.
    FileLook(&'a [String]),
    /// Asks a URL.
    Asks(&'a Http),
    /// Looks at a certificate.
    Certificate(&'a Tls),
    /// Role variables are written.
    Variables(Role),
    /// A release is deployed.
    Deploys(&'a GitlabPlay),
    /// Looks for a tag.
    TagLook(&'a GitlabTag),
    /// Looks whether the zones are delegated.
    DelegationLook,
    /// Looks at the records' TTL.
    TtlLook,
    /// Looks whether a closed window is open.
    WindowLook,
    /// Looks at something else, or writes what no rule asks for.
    Other,
}

impl Deed<'_> {
    /// Whether it changes nothing and looks at the world from outside.
    pub(super) const fn asks(self) -> bool {
        matches!(self, Self::Asks(_) | Self::Certificate(_))
    }

    /// The command that overwrites data, if this is one.
    pub(super) fn load(&self) -> Option<&HostRun> {
        if let Self::Runs(it) = self { it.destructive.then_some(*it) } else { None }
    }

    /// The command that writes the run's backup, if this is one.
    pub(super) fn dump(&self) -> Option<&HostRun> {
        if let Self::Runs(it) = self {
            matches!(it.proves, Some(Proves::Backup(_))).then_some(*it)
        } else {
            None
        }
    }
}

/// What these parameters mean.
pub(super) fn deed(params: &Params) -> Deed<'_> {
    match params {
        Params::JobOff(it) => Deed::JobOff(&it.job),
        Params::JobOn(it) => Deed::JobOn(&it.job),
        Params::JobsOff(_) => Deed::JobsLook,
        Params::EmbargoOn(_) => Deed::Refuses,
        Params::EmbargoOff(_) => Deed::Allows,
        Params::Announce(it) => Deed::Tells(&it.text),
        Params::AwsRdsSnapshot(it) => Deed::Snapshot(&it.name),
        Params::HostRun(it) => Deed::Runs(it),
        Params::BackupWhole(it) => Deed::BackupLook(it.newer_than),
        Params::AwsDaily(_) => Deed::DailyLook,
        Params::HostFile(it) => Deed::FileLook(&it.paths),
        Params::Http(it) => Deed::Asks(it),
        Params::Tls(it) => Deed::Certificate(it),
        Params::GitlabVariables(it) => Deed::Variables(it.r#as),
        Params::GitlabPlay(it) => Deed::Deploys(it),
        Params::GitlabTag(it) => Deed::TagLook(it),
        Params::DnsDelegated(_) => Deed::DelegationLook,
        Params::DnsTtl(_) => Deed::TtlLook,
        Params::Closed(_) => Deed::WindowLook,
        Params::AwsIdentity(_)
        | Params::SwitchWhole(_)
        | Params::SwitchConfirm(_)
        | Params::AwsEip(_)
        | Params::AwsRds(_)
        | Params::GitlabPipeline(_)
        | Params::GitlabIdle(_)
        | Params::HostImage(_)
        | Params::DatabaseTarget(_)
        | Params::DatabaseEqual(_)
        | Params::BackupCopy(_)
        | Params::Move(_)
        | Params::EmbargoHolds(_)
        | Params::Traffic(_)
        | Params::Drained(_)
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
        | Params::AwsQuota(_)
        | Params::JobsPlaced(_)
        | Params::GitlabSigned(_)
        | Params::GitlabRunner(_)
        | Params::GitlabRights(_)
        | Params::HostDisk(_)
        | Params::HostMounted(_)
        | Params::StatusRender(_) => Deed::Other,
    }
}
