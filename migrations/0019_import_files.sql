-- The check keeps what it read of a file, so that nothing is read twice: the key of that, beside the file itself.
alter table contact_imports add column stage_key text;
comment on column contact_imports.stage_key is 'where the rows lie that the check has read; none before the check';
-- Rows whose number the client already had, and which changed nothing. Counted, not derived, so that all counts can be added up.
alter table contact_imports add column kept_rows bigint not null default 0;
comment on column contact_imports.kept_rows is 'rows whose number the client already had, with nothing changed';
alter table contact_imports no force row level security;
update contact_imports set kept_rows = total_rows - imported_rows - updated_rows - duplicate_rows - rejected_rows
  where started_at is not null;
alter table contact_imports force row level security;
-- Unfinished imports of an agency are counted and added up for each upload, and by client.
create index contact_imports_unfinished on contact_imports (workspace_id, client_id)
  where status in ('uploaded', 'checking', 'checked', 'importing');
