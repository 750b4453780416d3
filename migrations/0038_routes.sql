-- Where the carrier sends the calls of numbers is looked at again by the clock, and callers who were unknown become contacts.

alter table agency_phone_numbers
  -- where the carrier sent the number's calls when it was looked at last: its id, its name and kind there; null: nowhere, or never looked
  add column carrier_connection text,
  add column carrier_connection_name text,
  add column carrier_connection_kind text check (carrier_connection_kind in ('ours', 'call_control', 'texml', 'other')),
  add column route_checked_at timestamptz;

-- When the carrier is asked next where an agency's numbers go. Like a queue it is read across tenants: to see what is due.
create table route_checks (
  workspace_id uuid primary key references workspaces (id),
  next_at timestamptz not null,
  -- why the last look did not get to its end
  error text,
  updated_at timestamptz not null default now()
);
create index route_checks_due on route_checks (next_at);
alter table route_checks enable row level security;
alter table route_checks force row level security;
create policy scope on route_checks using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);

-- Carriers that are connected already are asked within some hours, not all at once. The owner is bound by row security, too, but for this
-- moment.
alter table route_checks no force row level security;
alter table provider_connections no force row level security;
alter table agency_phone_numbers no force row level security;
insert into route_checks (workspace_id, next_at)
select workspace_id, now() + random() * interval '6 hours' from provider_connections where provider = 'telnyx';
-- What the carrier was told last is where it sent them, as far as anybody knows.
update agency_phone_numbers set carrier_connection = routed_to, carrier_connection_kind = 'ours' where routed_to is not null;
alter table agency_phone_numbers force row level security;
alter table provider_connections force row level security;
alter table route_checks force row level security;

-- A call that came in while all lines were in use.
alter table calls drop constraint calls_missed_reason_check, add constraint calls_missed_reason_check check (missed_reason in
  ('caller_left', 'out_of_hours', 'no_agent', 'not_ready', 'budget', 'archived', 'suspended', 'failed', 'no_line'));
-- Calls of people who were no contact when they called, to be found when they become one.
create index calls_of_unknown on calls (workspace_id, client_id, "from") where contact_id is null and direction = 'inbound';
