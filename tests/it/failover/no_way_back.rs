//! The site that users left is lost as well: nobody is sent back to it, and a way back that was begun is given up.

use changeover::app;
use changeover::conductor::{Command, MayLose};
use changeover::fault::Exit;
use changeover::machine::{Body, State};
use changeover::model::{Phase, Way};

use super::{failover, kill, plan, raise, to_the_end, users_are_on};
use crate::practice::{Lab, Operator};

fn back_to(site: &str) -> Command {
    Command::Rollback { confirm: Some(site.into()), accept_data_loss: true }
}

fn soaks(state: State) -> bool {
    matches!(state, State::Ready { at } if at.phase == Phase::Soak && at.way == Way::Forth)
}

/// Nobody can see that the old site refuses writes and runs no job: the release goes on without it by name.
async fn without_the_old_site(lab: &Lab, operator: &Operator) {
    let next = || Command::Next { auto: false, confirm: None, waive: vec![] };
    let without = |site: &str| Command::Without { site: site.into() };
    let fault = operator.order("engineer-a", next()).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2031", Exit::Refused), "{fault}");
    let fault = operator.order("engineer-a", without("sydney")).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2001", Exit::Refused), "production: {fault}");
    operator.order("engineer-a", without("hk")).await.unwrap();
    for _ in 0..10 {
        let State::Ready { at } = operator.life().state else { break };
        if at.phase == Phase::Lift {
            break;
        }
        let command = if at.phase == Phase::Soak { Command::Accept } else { next() };
        operator.order("engineer-a", command).await.unwrap();
    }
    let State::Ready { at } = operator.life().state else { panic!("{}", operator.last_lines()) };
    assert_eq!(at.phase, Phase::Lift, "{}", operator.last_lines());
    let record = operator.life().record;
    assert!(!record.embargoes.contains_key(&"sydney".into()), "users may write again");
    assert!(record.run.unwrap().without.contains_key(&"hk".into()));
    // What was seen of it is kept with the line.
    let lines = app::glance(&operator.settings("reader"), &operator.system).unwrap().lines;
    let seen = lines.iter().find_map(|line| match &line.body {
        Body::Note { text, evidence, .. } if text.starts_with("goes on without hk") => {
            Some(evidence)
        }
        Body::Note { .. } | Body::Decided { .. } | Body::Intent(_) | Body::Refused { .. } => None,
    });
    assert!(seen.is_some_and(|it| it.iter().any(|it| it.says.contains("down"))), "{seen:?}");
    // What can be read counts: a site that answers is not gone without.
    raise(lab, "hk");
    let fault = operator.order("engineer-a", without("hk")).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_stay_where_they_are_when_the_other_site_is_lost() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "no_way_back");
    for _ in 0..40 {
        if operator.life().state.at().is_some_and(|at| at.phase == Phase::Soak) {
            break;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        operator.order(who, command).await.unwrap();
    }

    // The old site dies: what would be read there before the release is accepted has a way on by name.
    kill(&lab, "hk", "ap-east-1");
    let fault = operator.order("engineer-a", Command::Accept).await.unwrap_err();
    assert!(fault.hint.as_ref().is_some_and(|it| it.contains("run without SITE")), "{fault:?}");

    // The release is taken back just then: the swap back halts before anybody is moved.
    let halted = operator.order("engineer-a", back_to("hk")).await.unwrap();
    let stands = matches!(halted.state, State::Halted { at, .. } if (at.way, at.phase) == (Way::Back, Phase::Swap));
    assert!(stands, "{halted:?}\n{}", operator.last_lines());
    users_are_on(&operator, &lab, "sydney");
    let loss = MayLose::Seconds(3_600);
    let shown = operator.dry("engineer-a", failover("hk", loss)).await.unwrap();
    let refused = plan(&shown).refused.clone().unwrap();
    assert!(refused.contains("changeover release abort"), "{refused}");
    // So going back is given up: production's names are checked, and the release soaks on.
    let reply = operator.order("engineer-a", Command::Abort).await.unwrap();
    let checked = matches!(reply.state, State::Ready { at } if (at.way, at.phase) == (Way::Forth, Phase::Sanity));
    assert!(checked, "{reply:?}\n{}", operator.last_lines());
    users_are_on(&operator, &lab, "sydney");
    without_the_old_site(&lab, &operator).await;
    to_the_end(&operator, "sydney").await;

    // After a failover nobody is sent back to a site that does not serve.
    kill(&lab, "sydney", "ap-southeast-2");
    operator.order("engineer-a", failover("hk", loss)).await.unwrap();
    let fault = operator.order("engineer-a", back_to("sydney")).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{fault}");
    assert!(fault.to_string().contains("sydney does not serve"), "{fault}");
    assert!(soaks(operator.life().state));
    users_are_on(&operator, &lab, "hk");

    // A retry that was given for the fence alone ends as the fence does.
    let fault = operator.order("engineer-a", Command::Retry).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2060", Exit::Refused), "{fault}");
    assert!(fault.to_string().contains("f-backup (not reachable)"), "{fault}");
    raise(&lab, "sydney");
    operator.order("engineer-a", Command::Retry).await.unwrap();
    assert!(operator.life().record.unfenced().is_empty());
    // So soon after, the plan of another one names the reason that it wants.
    to_the_end(&operator, "hk").await;
    kill(&lab, "hk", "ap-east-1");
    let shown = operator.dry("engineer-a", failover("sydney", loss)).await.unwrap();
    let preview = plan(&shown);
    assert!(preview.command.ends_with("--acknowledge REASON"), "{}", preview.command);
    assert!(preview.asked.iter().any(|it| it.contains("sydney is quarantined")), "{preview:?}");
}
