#!/usr/bin/env bash
# Brings the schema to the version of this image: every migration up to it that was not applied yet.
set -eu
migrations=$(dirname -- "$0")/migrations
for file in $(printf '%s\n' "$migrations"/*.sql | sort -V); do
  version=$(basename "$file" .sql)
  [ "$(printf '%s\n' "$version" "$IMAGE_VERSION" | sort -V | tail -n 1)" = "$IMAGE_VERSION" ] || continue
  applied=$(psql -XAtc "select count(*) from public.tbl_migration where version = '$version'")
  [ "$applied" = 0 ] || continue
  psql -X -1 -v ON_ERROR_STOP=1 -f "$file" -c "insert into public.tbl_migration (version) values ('$version')"
done
