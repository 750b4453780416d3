-- An address may have one account in each agency. So no agency learns who has an account elsewhere, and none takes an address away from
-- its owner: whoever signs in comes in where their password is right.
drop index users_email_key;
create unique index users_email_key on users (workspace_id, lower(email)) nulls not distinct;
create index users_by_email on users (lower(email));
