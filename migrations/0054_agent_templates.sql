-- Templates of agents: what an agency gives to its clients, with every version of it. And runs of tests that repeat another run.

create table agent_templates (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  name text not null check (length(name) between 1 and 64),
  -- the newest version
  version int not null default 1 check (version > 0),
  -- an archived template is given to nobody; its agents stay
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index agent_templates_name on agent_templates (workspace_id, lower(name)) where is_active;
create index agent_templates_by_name on agent_templates (workspace_id, name, id);

-- What a template was, once per version: a copy of the agent that it was made of. Tools and skills are named, and looked up when the
-- template is given.
create table agent_template_versions (
  workspace_id uuid not null references workspaces (id),
  template_id uuid not null,
  version int not null check (version > 0),
  -- the agent that it was made of, and the version of that agent
  agent_id uuid not null,
  agent_version int not null,
  settings jsonb not null,
  prompt text not null,
  -- lists of {id, name}
  tools jsonb not null,
  skills jsonb not null,
  note text not null default '',
  author_id uuid references users (id),
  created_at timestamptz not null default now(),
  primary key (workspace_id, template_id, version),
  foreign key (workspace_id, template_id) references agent_templates (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
revoke update, delete on agent_template_versions from patchbay_app;

alter table agents
  -- the template that it was made of, and the version that its published settings follow; null: made without one
  add column template_id uuid,
  add column template_version int,
  -- what of the template it was not given, and why
  add column template_left_out text[] not null default '{}',
  add constraint agents_template foreign key (workspace_id, template_id, template_version)
    references agent_template_versions (workspace_id, template_id, version),
  add constraint agents_template_whole check ((template_id is null) = (template_version is null));
create index agents_of_template on agents (workspace_id, template_id, name, id) where template_id is not null;

-- All of it is the agency's workshop.
alter table agent_templates enable row level security;
alter table agent_templates force row level security;
create policy scope on agent_templates using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table agent_template_versions enable row level security;
alter table agent_template_versions force row level security;
create policy scope on agent_template_versions using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table test_runs
  -- the run that this one repeats: same agent, same case, same version of the prompt
  add column again_of uuid,
  add constraint test_runs_again_of foreign key (workspace_id, again_of) references agent_runs (workspace_id, id);
create index test_runs_again on test_runs (workspace_id, again_of) where again_of is not null;
