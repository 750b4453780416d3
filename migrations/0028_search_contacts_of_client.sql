-- A search among one client's contacts looks through these alone. Narrowed after the search, it would miss whoever is not among the newest
-- thousand hits of the whole agency.
drop function search_contacts(text, int);
create function search_contacts(words text, most int, only_client uuid default null) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
  with found as materialized (
    select c.id from contacts c
    where c.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and (nullif(current_setting('app.client_id', true), '') is null
           or c.client_id = nullif(current_setting('app.client_id', true), '')::uuid)
      and (only_client is null or c.client_id = only_client)
      and (c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '') || ' ' || c.phone)
          ilike '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%'
    limit 20001),
  newest as (
    select c.id from contacts c
    where (select count(*) from found) > 20000
      and c.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and (nullif(current_setting('app.client_id', true), '') is null
           or c.client_id = nullif(current_setting('app.client_id', true), '')::uuid)
      and (only_client is null or c.client_id = only_client)
      and (c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '') || ' ' || c.phone)
          ilike '%' || replace(replace(replace(words, '\', '\\'), '%', '\%'), '_', '\_') || '%'
    order by c.id desc limit least(most, 1000))
  select id from (
    select id from found where (select count(*) from found) <= 20000
    union all select id from newest) both_ways
  order by id desc limit least(most, 1000)
$$;
revoke all on function search_contacts(text, int, uuid) from public;
grant execute on function search_contacts(text, int, uuid) to patchbay_app;
