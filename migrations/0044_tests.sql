-- Tests of agents: cases, and what came of them each time that they were run.

create table test_cases (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  name text not null check (length(name) between 1 and 120),
  -- message: one message and the answer to it. conversation: a model plays the caller
  kind text not null check (kind in ('message', 'conversation')),
  -- what the caller says; of a conversation, what the caller wants
  input text not null,
  -- how the caller feels, and the language that the caller speaks; empty for a message
  mood text not null default '',
  language text not null default '',
  -- what the caller says, at most so many times
  most_turns int not null default 1 check (most_turns between 1 and 20),
  matcher text not null check (matcher in ('exact', 'contains', 'regex', 'json_schema', 'judge')),
  -- a text, a pattern, a schema, or what a judging model goes by
  expected text not null,
  -- values for the prompt's variables: {"name": "value"}
  variables jsonb not null default '{}',
  -- [{"tool": "book", "is_called": true, "arguments": {"day": "Tuesday"}}]
  tool_checks jsonb not null default '[]',
  -- what tools answer here without being used: {"book": "Booked."}
  stubs jsonb not null default '{}',
  -- tools without such an answer are really used; else they answer that they are not there
  uses_tools boolean not null default false,
  tags text[] not null default '{}',
  -- the call that it was made from
  call_id uuid,
  -- counts the changes: a result counts for the case as it was
  edition int not null default 1,
  created_at timestamptz not null default now(),
  -- removed cases stay for their results
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id)
);
create unique index test_cases_name on test_cases (workspace_id, agent_id, lower(name)) where removed_at is null;
create index test_cases_by_name on test_cases (workspace_id, agent_id, name, id) where removed_at is null;
create index test_cases_newest on test_cases (workspace_id, agent_id, id desc) where removed_at is null;

-- The cases of an agent, all or some, run against one version of its prompt with one model.
create table suite_runs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  -- counted for each agent, for people
  number int not null,
  prompt_id uuid not null,
  prompt_version int not null,
  connection_id uuid not null,
  model text not null,
  -- it was the model that the agent used then: only such a run decides about production
  is_usual boolean not null,
  -- every case that the agent had then is in it
  is_whole boolean not null,
  status text not null default 'running' check (status in ('running', 'done', 'stopped', 'over_budget', 'failed')),
  -- why it ended before its end
  note text,
  -- US dollars after which it ends, and what it has cost; answers whose price nobody told are counted apart
  budget numeric(10, 2) not null check (budget > 0),
  spent numeric(14, 6) not null default 0,
  unpriced int not null default 0,
  started_by uuid references users (id),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, agent_id, number),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, prompt_id) references prompts (workspace_id, id),
  foreign key (workspace_id, connection_id) references provider_connections (workspace_id, id)
);
-- Asking for the same twice at once is one run.
create unique index suite_runs_once on suite_runs (workspace_id, agent_id, prompt_version, connection_id, model) where status = 'running';
create index suite_runs_newest on suite_runs (workspace_id, agent_id, id desc);
create index suite_runs_of_prompt on suite_runs (workspace_id, prompt_id, prompt_version, id desc);

-- One case in one such run.
create table test_runs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  suite_run_id uuid not null,
  agent_id uuid not null,
  case_id uuid not null,
  position int not null,
  -- the case as it was then
  case_name text not null,
  case_edition int not null,
  matcher text not null,
  test_input text not null,
  expected_output text not null,
  actual_output text,
  -- left_out: the run ended before its turn
  result text not null default 'waiting' check (result in ('waiting', 'running', 'pass', 'fail', 'error', 'left_out')),
  -- why it failed, or what kept it from being decided
  error_message text,
  -- what was looked at: [{"what": "…", "is_met": true, "why": "…"}]
  checks jsonb not null default '[]',
  -- what was said and which tools were called
  transcript jsonb not null default '[]',
  -- the run of the agent, step by step
  run_id uuid,
  tokens int not null default 0,
  cost numeric(14, 6) not null default 0,
  unpriced int not null default 0,
  -- half of the agent's answers came faster
  reply_ms int,
  primary key (workspace_id, id),
  unique (workspace_id, suite_run_id, case_id),
  foreign key (workspace_id, suite_run_id) references suite_runs (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, case_id) references test_cases (workspace_id, id),
  foreign key (workspace_id, run_id) references agent_runs (workspace_id, id)
);
create index test_runs_of_case on test_runs (workspace_id, case_id, id desc);

-- What holds for all cases of an agent.
create table test_suites (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  -- a version of the agent's prompt goes to production only if all cases pass with it
  gates_production boolean not null,
  primary key (workspace_id, id),
  unique (workspace_id, agent_id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);

-- All of it is the agency's workshop.
alter table test_suites enable row level security;
alter table test_suites force row level security;
create policy scope on test_suites using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table test_cases enable row level security;
alter table test_cases force row level security;
create policy scope on test_cases using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table suite_runs enable row level security;
alter table suite_runs force row level security;
create policy scope on suite_runs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table test_runs enable row level security;
alter table test_runs force row level security;
create policy scope on test_runs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
