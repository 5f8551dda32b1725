//! MIGRATE-TARGET: a command that changes a schema says on which database.

use super::Look;
use super::deed::Deed;

/// Words of migration tools that stand for the act.
const ACTS: [&str; 6] =
    ["migrate", "migrations:migrate", "migrate:up", "db:migrate", "upgrade-schema", "migrate-up"];

/// How tools are told a database.
const TARGETS: [&str; 9] = [
    "--database",
    "--db",
    "--host",
    "--url",
    "--dsn",
    "PGHOST=",
    "DATABASE_URL=",
    "DB_HOST=",
    "://",
];

pub(super) fn look(look: &mut Look<'_>) {
    for (placed, deed) in look.draft.deeds() {
        let Deed::Runs(run) = deed else { continue };
        let words = || run.argv.iter().flat_map(|it| it.split_whitespace());
        let Some(act) = words().find(|word| ACTS.contains(word)) else { continue };
        let told = words().any(|word| {
            word.contains(".rds") || TARGETS.iter().any(|it| word.contains(it)) || word == "-h"
        });
        if !told {
            let message = format!("`{act}` changes whatever database the host's settings name");
            let help = "name the database in the command, for example `--host={{ standby.rds }}…`";
            look.say(&placed.path.key("with").key("argv"), message, help);
        }
    }
}
