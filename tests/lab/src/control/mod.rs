//! The control API under `/_lab`, and the practice hosts' own calls under `/_host`.

mod keep;
mod set;
mod view;

pub(crate) use keep::Kept;

use serde_json::{Value, json};

use crate::fault::Rule;
use crate::front::{Ask, Reply};
use crate::lab::Lab;
use crate::world::World;
use crate::{aws, host, up};

/// Answers a request to the control API.
pub(crate) async fn answer(lab: &Lab, ask: &Ask) -> Reply {
    let body = ask.json().unwrap_or_default();
    let path = ask.path.trim_end_matches('/');
    if let Some(what) = path.strip_prefix("/_host/") {
        return match what.strip_prefix("ssh/") {
            Some(what) => Reply::json(200, &host::session(lab, what, &body)),
            None => Reply::json(200, &host::run(lab, &body).await),
        };
    }
    match (ask.method.as_str(), path) {
        ("GET", "/_lab/calls") => {
            let query = ask.pairs();
            Reply::json(200, &lab.with(|world| world.calls.filtered(&query)))
        }
        ("GET", "/_lab/counts") => Reply::json(200, &lab.with(|world| world.calls.counts())),
        ("GET", "/_lab/faults") => Reply::json(200, &lab.with(|world| json!(world.faults))),
        ("POST", "/_lab/faults") => faults(lab, body),
        ("DELETE", "/_lab/faults") => {
            lab.with(|world| world.faults.clear());
            Reply::json(200, &json!([]))
        }
        ("POST", "/_lab/go") => {
            lab.go_on();
            Reply::json(200, &json!({"ok": true}))
        }
        ("GET", "/_lab/world") if ask.query == "only=records" => {
            Reply::json(200, &lab.with(|world| json!({"records": world.view()["records"]})))
        }
        ("GET", "/_lab/world") => or_error(view::world(lab).await),
        ("POST", "/_lab/reset") if body.get("only").is_some_and(|it| it == "records") => {
            lab.with(|world| {
                world.cloudflare = crate::cloudflare::Cloudflare::first(&world.cloud);
                world.caches = crate::dns::Caches::default();
            });
            Reply::json(200, &json!({"ok": true}))
        }
        ("POST", "/_lab/reset") if body.get("only").is_some_and(|it| it == "kept") => {
            or_bad(keep::back(lab).map(|()| json!({"ok": true})))
        }
        ("POST", "/_lab/keep") => {
            keep::keep(lab);
            Reply::json(200, &json!({"ok": true}))
        }
        ("POST", "/_lab/reset") => or_error(reset(lab).await.map(|()| json!({"ok": true}))),
        ("GET", "/_lab/set") => Reply::json(200, &lab.with(|world| json!(world.settings))),
        ("POST", "/_lab/set") => match set::set(lab, &body) {
            Ok(settings) => Reply::json(200, &settings),
            Err(error) => Reply::json(400, &json!({"error": error})),
        },
        ("POST", "/_lab/object") => or_bad(set::object(lab, &body).await),
        ("POST", "/_lab/fire") => or_bad(set::fire(lab, &body)),
        _ => Reply::json(404, &json!({"error": "no such control"})),
    }
}

fn or_error(result: Result<Value, String>) -> Reply {
    result.map_or_else(|e| Reply::json(500, &json!({"error": e})), |v| Reply::json(200, &v))
}

fn or_bad(result: Result<Value, String>) -> Reply {
    result.map_or_else(|e| Reply::json(400, &json!({"error": e})), |v| Reply::json(200, &v))
}

/// Adds rules: one, or a list.
fn faults(lab: &Lab, body: Value) -> Reply {
    let list = if body.is_array() { body } else { json!([body]) };
    let parsed: Result<Vec<Rule>, String> =
        serde_json::from_value(list).map_err(|error| error.to_string());
    let checked = parsed.and_then(|rules| {
        rules.iter().try_for_each(|rule| rule.action().map(drop))?;
        Ok(rules)
    });
    match checked {
        Ok(rules) => lab.with(|world| {
            world.faults.extend(rules);
            Reply::json(200, &json!(world.faults))
        }),
        Err(error) => Reply::json(400, &json!({"error": error})),
    }
}

/// Puts the initial world back.
async fn reset(lab: &Lab) -> Result<(), String> {
    let fixed = &lab.fixed;
    // What is on its way belongs to the old world from here on.
    let settings = lab.with(|world| {
        world.generation += 1;
        world.initial.clone()
    });
    let cloud = match fixed.moto {
        Some(moto) => aws::provision(&fixed.client, moto).await?,
        None => crate::world::Cloud::fixed(),
    };
    let sites = up::sites(&fixed.authority, &settings)?;
    host::write_files(fixed).map_err(|error| error.to_string())?;
    lab.with(|world| *world = World::first(world.generation, settings, cloud, sites));
    Ok(())
}
