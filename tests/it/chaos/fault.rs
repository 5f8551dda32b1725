//! What goes wrong, decided by the seed: at calls, at lines, and by people who mean well.

use std::collections::BTreeMap;

/// Numbers from a seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03 | 1);
        for _ in 0..4 {
            dice.roll();
        }
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// Below this, from 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// From the first to the second, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// What goes wrong with a call that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blind {
    Dark,
    Hangs,
    /// What was there half a minute ago.
    Stale,
}

/// What goes wrong with a call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    Refused,
    /// No answer, and it worked.
    Done,
    /// No answer, and it did not work.
    NotDone,
    /// No answer, and it works up to two minutes later.
    Late,
    /// Hangs to the deadline, and it worked.
    Hangs,
}

/// Everything that may go wrong in one world.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) dice: Dice,
    /// Whether anything may go wrong now.
    pub(crate) on: bool,
    /// One call in so many.
    rate: u64,
    /// Calls and lines left until the process dies.
    pub(crate) fuse: Option<u64>,
    /// Batches of the switch left until the process dies just after one.
    pub(crate) after_batch: Option<u64>,
    /// What was injected, by kind.
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let rate = dice.between(8, 60);
        Self { dice, on: false, rate, fuse: None, after_batch: None, counts: BTreeMap::new() }
    }

    pub(crate) fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_insert(0) += 1;
    }

    fn strikes(&mut self) -> bool {
        self.on && self.dice.one_in(self.rate)
    }

    pub(crate) fn reading(&mut self) -> Option<Blind> {
        if !self.strikes() {
            return None;
        }
        let blind = self.dice.pick(&[Blind::Dark, Blind::Dark, Blind::Hangs, Blind::Stale]);
        self.count(match blind {
            Blind::Dark => "read: no answer",
            Blind::Hangs => "read: hangs",
            Blind::Stale => "read: stale",
        });
        Some(blind)
    }

    pub(crate) fn writing(&mut self) -> Option<Lost> {
        // Requests are fewer than looks and each matters more.
        if !self.strikes() && !self.strikes() && !self.strikes() {
            return None;
        }
        let all = [Lost::Refused, Lost::Done, Lost::NotDone, Lost::Late, Lost::Late, Lost::Hangs];
        let lost = self.dice.pick(&all);
        self.count(match lost {
            Lost::Refused => "request: refused",
            Lost::Done => "request: unknown, done",
            Lost::NotDone => "request: unknown, not done",
            Lost::Late => "request: unknown, late",
            Lost::Hangs => "request: hangs, done",
        });
        Some(lost)
    }

    /// Whether something else, rarer, strikes.
    pub(crate) fn rarely(&mut self, kind: &'static str, one_in: u64) -> bool {
        let strikes = self.on && self.dice.one_in(one_in);
        if strikes {
            self.count(kind);
        }
        strikes
    }

    /// Whether the process dies just after this batch.
    pub(crate) fn dies_after_batch(&mut self) -> bool {
        let Some(left) = &mut self.after_batch else { return false };
        *left = left.saturating_sub(1);
        let dies = *left == 0;
        if dies {
            self.after_batch = None;
            self.count("process: dies after a batch");
        }
        dies
    }

    /// Whether the process dies at this point.
    pub(crate) fn dies(&mut self) -> bool {
        let Some(left) = &mut self.fuse else { return false };
        *left = left.saturating_sub(1);
        let dies = *left == 0;
        if dies {
            self.fuse = None;
            self.count("process: dies");
        }
        dies
    }
}
