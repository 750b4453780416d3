-- What a CRM knows that was done with a person: notes, calls, tasks and meetings, for the contact's page. One row for each person that an
-- activity belongs to, by the service's ids, so that people who come in later find theirs, and a merge there moves them.
create table integration_activities (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  integration_id uuid not null,
  client_id uuid,
  kind text not null check (kind in ('note', 'call', 'task', 'meeting')),
  remote_id text not null,
  -- the person's record there; which contact that is, integration_links knows
  remote_contact text not null,
  title text not null default '',
  -- plain text, cut
  body text not null default '',
  -- in the service's words: Completed, Not started
  state text not null default '',
  -- when it was, or is due
  at timestamptz not null,
  remote_changed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, integration_id) references integrations (workspace_id, id)
);
create unique index integration_activities_remote on integration_activities (workspace_id, integration_id, kind, remote_id, remote_contact);
create index integration_activities_newest on integration_activities (workspace_id, integration_id, remote_contact, at desc, id desc);

alter table integration_activities enable row level security;
alter table integration_activities force row level security;
create policy scope on integration_activities using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

-- A deal's contact by the service's id, so that one who comes in later finds it.
create index integration_links_deals on integration_links (workspace_id, integration_id, (facts ->> 'contact')) where kind = 'deal';
-- Why a contact has no record there any more.
create index integration_sync_records_gone on integration_sync_records (workspace_id, contact_id, id) where action in ('merge', 'remove');
-- Deals that were read before know neither: all are read once more.
alter table integrations no force row level security;
update integrations set config = config - 'deals_until' where type in ('hubspot', 'zoho') and config ? 'deals_until';
alter table integrations force row level security;
