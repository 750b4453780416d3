-- People: how somebody gets in, proves who they are a second time, and where they are signed in.

create table invitations (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid,
  email text not null check (length(email) between 3 and 320),
  role user_role not null,
  -- SHA-256 of the link's secret: a copy of the table lets nobody in
  token_hash bytea not null,
  invited_by uuid references users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint invitations_client_roles_have_client check ((role in ('client_admin', 'client_viewer')) = (client_id is not null)),
  constraint invitations_not_for_the_platform check (role <> 'admin')
);
-- Inviting an address again replaces the open invitation.
create unique index invitations_open on invitations (workspace_id, client_id, lower(email)) nulls not distinct
  where accepted_at is null and revoked_at is null;
create index invitations_by_inviter on invitations (workspace_id, invited_by) where accepted_at is null and revoked_at is null;
create index invitations_of_client on invitations (workspace_id, client_id, id desc);

-- Links for a new password. They span tenants as users do.
create table password_resets (
  id uuid primary key,
  user_id uuid not null references users (id),
  token_hash bytea not null,
  -- who made it, when somebody else did
  created_by uuid references users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index password_resets_by_user on password_resets (user_id);
create index password_resets_by_expiry on password_resets (expires_at);

alter table users
  -- a Fernet token that is bound to this person; null: no second factor
  add column totp_secret text,
  -- the step of the last code that was taken, so that none counts twice
  add column totp_last_step bigint;

create table recovery_codes (
  user_id uuid not null references users (id),
  code_hash bytea not null,
  used_at timestamptz,
  primary key (user_id, code_hash)
);

alter table sessions
  add column user_agent text,
  add column ip text,
  add column last_seen_at timestamptz not null default now();

alter table invitations enable row level security;
alter table invitations force row level security;
create policy scope on invitations using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

alter table password_resets enable row level security;
alter table password_resets force row level security;
create policy scope on password_resets using (current_setting('app.system', true) = 'on');

alter table recovery_codes enable row level security;
alter table recovery_codes force row level security;
create policy scope on recovery_codes using (current_setting('app.system', true) = 'on');
