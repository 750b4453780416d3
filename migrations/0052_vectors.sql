-- Knowledge is found by its meaning, too, where a model for that is chosen; and uses of tools keep the passages that they gave.

-- Which model the vectors of an agency are of. There is one row for the model in force, and for a while one of the model before it, until
-- its vectors are gone: vectors of two models are never compared.
create table knowledge_vector_sets (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  connection_id uuid not null,
  model text not null check (length(model) between 1 and 200),
  -- the account's address then: another server may have another model under the name
  address text not null,
  -- numbers in each vector; null: none has come yet
  dimensions int check (dimensions between 1 and 8192),
  -- why the last try brought nothing, and what to do; null: it brought something
  error text,
  -- tries in a row that brought nothing
  failures int not null default 0,
  next_try_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, connection_id, model, address),
  foreign key (workspace_id, connection_id) references provider_connections (workspace_id, id)
);

-- The meaning of each passage. A table of its own, because it is read from end to end and passages are long.
create table knowledge_vectors (
  workspace_id uuid not null references workspaces (id),
  chunk_id uuid not null,
  set_id uuid not null,
  entry_id uuid not null,
  -- the indexing that wrote the passage
  edition uuid not null,
  -- whether each number of the vector is above zero: what is near has many signs in common. Empty: the passage has no words.
  signs bit varying not null,
  vector real[] not null,
  primary key (workspace_id, chunk_id),
  foreign key (workspace_id, chunk_id) references knowledge_chunks (workspace_id, id) on delete cascade,
  foreign key (workspace_id, set_id) references knowledge_vector_sets (workspace_id, id)
);
-- Numbers of a vector have nothing in common that could be packed.
alter table knowledge_vectors alter column vector set storage external;
create index knowledge_vectors_of_entry on knowledge_vectors (workspace_id, entry_id, set_id, edition);
create index knowledge_vectors_of_set on knowledge_vectors (workspace_id, set_id);

-- Both are the agency's workshop.
alter table knowledge_vector_sets enable row level security;
alter table knowledge_vector_sets force row level security;
create policy scope on knowledge_vector_sets using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table knowledge_vectors enable row level security;
alter table knowledge_vectors force row level security;
create policy scope on knowledge_vectors using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

alter table tool_invocations
  -- the run that is no call in which it was used
  add column run_id uuid,
  -- the passages of knowledge that the model was given, with the names that their files had then; null: none
  add column passages jsonb,
  add constraint tool_invocations_run_fkey foreign key (workspace_id, run_id) references agent_runs (workspace_id, id);
create index tool_invocations_of_run on tool_invocations (workspace_id, run_id) where run_id is not null;
