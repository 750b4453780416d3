-- Support sessions: a platform admin looks at one workspace, announced, for a limited time, changing nothing.

create table support_sessions (
  id uuid primary key,
  workspace_id uuid not null references workspaces (id),
  admin_id uuid not null references users (id),
  reason text not null check (length(reason) between 1 and 500),
  started_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index support_sessions_open on support_sessions (workspace_id, expires_at) where ended_at is null;

-- Like users: it is read before anybody's scope is known.
alter table support_sessions enable row level security;
alter table support_sessions force row level security;
create policy scope on support_sessions using (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);
