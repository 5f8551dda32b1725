//! Settings that change while the practice cloud runs, and a cron job fired by hand.

use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::host;
use crate::lab::Lab;
use crate::profile::Site;
use crate::settings::Settings;
use crate::site;

/// Lays a body over the settings; sites and hosts are laid over one by one.
pub(super) fn set(lab: &Lab, body: &Value) -> Result<Value, String> {
    let Some(body) = body.as_object() else { return Err("an object is wanted".to_owned()) };
    let known = |key: &str, name: &str| match key {
        "sites" => Site::named(name).is_some(),
        _ => Site::of_alias(name).is_some(),
    };
    for key in ["sites", "hosts"] {
        for name in body.get(key).and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if !known(key, name) {
                return Err(format!("{key}: {name} is unknown"));
            }
        }
    }
    lab.with(|world| {
        let mut merged = json!(world.settings);
        for (key, value) in body {
            let nested = ["sites", "hosts"].contains(&key.as_str());
            match (nested, value.as_object()) {
                (true, Some(entries)) => {
                    for (name, entry) in entries {
                        overlay(&mut merged[key][name], entry);
                    }
                }
                _ => merged[key] = value.clone(),
            }
        }
        let new: Settings = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        for (site, settings) in site::changed(&world.settings.sites, &new.sites) {
            world.sites[site.index()].identity = lab.fixed.authority.identity(&settings)?;
        }
        world.settings = new;
        Ok(json!(world.settings))
    })
}

fn overlay(under: &mut Value, over: &Value) {
    match over.as_object() {
        Some(entries) => {
            for (key, value) in entries {
                under[key] = value.clone();
            }
        }
        None => *under = over.clone(),
    }
}

/// Writes an object of the bucket, as somebody with the right to do so.
pub(super) async fn object(lab: &Lab, body: &Value) -> Result<Value, String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (key, content) = (text("key"), text("body"));
    match lab.fixed.moto {
        Some(moto) => {
            crate::aws::put_object(&lab.fixed.client, moto, &key, content.into()).await?;
        }
        None => lab.with(|world| {
            world.bucket.insert(key, content.into_bytes());
        }),
    }
    Ok(json!({"ok": true}))
}

/// Runs a host's cron job now, as cron would, if the crontab has it.
pub(super) fn fire(lab: &Lab, body: &Value) -> Result<Value, String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (alias, job) = (text("host"), text("job"));
    let site = Site::of_alias(alias).ok_or_else(|| format!("host {alias} is unknown"))?;
    let folder = host::folder(&lab.fixed.dir, site);
    let crontab = std::fs::read_to_string(folder.join("var/spool/cron/centos")).unwrap_or_default();
    let line = crontab
        .lines()
        .find(|line| !line.trim_start().starts_with('#') && line.contains(job) && !job.is_empty());
    let Some(line) = line else { return Ok(json!({"fired": false})) };
    let command: Vec<&str> = line.split_whitespace().skip(5).collect();
    let started = tokio::process::Command::new(lab.fixed.dir.join("bin/ssh"))
        .args(["-n", alias])
        .arg(command.join(" "))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.map(|_| json!({"fired": true, "line": line})).map_err(|error| error.to_string())
}
