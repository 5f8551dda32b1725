-- The part of GigaDB's schema that the practice needs, and this many datasets of three files each.
create table public.dataset (
  id serial primary key, identifier text not null unique, title text not null, publication_date date
);
create table public.file (
  id serial primary key, dataset_id integer not null, name text not null,
  constraint file_dataset_id_fkey foreign key (dataset_id) references public.dataset (id)
);
create table public.tbl_migration (version text primary key);
insert into public.tbl_migration values ('v4.3.3');
insert into public.dataset (identifier, title, publication_date)
  select (100000 + n)::text, 'Practice dataset number ' || n, date '2026-01-01' + n from generate_series(1, :datasets) n;
insert into public.file (dataset_id, name)
  select d.id, d.identifier || '_' || part from public.dataset d, unnest(array['readme.txt', 'reads.fastq.gz', 'table.csv']) part
  order by d.id, part;
