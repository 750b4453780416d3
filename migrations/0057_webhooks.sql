-- Outgoing webhooks: what other systems are told, where, and how each telling went.

create table webhook_endpoints (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  -- null: of all clients and of the agency itself
  client_id uuid,
  name text not null check (length(name) between 1 and 120),
  url text not null check (length(url) <= 2000),
  -- words of EventType
  events text[] not null,
  -- sealed: the secret that signs, and the one before, which signs until then, too
  secret text not null,
  secret_at timestamptz not null default now(),
  old_secret text,
  old_secret_at timestamptz,
  old_until timestamptz,
  status integration_status not null default 'active',
  -- since when each try has failed; null: the last one went well
  failing_since timestamptz,
  -- why it was switched off, in words; by itself when nobody did it
  off_reason text,
  off_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- its deliveries stay until they are old
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint webhook_endpoints_old check ((old_secret is null) = (old_until is null) and (old_secret is null) = (old_secret_at is null)),
  constraint webhook_endpoints_off check ((status = 'active') = (off_at is null))
);
create index webhook_endpoints_by_name on webhook_endpoints (workspace_id, name, id) where removed_at is null;

-- An endpoint, an integration or a rule of text messages waits for events of this agency. False: events are not written down.
alter table workspaces add column tells_others boolean not null default false;

-- What happened, frozen when it happened, by whoever did it: also a client's people. A worker then gives it to all who asked for it.
create table webhook_events (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  type text not null,
  client_id uuid,
  -- to what it leads on a page
  subject text not null check (subject in ('call', 'batch', 'contact', 'client', 'test')),
  subject_id uuid not null,
  -- the exact bytes of the body
  body text not null,
  occurred_at timestamptz not null default now(),
  -- null: not given to those who asked for it
  given_out_at timestamptz,
  primary key (workspace_id, id)
);
create index webhook_events_new on webhook_events (workspace_id, id) where given_out_at is null;
create index webhook_events_old on webhook_events (workspace_id, occurred_at);

-- One event for one endpoint.
create table webhook_deliveries (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  endpoint_id uuid not null,
  event_id uuid not null,
  client_id uuid,
  -- copies, so that a list needs one index: of the event
  event_type text not null,
  occurred_at timestamptz not null,
  -- waiting: it stands in delivery_queue; delivered; failed: no more tries; held: the endpoint was off
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed', 'held')),
  tries int not null default 0,
  -- of these, since it was replayed last
  tries_in_row int not null default 0,
  next_try_at timestamptz,
  last_status int,
  last_error text,
  last_ms int,
  last_try_at timestamptz,
  replayed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, endpoint_id) references webhook_endpoints (workspace_id, id),
  foreign key (workspace_id, event_id) references webhook_events (workspace_id, id),
  constraint webhook_deliveries_next check ((state = 'waiting') = (next_try_at is not null))
);
create unique index webhook_deliveries_once on webhook_deliveries (workspace_id, endpoint_id, event_id);
create index webhook_deliveries_newest on webhook_deliveries (workspace_id, endpoint_id, occurred_at desc, id desc);
create index webhook_deliveries_state on webhook_deliveries (workspace_id, endpoint_id, state, occurred_at desc, id desc);
create index webhook_deliveries_of_event on webhook_deliveries (workspace_id, event_id);

-- The deliveries that wait, or are being sent: one row each, until it is known what became of it. Workers look over all agencies here.
create table delivery_queue (
  -- that of the delivery
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  endpoint_id uuid not null,
  next_try_at timestamptz not null default now(),
  -- who sends it now
  lease_owner uuid,
  lease_until timestamptz,
  constraint delivery_queue_lease check ((lease_owner is null) = (lease_until is null))
);
create index delivery_queue_due on delivery_queue (workspace_id, endpoint_id, next_try_at, id) where lease_owner is null;
create index delivery_queue_leased on delivery_queue (lease_until) where lease_owner is not null;
create index delivery_queue_of_endpoint on delivery_queue (workspace_id, endpoint_id, id);

-- One try. What was sent beside the frozen body, and what came back.
create table webhook_attempts (
  workspace_id uuid not null references workspaces (id),
  delivery_id uuid not null,
  number int not null,
  at timestamptz not null default now(),
  -- name and value of what was sent; never a secret
  request_headers jsonb not null,
  -- null: there was no answer
  status int,
  error text,
  ms int not null,
  -- the address that was connected to
  remote text,
  response_headers jsonb,
  -- the beginning of it
  response_body text,
  primary key (workspace_id, delivery_id, number),
  foreign key (workspace_id, delivery_id) references webhook_deliveries (workspace_id, id)
);

-- Events of a client are written in the name of its people, too. All else is the agency's alone.
alter table webhook_events enable row level security;
alter table webhook_events force row level security;
create policy scope on webhook_events using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
alter table webhook_endpoints enable row level security;
alter table webhook_endpoints force row level security;
create policy scope on webhook_endpoints using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table webhook_deliveries enable row level security;
alter table webhook_deliveries force row level security;
create policy scope on webhook_deliveries using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table delivery_queue enable row level security;
alter table delivery_queue force row level security;
create policy scope on delivery_queue using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);
alter table webhook_attempts enable row level security;
alter table webhook_attempts force row level security;
create policy scope on webhook_attempts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
