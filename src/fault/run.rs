//! 2xxx: what can be refused or fail in a run.

super::codes! { RUN;
    E2001 Refused "this command is not allowed in this state",
    E2002 Refused "a check failed or could not be made",
    E2003 Failed "an action failed in a known state",
    E2004 Unknown "the outcome of a request is unknown",
    E2005 Usage "a typed confirmation is missing or names another site",
    E2006 Usage "a reason is required",
    E2007 NotAllowed "this person may not do that",
    E2008 Conflict "the plan changed since it was shown or approved",
    E2009 Conflict "the system is not initialised, or is already",
    E2010 Refused "something is still owed by an earlier run",
    E2011 Waiting "waiting for people",
    E2012 Usage "no such system, run or step",
    E2013 Refused "the run is paused",
    E2014 Refused "this step may not be skipped",
    E2015 Usage "wrong usage",
    E2016 Refused "the amended workflow differs in steps that have begun",
    E2017 Failed "the swap is half done",
    E2019 Conflict "the records carry another journal's mark",
    E2020 Failed "the answer cannot be written",
    E2021 Usage "the question was answered with no",
}
