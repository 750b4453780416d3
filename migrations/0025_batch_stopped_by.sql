-- Who stopped a batch. A stopped batch is `completed` with `stopped_at`; pages, lists and the API show it as "stopped".
alter table call_batches add column stopped_by uuid references users (id);
comment on column call_batches.stopped_by is 'Who stopped it; null when an API key without a person did, or nobody';
