-- Where labels of prompts were moved, by whom and why; moves of `production` that wait for a second person; texts that could not be saved
-- because somebody else had saved meanwhile.

-- a move of `production` waits until a second person has approved it
alter table prompts add column needs_second_person boolean not null default false;

create table prompt_label_moves (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  prompt_id uuid not null,
  label text not null check (label ~ '^[a-z][a-z0-9_-]{0,29}$'),
  -- null: no version had the label before
  from_version int,
  -- null: the label was taken away
  to_version int,
  -- why, in the words of whoever moved it or asked for it
  note text not null default '',
  -- waiting: a second person has not answered yet
  status text not null check (status in ('waiting', 'done', 'refused', 'withdrawn')),
  -- whoever moved it or asked for it; null: Patchbay
  user_id uuid references users (id),
  -- whoever approved, refused or withdrew an asked-for move, when, and what they said to it
  decided_by uuid references users (id),
  decided_at timestamptz,
  answer text not null default '',
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, prompt_id) references prompts (workspace_id, id),
  foreign key (workspace_id, prompt_id, to_version) references prompt_versions (workspace_id, prompt_id, version),
  check (status <> 'waiting' or (label = 'production' and to_version is not null))
);
create index prompt_label_moves_of_prompt on prompt_label_moves (workspace_id, prompt_id, created_at desc, id desc);
-- One move of a prompt waits at a time.
create unique index prompt_label_moves_waiting on prompt_label_moves (workspace_id, prompt_id) where status = 'waiting';

alter table prompt_label_moves enable row level security;
alter table prompt_label_moves force row level security;
create policy scope on prompt_label_moves using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- A person's text of a prompt that was refused because another version had been saved: it waits here until it is merged by hand.
create table prompt_unsaved_texts (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  prompt_id uuid not null,
  user_id uuid not null references users (id),
  -- the version that the text started from
  base_version int not null,
  template text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, prompt_id) references prompts (workspace_id, id),
  unique (workspace_id, prompt_id, user_id)
);

alter table prompt_unsaved_texts enable row level security;
alter table prompt_unsaved_texts force row level security;
create policy scope on prompt_unsaved_texts using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- The calls of a prompt, newest first: what its versions came to, and the list that these figures lead to.
create index calls_of_prompt on calls (workspace_id, prompt_id, started_at desc, id desc)
  include (prompt_version, result, goal_reached);
