-- Rows for reading plans: one agency with many contacts and calls, and another one beside it, so that what is read of others shows.
-- Foreign keys are not looked at, and nothing here is how the product makes its data.
-- $AGENCY, $CLIENT, $CAMPAIGN, $AGENT and $BATCH are replaced by the ids of an agency, one of its clients, and what belongs to that.
set session_replication_role = replica;

create temporary table owners (workspace_id uuid, client_id uuid, many int, salt text, campaign uuid, agent uuid, batch uuid);
insert into owners values
  ('$AGENCY', '$CLIENT', 28000, 'a', '$CAMPAIGN', '$AGENT', '$BATCH'),
  ('$AGENCY', gen_random_uuid(), 7000, 'b', gen_random_uuid(), gen_random_uuid(), gen_random_uuid()),
  (gen_random_uuid(), gen_random_uuid(), 14000, 'c', gen_random_uuid(), gen_random_uuid(), gen_random_uuid());

insert into contacts (workspace_id, id, client_id, name, phone, email, company, do_not_call, import_id)
select o.workspace_id, md5(o.salt || 'contact' || n)::uuid, o.client_id,
       (array['Anna','Boris','Carla','Dario','Elena','Farid'])[n % 6 + 1] || ' ' || md5(n::text), '+1' || (2000000000 + n * 7)::text,
       'person' || n || '@example.com', case when n % 3 = 0 then 'Company ' || n % 500 end, n % 50 = 0, md5(o.salt || 'import' || n % 20)::uuid
from owners o, generate_series(1, o.many) n;

insert into campaign_contacts (workspace_id, id, client_id, campaign_id, contact_id, batch_id, status, outcome, reached, attempts, last_call_id)
select o.workspace_id, md5(o.salt || 'member' || n)::uuid, o.client_id, o.campaign, md5(o.salt || 'contact' || n)::uuid,
       case when n % 20 = 0 then o.batch else md5(o.salt || 'batch' || n % 20)::uuid end, (array['pending','scheduled','completed','completed','completed','failed']::contact_status[])[n % 6 + 1],
       (array[null,'no_answer','answered','voicemail','declined',null]::contact_outcome[])[n % 6 + 1], n % 6 in (2, 4), n % 3,
       md5(o.salt || 'call' || n)::uuid
from owners o, generate_series(1, o.many) n;

-- Nineteen more of the agency's batches, over since a minute.
insert into call_batches (workspace_id, id, client_id, campaign_id, name, mode, status, total_contacts, completed_at)
select o.workspace_id, md5(o.salt || 'batch' || n)::uuid, o.client_id, o.campaign, 'Batch ' || n, 'immediate', 'completed', 1400,
       now() - interval '1 minute'
from owners o, generate_series(1, 19) n where o.salt = 'a';

insert into calls (workspace_id, id, client_id, agent_id, campaign_id, campaign_contact_id, contact_id, batch_id, provider_call_id, direction,
                   "from", "to", contact_name, started_at, joined_at, ended_at, duration, outcome, goal_reached, transcript_status,
                   analysis_status, billed_seconds, voice_cost, error, reviewed_at)
select o.workspace_id, md5(o.salt || 'call' || n)::uuid, o.client_id, o.agent, o.campaign,
       md5(o.salt || 'member' || n)::uuid, md5(o.salt || 'contact' || n)::uuid, case when n % 20 = 0 then o.batch else md5(o.salt || 'batch' || n % 20)::uuid end, o.salt || n, 'outbound',
       '+12025550100', '+1' || (2000000000 + n * 7)::text, 'Name ' || n, now() - make_interval(mins => n * 3),
       case when n % 5 < 3 then now() - make_interval(mins => n * 3) end, now() - make_interval(mins => n * 3 - 1), 60,
       case when n % 500 = 3 then 'busy' when n % 5 >= 3 then 'no_answer' when n % 5 = 1 then 'voicemail' else 'answered' end::contact_outcome,
       n % 100 = 0, 'completed', (case when n % 2000 = 0 then 'failed' else 'completed' end)::analysis_status,
       case when n % 1000 > 0 then 60 end, 0.05, case when n % 700 = 4 then 'The line broke.' end, case when n % 3 = 0 then now() end
from owners o, generate_series(1, o.many) n;

-- Every call is a run.
insert into agent_runs (workspace_id, id, agent_id, client_id, run_type, trigger, call_id, started_at, completed_at, is_failed, error)
select c.workspace_id, c.id, c.agent_id, c.client_id, 'live_call', 'batch', c.id, c.started_at, c.ended_at, c.result = 'failed', c.error
from calls c where c.workspace_id in (select workspace_id from owners) and not exists (
  select from agent_runs r where r.workspace_id = c.workspace_id and r.id = c.id);
insert into error_causes (workspace_id, id, fingerprint, source, code, message, first_seen, last_seen, count, resolved_at)
select o.workspace_id, md5(o.salt || 'cause' || n)::uuid, o.salt || n, 'tool', 'code', 'Failure ' || n, now() - interval '9 days',
       now() - make_interval(mins => n), 3, case when n % 2 = 0 then now() end
from owners o, generate_series(1, 14000) n where o.salt <> 'b';
insert into errors (workspace_id, id, run_id, source, code, message, metadata, fingerprint, cause_id, created_at)
select o.workspace_id, md5(o.salt || 'error' || n)::uuid, md5(o.salt || 'call' || n)::uuid, 'tool', 'code', 'Failure', '{}', 'x',
       md5(o.salt || 'cause1')::uuid, now() - make_interval(mins => n)
from owners o, generate_series(1, 14000) n where o.salt <> 'b';

insert into call_messages (workspace_id, id, call_id, client_id, position, role, text)
select o.workspace_id, gen_random_uuid(), md5(o.salt || 'call' || n)::uuid, o.client_id, 1, 'user', 'I would like to talk about number ' || n
from owners o, generate_series(1, o.many / 4) n;

-- Work of all queues, nearly all of it done; and call-backs, most of them kept.
insert into webhook_queue (id, workspace_id, connection_id, provider, event_id, event_type, headers, raw_body, status, processed_at)
select md5(o.salt || 'webhook' || n)::uuid, o.workspace_id, o.agent, 'ultravox', o.salt || n, 'call.ended', '{}', 'x',
       (case when n % 50 = 0 then 'failed' else 'completed' end)::processing_status, now()
from owners o, generate_series(1, 14000) n where o.salt <> 'b';
insert into enrichment_queue (id, workspace_id, call_id, type, status)
select md5(o.salt || 'words' || n)::uuid, o.workspace_id, md5(o.salt || 'call' || n)::uuid, 'transcript',
       (case when n % 50 = 0 then 'failed' else 'completed' end)::processing_status
from owners o, generate_series(1, 14000) n where o.salt <> 'b';
insert into jobs (id, workspace_id, kind, payload, status)
select md5(o.salt || 'job' || n)::uuid, o.workspace_id, (array['follow_call', 'send_mail', 'sync_agent'])[n % 3 + 1], '{}',
       (case when n % 50 = 0 then 'failed' else 'completed' end)::processing_status
from owners o, generate_series(1, 14000) n where o.salt <> 'b';
insert into call_backs (workspace_id, id, client_id, campaign_id, campaign_contact_id, contact_id, call_id, words, due_at, zone, status,
                        call_started_at)
select o.workspace_id, md5(o.salt || 'back' || n)::uuid, o.client_id, o.campaign, md5(o.salt || 'member' || n)::uuid,
       md5(o.salt || 'contact' || n)::uuid, md5(o.salt || 'call' || n)::uuid, 'tomorrow', now() - make_interval(mins => n), 'UTC',
       (case when n % 50 = 0 then 'scheduled' when n % 50 = 1 then 'needs_person' else 'kept' end),
       (select c.started_at from calls c where c.workspace_id = o.workspace_id and c.id = md5(o.salt || 'call' || n)::uuid)
from owners o, generate_series(1, 14000) n where o.salt <> 'b';

set session_replication_role = origin;
