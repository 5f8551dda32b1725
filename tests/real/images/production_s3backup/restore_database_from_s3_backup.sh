#!/usr/bin/env bash
# Modelled on the restore in upstream's image: the key of one project whoever is production, no `set -e`, the
# database dropped before anybody looks whether there is a dump, a date compared as a number.
latest=$(date --date="1 days ago" +"%Y%m%d")
backupDate="$1"
prefix=gigadb_gigascience-upstream-gigadb-website_live

if [[ -z $backupDate || $backupDate -eq "latest" ]]; then
  backupDate=$latest
fi
rclone copy "s3_remote:gigadb-database-backups/${prefix}_${backupDate}.backup" restore/

psql -X -d postgres -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$PGDATABASE' and pid <> pg_backend_pid()"
psql -X -d postgres -c "drop database if exists $PGDATABASE"
psql -X -d postgres -c "create database $PGDATABASE owner $PGUSER"

psql -X <"restore/${prefix}_${backupDate}.backup"
