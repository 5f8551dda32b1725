#!/usr/bin/env bash
# Writes the statements that take the constraints out and put them back.
set -eu
echo 'alter table public.file drop constraint file_dataset_id_fkey;' >"$1/dropConstraints.sql"
echo 'alter table public.file add constraint file_dataset_id_fkey foreign key (dataset_id) references public.dataset (id);' >"$1/addConstraints.sql"
