-- What a client's admins may do beside reading, as the agency allows it for each client. Running batches spends the agency's money, so
-- it is asked for.
alter table clients
  add column admins_edit_contacts boolean not null default true,
  add column admins_edit_campaigns boolean not null default true,
  add column admins_run_batches boolean not null default false,
  add column admins_invite_viewers boolean not null default true;
comment on column clients.admins_edit_contacts is 'The client''s admins may import and change contacts.';
comment on column clients.admins_edit_campaigns is 'The client''s admins may make and change campaigns.';
comment on column clients.admins_run_batches is 'The client''s admins may start, pause, resume and stop batches.';
comment on column clients.admins_invite_viewers is 'The client''s admins may invite viewers and change their accounts.';

-- Why Patchbay paused a batch or ended it, as a word: the words beside it (pause_reason, error) name the agency's accounts, and a client's
-- people read the word's own sentence instead.
create type batch_obstacle as enum (
  'suspended', 'client_archived', 'campaign_not_active', 'agent_not_ready', 'number_not_active', 'number_reassigned',
  'not_connected', 'refused', 'not_placed'
);
alter table call_batches add column obstacle batch_obstacle;
comment on column call_batches.obstacle is 'Why Patchbay itself paused or failed the batch. Null: a person did, or it goes on.';
