//! PUBLIC-DUMP: no copy of a database is written below a folder that a web server serves.

use super::Look;
use super::scripts::commands;

/// Folders that web servers serve, in the usual places.
const SERVED: [&str; 7] =
    ["/var/www", "/srv/www", "/usr/share/nginx", "/htdocs", "/wwwroot", "/public_html", "/public/"];

/// Programs that write a database out.
const DUMPS: [&str; 6] =
    ["pg_dump", "pg_dumpall", "mysqldump", "mariadb-dump", "mongodump", "dumpdata"];

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let proven: Vec<_> = draft
        .deeds()
        .filter(|(_, deed)| deed.dump().is_some())
        .map(|(placed, _)| placed.path.key("with").key("argv"))
        .collect();
    for command in commands(draft) {
        let dumps = command.argv.iter().any(|word| DUMPS.iter().any(|it| word.contains(it)));
        let backup = command.place.turns().get(1).is_some_and(|_| {
            draft.workflow.jobs.iter().any(|(name, job)| {
                job.backup.is_some() && command.place.up().last_key() == Some(name)
            })
        });
        if !dumps && !backup && !proven.contains(&command.place) {
            continue;
        }
        let served = command.argv.iter().find(|word| SERVED.iter().any(|it| word.contains(it)));
        if let Some(word) = served {
            let message = format!("`{word}` is served to everybody, and a dump would lie in it");
            look.say(&command.place, message, "write it to a folder that only its user can read");
        }
    }
}
