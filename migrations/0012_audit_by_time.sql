-- A day in the trail is found by its first and last row.
create index audit_events_by_time on audit_events (workspace_id, created_at, seq);
