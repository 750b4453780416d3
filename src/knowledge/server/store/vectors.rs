//! Statements about what passages mean: the model in force, its vectors, and what is near.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::{ChunkId, CollectionId};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::ConnectionId;

/// Rows of one deletion.
const AT_ONCE: i64 = 5_000;

/// The model that was chosen for search in knowledge (a table of others), and how far its vectors are.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub connection: ConnectionId,
    pub model: String,
    /// The account's address: another server may have another model under the name.
    pub address: String,
    /// None: nothing was asked of it yet.
    pub set: Option<Uuid>,
    /// Numbers in a vector; none while none has come.
    pub dimensions: Option<i32>,
    pub error: Option<String>,
    pub failures: i32,
    pub next_try: Option<DateTime<Utc>>,
}

/// None: nobody has chosen a model, and passages are found by their words alone.
pub(crate) async fn in_force(tx: &mut ReadTx) -> Result<Option<InForce>, AppError> {
    Ok(sqlx::query_as!(
        InForce,
        r#"select m.connection_id as "connection: ConnectionId", m.model, p.base_url as "address!", s.id as "set?", s.dimensions,
                  s.error, coalesce(s.failures, 0) as "failures!", s.next_try_at as next_try
           from model_choices m
           join provider_connections p on p.workspace_id = $1 and p.id = m.connection_id
           left join knowledge_vector_sets s
             on s.workspace_id = $1 and s.connection_id = m.connection_id and s.model = m.model and s.address = p.base_url
           where m.workspace_id = $1 and m.purpose = 'embedding' and m.agent_id is null"#,
        tx.workspace_uuid()
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The set of a model's vectors, made if need be, and held until the commit.
pub(crate) async fn hold_set(tx: &mut WriteTx, found: &InForce) -> Result<Uuid, AppError> {
    let id = sqlx::query_scalar!(
        "insert into knowledge_vector_sets (workspace_id, id, connection_id, model, address) values ($1, $2, $3, $4, $5)
         on conflict (workspace_id, connection_id, model, address) do update set updated_at = now() returning id",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        found.connection.0,
        found.model,
        found.address
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(id)
}

/// Deletes some vectors that are not of this set; those that somebody holds are left. True: there were some, and there may be more.
pub(crate) async fn prune(tx: &mut WriteTx, keep: Option<Uuid>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "delete from knowledge_vectors where workspace_id = $1 and chunk_id = any(array(
           select chunk_id from knowledge_vectors where workspace_id = $1 and set_id is distinct from $2 limit $3
           for update skip locked))",
        tx.workspace_uuid(),
        keep,
        AT_ONCE
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes the sets that have no vectors any more, but for this one.
pub(crate) async fn prune_sets(tx: &mut WriteTx, keep: Option<Uuid>) -> Result<(), AppError> {
    sqlx::query!(
        "delete from knowledge_vector_sets where workspace_id = $1 and id is distinct from $2
           and not exists (select from knowledge_vectors v where v.workspace_id = $1 and v.set_id = knowledge_vector_sets.id)",
        tx.workspace_uuid(),
        keep
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The last try with the model brought something. `dimensions`: numbers in its vectors.
pub(crate) async fn went_well(tx: &mut WriteTx, set: Uuid, dimensions: Option<i32>) -> Result<(), AppError> {
    sqlx::query!(
        "update knowledge_vector_sets
         set dimensions = coalesce(dimensions, $3), error = null, failures = 0, next_try_at = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        set,
        dimensions
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It brought nothing, and why; in so many seconds it is tried again.
pub(crate) async fn went_wrong(tx: &mut WriteTx, set: Uuid, why: &str, seconds: f64) -> Result<(), AppError> {
    sqlx::query!(
        "update knowledge_vector_sets
         set error = $3, failures = failures + 1, next_try_at = now() + make_interval(secs => $4), updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        set,
        why,
        seconds
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A passage whose meaning is not known.
pub(crate) struct Missing {
    pub chunk: ChunkId,
    pub entry: Uuid,
    pub position: i32,
    pub place: String,
    pub body: String,
}

/// Some files that have more passages than vectors in this set, by their order. Costs an index entry for each passage, so that it can be
/// asked often.
pub(crate) async fn behind(tx: &mut ReadTx, set: Uuid, most: i64) -> Result<Vec<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        "select e.id
         from knowledge_collections k
         join knowledge_entries e on e.workspace_id = $1 and e.collection_id = k.id and e.edition is not null
         where k.workspace_id = $1 and k.deleted_at is null
           and e.passages > (select count(*) from knowledge_vectors v
                             where v.workspace_id = $1 and v.entry_id = e.id and v.set_id = $2 and v.edition = e.edition)
         order by e.id limit $3",
        tx.workspace_uuid(),
        set,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Passages of these files that search finds and that have no vector in this set, in their order; those behind `after`.
pub(crate) async fn missing(
    tx: &mut ReadTx,
    set: Uuid,
    entries: &[Uuid],
    after: Option<(Uuid, i32)>,
    most: i64,
) -> Result<Vec<Missing>, AppError> {
    let (entry, position) = after.unzip();
    Ok(sqlx::query_as!(
        Missing,
        r#"select c.id as "chunk: ChunkId", c.entry_id as entry, c.position, c.place, c.body
           from knowledge_collections k
           join knowledge_entries e on e.workspace_id = $1 and e.collection_id = k.id and e.edition is not null
           join knowledge_chunks c on c.workspace_id = $1 and c.entry_id = e.id and c.edition = e.edition
           where k.workspace_id = $1 and k.deleted_at is null and e.id = any($6)
             and ($3::uuid is null or (c.entry_id, c.position) > ($3, $4::int))
             and not exists (select from knowledge_vectors v where v.workspace_id = $1 and v.chunk_id = c.id and v.set_id = $2)
           order by c.entry_id, c.position limit $5"#,
        tx.workspace_uuid(),
        set,
        entry,
        position,
        most,
        entries
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether vectors of another model than this one, or of none, lie about.
pub(crate) async fn has_others(tx: &mut ReadTx, keep: Option<Uuid>) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from knowledge_vector_sets where workspace_id = $1 and id is distinct from $2) as "is!""#,
        tx.workspace_uuid(),
        keep
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What one passage means.
pub(crate) struct NewVector {
    pub chunk: ChunkId,
    /// A zero or a one for each number.
    pub signs: String,
    /// All of one length; none for a passage without words.
    pub vector: Vec<f32>,
}

/// Writes vectors of one length. Passages that are gone meanwhile, or are just being deleted, are left out.
pub(crate) async fn insert(tx: &mut WriteTx, set: Uuid, vectors: &[NewVector], length: i32) -> Result<(), AppError> {
    let ids: Vec<Uuid> = vectors.iter().map(|one| one.chunk.0).collect();
    let signs: Vec<&str> = vectors.iter().map(|one| one.signs.as_str()).collect();
    let numbers: Vec<f32> = vectors.iter().flat_map(|one| one.vector.iter().copied()).collect();
    sqlx::query!(
        "insert into knowledge_vectors (workspace_id, chunk_id, set_id, entry_id, edition, signs, vector)
         select $1, c.id, $2, c.entry_id, c.edition, n.signs::bit varying,
                ($5::real[])[(n.at::int - 1) * $6::int + 1 : n.at::int * $6::int]
         from unnest($3::uuid[], $4::text[]) with ordinality as n (id, signs, at)
         join knowledge_chunks c on c.workspace_id = $1 and c.id = n.id
         order by c.id for key share of c skip locked
         on conflict (workspace_id, chunk_id) do update
           set set_id = excluded.set_id, edition = excluded.edition, signs = excluded.signs, vector = excluded.vector",
        tx.workspace_uuid(),
        set,
        &ids,
        &signs as &[&str],
        &numbers,
        length
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Passages that search finds, and those of them whose meaning is known; of one collection, or of all.
pub(crate) async fn counts(
    tx: &mut ReadTx,
    set: Option<Uuid>,
    collection: Option<CollectionId>,
) -> Result<(i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select coalesce(sum(e.passages), 0)::bigint as "passages!", coalesce(sum(v.known), 0)::bigint as "known!"
           from knowledge_collections k
           join knowledge_entries e on e.workspace_id = $1 and e.collection_id = k.id and e.edition is not null
           cross join lateral (
             select count(*) as known from knowledge_vectors
             where workspace_id = $1 and entry_id = e.id and set_id = $2 and edition = e.edition) v
           where k.workspace_id = $1 and k.deleted_at is null and ($3::uuid is null or k.id = $3)"#,
        tx.workspace_uuid(),
        set,
        collection.map(|id| id.0)
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.passages, row.known))
}

/// The passages of these collections whose signs agree most with the question's, with their vectors. Only vectors of this set and of so
/// many numbers.
pub(crate) async fn near(
    tx: &mut ReadTx,
    set: Uuid,
    signs: &str,
    collections: &[CollectionId],
    most: i64,
) -> Result<Vec<(ChunkId, Vec<f32>)>, AppError> {
    let collections: Vec<Uuid> = collections.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select v.chunk_id as "chunk: ChunkId", v.vector
           from knowledge_collections k
           join knowledge_entries e on e.workspace_id = $1 and e.collection_id = k.id
           join knowledge_vectors v on v.workspace_id = $1 and v.entry_id = e.id and v.set_id = $2 and v.edition = e.edition
           where k.workspace_id = $1 and k.id = any($3) and k.deleted_at is null and length(v.signs) = length($4::text)
           order by case when length(v.signs) = length($4::text) then bit_count(v.signs # $4::text::bit varying) end, v.chunk_id
           limit $5"#,
        tx.workspace_uuid(),
        set,
        &collections,
        signs,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.chunk, row.vector)).collect())
}
