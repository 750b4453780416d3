-- What agents may do on a call beside talking, what became of each use, and what agents keep in mind about a contact.

create table agent_tools (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  -- what the model sees
  tool_name text not null check (tool_name ~ '^[a-zA-Z0-9_-]{1,64}$'),
  -- what the model reads about it: what it does, and when to use it
  description text not null,
  -- its kind, and what the kind needs; without secrets
  tool_config jsonb not null,
  -- names of headers and so on with their values, sealed for this row; null: it has none
  sealed_secrets text,
  -- the order in which the model is told of them
  position int not null,
  is_active boolean not null default true,
  -- a tool that was removed stays for its history, and so that the voice service's copy is known as ours
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
create unique index agent_tools_name on agent_tools (workspace_id, agent_id, tool_name) where removed_at is null;
create index agent_tools_of_agent on agent_tools (workspace_id, agent_id, position, id);

alter table agent_tools enable row level security;
alter table agent_tools force row level security;
create policy scope on agent_tools using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- One row per use of a tool. It is written before anything is asked, so that a request which comes twice finds the first one.
create table tool_invocations (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  agent_id uuid not null,
  tool_id uuid not null,
  -- what the model called: one tool may offer several functions
  tool_name text not null,
  -- call: a live call. try: a person tried it. run: a run of the agent without a call
  origin text not null check (origin in ('call', 'try', 'run')),
  call_id uuid,
  -- whoever tried it
  user_id uuid references users (id),
  -- the same for a request that comes again, so that it does nothing twice
  dedupe_key text not null,
  status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
  arguments jsonb not null,
  -- what the model reads
  answer text,
  -- what was sent and what came back, secrets left out; null: nothing was asked outside
  request text,
  response text,
  http_status int,
  took_ms int,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, tool_id) references agent_tools (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id)
);
create unique index tool_invocations_once on tool_invocations (workspace_id, call_id, tool_id, dedupe_key);
create index tool_invocations_of_agent on tool_invocations (workspace_id, agent_id, created_at desc, id desc);
create index tool_invocations_failed on tool_invocations (workspace_id, agent_id, created_at desc, id desc) where status = 'failed';
create index tool_invocations_of_tool on tool_invocations (workspace_id, tool_id, created_at desc, id desc);

alter table tool_invocations enable row level security;
alter table tool_invocations force row level security;
create policy scope on tool_invocations using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- What an agent wrote down about a contact, to read it in later calls.
create table contact_memories (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  contact_id uuid not null,
  agent_id uuid not null,
  -- the call in which it was said; null: a try
  call_id uuid,
  note text not null check (length(note) between 1 and 1000),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id)
);
create index contact_memories_of_contact on contact_memories (workspace_id, contact_id, id desc);

alter table contact_memories enable row level security;
alter table contact_memories force row level security;
create policy scope on contact_memories using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
