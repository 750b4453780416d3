-- Host names of agencies: an agency's people sign in at a name of its own, once its DNS has proved that the name is the agency's.
-- The brand itself (name, logo, colour, support address) stands in workspaces.branding and clients.branding.

create table workspace_hosts (
  workspace_id uuid primary key references workspaces (id),
  -- as DNS knows it: lower case, without a dot at the end
  host text not null check (host ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$' and length(host) <= 253),
  -- what the TXT record has to say. No secret: it stands in public DNS
  token text not null,
  verified_at timestamptz,
  -- how often in a row the proof was missing since
  misses int not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
-- Many may ask for a name; one has it.
create unique index workspace_hosts_verified on workspace_hosts (host) where verified_at is not null;

-- Like users: it is read before anybody's scope is known. A client's people read it too, since their links lead there.
alter table workspace_hosts enable row level security;
alter table workspace_hosts force row level security;
create policy scope on workspace_hosts using (
  current_setting('app.system', true) = 'on'
  or workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
) with check (
  current_setting('app.system', true) = 'on'
  or (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null)
);
