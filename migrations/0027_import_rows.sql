-- How often a check of the file began: only the newest one writes into the import, so that a worker that was thought dead changes nothing.
alter table contact_imports add column checks int not null default 0;
comment on column contact_imports.checks is 'checks of the file that began; the newest one alone may write here';
-- What the rows take that the check keeps: they count among the files that wait.
alter table contact_imports add column stage_bytes bigint not null default 0;
comment on column contact_imports.stage_bytes is 'bytes of the rows that the check has kept';
-- Rows were not kept before, or in another form. What was checked is checked once more, and what was being imported cannot go on.
alter table contact_imports no force row level security;
update contact_imports set status = 'uploaded', preview = preview - 'check', stage_key = null, updated_at = now()
  where status = 'checked';
update contact_imports set status = 'failed', error = 'Interrupted by an update. What was imported is kept. Upload the file again.',
       completed_at = now(), updated_at = now()
  where status = 'importing';
alter table contact_imports force row level security;
