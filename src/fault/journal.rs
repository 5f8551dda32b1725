//! 4xxx: what can be wrong with the journal, the store and the lock.

super::codes! { JOURNAL;
    E4001 Failed "the journal cannot be read or written",
}
