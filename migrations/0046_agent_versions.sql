-- Agents keep every version that was published, may have one draft beside it, and know what the voice service held when it was last told.

alter table agents
  -- never read: the voice service's API has no version to choose
  drop column version,
  -- which of its versions is published: calls use that one
  add column version int not null default 1 check (version > 0),
  -- deleted for good: the row stays for its calls
  add column deleted_at timestamptz;

-- What was published, once per version. The agent's own row has the same as its newest.
create table agent_versions (
  workspace_id uuid not null references workspaces (id),
  agent_id uuid not null,
  version int not null check (version > 0),
  settings jsonb not null,
  -- what came to be published, in a few words
  note text not null default '',
  -- null: Patchbay itself, when versions began to be kept
  author_id uuid references users (id),
  created_at timestamptz not null default now(),
  primary key (workspace_id, agent_id, version),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
revoke update, delete on agent_versions from patchbay_app;

-- What somebody changed and has not published yet.
create table agent_drafts (
  workspace_id uuid not null references workspaces (id),
  agent_id uuid not null,
  settings jsonb not null,
  -- counts the saves: whoever edits says which one the page showed
  revision int not null default 1,
  author_id uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, agent_id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);

alter table agent_mappings
  -- what the voice service held of ours after it was last told; null: not looked yet
  add column held jsonb,
  -- what is different there since, as it was last seen: field, what was sent, what is there; null: nothing
  add column drift jsonb,
  -- when it was last compared
  add column compared_at timestamptz;

alter table agent_versions enable row level security;
alter table agent_versions force row level security;
create policy scope on agent_versions using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table agent_drafts enable row level security;
alter table agent_drafts force row level security;
create policy scope on agent_drafts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- Agents that are there have their first version from now on. The owner is bound by row security, too, but for this moment.
alter table agents no force row level security;
alter table agent_mappings no force row level security;
alter table agent_versions no force row level security;
insert into agent_versions (workspace_id, agent_id, version, settings, note, created_at)
select a.workspace_id, a.id, 1,
       jsonb_build_object('name', a.name, 'description', a.description, 'client_id', a.client_id, 'language', a.language,
         'llm_model', a.llm_model, 'prompt_id', a.prompt_service_id, 'tags', to_jsonb(a.tags), 'config', a.config,
         'direction', coalesce((select m.default_direction::text from agent_mappings m
                                where m.workspace_id = a.workspace_id and m.agent_id = a.id order by m.id limit 1), 'outbound')),
       'As it was when versions began to be kept', a.updated_at
from agents a;
alter table agents force row level security;
alter table agent_mappings force row level security;
alter table agent_versions force row level security;
