-- Campaigns tie client, agent, number and contacts; a batch dials a campaign's contacts.

create type campaign_type as enum ('sdr', 'cs');
create type campaign_status as enum ('draft', 'active', 'paused', 'archived');
create type contact_status as enum ('pending', 'scheduled', 'calling', 'completed', 'failed');
create type contact_outcome as enum ('no_answer', 'answered', 'voicemail', 'busy', 'declined', 'callback_scheduled');
create type batch_status as enum ('pending', 'scheduled', 'processing', 'paused', 'completed', 'failed');
create type batch_mode as enum ('immediate', 'scheduled');

create table campaigns (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  agent_id uuid not null,
  number_id uuid not null,
  name text not null check (length(name) between 1 and 120),
  type campaign_type not null,
  status campaign_status not null default 'draft',
  goal text not null default '',
  variables jsonb not null default '{}',
  -- calling hours in the contact's zone: {"start":"09:00","end":"19:00","days":[1,2,3,4,5]}, Monday is 1
  calling_window jsonb not null default '{"start":"09:00","end":"19:00","days":[1,2,3,4,5]}',
  max_attempts int not null default 2 check (max_attempts between 1 and 10),
  retry_minutes int not null default 60 check (retry_minutes between 1 and 10080),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, number_id) references agency_phone_numbers (workspace_id, id)
);
create index campaigns_newest on campaigns (workspace_id, id desc);
create index campaigns_of_client on campaigns (workspace_id, client_id, id desc);

create table call_batches (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  campaign_id uuid not null,
  name text not null check (length(name) between 1 and 120),
  mode batch_mode not null,
  status batch_status not null default 'pending',
  scheduled_for timestamptz,
  concurrency int not null default 5 check (concurrency between 1 and 200),
  -- counts by state, kept in the transaction that changes a contact
  total_contacts int not null default 0,
  -- who paused it: null is a person; a sentence when Patchbay did, with what to do
  pause_reason text,
  paused_by uuid references users (id),
  -- stopping is final: undialled contacts have gone back to pending
  stopped_at timestamptz,
  error text,
  created_by uuid references users (id),
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, campaign_id) references campaigns (workspace_id, id)
);
create index call_batches_newest on call_batches (workspace_id, id desc);
create index call_batches_of_client on call_batches (workspace_id, client_id, id desc);
create index call_batches_of_campaign on call_batches (workspace_id, campaign_id, id desc);
create index call_batches_processing on call_batches (workspace_id, id) where status = 'processing';

create table campaign_contacts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  campaign_id uuid not null,
  contact_id uuid not null,
  -- the batch that has taken this contact; null while it waits for one
  batch_id uuid,
  status contact_status not null default 'pending',
  outcome contact_outcome,
  attempts int not null default 0,
  next_attempt_at timestamptz,
  last_call_id uuid,
  callback_at timestamptz,
  variables jsonb not null default '{}',
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, campaign_id) references campaigns (workspace_id, id),
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id),
  foreign key (workspace_id, batch_id) references call_batches (workspace_id, id),
  constraint campaign_contacts_once unique (workspace_id, campaign_id, contact_id)
);
create index campaign_contacts_in_order on campaign_contacts (workspace_id, campaign_id, id);
create index campaign_contacts_pending on campaign_contacts (workspace_id, campaign_id, id) where status = 'pending';
create index campaign_contacts_due on campaign_contacts (workspace_id, batch_id, next_attempt_at nulls first, id) where status = 'scheduled';
create index campaign_contacts_calling on campaign_contacts (workspace_id, batch_id) where status = 'calling';
create index campaign_contacts_of_batch on campaign_contacts (workspace_id, batch_id, id);
create index campaign_contacts_of_contact on campaign_contacts (workspace_id, contact_id);

alter table campaigns enable row level security;
alter table campaigns force row level security;
create policy scope on campaigns using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table call_batches enable row level security;
alter table call_batches force row level security;
create policy scope on call_batches using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table campaign_contacts enable row level security;
alter table campaign_contacts force row level security;
create policy scope on campaign_contacts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
