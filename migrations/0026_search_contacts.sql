-- Contacts whose text holds the words, newest first. Found by the index of words first and sorted then: with both in one statement the
-- planner may walk every contact of the agency from the newest on, which is slow for words that few have. Words that more than 20,000
-- have are found soon on that walk.
create or replace function search_contacts(words text, most int) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  with found as materialized (
    select c.id from contacts c
    where c.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and (nullif(current_setting('app.client_id', true), '') is null
           or c.client_id = nullif(current_setting('app.client_id', true), '')::uuid)
      and (c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '') || ' ' || c.phone)
          ilike '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%'
    limit 20001),
  newest as (
    select c.id from contacts c
    where (select count(*) from found) > 20000
      and c.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and (nullif(current_setting('app.client_id', true), '') is null
           or c.client_id = nullif(current_setting('app.client_id', true), '')::uuid)
      and (c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '') || ' ' || c.phone)
          ilike '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%'
    order by c.id desc limit least(most, 1000))
  select id from (
    select id from found where (select count(*) from found) <= 20000
    union all select id from newest) both_ways
  order by id desc limit least(most, 1000)
$$;
