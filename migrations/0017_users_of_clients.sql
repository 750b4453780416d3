-- Users are on every node, clients are spread by workspace: a key from the one to the other would keep the tables from being spread.
-- What it guarded stands on two things now: whoever writes users.client_id holds the client's row until the commit
-- (members::server::store), and the application, which only archives clients, may not delete one.
alter table users drop constraint users_workspace_id_client_id_fkey;
revoke delete on clients from patchbay_app;
