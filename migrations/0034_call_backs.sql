-- Call-backs that somebody on a call asked for, the batches that dial them, and what facts beside a model's reading say of a call.

-- scheduled: goes out at its time. dialling: a batch has it. needs_person: it cannot be kept by itself, and `why` says why.
-- kept: a person was reached. cancelled: a person called it off, or the contact may not be called any more.
create table call_backs (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  client_id uuid not null,
  -- null, both: the call was in no campaign, so no agent and no number are known to call back with
  campaign_id uuid,
  campaign_contact_id uuid,
  contact_id uuid,
  -- the call in which it was asked for; null: a person set it by the contact
  call_id uuid,
  -- what was said about the time
  words text,
  -- null: the words name no moment
  due_at timestamptz,
  -- IANA name of the zone that the words and the calling hours are meant in
  zone text not null,
  -- text: the equality of enums is not leakproof, so row security would keep the lists' filter out of the indexes
  status text not null check (status in ('scheduled', 'dialling', 'needs_person', 'kept', 'cancelled')),
  why text,
  -- the batch that dials it, or did
  batch_id uuid,
  -- who chose the time; null: it was agreed on the call
  set_by uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  foreign key (workspace_id, campaign_id) references campaigns (workspace_id, id),
  foreign key (workspace_id, campaign_contact_id) references campaign_contacts (workspace_id, id),
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id),
  foreign key (workspace_id, call_id) references calls (workspace_id, id),
  foreign key (workspace_id, batch_id) references call_batches (workspace_id, id)
);
-- A contact of a campaign has one at a time, and a call asks for one.
create unique index call_backs_one_open on call_backs (workspace_id, campaign_contact_id)
  where status in ('scheduled', 'dialling', 'needs_person');
create unique index call_backs_of_call on call_backs (workspace_id, call_id);
create index call_backs_by_status on call_backs (workspace_id, status, id);
create index call_backs_of_client on call_backs (workspace_id, client_id, id);
create index call_backs_of_contact on call_backs (workspace_id, contact_id, id);
create index call_backs_of_member on call_backs (workspace_id, campaign_contact_id, id);
create index call_backs_by_time on call_backs (workspace_id, due_at, id) where due_at is not null;
create index call_backs_by_status_and_time on call_backs (workspace_id, status, due_at, id) where due_at is not null;
create index call_backs_in_batch on call_backs (workspace_id, batch_id) where status = 'dialling';

alter table call_backs enable row level security;
alter table call_backs force row level security;
create policy scope on call_backs using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);

-- A batch that Patchbay makes for a campaign's due call-backs. One goes on at a time.
alter table call_batches
  add column for_call_backs boolean not null default false,
  -- contacts that have left the batch because of a call-back since it took them
  add column left_contacts int not null default 0;
create unique index call_batches_for_call_backs on call_batches (workspace_id, campaign_id)
  where for_call_backs and status in ('pending', 'scheduled', 'processing', 'paused');
comment on column call_batches.for_call_backs is 'made by Patchbay for call-backs that are due';
comment on column call_batches.left_contacts is 'contacts that left because of a call-back, for another batch or for a person; they are no longer this one''s';

-- A batch that failed and goes on takes again whom it gave back, and nobody else.
alter table campaign_contacts
  add column given_back_by uuid,
  add foreign key (workspace_id, given_back_by) references call_batches (workspace_id, id);
comment on column campaign_contacts.given_back_by is 'the last batch that gave the contact back to the campaign';

-- Who answered, as the carrier heard it. Null: it was not asked, or could not tell.
alter table calls add column answered_by text check (answered_by in ('human', 'machine'));
comment on column calls.answered_by is 'the carrier''s detection: human or machine; null while it has said nothing of use';

-- Calls whose words are not there although they have ended: what sweeps look through for work that was lost. Calls of the past get their
-- words later, and wait without a row in the queue on purpose.
create index calls_awaiting_words on calls (workspace_id, ended_at)
  where ended_at is not null and dial_state = 'placed'
    and (transcript_status in ('pending', 'fetching') or analysis_status in ('pending', 'processing'))
    and not (source = 'historical_sync' and transcript_status = 'pending');
-- How often a sweep has put the work back after it was lost. A person's try begins at zero.
alter table enrichment_queue add column rescues int not null default 0;

-- The list of all queues shows what is done, too, newest first.
create index jobs_done on jobs (workspace_id, id desc) where status = 'completed';
create index enrichment_queue_done on enrichment_queue (workspace_id, id desc) where status = 'completed';
