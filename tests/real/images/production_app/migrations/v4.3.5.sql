alter table public.dataset add column funder_id integer references public.funder (id);
update public.dataset set funder_id = 1 where id <= 10;
