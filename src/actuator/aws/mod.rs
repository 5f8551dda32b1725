//! AWS: one client for each service and site, reads and single-shot requests.

pub(super) mod daily;
pub(super) mod eip;
pub(super) mod identity;
pub(super) mod pending;
pub(super) mod quota;
pub(super) mod rds;
pub(super) mod s3;
pub(super) mod snapshot;
pub(super) mod windows;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_rds::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use secrecy::ExposeSecret;

use crate::actuator::Wire;
use crate::actuator::trouble::Trouble;
use crate::fault::{E3501, E3502, E3503};
use crate::model::SiteName;
use crate::workflow::Workflow;

/// How often the SDK makes a read, within the call's deadline.
const ATTEMPTS: u32 = 3;

/// The way to one site's account and region.
#[derive(Debug)]
pub(super) struct Account<'a> {
    wire: &'a Wire,
    config: SdkConfig,
    endpoints: BTreeMap<&'static str, String>,
    deadline: Duration,
    /// The site's region.
    pub region: String,
}

/// Whether a call may be made again by the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It reads.
    Reads,
    /// It changes something: sent once, then read back.
    Once,
}

impl<'a> Account<'a> {
    /// Opens the way with the site's own profile. Credentials in the environment are never taken:
    /// they would make both sites one principal. Opening and one call cost some 6 ms: nothing is kept.
    ///
    /// # Errors
    /// The workflow does not know the site.
    pub(super) async fn open(
        wire: &'a Wire,
        workflow: &Workflow,
        site: &SiteName,
    ) -> Result<Self, Trouble> {
        let aws = &workflow
            .sites
            .get(site)
            .ok_or_else(|| Trouble::harmless(&E3501, "aws", format!("there is no site {site}")))?
            .aws;
        let region = Region::new(aws.region.clone());
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let files = profile_files(wire);
        let provider = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(http.clone());
        let credentials = ProfileFileCredentialsProvider::builder()
            .configure(&provider)
            .profile_name(&aws.profile)
            .profile_files(files.clone())
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(region)
            .profile_name(&aws.profile)
            .profile_files(files)
            .credentials_provider(credentials)
            .http_client(http)
            .load()
            .await;
        let endpoints = endpoints(wire);
        let deadline = workflow.limits.call.0;
        Ok(Self { wire, config, endpoints, deadline, region: aws.region.clone() })
    }

    /// The database service.
    pub(super) fn rds(&self, repeat: Repeat) -> aws_sdk_rds::Client {
        let mut config = aws_sdk_rds::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoint("RDS"));
        aws_sdk_rds::Client::from_conf(config.retry_config(Self::retry(repeat)).build())
    }

    /// The machines' service.
    pub(super) fn ec2(&self) -> aws_sdk_ec2::Client {
        let mut config = aws_sdk_ec2::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoint("EC2"));
        aws_sdk_ec2::Client::from_conf(config.build())
    }

    /// The service that says who we are.
    pub(super) fn sts(&self) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoint("STS"));
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// The object store, in the bucket's region.
    pub(super) fn s3(&self, region: &str, repeat: Repeat) -> aws_sdk_s3::Client {
        let endpoint = self.endpoint("S3");
        let mut config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(Region::new(region.to_owned()))
            // A stand-in has one address; buckets are not names under it.
            .force_path_style(endpoint.is_some());
        config.set_endpoint_url(endpoint);
        aws_sdk_s3::Client::from_conf(config.retry_config(Self::retry(repeat)).build())
    }

    /// Makes one call. `operation` is as AWS writes it: `rds DescribeDBInstances`.
    ///
    /// # Errors
    /// It gave no usable answer.
    pub(super) async fn call<T, E>(
        &self,
        operation: &str,
        work: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let label = format!("aws {operation} {}", self.region);
        match self.wire.call(&label, self.deadline, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Refusal::of(&label, &error)),
            Err(late) => {
                let says = format!("no answer within {:?}", late.0);
                Err(Refusal {
                    name: None,
                    status: None,
                    trouble: Trouble::new(&E3502, &label, says),
                })
            }
        }
    }

    /// Where this service is, if it is not where it always is; otherwise the profile may still say.
    fn endpoint(&self, service: &str) -> Option<String> {
        self.endpoints.get(service).or_else(|| self.endpoints.get("")).cloned()
    }

    fn retry(repeat: Repeat) -> RetryConfig {
        match repeat {
            Repeat::Reads => RetryConfig::standard().with_max_attempts(ATTEMPTS),
            Repeat::Once => RetryConfig::disabled(),
        }
    }
}

/// What AWS said instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// AWS's own name of the error, for example `DBSnapshotNotFound`.
    pub name: Option<String>,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// In our words.
    pub trouble: Trouble,
}

impl Refusal {
    fn of<E>(label: &str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let name = error.code().map(str::to_owned);
        let status = error.raw_response().map(|it| it.status().as_u16());
        let built = !matches!(error, SdkError::ConstructionFailure(_));
        let refused = status.is_some_and(|it| (400..500).contains(&it) && it != 408);
        let says = match (&name, error.message(), status) {
            (Some(name), Some(message), _) => format!("{name}: {message}"),
            (Some(name), None, _) => name.clone(),
            // What is shown of an answer that nobody can read would be its whole text.
            (None, _, Some(status)) => format!("status {status}, and no error that it names"),
            (None, _, None) => DisplayErrorContext(error).to_string(),
        };
        let without = ["credentials", "CredentialsNotLoaded"].iter().any(|it| says.contains(it));
        let denied = without || name.as_deref().is_some_and(is_denial);
        let code = if denied {
            &E3501
        } else if refused {
            &E3503
        } else {
            &E3502
        };
        let mut trouble = Trouble::new(code, label, says);
        trouble.harmless = refused || !built;
        Self { name, status, trouble }
    }

    /// Whether AWS gave the error this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        refusal.trouble
    }
}

fn is_denial(name: &str) -> bool {
    ["AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "AuthFailure"]
        .iter()
        .any(|it| name.starts_with(it))
        || name == "UnauthorizedOperation"
}

/// The operator's profiles, where the environment given to us says they are.
fn profile_files(wire: &Wire) -> EnvConfigFiles {
    let env = |name| wire.outside.env.get(name).map(ExposeSecret::expose_secret);
    let mut files = EnvConfigFiles::builder();
    files = match env("AWS_CONFIG_FILE") {
        Some(path) => files.with_file(EnvConfigFileKind::Config, path),
        None => files.include_default_config_file(true),
    };
    files = match env("AWS_SHARED_CREDENTIALS_FILE") {
        Some(path) => files.with_file(EnvConfigFileKind::Credentials, path),
        None => files.include_default_credentials_file(true),
    };
    files.build()
}

/// `AWS_ENDPOINT_URL_RDS` and the like, by service; `AWS_ENDPOINT_URL` under the empty name.
fn endpoints(wire: &Wire) -> BTreeMap<&'static str, String> {
    ["", "EC2", "RDS", "S3", "STS"]
        .into_iter()
        .filter_map(|service| {
            let name = match service {
                "" => "AWS_ENDPOINT_URL".to_owned(),
                service => format!("AWS_ENDPOINT_URL_{service}"),
            };
            let url = wire.outside.env.get(&name)?.expose_secret();
            (!url.is_empty()).then(|| (service, url.to_owned()))
        })
        .collect()
}
