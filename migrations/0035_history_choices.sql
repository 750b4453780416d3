-- What an import brings in is chosen one by one, and closing gaps goes on where it was.

alter table historical_sync_jobs add column with_recordings boolean not null default false;
-- Until now recordings came with the words. The owner is bound by row security, too, but for this moment.
alter table historical_sync_jobs no force row level security;
update historical_sync_jobs set with_recordings = with_transcripts;
alter table historical_sync_jobs force row level security;

alter table calls
  -- what an import decided about the recording: 'left' at the service until somebody asks for it, or 'waits' until there is room to fetch
  -- it without the words. Null: it comes with the words.
  add column recording_wish text check (recording_wish in ('left', 'waits'));
create index calls_without_sound on calls (workspace_id, started_at desc, id desc) where recording_wish = 'waits';
create index calls_awaiting_sound on calls (workspace_id) where awaits_recording;

-- When the service was asked last to close it and had nothing new: whoever closes all goes on with those that were not asked about.
alter table call_gaps add column asked_at timestamptz;
