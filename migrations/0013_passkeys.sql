-- Passkeys: a key that an authenticator holds, in place of a code or of the password. They span tenants as users do.

create table passkeys (
  id uuid primary key,
  user_id uuid not null references users (id),
  -- what the authenticator calls it: the same one never stands for two people
  credential_id bytea not null check (length(credential_id) between 1 and 1023),
  -- the host name that it was made for; no other takes it
  host text not null,
  name text not null check (length(name) between 1 and 60),
  -- public key and signature counter: nothing in it is secret
  credential jsonb not null,
  -- SHA-256 of what was signed last, with its challenge: no answer counts twice
  last_signed bytea,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create unique index passkeys_by_credential on passkeys (credential_id);
create index passkeys_by_user on passkeys (user_id, id);

-- Kept in step with the table above, for lists of people, which do not see that table.
alter table users add column has_passkey boolean not null default false;

alter table passkeys enable row level security;
alter table passkeys force row level security;
create policy scope on passkeys using (current_setting('app.system', true) = 'on');
