-- What an agency shows a client: the steps of its agents (uses of tools) beside what was said.
alter table clients add column shares_steps boolean not null default false;
