#!/usr/bin/env bash
# Runs a file of statements in the database that the variables name.
set -eu
psql -X -v ON_ERROR_STOP=1 -f "$1"
