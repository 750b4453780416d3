-- Taking a webhook writes into three indexes in place of four: the key finds a workspace's newest events, too. That the workspace exists is
-- certain, because the address was checked against one of its connections, and workspaces are never removed.
alter table webhook_queue drop constraint webhook_queue_pkey;
alter table webhook_queue add primary key (workspace_id, id);
drop index webhook_queue_newest;
alter table webhook_queue drop constraint webhook_queue_workspace_id_fkey;

-- What is due begins with the workspace, so it finds workspaces, too. With this one beside it the planner read all that waits of a workspace.
drop index execution_queue_homes;
