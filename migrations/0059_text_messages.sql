-- Text messages (SMS): rules that send them after calls, and the messages themselves.

create table text_rules (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  name text not null check (length(name) between 1 and 120),
  -- words of contact_outcome, or missed; any of them
  outcomes text[] not null,
  -- with {{variables}} of the contact and the call
  template text not null check (length(template) between 1 and 1600),
  -- null: the number of the call
  from_number_id uuid,
  delay_minutes int not null default 0 check (delay_minutes between 0 and 10080),
  -- in the person's zone, on any day; both alike: at any time
  hours_start time not null default '08:00',
  hours_end time not null default '20:00',
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, from_number_id) references agency_phone_numbers (workspace_id, id)
);
create index text_rules_of_client on text_rules (workspace_id, client_id, name, id) where removed_at is null;

create table text_messages (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  contact_id uuid,
  call_id uuid,
  rule_id uuid,
  -- out by a rule, an agent on a call, a person; in from the contact
  direction text not null check (direction in ('out', 'in')),
  source text not null check (source in ('rule', 'agent', 'person', 'contact')),
  number_id uuid not null,
  -- E.164
  other_number text not null check (other_number ~ '^\+[1-9][0-9]{6,14}$'),
  body text not null,
  state text not null check (state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'not_sent', 'received')),
  -- why it failed or was not sent, in words
  problem text,
  -- the carrier's
  carrier text not null,
  carrier_message_id text,
  parts int,
  cost_usd numeric(14,6),
  -- STOP, START or HELP when that was said
  keyword text check (keyword in ('stop', 'start', 'help')),
  -- when it was due; null: it came in
  send_at timestamptz,
  -- when the carrier was asked to send it, and how often
  asked_at timestamptz,
  asks int not null default 0,
  at timestamptz not null default now(),
  done_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  foreign key (workspace_id, rule_id) references text_rules (workspace_id, id),
  foreign key (workspace_id, number_id) references agency_phone_numbers (workspace_id, id)
);
create index text_messages_newest on text_messages (workspace_id, at desc, id desc);
create index text_messages_of_client on text_messages (workspace_id, client_id, at desc, id desc);
create index text_messages_of_contact on text_messages (workspace_id, contact_id, at desc, id desc) where contact_id is not null;
create unique index text_messages_once on text_messages (workspace_id, rule_id, call_id) where rule_id is not null;
create unique index text_messages_carrier on text_messages (workspace_id, carrier, carrier_message_id) where carrier_message_id is not null;

-- Numbers that tell us what comes to them, and where they were told to.
create table text_numbers (
  workspace_id uuid not null references workspaces (id),
  number_id uuid not null,
  url text not null,
  -- why it does not, in words
  problem text,
  looked_at timestamptz not null default now(),
  primary key (workspace_id, number_id),
  foreign key (workspace_id, number_id) references agency_phone_numbers (workspace_id, id)
);

-- Numbers of carriers that are connected as integrations belong to one.
alter table agency_phone_numbers
  add column integration_id uuid,
  add foreign key (workspace_id, integration_id) references integrations (workspace_id, id),
  add constraint agency_phone_numbers_carrier check (provider in ('telnyx', 'twilio', 'plivo') and (provider = 'telnyx') = (integration_id is null));

-- Rules are the agency's; messages with its contacts are the client's, too.
alter table text_rules enable row level security;
alter table text_rules force row level security;
create policy scope on text_rules using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table text_numbers enable row level security;
alter table text_numbers force row level security;
create policy scope on text_numbers using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table text_messages enable row level security;
alter table text_messages force row level security;
create policy scope on text_messages using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
