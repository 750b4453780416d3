-- Skills: instructions with references and scripts that agents are told beside their prompt.

create table skills (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  -- as the common form of SKILL.md writes it
  name text not null check (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(name) <= 64),
  -- what it is for, and when to use it
  description text not null,
  instructions text not null,
  category text not null default '',
  license text not null default '',
  -- further words of an imported file's head, which go out again with an export
  metadata jsonb not null default '{}',
  -- lists of {name, content}
  "references" jsonb not null default '[]',
  scripts jsonb not null default '[]',
  allowed_tools text[] not null default '{}',
  tags text[] not null default '{}',
  -- how much an agent is told of it, in characters
  characters int not null,
  -- counts changes, so that two people who edit at once lose nothing
  revision int not null default 1,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index skills_name on skills (workspace_id, name);

-- Which agents have which skills, in the order in which they are told.
create table agent_skills (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  skill_id uuid not null,
  position int not null,
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, skill_id) references skills (workspace_id, id)
);
create unique index agent_skills_once on agent_skills (workspace_id, agent_id, skill_id);
create index agent_skills_of_skill on agent_skills (workspace_id, skill_id);

-- What an archive held, from its upload until somebody has looked at it and said what to take. It is gone after that, or a day later.
create table skill_imports (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  file_name text not null,
  skills jsonb not null,
  -- files of the archive that are not taken, each with the reason
  left_out jsonb not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index skill_imports_by_age on skill_imports (workspace_id, created_at);

-- All of it is the agency's workshop.
alter table skills enable row level security;
alter table skills force row level security;
create policy scope on skills using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table agent_skills enable row level security;
alter table agent_skills force row level security;
create policy scope on agent_skills using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table skill_imports enable row level security;
alter table skill_imports force row level security;
create policy scope on skill_imports using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
