-- Numbers that are called: who answers, when, and what a caller hears else; where the carrier sends the calls of a number; and calls
-- that came in and that nobody answered.

alter table agency_phone_numbers
  -- when the agent answers: {"zone":"Europe/Zurich","start":"09:00","end":"18:00","days":[1,2,3,4,5]}, Monday is 1; null: always
  add column answer_hours jsonb check (jsonb_typeof(answer_hours) = 'object'),
  -- who answers outside these hours; null: nobody, the caller hears a sentence
  add column after_hours_agent_id uuid,
  -- what a caller hears when nobody can answer, outside the hours and else; null: a sentence of ours
  add column after_hours_words text check (length(after_hours_words) between 1 and 500),
  add column fallback_words text check (length(fallback_words) between 1 and 500),
  -- where the carrier sends the number's calls: the application of ours that it was told; null: not to Patchbay
  add column routed_to text,
  add column routed_at timestamptz,
  -- where it sent them before, and sends them again when the number takes no calls any more
  add column routed_before text,
  add column route_error text,
  add foreign key (workspace_id, after_hours_agent_id) references agents (workspace_id, id);

alter table calls
  -- the carrier's id of a call that came in: the same call is asked about more than once
  add column carrier_call_id text,
  -- of calls that came in to a number of ours: why nobody answered, if nobody did. Until somebody joins it is the caller who left.
  add column missed_reason text check (missed_reason in
    ('caller_left', 'out_of_hours', 'no_agent', 'not_ready', 'budget', 'archived', 'suspended', 'failed')),
  -- a call to a phone of one's own, to hear an agent: in no campaign
  add column is_test boolean not null default false;
create unique index calls_carrier_call_once on calls (workspace_id, carrier_call_id) where carrier_call_id is not null;
-- What waits for a person: missed calls that nobody has looked at.
create index calls_missed on calls (workspace_id, started_at desc, id desc)
  where missed_reason is not null and joined_at is null and ended_at is not null and reviewed_at is null;
