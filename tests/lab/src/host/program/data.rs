//! `s3backup` and `databaseReset`: a dump into the bucket, a load out of it.

use super::{Bytes, Lab, Output, Step, aws, text, tools};

/// Keys are looked up under this prefix, whoever is production: so does the real script.
const RESTORE_PREFIX: &str = "gigadb_gigascience-upstream-gigadb-website_live_";

fn is_stamp(text: &str) -> bool {
    [8, 12].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Dumps the database that `.env` names and uploads it.
pub(super) async fn backup(lab: &Lab, step: &Step<'_>) -> Output {
    let stamp = match step.args.as_slice() {
        [] => text::day(0),
        [stamp] if is_stamp(stamp) => stamp.clone(),
        _ => return Output::failed(2, "usage: s3backup [YYYYMMDD|YYYYMMDDHHMM]\n"),
    };
    if let Some(gone) = tools::gone(lab, step, "production_s3backup") {
        return gone;
    }
    if step.part == "start" {
        let said = format!("s3backup: dumping for {stamp}\n");
        return Output::ok(&said).then("upload", lab.with(|world| world.settings.host_seconds));
    }
    let host = step.dotenv("PGHOST").to_owned();
    let dump = lab.with(|world| {
        let (_, database) = world.database(&host)?;
        let dump = database.dump();
        database.dumps.push(stamp.clone());
        database.dumped.push(text::sha256(dump.as_bytes()));
        Some(dump)
    });
    let Some(dump) = dump else {
        return Output::failed(
            1,
            &format!("pg_dump: error: could not translate host name \"{host}\"\n"),
        );
    };
    let key = format!("gigadb_{}_live_{stamp}.backup", step.dotenv("PROJECT").replace('/', "-"));
    let body = Bytes::from(dump);
    let stored = if let Some(moto) = lab.fixed.moto {
        aws::put_object(&lab.fixed.client, moto, &key, body).await
    } else {
        lab.with(|world| world.bucket.insert(key.clone(), body.to_vec()));
        Ok(())
    };
    match stored {
        Ok(()) => Output::ok(&format!("s3backup: {key}\n")).applied(true),
        Err(error) => Output::failed(1, &format!("s3backup: {error}\n")),
    }
}

/// Drops the database that `.env` names, then loads the object of a stamp into it. The shipped script opens
/// a role that only reads for that long and closes it again: nothing of it shows here.
pub(super) async fn reset(lab: &Lab, step: &Step<'_>) -> Output {
    let stamp = match step.args.as_slice() {
        [] => text::day(1),
        [stamp] if stamp == "latest" => text::day(1),
        [stamp] => stamp.clone(),
        _ => return Output::failed(2, "usage: databaseReset [YYYYMMDD|YYYYMMDDHHMM|latest]\n"),
    };
    let host = step.dotenv("PGHOST").to_owned();
    let seconds = lab.with(|world| world.settings.host_seconds);
    if let Some(gone) = tools::gone(lab, step, "production_s3backup") {
        return gone;
    }
    if step.part == "start" {
        let dropped = lab.with(|world| world.database(&host).map(|(_, db)| db.drop_all()));
        if dropped.is_none() {
            let said = format!("psql: error: could not translate host name \"{host}\"\n");
            return Output::failed(1, &said);
        }
        return Output::ok("databaseReset: database dropped\n").then("load", seconds).applied(true);
    }
    let key = format!("{RESTORE_PREFIX}{stamp}.backup");
    let object = match lab.fixed.moto {
        Some(moto) => aws::object(&lab.fixed.client, moto, &key).await,
        None => lab.with(|world| world.bucket.get(&key).cloned()).map(Bytes::from),
    };
    let Some(object) = object else {
        return Output::failed(1, &format!("databaseReset: {key}: No such file or directory\n"));
    };
    let dump = String::from_utf8_lossy(&object).into_owned();
    let digest = text::sha256(&object);
    lab.with(|world| {
        world.database(&host).map(|(_, db)| {
            db.load(&stamp, &dump);
            db.objects.push((key, digest));
        })
    });
    // Its last part migrates, in another container; by then the database has been replaced.
    match tools::gone(lab, step, "production_app") {
        Some(gone) => gone.applied(true),
        None => Output::ok(&format!("databaseReset: loaded {stamp}\n")).applied(true),
    }
}
