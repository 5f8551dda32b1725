//! 3xxx: what an outside service can do to us.

super::codes! { PROVIDER;
    E3001 Refused "a provider cannot be reached or refuses our credentials",
    E3101 Conflict "a mark belongs to another journal",
    E3102 Refused "records lead elsewhere than the journal says",
    E3103 Refused "a zone carries no mark",
    E3104 Conflict "somebody else moved the records first",
    E3105 Refused "a zone is not found, or not the one that is pinned",
    E3106 Refused "the provider's allowance of requests is used up",
    E3201 Refused "authoritative servers do not answer as they should",
    E3301 Refused "a certificate is not accepted",
}
