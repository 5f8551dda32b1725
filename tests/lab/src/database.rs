//! The sites' databases: rows, their dump as text, loading such a text, a few queries.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::profile::Site;
use crate::text;

/// The last words of a whole dump.
pub(crate) const TRAILER: &str = "-- PostgreSQL database dump complete";

/// A row of `dataset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dataset {
    /// What users know it by.
    pub(crate) identifier: String,
    /// Its title.
    pub(crate) title: String,
    /// The day of its publication.
    pub(crate) published: String,
}

/// A row of `file`: its dataset and its name.
pub(crate) type FileRow = (String, String);

/// One database.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    /// Whether the tables exist; a dropped and not yet loaded database has none.
    pub(crate) tables: bool,
    /// Rows of `dataset`.
    pub(crate) datasets: Vec<Dataset>,
    /// Rows of `file`.
    pub(crate) files: Vec<FileRow>,
    /// The role setting `default_transaction_read_only`.
    pub(crate) read_only: bool,
    /// That setting as the web application's open session has it: taken when the session began.
    pub(crate) session_read_only: bool,
    /// The stamps of all loads, in order.
    pub(crate) loads: Vec<String>,
    /// How often it was dropped.
    pub(crate) drops: u32,
    /// The stamps of all dumps, in order.
    pub(crate) dumps: Vec<String>,
    /// The digests of all dumps, in order.
    pub(crate) dumped: Vec<String>,
    /// The objects that were loaded, in order: key and digest.
    pub(crate) objects: Vec<(String, String)>,
    /// Writes that users made.
    pub(crate) writes: u32,
}

impl Database {
    /// A database with this many datasets, three files each.
    pub(crate) fn first(datasets: usize) -> Self {
        let mut database = Self { tables: true, ..Self::default() };
        for number in 0..datasets {
            let identifier = format!("{}", 100_001 + number);
            let (month, day) = (1 + number / 28, 1 + number % 28);
            for part in ["readme.txt", "reads.fastq.gz", "table.csv"] {
                database.files.push((identifier.clone(), format!("{identifier}_{part}")));
            }
            database.datasets.push(Dataset {
                title: format!("Practice dataset number {}", number + 1),
                published: format!("2026-{month:02}-{day:02}"),
                identifier,
            });
        }
        database
    }

    /// Adds what a user writes.
    pub(crate) fn write(&mut self, key: &str) {
        self.writes += 1;
        self.datasets.push(Dataset {
            identifier: key.to_owned(),
            title: format!("Written by a user as {key}"),
            published: "2026-12-31".to_owned(),
        });
    }

    /// Removes everything and makes the database anew, without tables.
    pub(crate) fn drop_all(&mut self) {
        self.drops += 1;
        self.tables = false;
        self.datasets.clear();
        self.files.clear();
        // Dropping ends all sessions; the next one takes the role's setting.
        self.session_read_only = self.read_only;
    }

    /// The newest datasets, newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<&Dataset> {
        let mut rows: Vec<&Dataset> = self.datasets.iter().collect();
        rows.sort_by(|a, b| (&b.published, &b.identifier).cmp(&(&a.published, &a.identifier)));
        rows.truncate(count);
        rows
    }

    /// The dump, as `pg_dump --clean --create` would shape it.
    pub(crate) fn dump(&self) -> String {
        let mut out = String::from(
            "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 14.10\n\n\
             SET client_encoding = 'UTF8';\n\nDROP DATABASE gigadb;\nCREATE DATABASE gigadb;\n\
             \\connect gigadb\n\n",
        );
        if self.tables {
            out += "CREATE TABLE public.dataset (identifier text, title text, publication_date date);\n\
                    CREATE TABLE public.file (dataset text, name text);\n\n\
                    COPY public.dataset (identifier, title, publication_date) FROM stdin;\n";
            for row in &self.datasets {
                let _infallible =
                    writeln!(out, "{}\t{}\t{}", row.identifier, row.title, row.published);
            }
            out += "\\.\n\nCOPY public.file (dataset, name) FROM stdin;\n";
            for (dataset, name) in &self.files {
                let _infallible = writeln!(out, "{dataset}\t{name}");
            }
            out += "\\.\n\n";
        }
        out + "--\n" + TRAILER + "\n--\n\n"
    }

    /// Loads what a dump holds; a torn dump gives what came before the tear.
    pub(crate) fn load(&mut self, stamp: &str, dump: &str) {
        let mut table = "";
        for line in dump.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match (table, fields.as_slice()) {
                (_, ["\\."]) => table = "",
                (_, [line]) if line.starts_with("CREATE TABLE") => self.tables = true,
                (_, [line]) if line.starts_with("COPY public.dataset") => table = "dataset",
                (_, [line]) if line.starts_with("COPY public.file") => table = "file",
                ("dataset", [identifier, title, published]) => self.datasets.push(Dataset {
                    identifier: (*identifier).to_owned(),
                    title: (*title).to_owned(),
                    published: (*published).to_owned(),
                }),
                ("file", [dataset, name]) => {
                    self.files.push(((*dataset).to_owned(), (*name).to_owned()));
                }
                _ => {}
            }
        }
        self.loads.push(stamp.to_owned());
    }

    /// The stamp of the last load.
    pub(crate) fn loaded(&self) -> Option<&str> {
        self.loads.last().map(String::as_str)
    }

    /// The database as the world shows it.
    pub(crate) fn view(&self) -> Value {
        json!({
            "tables": self.tables, "datasets": self.datasets.len(), "files": self.files.len(),
            "digest": text::sha256(self.dump().as_bytes()), "loaded": self.loaded(),
            "read_only": self.read_only, "loads": self.loads, "drops": self.drops,
            "dumps": self.dumps, "dumped": self.dumped, "writes": self.writes,
            "objects": self.objects.iter()
                .map(|(key, digest)| json!({"key": key, "digest": digest}))
                .collect::<Vec<_>>(),
        })
    }

    /// Answers a query as `psql -XAt` prints it; an error is what the server would say. `writable`: the
    /// session sets `default_transaction_read_only` to off for itself. True if state was changed.
    pub(crate) fn query(
        &mut self,
        sql: &str,
        site: Site,
        writable: bool,
    ) -> Result<(String, bool), String> {
        let sql = sql.trim().trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" ");
        let low = sql.to_ascii_lowercase();
        let refuses = self.read_only && !writable;
        let refused =
            |what| Err(format!("ERROR:  cannot execute {what} in a read-only transaction"));
        if let Some(read_only) = role_setting(&low) {
            if refuses {
                return refused("ALTER ROLE");
            }
            let changed = self.read_only != read_only;
            self.read_only = read_only;
            return Ok(("ALTER ROLE".to_owned(), changed));
        }
        if low.starts_with("create temporary table") {
            return if refuses {
                refused("CREATE TABLE")
            } else {
                Ok(("CREATE TABLE".to_owned(), false))
            };
        }
        if low.starts_with("select count(pg_terminate_backend(pid)) from pg_stat_activity") {
            let changed = self.session_read_only != self.read_only;
            self.session_read_only = self.read_only;
            return Ok(("1".to_owned(), changed));
        }
        if low.contains("from pg_stat_activity") {
            // The web application's session is the only one; it is as old as its setting.
            let old = self.session_read_only != self.read_only;
            return Ok((if old { "86400" } else { "0" }.to_owned(), false));
        }
        let answer =
            match low.as_str() {
                "select count(*) from dataset" | "select count(*) from file" if !self.tables => {
                    let table = if low.contains("from file") { "file" } else { "dataset" };
                    return Err(format!("ERROR:  relation \"{table}\" does not exist"));
                }
                "select count(*) from dataset" => self.datasets.len().to_string(),
                "select count(*) from file" => self.files.len().to_string(),
                other => self.listed(other, site).or_else(|| self.newest_row(other)).ok_or_else(
                    || format!("ERROR:  the practice database does not know this query: {sql}"),
                )?,
            };
        Ok((answer, false))
    }

    /// `select EXPRESSION, … [from …]` of what a server knows of itself.
    fn listed(&self, low: &str, site: Site) -> Option<String> {
        let on = if self.read_only { "on" } else { "off" };
        let config = if self.read_only { "{default_transaction_read_only=on}" } else { "" };
        if low == "show default_transaction_read_only" {
            return Some(on.to_owned());
        }
        let list = low.strip_prefix("select ")?;
        let list = list.split(" from pg_").next().unwrap_or(list);
        let one = |expression: &str| {
            Some(match expression.trim() {
                "1" => "1".to_owned(),
                "current_setting('default_transaction_read_only')" => on.to_owned(),
                "inet_server_addr()" => site.database_address().to_owned(),
                "inet_server_port()" => "5432".to_owned(),
                "system_identifier" => ["7301", "7302"][site.index()].to_owned(),
                "pg_postmaster_start_time()" => "2026-11-01 03:00:00.123456+00".to_owned(),
                "current_database()" | "session_user" => "gigadb".to_owned(),
                "pg_is_in_recovery()" => "f".to_owned(),
                "rolconfig" => config.to_owned(),
                _ => return None,
            })
        };
        let all: Option<Vec<String>> = list.split(',').map(one).collect();
        Some(all?.join("|"))
    }

    fn newest_row(&self, low: &str) -> Option<String> {
        let names = low.strip_prefix("select identifier from dataset");
        let wanted = names
            .or_else(|| low.strip_prefix("select identifier, publication_date from dataset"))?;
        let limit = wanted.rsplit_once("limit ")?.1.parse().ok()?;
        let rows = self.newest(limit);
        let line = |row: &&Dataset| match names {
            Some(_) => row.identifier.clone(),
            None => format!("{}|{}", row.identifier, row.published),
        };
        let lines: Vec<String> = rows.iter().map(line).collect();
        Some(lines.join("\n"))
    }
}

/// Whether queries may change something.
pub(crate) fn changes(sql: &str) -> bool {
    let low = sql.to_ascii_lowercase();
    low.contains("alter role") || low.contains("pg_terminate_backend")
}

/// What `alter role … default_transaction_read_only` sets.
fn role_setting(low: &str) -> Option<bool> {
    let rest = low.strip_prefix("alter role ")?;
    let (_, action) = rest.split_once(' ')?;
    if action == "reset default_transaction_read_only" {
        return Some(false);
    }
    let value = action.strip_prefix("set default_transaction_read_only")?.trim_start();
    let value = value.strip_prefix('=').or_else(|| value.strip_prefix("to"))?;
    match value.trim().trim_matches('\'') {
        "on" | "true" | "1" => Some(true),
        "off" | "false" | "0" | "default" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_holds_all_rows() {
        let first = Database::first(40);
        let mut second = Database::first(3);
        second.drop_all();
        assert!(second.query("select count(*) from dataset", Site::Sydney, false).is_err());
        second.load("20261121", &first.dump());
        assert_eq!(second.dump(), first.dump());
        assert_eq!(
            second.query("SELECT count(*)\n FROM file;", Site::Sydney, false).unwrap().0,
            "120"
        );
        assert!(first.dump().trim_end_matches(['-', '\n']).ends_with("dump complete"));
    }

    #[test]
    fn the_role_setting_outlives_a_drop() {
        let mut database = Database::first(1);
        let set = "ALTER ROLE gigadb SET default_transaction_read_only = on;";
        let mut ask = |sql, writable| database.query(sql, Site::Hk, writable);
        assert_eq!(ask(set, false).unwrap(), ("ALTER ROLE".to_owned(), true));
        let reset = "ALTER ROLE gigadb RESET default_transaction_read_only";
        assert!(ask(reset, false).unwrap_err().contains("read-only transaction"));
        assert_eq!(
            ask("select session_user, rolconfig from pg_roles where rolname = 'gigadb'", false)
                .unwrap()
                .0,
            "gigadb|{default_transaction_read_only=on}"
        );
        assert!(!database.session_read_only, "an open session keeps what it began with");
        database.drop_all();
        assert!(database.read_only && database.session_read_only);
        assert!(database.query(reset, Site::Hk, true).unwrap().1);
    }
}
