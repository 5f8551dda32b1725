//! The whole world in one canonical document, without ids and times.

use serde_json::{Map, Value, json};

use crate::lab::Lab;
use crate::profile::Site;
use crate::{aws, host, text};

/// The world.
pub(super) async fn world(lab: &Lab) -> Result<Value, String> {
    let (mut keys, mut snapshots) = (Vec::new(), Map::new());
    if let Some(moto) = lab.fixed.moto {
        keys = aws::list_keys(&lab.fixed.client, moto).await?;
        for site in Site::ALL {
            let names = aws::list_snapshots(&lab.fixed.client, moto, site).await?;
            snapshots.insert(site.region().to_owned(), json!(names));
        }
    } else {
        lab.with(|world| {
            keys.extend(world.bucket.iter().map(|(key, body)| (key.clone(), body.len() as u64)));
        });
    }
    keys.sort();
    let keys: Vec<Value> = keys.iter().map(|(k, size)| json!({"key": k, "size": size})).collect();
    let mut view = lab.with(|world| world.view());
    view.insert("bucket".to_owned(), json!(keys));
    view.insert("snapshots".to_owned(), Value::Object(snapshots));
    view.insert("hosts".to_owned(), hosts(lab));
    Ok(Value::Object(view))
}

fn hosts(lab: &Lab) -> Value {
    let hosts = Site::ALL.into_iter().map(|site| {
        let folder = host::folder(&lab.fixed.dir, site);
        let crontab = std::fs::read_to_string(folder.join("var/spool/cron/centos")).ok();
        let files = host::listing(&folder.join("share/dropbox"));
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let digest = text::sha256(json!(files).to_string().as_bytes());
        let dropbox = json!({"files": names, "digest": digest});
        (site.alias().to_owned(), json!({"crontab": crontab, "dropbox": dropbox}))
    });
    Value::Object(hosts.collect())
}
