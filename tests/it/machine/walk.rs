//! Everything that can be reached, looked at once; and random walks that must replay byte for byte.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use changeover::chart;
use changeover::machine::{
    Body, Diverged, Ended, Fact, Input, Life, Owed, RegionName, State, allowed, region_of, replay,
    resume,
};
use changeover::model::{Kind, Phase, Roles, Way};
use proptest::prelude::*;

use crate::machine::world::{self, Move, REQUESTER, helps, moves, plain, turn};

struct Explored {
    nodes: Vec<Life>,
    /// From, to, the input if it was one.
    edges: Vec<(usize, usize, Option<Input>)>,
}

fn key(life: &Life) -> String {
    serde_json::to_string(&(&life.state, &life.record)).unwrap()
}

/// Walks everywhere; looks at each edge as it is walked, and at each node with what people may do there.
fn explore(
    look: &mut dyn FnMut(&Life, &Move, &Life),
    look_at: &dyn Fn(&Life, &BTreeSet<&str>),
) -> Explored {
    let first = plain(world::initialised().0);
    let mut known = HashMap::from([(key(&first), 0)]);
    let mut found = Explored { nodes: vec![first], edges: vec![] };
    let mut waiting = VecDeque::from([0]);
    while let Some(from) = waiting.pop_front() {
        let here = found.nodes[from].clone();
        let mut people = BTreeSet::new();
        for it in moves(&here) {
            let Some((after, _, _)) = turn(&here, &it) else { continue };
            look(&here, &it, &after);
            let after = plain(after);
            let to = *known.entry(key(&after)).or_insert_with(|| {
                found.nodes.push(after);
                waiting.push_back(found.nodes.len() - 1);
                found.nodes.len() - 1
            });
            let input = if let Move::Tell(input, by, ..) = it {
                if by != "conductor" {
                    people.insert(input.name());
                }
                Some(input)
            } else {
                None
            };
            found.edges.push((from, to, input));
        }
        look_at(&here, &people);
    }
    found
}

#[test]
fn everything_that_can_be_reached_keeps_what_must_hold() {
    let table: BTreeMap<&str, chart::Row> =
        chart::table().into_iter().map(|row| (row.name, row)).collect();
    let mut edge = |from: &Life, it: &Move, to: &Life| {
        check_edge(from, it, to);
        if let Move::Tell(input, ..) = it {
            in_table(&table, from, input, to);
        }
    };
    let found = explore(&mut edge, &check_node);
    let states: BTreeSet<String> = found.nodes.iter().map(|it| format!("{:?}", it.state)).collect();
    println!(
        "{} states, {} of them with their records, {} edges",
        states.len(),
        found.nodes.len(),
        found.edges.len()
    );
    let stuck = cannot_end(&found);
    let first = stuck.first().map(|it| (it.state, &it.record));
    assert!(stuck.is_empty(), "V10: {} cannot end, first: {first:?}", stuck.len());
    assert!(states.len() >= MIN.0 && found.nodes.len() >= MIN.1 && found.edges.len() >= MIN.2);
}

/// So that what is looked at cannot shrink unseen.
const MIN: (usize, usize, usize) = (780, 20_000, 70_000);

/// V10: those from which no command leads to steady although providers answer.
fn cannot_end(found: &Explored) -> Vec<&Life> {
    let mut before: Vec<Vec<usize>> = vec![vec![]; found.nodes.len()];
    for (from, to, input) in &found.edges {
        if input.as_ref().is_none_or(helps) {
            before[*to].push(*from);
        }
    }
    let mut ends = vec![false; found.nodes.len()];
    let mut waiting: Vec<usize> =
        (0..found.nodes.len()).filter(|it| found.nodes[*it].state == State::Steady).collect();
    while let Some(node) = waiting.pop() {
        if !std::mem::replace(&mut ends[node], true) {
            waiting.extend(&before[node]);
        }
    }
    found.nodes.iter().zip(&ends).filter(|(_, ends)| !**ends).map(|(node, _)| node).collect()
}

/// From every state at rest in which `drift adopt` may record that people moved users by hand, the way out
/// that the conductor leaves ends in steady, around the site that users are on.
#[test]
fn what_people_did_by_hand_leaves_a_way_to_steady() {
    let found = explore(&mut |_, _, _| (), &|_, _| ());
    let mut adopted = 0;
    for life in &found.nodes {
        let (Some(at), Some(run)) = (life.state.at(), &life.record.run) else { continue };
        let rests =
            matches!(life.state, State::Ready { .. } | State::Halted { .. } | State::Asking { .. });
        let releases = matches!(at.kind, Kind::Release | Kind::Switchover);
        let Some(Roles::Settled { production }) = &life.record.roles else { continue };
        if !rests || !releases || at.way != Way::Forth || region_of(at.phase) == RegionName::Closing
        {
            continue;
        }
        let to = world::other(production);
        let fact = Fact::RolesSettled { production: to.clone() };
        let (mut here, _, _) = turn(life, &Move::Write(world::note(vec![fact]))).unwrap();
        let out = if region_of(at.phase) == RegionName::Preparing {
            Input::Abort
        } else if to == run.production {
            Input::Rollback { loss_accepted: true }
        } else {
            // The swap was not begun and is as good as done: going on finds it so.
            Input::Retry
        };
        if out == Input::Retry {
            continue;
        }
        adopted += 1;
        (here, _, _) = turn(&here, &Move::Tell(out, REQUESTER, 0, vec![])).unwrap();
        for _ in 0..60 {
            let helpful = moves(&here).into_iter().filter(|it| match it {
                Move::Tell(input, ..) => {
                    matches!(input, Input::Next | Input::Settled)
                        || matches!(input, Input::Step { ended: Ended::Done, .. })
                }
                Move::Write(_) => matches!(here.state, State::Settling { .. }),
            });
            let Some(after) = helpful.filter_map(|it| turn(&here, &it)).map(|it| it.0).find(|it| {
                it.state != here.state || it.record.intents.len() < here.record.intents.len()
            }) else {
                break;
            };
            here = after;
        }
        assert_eq!(here.state, State::Steady, "from {:?}", life.state);
        let there = Some(Roles::Settled { production: to });
        assert_eq!(here.record.roles, there, "from {:?}", life.state);
    }
    assert!(adopted > 400, "{adopted}");
}

fn check_node(life: &Life, people: &BTreeSet<&str>) {
    let Life { state, record, rules } = life;
    let said: BTreeSet<&str> = allowed(rules, record, *state).into_iter().collect();
    let settled = matches!(record.roles, Some(Roles::Settled { .. }));
    assert!(world::writable(life).len() <= 1, "V1: {:?} {:?}", life.state, life.record);
    let Some(at) = state.at() else {
        assert!(
            settled && record.run.is_none() && record.packet.is_none(),
            "rest: {:?} {:?}",
            life.state,
            life.record
        );
        return;
    };
    assert_eq!(said, *people, "allowed is what people's inputs find: {state:?} {record:?}");
    let run = record.run.as_ref().unwrap();
    assert_eq!(run.kind, at.kind, "the record says what the run is for");
    let behind = matches!(at.phase, Phase::Sanity | Phase::Soak | Phase::Lift | Phase::Renew);
    assert!(
        settled || !behind || at.way == Way::Abort,
        "V1: past the swap while moving: {:?} {:?}",
        life.state,
        life.record
    );
    let releases = matches!(at.kind, Kind::Release | Kind::Switchover);
    if releases && at.way == Way::Forth && behind && at.phase != Phase::Renew {
        assert!(
            record.embargoes.contains_key(&run.production),
            "V5: old site writable: {:?} {:?}",
            life.state,
            life.record
        );
    }
    let drill = at.kind == Kind::Drill;
    assert!(
        !drill || record.owed.is_empty() && settled,
        "a drill changes no roles: {:?} {:?}",
        life.state,
        life.record
    );
}

fn check_edge(from: &Life, it: &Move, to: &Life) {
    let (before, after) = (from.state.at(), to.state.at());
    let swaps = |at: Option<changeover::machine::At>| {
        at.is_some_and(|at| {
            at.phase == Phase::Swap
                && at.way == Way::Forth
                && matches!(at.kind, Kind::Release | Kind::Switchover)
        })
    };
    // A way back that is given up leads forth again, where it had been agreed to go.
    if swaps(after) && !swaps(before) && !from.record.moving() {
        let people: BTreeSet<&str> =
            from.record.approvals.iter().map(|it| it.by.as_str()).collect();
        let held = people.len() >= 2
            && people.contains(REQUESTER).eq(&false)
            && ["team", "managers"].iter().all(|it| from.record.approvals_of(it) > 0);
        assert!(held && from.record.packet.is_some(), "V7: {:?} {:?}", from.state, from.record);
    }
    if let (State::Settling { at, to: Way::Back, .. }, true) = (to.state, from.state != to.state) {
        let late = matches!(at.phase, Phase::Renew | Phase::SyncOn) || from.record.renewed;
        assert!(!late, "way back after renew began: {:?} {:?}", from.state, from.record);
        let Move::Tell(Input::Rollback { loss_accepted }, ..) = it else {
            panic!("only rollback goes back: {it:?}")
        };
        assert!(
            *loss_accepted || !from.record.writes_since_swap,
            "V11: {:?} {:?}",
            from.state,
            from.record
        );
    }
    if let Move::Tell(Input::Close, ..) = it {
        let at = before.unwrap();
        let arrived = at.kind == Kind::Failover && matches!(at.phase, Phase::Sanity | Phase::Soak);
        let ends = arrived || at.kind == Kind::Drill;
        assert!(ends || region_of(at.phase) == RegionName::Closing, "{at:?}");
        assert_eq!(from.record.owed, to.record.owed, "what is owed stays");
    }
    if let (Move::Tell(Input::Step { .. }, ..), State::Steady, false) =
        (it, to.state, from.record.owed.is_empty())
    {
        let at = before.unwrap();
        let pays = at.phase == Phase::SyncOn;
        let clean = to.record.owed.iter().all(|it| matches!(it, Owed::Job { .. }));
        assert!(
            !pays || clean,
            "a walk to the end of closing pays: {:?} {:?}",
            from.state,
            from.record
        );
    }
    // Whoever comes back finds the same wanted as whoever was there.
    assert_eq!(
        resume(&to.rules, &to.record, to.state),
        resume(&to.rules, &plain(to.clone()).record, to.state)
    );
}

fn in_table(table: &BTreeMap<&str, chart::Row>, from: &Life, input: &Input, to: &Life) {
    let row = &table[chart::row_of(&from.state)];
    let column = chart::INPUTS.iter().position(|it| *it == input.name()).unwrap();
    let lead = chart::lead_of(&to.state);
    let cell = &row.cells[column];
    assert!(cell.leads.contains(&lead), "{} × {} leads to {lead:?}", row.name, input.name());
}

/// A walk of so many moves, chosen by a seed, as a journal; and the life after each line.
fn walk(seed: u64, length: usize) -> Vec<(changeover::machine::Entry, &'static str, Life)> {
    let (mut life, lines) = world::initialised();
    let mut journal = vec![(lines[0].0.clone(), REQUESTER, life.clone())];
    let mut random = seed | 1;
    while journal.len() < length {
        let mut taken: Vec<_> = moves(&life).iter().filter_map(|it| turn(&life, it)).collect();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let choice = usize::try_from(random % taken.len() as u64).unwrap();
        let (after, entry, by) = taken.swap_remove(choice);
        life = after.clone();
        journal.push((entry, by, after));
    }
    journal
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_prefix_replays_byte_for_byte(seed: u64) {
        let mut life = Life::default();
        for (entry, by, live) in walk(seed, 120) {
            // As it comes from disk.
            let line = serde_json::to_string(&entry).unwrap();
            let entry = serde_json::from_str(&line).unwrap();
            prop_assert!(replay(&mut life, &entry, by).is_ok());
            let (here, there) =
                (serde_json::to_string(&life).unwrap(), serde_json::to_string(&live).unwrap());
            prop_assert_eq!(&here, &there);
            prop_assert_eq!(&serde_json::from_str::<Life>(&here).unwrap(), &live);
            prop_assert_eq!(
                resume(&life.rules, &life.record, life.state),
                resume(&live.rules, &live.record, live.state)
            );
        }
    }

    #[test]
    fn a_changed_outcome_is_noticed_at_its_line(seed: u64, line in 0_usize..119) {
        let mut journal = walk(seed, 120);
        let changed = (line..journal.len())
            .chain(0..line)
            .find(|it| matches!(journal[*it].0.body, Body::Decided { .. }))
            .unwrap();
        let Body::Decided { from, to, .. } = &mut journal[changed].0.body else { unreachable!() };
        let other = if *to == State::Steady { *from } else { State::Steady };
        let honest = std::mem::replace(to, other);
        let mut life = Life::default();
        for (number, (entry, by, _)) in journal.iter().enumerate() {
            let before = life.clone();
            let said = replay(&mut life, entry, by);
            if number == changed {
                let diverged = Diverged { recorded: other, computed: Some(honest) };
                prop_assert_eq!(said, Err(diverged));
                prop_assert_eq!(life, before, "nothing is folded");
                break;
            }
            prop_assert_eq!(said, Ok(()));
        }
    }
}
