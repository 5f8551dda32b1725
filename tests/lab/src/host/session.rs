//! ssh sessions as the practice cloud sees them: admitted, refused or cut, and recorded.

use serde_json::{Value, json};

use super::files;
use crate::call::{Arrival, Service};
use crate::fault::{self, Action};
use crate::lab::Lab;
use crate::profile::Site;
use crate::world::World;

/// Answers the beginning and the end of a session.
pub(crate) fn answer(lab: &Lab, what: &str, body: &Value) -> Value {
    match what {
        "start" => start(lab, body),
        "end" => lab.with(|world| end(world, body)),
        _ => json!({"error": "no such step"}),
    }
}

fn start(lab: &Lab, body: &Value) -> Value {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (alias, command) = (text("alias"), text("command"));
    let arrival = Arrival {
        operation: "session".to_owned(),
        place: Some(alias.clone()),
        method: "SSH".to_owned(),
        path: format!("/{alias}"),
        query: text("options"),
        body: command.into_bytes(),
        ..Arrival::default()
    };
    lab.with(|world| {
        let n = world.calls.begin(Service::Host, &arrival);
        if Site::of_alias(&alias).is_none() {
            world.calls.end(n, 255, b"unknown alias", false);
            return json!({"n": n, "act": "unknown"});
        }
        let settings = world.settings.hosts.get(&alias).cloned().unwrap_or_default();
        let rule = fault::take(&mut world.faults, Service::Host, &arrival);
        let mut plan = json!({
            "n": n, "generation": world.generation, "act": "run", "slow_s": settings.slow_s,
            "cut_after_s": settings.cut_after_s,
            "folder": files::folder_of(&lab.fixed.dir, &alias).to_string_lossy(),
        });
        if settings.down {
            plan["act"] = json!("refuse");
        }
        if let Some(rule) = rule {
            world.calls.update(n, |call| call.fault = Some(rule.action.clone()));
            plan["hold_s"] = json!(rule.hold_s);
            plan["late_s"] = json!(rule.late_s);
            plan["act"] = json!(match rule.action().unwrap_or(Action::Refuse) {
                Action::Refuse => "refuse",
                Action::Status(code) => {
                    plan["status"] = json!(code);
                    "exit"
                }
                Action::ServerErrorAfter | Action::TimeoutAfter => "drop_after",
                Action::TimeoutBefore => "hold",
                Action::Half | Action::Cut => "cut",
                Action::Late => "late",
            });
        }
        plan
    })
}

fn end(world: &mut World, body: &Value) -> Value {
    let number = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(0);
    if number("generation") != world.generation {
        return json!({"stale": true});
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (n, status) = (number("n"), u16::try_from(number("status")).unwrap_or(255));
    world.calls.end(n, status, text("stdout").as_bytes(), false);
    world.calls.update(n, |call| {
        call.headers.insert("stdin-sha256".to_owned(), json!(text("stdin_sha256")));
        call.headers.insert("stdin".to_owned(), json!(text("stdin")));
        call.headers.insert("stderr".to_owned(), json!(text("stderr")));
    });
    json!({"ok": true})
}
