-- Teams: agents that work together, and the runs in which a supervisor gives them work.

create type supervisor_run_status as enum ('pending', 'running', 'completed', 'failed');

create table teams (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null,
  description text not null default '',
  -- of the configuration's form
  version text not null default '2.0',
  mode text not null check (mode in ('coordinate', 'supervisor')),
  client_id uuid,
  -- what is in use: see TeamSettings
  settings jsonb not null,
  -- of the newest of team_versions; counts changes, so that two people who edit at once lose nothing
  revision int not null default 1,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id)
);
create unique index teams_name on teams (workspace_id, lower(name)) where is_active;
create index teams_newest on teams (workspace_id, updated_at desc, id desc);

create table team_agents (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  team_id uuid not null,
  agent_id uuid not null,
  -- what the supervisor is told that it is for
  role text not null,
  order_index int not null,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, team_id) references teams (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
create unique index team_agents_once on team_agents (workspace_id, team_id, agent_id) where is_active;
create index team_agents_in_order on team_agents (workspace_id, team_id, order_index, id);
create index team_agents_of_agent on team_agents (workspace_id, agent_id);

-- Each state that a team had: mode, settings and members, never changed.
create table team_versions (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  team_id uuid not null,
  number int not null,
  snapshot jsonb not null,
  note text not null default '',
  author_id uuid references users (id),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, team_id, number),
  foreign key (workspace_id, team_id) references teams (workspace_id, id)
);

create table supervisor_runs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  team_id uuid not null,
  team_version int not null,
  -- messages of one conversation share it
  session_id uuid not null,
  user_id uuid references users (id),
  -- what sent it: playground, api, tool, rerun
  source text not null check (source in ('playground', 'api', 'tool', 'rerun')),
  -- of a tool of an agent: the live call
  call_id uuid,
  -- for whom it works: the team's client when it was asked, or that of the call; whatever the team is changed to afterwards
  client_id uuid,
  user_message text not null,
  -- the newest classification: {worker, task, confidence, reason, others}; see Classification
  supervisor_response jsonb,
  worker_agent_id uuid,
  -- the name of the engine that was chosen for its jobs; null: the team's
  execution_engine text,
  engine_id uuid,
  status supervisor_run_status not null default 'pending',
  execution_output text,
  -- it asked the person back instead of giving the work to somebody
  asked_back boolean not null default false,
  -- of a tool of an agent: when the agent was given the answer
  answer_told_at timestamptz,
  -- why it failed or was stopped, in words
  failure text,
  -- steps, money or time
  limit_reached text check (limit_reached in ('steps', 'money', 'time')),
  cancel_requested_at timestamptz,
  cancelled_by uuid references users (id),
  again_of uuid,
  steps int not null default 0,
  tokens bigint not null default 0,
  cost numeric(14, 6) not null default 0,
  is_unpriced boolean not null default false,
  -- how long people were waited for: the clock stands still meanwhile
  waited_ms bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  -- a form sent twice makes one run
  idempotency_key uuid,
  primary key (workspace_id, id),
  foreign key (workspace_id, team_id) references teams (workspace_id, id),
  foreign key (workspace_id, worker_agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, engine_id) references execution_engines (workspace_id, id),
  foreign key (workspace_id, again_of) references supervisor_runs (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint supervisor_runs_call foreign key (workspace_id, call_id) references calls (workspace_id, id) on delete set null (call_id),
  constraint supervisor_runs_ended check ((completed_at is not null) = (status in ('completed', 'failed')))
);
create index supervisor_runs_newest on supervisor_runs (workspace_id, created_at desc, id desc);
create index supervisor_runs_by_status on supervisor_runs (workspace_id, status, created_at desc, id desc);
create index supervisor_runs_of_team on supervisor_runs (workspace_id, team_id, created_at desc, id desc);
create index supervisor_runs_of_session on supervisor_runs (workspace_id, session_id, created_at, id);
create index supervisor_runs_open on supervisor_runs (workspace_id, id) where completed_at is null;
create unique index supervisor_runs_once on supervisor_runs (workspace_id, idempotency_key) where idempotency_key is not null;

-- Questions that were kept, with what is expected.
create table team_cases (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  team_id uuid not null,
  name text not null,
  -- in order, of one conversation
  messages jsonb not null,
  -- what must hold: {worker?, asks_approval?, output_contains?}; see CaseExpects
  expects jsonb not null,
  from_run_id uuid,
  -- the newest time that it was run, and what did not hold
  last_run_id uuid,
  last_passed boolean,
  last_note text,
  last_at timestamptz,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, team_id) references teams (workspace_id, id),
  foreign key (workspace_id, from_run_id) references supervisor_runs (workspace_id, id),
  foreign key (workspace_id, last_run_id) references supervisor_runs (workspace_id, id)
);
create index team_cases_of_team on team_cases (workspace_id, team_id, name, id);

alter table execution_jobs add foreign key (workspace_id, supervisor_run_id) references supervisor_runs (workspace_id, id);
alter table execution_approvals add foreign key (workspace_id, supervisor_run_id) references supervisor_runs (workspace_id, id);
alter table execution_steps add foreign key (workspace_id, supervisor_run_id) references supervisor_runs (workspace_id, id);

-- All of it is the agency's workshop.
alter table teams enable row level security;
alter table teams force row level security;
create policy scope on teams using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table team_agents enable row level security;
alter table team_agents force row level security;
create policy scope on team_agents using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table team_versions enable row level security;
alter table team_versions force row level security;
create policy scope on team_versions using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table supervisor_runs enable row level security;
alter table supervisor_runs force row level security;
create policy scope on supervisor_runs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table team_cases enable row level security;
alter table team_cases force row level security;
create policy scope on team_cases using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
