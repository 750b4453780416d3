-- What HubSpot told of its records by itself: read soon afterwards. Kept for three days, because it tells the same again for one.
create table integration_notices (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  -- the service's own ids of the event and its subscription, and its time
  event_key text not null check (length(event_key) between 1 and 120),
  kind text not null check (kind in ('contact', 'deal')),
  told text not null check (told in ('changed', 'removed', 'erased')),
  -- the record; after a merge all that took part
  remote_ids text[] not null,
  occurred_at timestamptz not null,
  came_at timestamptz not null default now(),
  -- null: nothing was done about it yet
  taken_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id)
);
create unique index integration_notices_once on integration_notices (workspace_id, integration_id, event_key);
create index integration_notices_open on integration_notices (workspace_id, integration_id, id) where taken_at is null;
create index integration_notices_old on integration_notices (workspace_id, came_at);

alter table integration_notices enable row level security;
alter table integration_notices force row level security;
create policy scope on integration_notices using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

-- When the last notice came, and what was refused last, in words; both within some seconds.
alter table integrations add column noticed_at timestamptz;
alter table integrations add column notice_refused_at timestamptz;
alter table integrations add column notice_problem text;

-- A record that was merged into one that another contact has already: its contact hears what the other record says.
create index integration_links_lives_on on integration_links (workspace_id, integration_id, (facts ->> 'lives_on'))
  where kind = 'contact' and facts ? 'lives_on';
-- What a record was called in syncs is forgotten with it.
create index integration_sync_records_of_record on integration_sync_records (workspace_id, integration_id, remote_id)
  where remote_id is not null;
create index integration_sync_records_of_contact on integration_sync_records (workspace_id, integration_id, contact_id)
  where contact_id is not null;
-- Who had themselves erased: a list that lags may still have them.
create index integration_notices_erased on integration_notices (workspace_id, integration_id) where told = 'erased';
