//! The switch, DNS, HTTP, TLS and announcements against small servers of our own, over real sockets.

mod dns;
mod marks;
mod sites;
mod stand_in;
mod swap;
mod whole;
mod world;
