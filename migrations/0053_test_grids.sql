-- Grids of tests: an agent's cases run with several versions of its prompt and several models, within one budget. Each pair of a version and
-- a model is a cell, and a cell is a test run like any other.

create table test_grids (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  -- counted for each agent, for people
  number int not null,
  prompt_id uuid not null,
  -- what was asked for, as the form's address has it: versions, models, tag, how often
  choices text not null,
  -- each case is run so often in each cell
  repeats int not null check (repeats between 1 and 5),
  status text not null default 'running' check (status in ('running', 'done', 'stopped', 'over_budget', 'failed')),
  -- US dollars that all cells together may cost
  budget numeric(10, 2) not null check (budget > 0),
  started_by uuid references users (id),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, agent_id, number),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, prompt_id) references prompts (workspace_id, id)
);
-- Asking for the same twice at once is one grid.
create unique index test_grids_once on test_grids (workspace_id, agent_id, md5(choices)) where status = 'running';
create index test_grids_newest on test_grids (workspace_id, agent_id, id desc);

alter table suite_runs
  -- the grid that it is a cell of
  add column grid_id uuid,
  add foreign key (workspace_id, grid_id) references test_grids (workspace_id, id);
create index suite_runs_of_grid on suite_runs (workspace_id, grid_id, id) where grid_id is not null;
-- A cell goes on beside a run of the same.
drop index suite_runs_once;
create unique index suite_runs_once on suite_runs (workspace_id, agent_id, prompt_version, connection_id, model)
  where status = 'running' and grid_id is null;

alter table test_runs
  -- the how-manieth time in its run
  add column repeat int not null default 1,
  -- US dollars of the grid's budget that nobody else may spend while an answer is on its way
  add column set_aside numeric(14, 6) not null default 0,
  drop constraint test_runs_workspace_id_suite_run_id_case_id_key,
  add unique (workspace_id, suite_run_id, case_id, repeat);
create index test_runs_set_aside on test_runs (workspace_id, suite_run_id) where set_aside > 0;

-- All of it is the agency's workshop.
alter table test_grids enable row level security;
alter table test_grids force row level security;
create policy scope on test_grids using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
