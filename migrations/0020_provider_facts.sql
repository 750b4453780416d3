-- What services say about calls, kept as they say it: a price that may go down, a leg that is heard of before its call, and nothing
-- where nothing was said.

alter table calls
  -- the service's word for the state of its bill, and when it was told: a later bill counts, and nothing counts after a refund
  add column billing_status text,
  add column billed_at timestamptz,
  -- when the carrier first told what a leg of the call cost; null while it is not priced yet
  add column carrier_priced_at timestamptz,
  -- the service records this call, and the recording is being asked for
  add column awaits_recording boolean not null default false,
  -- null: nobody answered, so there is no conversation
  alter column transcript_status drop not null,
  alter column analysis_status drop not null;

-- null: the service did not say what the answer cost
alter table token_usage alter column cost drop not null;
alter table call_analyses alter column cost drop not null;

-- Legs of calls at the carrier. A leg's later events, its cost among them, name the leg and its session only: which call it belongs to
-- is what its earlier events taught. A cost may also come before its call is known: then it waits here.
create table call_legs (
  workspace_id uuid not null references workspaces (id),
  provider text not null,
  -- the carrier's id of the leg; else 'control:' or 'session:' with the id that there is
  leg text not null,
  session text,
  control text,
  -- null while no call of the workspace fits
  call_id uuid,
  "from" text,
  "to" text,
  started_at timestamptz not null,
  -- US dollars; null while it is not priced yet
  cost numeric(14, 6),
  -- when the carrier said so: a later price counts
  cost_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, provider, leg),
  foreign key (workspace_id, call_id) references calls (workspace_id, id)
);
create index call_legs_of_session on call_legs (workspace_id, provider, session);
create index call_legs_of_control on call_legs (workspace_id, provider, control);
create index call_legs_of_call on call_legs (workspace_id, call_id);
create index call_legs_waiting on call_legs (workspace_id, started_at) where call_id is null;

-- What a call costs the agency is for no client's eyes.
alter table call_legs enable row level security;
alter table call_legs force row level security;
create policy scope on call_legs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- Calls that nobody answered say so from now on. The owner is bound by row security, too, but for this moment.
alter table calls no force row level security;
update calls set transcript_status = null, analysis_status = null
  where joined_at is null and ended_at is not null and transcript_status = 'completed' and analysis_status = 'completed';
alter table calls force row level security;

-- What the carrier has told so far about calls that are known, for what it will still tell. The events hold it as it came.
alter table call_events no force row level security;
alter table call_legs no force row level security;
insert into call_legs (workspace_id, provider, leg, session, control, call_id, started_at, cost, cost_at)
select workspace_id, 'telnyx', leg, max(session), max(control), (array_agg(call_id order by occurred_at))[1], min(occurred_at),
       (array_agg(cost order by occurred_at desc) filter (where cost is not null))[1], max(occurred_at) filter (where cost is not null)
from (
  select e.workspace_id, e.call_id, e.occurred_at, p.payload ->> 'call_session_id' as session, p.payload ->> 'call_control_id' as control,
         coalesce(p.payload ->> 'call_leg_id', 'control:' || (p.payload ->> 'call_control_id'),
                  'session:' || (p.payload ->> 'call_session_id')) as leg,
         case when e.event_type = 'call.cost' and p.payload ->> 'status' = 'success'
                   and p.payload ->> 'total_cost' ~ '^[0-9]{1,6}([.][0-9]+)?$' then (p.payload ->> 'total_cost')::numeric(14, 6) end as cost
  from call_events e cross join lateral (select e.payload #> '{data,payload}' as payload) p
  where e.provider = 'telnyx' and jsonb_typeof(p.payload) = 'object') told
where length(leg) <= 200 and coalesce(length(session), 0) <= 200 and coalesce(length(control), 0) <= 200
group by workspace_id, leg;
alter table call_events force row level security;
alter table calls no force row level security;
update calls c set carrier_priced_at = l.priced_at
  from (select workspace_id, call_id, min(cost_at) as priced_at from call_legs where cost is not null group by workspace_id, call_id) l
  where c.workspace_id = l.workspace_id and c.id = l.call_id;
alter table calls force row level security;
alter table call_legs force row level security;
