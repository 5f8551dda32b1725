//! The initial cloud in moto, and what the practice cloud itself reads from it and writes to it.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;

use crate::client::Client;
use crate::front::Reply;
use crate::profile::{BUCKET, BUCKET_REGION, PLACES, Place, Site};

/// The addresses of one environment of a site.
type Three = [Ipv4Addr; 3];
use crate::text;
use crate::world::{self, Cloud};

/// Calls to moto that are made by the practice cloud and not recorded.
struct Direct<'a> {
    client: &'a Client,
    moto: SocketAddr,
}

impl Direct<'_> {
    fn headers(region: &str, service: &str) -> Vec<(String, String)> {
        let value = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAPRACTICELAB00000/20260101/{region}/{service}/\
             aws4_request, SignedHeaders=host, Signature=none"
        );
        vec![
            ("authorization".to_owned(), value),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ]
    }

    /// A query-protocol call; the answer's XML.
    async fn form(
        &self,
        region: &str,
        service: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, String> {
        let version = match service {
            "ec2" => "2016-11-15",
            "rds" => "2014-10-31",
            _ => "2010-05-08",
        };
        let mut body = format!("Action={action}&Version={version}");
        for (key, value) in fields {
            body = format!("{body}&{key}={}", text::encode(value));
        }
        let headers = Self::headers(region, service);
        let reply = self.client.send(self.moto, "POST", "/", &headers, Bytes::from(body)).await?;
        let xml = String::from_utf8_lossy(&reply.body).into_owned();
        if reply.status < 300 { Ok(xml) } else { Err(format!("{action}: {xml}")) }
    }

    async fn s3(&self, method: &str, target: &str, body: Bytes) -> Result<Reply, String> {
        let mut headers = Self::headers(BUCKET_REGION, "s3");
        headers.truncate(1);
        self.client.send(self.moto, method, target, &headers, body).await
    }

    async fn user(&self, site: Site) -> Result<String, String> {
        let name = [("UserName", site.user())];
        self.form("us-east-1", "iam", "CreateUser", &name).await?;
        let xml = self.form("us-east-1", "iam", "CreateAccessKey", &name).await?;
        text::element(&xml, "AccessKeyId").map(str::to_owned).ok_or(xml)
    }

    /// Servers for three of [`PLACES`], each with an address of its own.
    async fn servers(&self, site: Site, places: &[Place]) -> Result<Three, String> {
        let region = site.region();
        let run = [
            ("ImageId", "ami-12c6146b"),
            ("MinCount", "3"),
            ("MaxCount", "3"),
            ("InstanceType", "t3.medium"),
        ];
        let xml = self.form(region, "ec2", "RunInstances", &run).await?;
        let servers = text::elements(&xml, "instanceId");
        let mut addresses = [Ipv4Addr::UNSPECIFIED; 3];
        for ((slot, place), server) in addresses.iter_mut().zip(places).zip(servers) {
            *slot = self.address(site, *place, server).await?;
        }
        Ok(addresses)
    }

    /// Tags a server, and gives it an address of its own.
    async fn address(&self, site: Site, place: Place, server: &str) -> Result<Ipv4Addr, String> {
        let (region, owner) = (site.region(), site.owner());
        let tags = [
            ("ResourceId.1", server),
            ("Tag.1.Key", "Name"),
            ("Tag.1.Value", &place.server(site)),
            ("Tag.2.Key", "Owner"),
            ("Tag.2.Value", owner),
            ("Tag.3.Key", "Environment"),
            ("Tag.3.Value", place.environment()),
        ];
        self.form(region, "ec2", "CreateTags", &tags).await?;
        let allocate = [
            ("Domain", "vpc"),
            ("TagSpecification.1.ResourceType", "elastic-ip"),
            ("TagSpecification.1.Tag.1.Key", "Name"),
            ("TagSpecification.1.Tag.1.Value", &place.eip(site)),
            ("TagSpecification.1.Tag.2.Key", "Owner"),
            ("TagSpecification.1.Tag.2.Value", owner),
            ("TagSpecification.1.Tag.3.Key", "Environment"),
            ("TagSpecification.1.Tag.3.Value", place.environment()),
        ];
        let xml = self.form(region, "ec2", "AllocateAddress", &allocate).await?;
        let id = text::element(&xml, "allocationId").ok_or_else(|| xml.clone())?;
        let associate = [("AllocationId", id), ("InstanceId", server)];
        self.form(region, "ec2", "AssociateAddress", &associate).await?;
        let address = text::element(&xml, "publicIp").and_then(|text| text.parse().ok());
        address.ok_or_else(|| xml.clone())
    }

    async fn database(&self, site: Site) -> Result<(), String> {
        let instance = site.instance();
        // Half a day and three days away from now, so that practice does not depend on the hour.
        let at = |hours: i64, form: &str| {
            let at = text::now() + jiff::SignedDuration::from_hours(hours);
            at.strftime(form).to_string().to_ascii_lowercase()
        };
        let backup = format!("{}-{}", at(12, "%H:00"), at(12, "%H:45"));
        let maintenance = format!("{}-{}", at(74, "%a:%H:00"), at(74, "%a:%H:45"));
        let fields = [
            ("DBInstanceIdentifier", instance.as_str()),
            ("DBInstanceClass", "db.t3.large"),
            ("Engine", "postgres"),
            ("EngineVersion", "14.10"),
            ("AllocatedStorage", "8"),
            ("MasterUsername", "gigadb"),
            ("MasterUserPassword", "practice-only"),
            ("DBName", "gigadb"),
            ("BackupRetentionPeriod", "5"),
            ("PreferredBackupWindow", &backup),
            ("PreferredMaintenanceWindow", &maintenance),
            ("Tags.Tag.1.Key", "Owner"),
            ("Tags.Tag.1.Value", site.owner()),
            ("Tags.Tag.2.Key", "Environment"),
            ("Tags.Tag.2.Value", "live"),
        ];
        let xml = self.form(site.region(), "rds", "CreateDBInstance", &fields).await?;
        let endpoint = text::element(&xml, "Address").unwrap_or_default();
        if endpoint.is_empty() || endpoint == site.endpoint() {
            return Ok(());
        }
        Err(format!("the emulator names the endpoint {endpoint}, not {}", site.endpoint()))
    }

    async fn bucket(&self) -> Result<(), String> {
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{BUCKET_REGION}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        self.s3("PUT", &format!("/{BUCKET}"), Bytes::from(place)).await?;
        let path = world::object_path(&world::first_backup_key());
        self.s3("PUT", &path, Bytes::from(world::first_backup())).await?;
        Ok(())
    }
}

/// Empties moto and makes the initial cloud.
pub(crate) async fn provision(client: &Client, moto: SocketAddr) -> Result<Cloud, String> {
    let direct = Direct { client, moto };
    for control in ["/moto-api/reset", "/moto-api/seed?a=42"] {
        client.send(moto, "POST", control, &[], Bytes::new()).await?;
    }
    // One after the other, so that the seeded emulator gives the same addresses each time.
    let (live, staging) = PLACES.split_at(3);
    let mut addresses = [[Ipv4Addr::UNSPECIFIED; 6]; 2];
    for site in Site::ALL {
        addresses[site.index()][..3].copy_from_slice(&direct.servers(site, live).await?);
        direct.database(site).await?;
    }
    let users = [direct.user(Site::Hk).await?, direct.user(Site::Sydney).await?];
    direct.bucket().await?;
    for site in Site::ALL {
        addresses[site.index()][3..].copy_from_slice(&direct.servers(site, staging).await?);
    }
    Ok(Cloud::new(addresses, users))
}

/// The names of the snapshots that people or programs made.
pub(crate) async fn list_snapshots(
    client: &Client,
    moto: SocketAddr,
    site: Site,
) -> Result<Vec<String>, String> {
    let direct = Direct { client, moto };
    let xml = direct.form(site.region(), "rds", "DescribeDBSnapshots", &[]).await?;
    let names = text::elements(&xml, "DBSnapshotIdentifier").into_iter();
    let mut names: Vec<String> =
        names.filter(|name| !name.starts_with("rds:")).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

/// The bucket's keys with their sizes.
pub(crate) async fn list_keys(
    client: &Client,
    moto: SocketAddr,
) -> Result<Vec<(String, u64)>, String> {
    let direct = Direct { client, moto };
    let reply = direct.s3("GET", &format!("/{BUCKET}?list-type=2"), Bytes::new()).await?;
    let xml = String::from_utf8_lossy(&reply.body).into_owned();
    let entries = text::elements(&xml, "Contents").into_iter().filter_map(|entry| {
        let size = text::element(entry, "Size")?.parse().ok()?;
        Some((text::element(entry, "Key")?.to_owned(), size))
    });
    Ok(entries.collect())
}

/// An object of the bucket, if it exists.
pub(crate) async fn object(client: &Client, moto: SocketAddr, key: &str) -> Option<Bytes> {
    let direct = Direct { client, moto };
    let reply = direct.s3("GET", &world::object_path(key), Bytes::new()).await.ok()?;
    (reply.status == 200).then_some(reply.body)
}

/// Writes an object of the bucket.
pub(crate) async fn put_object(
    client: &Client,
    moto: SocketAddr,
    key: &str,
    body: Bytes,
) -> Result<(), String> {
    let direct = Direct { client, moto };
    let reply = direct.s3("PUT", &world::object_path(key), body).await?;
    if reply.status < 300 { Ok(()) } else { Err(text::head(&reply.body, 500)) }
}
