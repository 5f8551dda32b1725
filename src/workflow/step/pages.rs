//! The pages about kinds of checks: what each proves, what fails it, what to do.

/// Defines the list: each kind has a page under `docs/checks/`; one without does not compile.
macro_rules! pages {
    ($($kind:literal)+) => {
        /// Every kind with its page, in Markdown.
        pub static PAGES: &[(&str, &str)] =
            &[$(($kind, include_str!(concat!("../../../docs/checks/", $kind, ".md"))),)+];
    };
}

pages! {
    "aws.daily"
    "aws.eip"
    "aws.identity"
    "aws.quota"
    "aws.rds"
    "aws.rds.pending"
    "aws.rds.windows"
    "backup.whole"
    "closed"
    "cloudflare.token"
    "database.equal"
    "database.rows"
    "database.target"
    "dns.aged"
    "dns.delegated"
    "dns.dnssec"
    "dns.proxied"
    "dns.records"
    "dns.ttl"
    "drained"
    "embargo.holds"
    "gitlab.idle"
    "gitlab.pipeline"
    "gitlab.rights"
    "gitlab.runner"
    "gitlab.signed"
    "gitlab.tag"
    "host.disk"
    "host.file"
    "host.image"
    "host.mounted"
    "http"
    "jobs.off"
    "jobs.placed"
    "site.marker"
    "site.names"
    "site.warm"
    "switch.confirm"
    "switch.whole"
    "tls"
    "tls.group"
    "traffic"
}

/// The page about a kind of check.
pub fn page(kind: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == kind).map(|it| it.1)
}
