-- The list of calls, narrowed to those in which a call-back was asked for, in the list's own order: however many there are.
alter table call_backs add column call_started_at timestamptz;
comment on column call_backs.call_started_at is 'when the call began in which it was asked for: a copy, made when the call is over and this no longer moves';
-- The owner is bound by row security, too, but for this moment.
alter table calls no force row level security;
alter table call_backs no force row level security;
update call_backs b set call_started_at = c.started_at from calls c where c.workspace_id = b.workspace_id and c.id = b.call_id;
alter table call_backs force row level security;
alter table calls force row level security;
create index call_backs_by_call on call_backs (workspace_id, status, call_started_at, call_id) where call_id is not null;
create index call_backs_of_client_by_call on call_backs (workspace_id, client_id, status, call_started_at, call_id) where call_id is not null;
