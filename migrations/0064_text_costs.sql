-- What text messages cost counts: by day beside calls, and in the client's budget.

-- A message counts from the moment on at which a carrier had it, whatever the carrier tells of it later.
alter table text_messages add column taken_at timestamptz;
comment on column text_messages.taken_at is 'since when the carrier has it; null: it came in, or no carrier has it';
-- The owner is bound by row security, too, but for these moments.
alter table text_messages no force row level security;
alter table client_spend no force row level security;
alter table billing_touches no force row level security;
update text_messages set taken_at = coalesce(asked_at, at) where direction = 'out' and carrier_message_id is not null;
update client_spend s set spent = s.spent + t.cost
from (select c.workspace_id, c.client_id, c.month, sum(m.cost_usd) as cost
      from client_spend c join text_messages m on m.workspace_id = c.workspace_id and m.client_id = c.client_id
           and m.taken_at >= c.from_at and m.taken_at < c.until_at
      where m.cost_usd is not null group by 1, 2, 3) t
where s.workspace_id = t.workspace_id and s.client_id = t.client_id and s.month = t.month;
-- The days of before this migration are made by a worker, and until then counted from the messages.
insert into billing_touches (id, workspace_id, client_id, at)
select gen_random_uuid(), workspace_id, client_id, null from text_messages where taken_at is not null group by workspace_id, client_id;
-- Nobody has asked for the price of messages that had arrived. Carriers that still know it are asked once, not all at the same moment.
alter table jobs no force row level security;
insert into jobs (id, workspace_id, kind, payload, dedupe_key, run_at)
select gen_random_uuid(), workspace_id, 'send_text', jsonb_build_object('message', id), id::text, now() + random() * interval '2 hours'
from text_messages where taken_at > now() - interval '40 days' and cost_usd is null and state in ('sent', 'delivered')
on conflict do nothing;
alter table jobs force row level security;
alter table billing_touches force row level security;
alter table client_spend force row level security;
alter table text_messages force row level security;
create index text_messages_taken on text_messages (workspace_id, client_id, taken_at) where taken_at is not null;

-- Messages that carriers took, by client and day of the client's zone.
create table billing_text_usage (
  workspace_id uuid not null references workspaces (id),
  id uuid not null default gen_random_uuid(),
  client_id uuid not null,
  day date not null,
  messages bigint not null,
  -- as carriers bill them
  parts bigint not null,
  cost numeric(16, 6) not null,
  -- messages of which no price was told, and that did not fail
  unpriced bigint not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id),
  constraint billing_text_usage_once unique (workspace_id, client_id, day)
);
create index billing_text_usage_by_day on billing_text_usage (workspace_id, day, client_id);

alter table billing_text_usage enable row level security;
alter table billing_text_usage force row level security;
create policy scope on billing_text_usage using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and (nullif(current_setting('app.client_id', true), '') is null
       or client_id = nullif(current_setting('app.client_id', true), '')::uuid)
);
