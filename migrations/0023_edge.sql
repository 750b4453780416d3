-- Sessions that end are named at once to every process, so that what is still open for them closes. The database says it, because a
-- session ends in many ways: signing out, another password, another role, from the command line. Those that ran out have closed by the
-- clock.
create function name_ended_session() returns trigger language plpgsql as $$
begin
  if old.user_id is not null and old.expires_at > now() then
    perform pg_notify('patchbay_ended_sessions', encode(old.id_hash, 'hex'));
  end if;
  return null;
end
$$;
create trigger sessions_name_ended after delete on sessions for each row execute function name_ended_session();

-- An address may have one account in each agency. So no agency learns who has an account elsewhere, and none takes an address away from
-- its owner: whoever signs in comes in where their password is right.
drop index users_email_key;
create unique index users_email_key on users (workspace_id, lower(email)) nulls not distinct;
create index users_by_email on users (lower(email));
