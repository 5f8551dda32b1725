//! 3xxx: what an outside service can do to us.

super::codes! { PROVIDER;
    E3001 Refused "a provider cannot be reached or refuses our credentials",
}
