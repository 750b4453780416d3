-- What a call came to, what it cost and whether it has its price yet; and what a contact of a campaign came to. Each is defined here
-- once, and pages, files and the API read these columns and repeat no condition. docs/GLOSSARY.md has the words.
--
-- Text and not an enum: the equality of enums is not leakproof, so under row security no index would help.

alter table calls
  add column result text generated always as (
    case
      when dial_state = 'refused' then 'failed'
      when ended_at is null then null
      when outcome = 'voicemail' then 'voicemail'
      when joined_at is not null then 'answered'
      when error is not null then 'failed'
      when outcome = 'busy' then 'busy'
      when outcome = 'declined' then 'declined'
      else 'no_answer'
    end) stored,
  add column cost numeric(14, 6) generated always as
    (coalesce(voice_cost, 0) + coalesce(carrier_cost, 0) + coalesce(model_cost, 0)) stored,
  add column is_unpriced boolean generated always as
    (ended_at is not null and joined_at is not null and billed_seconds is null) stored;
comment on column calls.result is
  'answered, voicemail, no_answer, busy, declined or failed; null while the call goes on';
comment on column calls.cost is 'voice, carrier and models; what has no price yet is not in it';
comment on column calls.is_unpriced is 'somebody or a machine was on the line, and the voice service has not billed it yet';

-- The rare results; the frequent ones are found soon enough on the way through calls_newest.
create index calls_by_result on calls (workspace_id, result, started_at desc, id desc)
  where result in ('voicemail', 'busy', 'declined', 'failed');
create index calls_open on calls (workspace_id, started_at desc, id desc) where result is null;
create index calls_goals on calls (workspace_id, started_at desc, id desc) where goal_reached;
create index calls_unpriced on calls (workspace_id, started_at desc, id desc) where is_unpriced;

alter table campaign_contacts
  add column reached boolean not null default false,
  add column result text generated always as (
    case status
      when 'completed' then case when reached then 'reached' else 'not_reached' end
      when 'failed' then 'failed'
    end) stored;
comment on column campaign_contacts.reached is
  'the last call was answered by a person; tells a refused ring from somebody who said no, both of which are declined';
comment on column campaign_contacts.result is 'reached, not_reached or failed; null while the contact may still be called';

create index campaign_contacts_by_result on campaign_contacts (workspace_id, campaign_id, result, id) where result is not null;

-- The owner is bound by row security, too, but for this moment.
alter table calls no force row level security;
alter table campaign_contacts no force row level security;
update campaign_contacts x set reached = true
from calls c where c.workspace_id = x.workspace_id and c.id = x.last_call_id and c.result = 'answered';
-- A machine reaches no goal.
update calls set goal_reached = false where goal_reached and result <> 'answered';
alter table calls force row level security;
alter table campaign_contacts force row level security;
