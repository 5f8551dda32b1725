//! 4xxx: what can be wrong with the journal, the store and the lock.

super::codes! { JOURNAL;
    E4001 Failed "the journal cannot be read or written",
    E4002 Conflict "another process holds the system's lock",
    E4003 Unverified "a line of the journal is damaged",
    E4004 Unverified "the journal ends in a torn line",
    E4005 Unverified "the journal lost lines",
    E4006 Unverified "the journal does not replay",
    E4007 Failed "the journal takes no more lines after a failed write",
    E4008 Unverified "a kept text is missing or changed",
    E4009 Failed "an entry is earlier than the last line",
    E4010 Failed "the store cannot be opened",
    E4011 Unverified "the journal was written by a newer version",
    E4012 Conflict "the journal cannot go on elsewhere, or not be joined",
}
