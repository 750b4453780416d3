-- Schedules and triggers: what sets an agent's runs off without a person.

create table agent_schedules (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  name text not null,
  -- five parts: minute, hour, day of the month, month, day of the week
  cron text not null,
  -- in which the line is read
  timezone text not null,
  -- what the agent is told
  input text not null,
  -- values for the prompt's variables
  variables jsonb not null default '{}',
  enabled boolean not null default true,
  -- null: it is switched off
  next_at timestamptz,
  -- the time of the schedule that was dealt with last, and how
  last_at timestamptz,
  last_result text check (last_result in ('started', 'skipped', 'missed')),
  last_note text,
  last_run_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- its runs stay, and say where they come from
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  constraint agent_schedules_next check (next_at is null or (enabled and removed_at is null))
);
create index agent_schedules_of_agent on agent_schedules (workspace_id, agent_id, name, id) where removed_at is null;
create index agent_schedules_due on agent_schedules (workspace_id, next_at) where next_at is not null;

create table agent_triggers (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  name text not null,
  enabled boolean not null default true,
  -- sealed
  secret text not null,
  -- the one before, which signs until then, too
  old_secret text,
  old_until timestamptz,
  last_at timestamptz,
  last_run_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- its runs stay, and say where they come from
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  constraint agent_triggers_old check ((old_secret is null) = (old_until is null))
);
create index agent_triggers_of_agent on agent_triggers (workspace_id, agent_id, name, id) where removed_at is null;

-- What was sent to a trigger. The sender's id of it makes one run, however often it comes.
create table agent_trigger_deliveries (
  workspace_id uuid not null references workspaces (id),
  -- that of the run
  id uuid not null,
  trigger_id uuid not null,
  webhook_id text not null,
  received_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, trigger_id) references agent_triggers (workspace_id, id)
);
create unique index agent_trigger_deliveries_once on agent_trigger_deliveries (workspace_id, trigger_id, webhook_id);
create index agent_trigger_deliveries_newest on agent_trigger_deliveries (workspace_id, trigger_id, received_at desc);

-- Where a run comes from.
alter table agent_runs
  add column schedule_id uuid,
  add column trigger_id uuid,
  add foreign key (workspace_id, schedule_id) references agent_schedules (workspace_id, id),
  add foreign key (workspace_id, trigger_id) references agent_triggers (workspace_id, id),
  drop constraint agent_runs_run_type_check,
  add constraint agent_runs_run_type_check check (run_type in ('live_call', 'test_call', 'cron_job', 'webhook')),
  drop constraint agent_runs_trigger_check,
  add constraint agent_runs_trigger_check
    check (trigger in ('incoming', 'batch', 'outgoing', 'test_call', 'suite', 'schedule', 'webhook')),
  add constraint agent_runs_source check (
    (run_type = 'cron_job') = (schedule_id is not null) and (run_type = 'webhook') = (trigger_id is not null));
create index agent_runs_of_schedule on agent_runs (workspace_id, schedule_id, started_at desc, id desc) where schedule_id is not null;
create index agent_runs_of_trigger on agent_runs (workspace_id, trigger_id, started_at desc, id desc) where trigger_id is not null;
-- Lists of runs of either kind.
create index agent_runs_of_schedules on agent_runs (workspace_id, started_at desc, id desc) where run_type = 'cron_job';
create index agent_runs_of_triggers on agent_runs (workspace_id, started_at desc, id desc) where run_type = 'webhook';

-- All of it is the agency's workshop.
alter table agent_schedules enable row level security;
alter table agent_schedules force row level security;
create policy scope on agent_schedules using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table agent_triggers enable row level security;
alter table agent_triggers force row level security;
create policy scope on agent_triggers using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table agent_trigger_deliveries enable row level security;
alter table agent_trigger_deliveries force row level security;
create policy scope on agent_trigger_deliveries using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
