//! What keeps a failover from happening, and two people who do it at once.

use changeover::conductor::{Command, MayLose};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::Phase;

use super::{failover, kill, plan, users_are_on};
use crate::practice::{Lab, Operator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_while_well_without_the_loss_with_another_plan_and_twice() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "refused");
    operator.release("v4.3.4", "sydney").await;
    let loss = MayLose::Seconds(3_600);

    // All is well: nothing is given up.
    let well = operator.order("engineer-a", failover("hk", loss)).await.unwrap_err();
    assert_eq!((well.code.id, well.exit()), ("E2062", Exit::Refused), "{well}");
    assert!(well.to_string().contains("healthy"), "{well}");

    kill(&lab, "sydney", "ap-southeast-2");
    // Less is accepted than would be lost; the wrong site; another plan.
    let less = operator.order("engineer-a", failover("hk", MayLose::Seconds(0))).await;
    let less = less.unwrap_err();
    assert_eq!((less.code.id, less.exit()), ("E2063", Exit::Refused), "{less}");
    assert!(
        less.to_string().contains("accepted: 0s")
            && less.to_string().contains("of writes would be lost"),
        "{less}"
    );
    let wrong = operator.order("engineer-a", failover("sydney", loss)).await.unwrap_err();
    assert_eq!(wrong.code.id, "E2005", "{wrong}");
    let shown = operator.dry("engineer-a", failover("hk", loss)).await.unwrap();
    let digest = shown.plan.as_ref().unwrap().digest.short();
    assert!(plan(&shown).command.contains(&digest));
    let with_plan = |plan: &str| {
        let Command::Failover(mut it) = failover("hk", loss) else { unreachable!() };
        it.plan = Some(plan.to_owned());
        Command::Failover(it)
    };
    let stale = operator.order("engineer-a", with_plan("0123456789ab")).await.unwrap_err();
    assert_eq!((stale.code.id, stale.exit()), ("E2008", Exit::Conflict), "{stale}");
    assert!(matches!(operator.life().state, State::Steady));

    // Two people at once, with the plan that was shown: one of them moves users.
    let (one, two) = tokio::join!(
        operator.order("engineer-a", with_plan(&digest)),
        operator.order("engineer-b", with_plan(&digest)),
    );
    let said = format!("{one:?}\n{two:?}");
    let lost: Vec<_> = [&one, &two].into_iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(lost.len(), 1, "{said}");
    assert_eq!(lost[0].exit(), Exit::Conflict, "{said}");
    assert!(
        matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Soak),
        "{said}"
    );
    users_are_on(&operator, &lab, "hk");

    // One failover, then a person.
    operator.order("engineer-a", Command::Accept).await.unwrap();
    super::to_the_end(&operator, "hk").await;
    super::raise(&lab, "sydney");
    kill(&lab, "hk", "ap-east-1");
    let again = operator.order("engineer-a", failover("sydney", MayLose::Seconds(999_999))).await;
    let again = again.unwrap_err();
    assert_eq!((again.code.id, again.exit()), ("E2064", Exit::Refused), "{again}");
}
