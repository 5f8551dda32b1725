create table public.funder (id serial primary key, name text not null unique);
insert into public.funder (name) values ('Practice Council'), ('Institute of Dry Runs');
