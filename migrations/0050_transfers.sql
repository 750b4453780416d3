-- Calls that an agent gives to a person: one row per person that is rung.

create table call_transfers (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  call_id uuid not null,
  client_id uuid,
  -- the use of the tool, and the how-many-th person it rings: nobody is rung twice for the same one
  invocation_id uuid not null,
  position int not null check (position between 1 and 10),
  -- the name that the model chose
  destination text not null,
  number text not null,
  -- the agency's number, which the person sees
  "from" text not null,
  -- why, in the model's words
  reason text not null default '',
  ring_seconds int not null check (ring_seconds between 10 and 60),
  -- who is rung when this one does not answer, in order: a list of {name, number}
  next jsonb not null default '[]',
  -- requested: the carrier is being asked. ringing. connected: caller and person talk. not_answered. failed: nobody could be rung.
  -- ended: they have talked
  status text not null default 'requested'
    check (status in ('requested', 'ringing', 'connected', 'not_answered', 'failed', 'ended')),
  -- why nobody was reached, in a sentence of ours
  why text,
  -- the carrier's id of the person's leg
  control text,
  requested_at timestamptz not null default now(),
  -- when the carrier was first asked: the same command may be repeated for a minute from then on
  asked_at timestamptz,
  rung_at timestamptz,
  answered_at timestamptz,
  ended_at timestamptz,
  -- what follows was done: the agent has left the call or was told, or the next person is rung
  settled_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, invocation_id) references tool_invocations (workspace_id, id)
);
create unique index call_transfers_once on call_transfers (workspace_id, invocation_id, position);
-- One person at a time.
create unique index call_transfers_under_way on call_transfers (workspace_id, call_id) where status in ('requested', 'ringing');
create index call_transfers_of_call on call_transfers (workspace_id, call_id, id);
create index call_transfers_by_leg on call_transfers (workspace_id, control);

alter table call_transfers enable row level security;
alter table call_transfers force row level security;
create policy scope on call_transfers using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
