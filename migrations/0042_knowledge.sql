-- Knowledge: files and pages that agents look things up in, in collections of one client or of the whole agency, and the passages that
-- were made of them.

create table knowledge_collections (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  -- null: for the agents of every client
  client_id uuid,
  name text not null,
  description text not null default '',
  -- it is gone for everybody, and a worker deletes its files
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id)
);
-- Two of one name could not be told apart where an agent chooses.
create unique index knowledge_collections_name on knowledge_collections
  (workspace_id, coalesce(client_id, '00000000-0000-0000-0000-000000000000'::uuid), lower(name))
  where deleted_at is null;
create index knowledge_collections_by_name on knowledge_collections (workspace_id, name, id);

create table knowledge_entries (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  collection_id uuid not null,
  -- that of the collection: what a client's files take is added up
  client_id uuid,
  -- the file as it was stored: another one with each file that replaces it
  file_id uuid not null,
  -- its key in the object store
  gcs_path text not null,
  original_filename text not null,
  -- where a page by address was read; null: uploaded
  source_url text,
  -- what the content is, not what the name says
  content_type text not null,
  bytes bigint not null,
  knowledge_status text not null default 'pending' check (knowledge_status in ('pending', 'indexing', 'indexed', 'failed')),
  -- while it is being indexed: passages that are written, of so many; then all of them
  passages int not null default 0,
  passages_expected int,
  -- how often a worker that read the file ended before it was done
  attempts int not null default 0,
  -- why it failed, and what to do
  error text,
  -- the passages that search finds: those of the last indexing that came to its end
  edition uuid,
  -- ISO 639-1; null: none was recognised
  language text,
  -- the text search configuration that the passages were split into words by
  words_config text,
  -- pages of a PDF, rows of a table
  units int,
  indexed_at timestamptz,
  uploaded_by uuid references users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, file_id),
  foreign key (workspace_id, collection_id) references knowledge_collections (workspace_id, id),
  foreign key (workspace_id, client_id) references clients (workspace_id, id)
);
create index knowledge_entries_newest on knowledge_entries (workspace_id, collection_id, id desc);
create index knowledge_entries_by_client on knowledge_entries (workspace_id, client_id);

create table knowledge_chunks (
  workspace_id uuid not null references workspaces (id),
  id uuid not null,
  entry_id uuid not null,
  -- the indexing that wrote it
  edition uuid not null,
  position int not null,
  -- where it stands in the file: page, heading, row
  place text not null,
  body text not null,
  -- the words of place and body as text search compares them
  words tsvector not null,
  primary key (workspace_id, id),
  foreign key (workspace_id, entry_id) references knowledge_entries (workspace_id, id)
);
create unique index knowledge_chunks_of_entry on knowledge_chunks (workspace_id, entry_id, edition, position);

-- All of it is the agency's workshop.
alter table knowledge_collections enable row level security;
alter table knowledge_collections force row level security;
create policy scope on knowledge_collections using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table knowledge_entries enable row level security;
alter table knowledge_entries force row level security;
create policy scope on knowledge_entries using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);
alter table knowledge_chunks enable row level security;
alter table knowledge_chunks force row level security;
create policy scope on knowledge_chunks using (
  workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
  and nullif(current_setting('app.client_id', true), '') is null
);

-- The passages that fit a question best, of some collections. A question is a sentence and not a list of words that must all be there:
-- one word is enough to be found, and the share of its words that a passage has decides. Each file has the words of its own language, so
-- the question is split into words once for each language that occurs. It is a function for the reason that search_contacts is one.
create function search_knowledge(question text, only_collections uuid[], most int)
returns table (chunk_id uuid, score real)
language sql stable security definer set search_path = public, pg_temp as $$
  with asked as materialized (
    select l.config, string_agg(t.term, ' | ')::tsquery as query, array_agg(t.term) as terms
    from (
      select distinct e.words_config as config from knowledge_entries e
      where e.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
        and nullif(current_setting('app.client_id', true), '') is null
        and e.collection_id = any(only_collections) and e.edition is not null) l
    cross join lateral (
      select '''' || replace(replace(word, '\', '\\'), '''', '''''') || '''' as term
      from unnest(tsvector_to_array(to_tsvector(l.config::regconfig, question))) word limit 50) t
    group by l.config),
  found as materialized (
    select c.id, c.words, a.terms, ts_rank(c.words, a.query, 1) as rank
    from asked a
    join knowledge_entries e on e.words_config = a.config
    join knowledge_chunks c on c.entry_id = e.id and c.edition = e.edition
    where e.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and nullif(current_setting('app.client_id', true), '') is null
      and e.collection_id = any(only_collections)
      and c.workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid
      and c.words @@ a.query
    order by rank desc limit 200)
  select f.id, (0.8 * (select count(*) from unnest(f.terms) term where f.words @@ term::tsquery) / cardinality(f.terms)
                + 0.2 * least(1, f.rank * 4))::real as score
  from found f order by 2 desc, 1 limit least(most, 100)
$$;
revoke all on function search_knowledge(text, uuid[], int) from public;
grant execute on function search_knowledge(text, uuid[], int) to patchbay_app;
