//! AWS, GitLab, hosts, jobs, backups and databases of the sites, against real shells and small stand-ins.

mod aws;
mod gitlab;
mod host;
mod job;
mod scripts;
mod shell;
mod table;
mod world;
