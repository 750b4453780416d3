-- What a server of functions (MCP) offered when it was last asked. What of it was chosen stands in tool_config, as it was then.

alter table agent_tools
  -- a list of name, description and parameters; null: it was not asked yet
  add column offered jsonb,
  add column offered_at timestamptz,
  -- something that was chosen is offered in other words now, or not any more
  add column offer_differs boolean not null default false;

-- Uses whose process was stopped in the middle are looked for.
create index tool_invocations_running on tool_invocations (workspace_id, created_at) where status = 'running';
