-- People to call, and how they came in.

create type import_status as enum ('uploaded', 'checking', 'checked', 'importing', 'completed', 'failed', 'cancelled');
create type duplicate_rule as enum ('skip', 'update');

create table contacts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  name text not null default '',
  phone text not null check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  email text,
  company text,
  timezone text,
  attributes jsonb not null default '{}',
  do_not_call boolean not null default false,
  do_not_call_reason text,
  do_not_call_at timestamptz,
  import_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint contacts_phone_unique unique (workspace_id, client_id, phone)
);
create index contacts_of_client on contacts (workspace_id, client_id, id desc);
create index contacts_by_phone on contacts (workspace_id, phone text_pattern_ops);
create index contacts_by_import on contacts (workspace_id, import_id, id);
create index contacts_suppressed on contacts (workspace_id, id desc) where do_not_call;

create table contact_imports (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  -- when set, imported contacts also join this campaign
  campaign_id uuid,
  file_name text not null,
  file_key text not null,
  file_bytes bigint not null,
  encoding text,
  delimiter text,
  -- what the file looks like: header, sample rows
  preview jsonb not null default '{}',
  mapping jsonb not null default '{}',
  default_country text,
  duplicates duplicate_rule not null default 'skip',
  status import_status not null default 'uploaded',
  -- progress, and where a killed import goes on
  bytes_done bigint not null default 0,
  lines_done bigint not null default 0,
  total_rows bigint not null default 0,
  valid_rows bigint not null default 0,
  imported_rows bigint not null default 0,
  updated_rows bigint not null default 0,
  duplicate_rows bigint not null default 0,
  rejected_rows bigint not null default 0,
  cancel_requested boolean not null default false,
  error text,
  started_by uuid references users (id),
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id)
);
create index contact_imports_newest on contact_imports (workspace_id, id desc);

-- A rejected row is kept as it came, with the reason, and can be downloaded, mended and imported again.
create table contact_import_rejects (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  import_id uuid not null,
  client_id uuid not null,
  line bigint not null,
  reason text not null,
  raw text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, import_id) references contact_imports (workspace_id, id)
);
create index contact_import_rejects_in_order on contact_import_rejects (workspace_id, import_id, line, id);

alter table contacts enable row level security;
alter table contacts force row level security;
create policy scope on contacts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table contact_imports enable row level security;
alter table contact_imports force row level security;
create policy scope on contact_imports using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table contact_import_rejects enable row level security;
alter table contact_import_rejects force row level security;
create policy scope on contact_import_rejects using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

-- Finding people by part of a name, company, e-mail or number. Pattern operators are not leakproof, so under row security they
-- could not use an index; this function filters by the transaction's own scope and is the one door to that search.
create extension if not exists pg_trgm;
create index contacts_words on contacts using gin ((name || ' ' || coalesce(company, '') || ' ' || coalesce(email, '') || ' ' || phone) gin_trgm_ops);
create function search_contacts(words text, most int) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  select c.id from contacts c
  where c.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
    and (nullif(current_setting('app.client_id', true), '') is null
         or c.client_id = nullif(current_setting('app.client_id', true), '')::uuid)
    and (c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '') || ' ' || c.phone)
        ilike '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%'
  order by c.id desc limit least(most, 1000)
$$;
revoke all on function search_contacts(text, int) from public;
grant execute on function search_contacts(text, int) to patchbay_app;
