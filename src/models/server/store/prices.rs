//! What models cost, and from when.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::{Price, PriceQuery, PriceSource};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::ConnectionId;
use patchbay_shared::search::like;
use patchbay_shared::{AppError, Cursor, Page, read_time_key, time_key};

/// The price that holds at a moment. None: none is known for it.
pub(crate) async fn at(
    tx: &mut ReadTx,
    account: ConnectionId,
    model: &str,
    at: DateTime<Utc>,
) -> Result<Option<Price>, AppError> {
    Ok(sqlx::query_as!(
        Price,
        "select read_price as read, written_price as written, cached_price as cached from model_prices
         where workspace_id = $1 and connection_id = $2 and model = $3 and holds_from <= $4
         order by holds_from desc limit 1",
        tx.workspace_uuid(),
        account.0,
        model,
        at
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The price that begins to hold at this very moment.
pub(crate) async fn exactly(
    tx: &mut ReadTx,
    account: ConnectionId,
    model: &str,
    from: DateTime<Utc>,
) -> Result<Option<Price>, AppError> {
    Ok(sqlx::query_as!(
        Price,
        "select read_price as read, written_price as written, cached_price as cached from model_prices
         where workspace_id = $1 and connection_id = $2 and model = $3 and holds_from = $4",
        tx.workspace_uuid(),
        account.0,
        model,
        from
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Makes a price, or replaces the one of the same moment.
pub(crate) async fn save(
    tx: &mut WriteTx,
    account: ConnectionId,
    model: &str,
    from: DateTime<Utc>,
    price: Price,
    source: PriceSource,
) -> Result<Uuid, AppError> {
    let by = tx.scope().user_id().filter(|_| source == PriceSource::Typed);
    Ok(sqlx::query_scalar!(
        "insert into model_prices (workspace_id, id, connection_id, model, holds_from, read_price, written_price, cached_price, source,
                                   set_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (workspace_id, connection_id, model, holds_from) do update set read_price = excluded.read_price,
                written_price = excluded.written_price, cached_price = excluded.cached_price, source = excluded.source,
                set_by = excluded.set_by
         returning id",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        account.0,
        model,
        from,
        price.read,
        price.written,
        price.cached,
        source.as_str(),
        by.map(|id| id.0)
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A price as it is kept.
pub(crate) struct Kept {
    pub id: Uuid,
    pub account: ConnectionId,
    pub model: String,
    pub from: DateTime<Utc>,
    pub price: Price,
    pub source: PriceSource,
    /// Who entered it.
    pub by: Option<String>,
}

/// Rows of one statement in one direction of the list.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $query:expr, $at:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select p.id, p.connection_id as "connection_id: ConnectionId", p.model, p.holds_from, p.read_price, p.written_price,
                      p.cached_price, p.source, u.name as "by?"
               from model_prices p left join users u on u.id = p.set_by
               where p.workspace_id = $1
                 and ($2::text is null or p.model ilike $2)
                 and ($3::uuid is null or p.connection_id = $3)
                 and ($4::text is null or p.source = $4)
                 and ($5::timestamptz is null or (p.holds_from, p.id) "# + $after + r#" ($5, $6::uuid))
               order by p.holds_from "# + $way + r#", p.id "# + $way + r#" limit $7"#,
            $tx.workspace_uuid(), like($query.words.as_deref()),
            $query.account.as_deref().and_then(|id| Uuid::from_str(id).ok()),
            $query.source.as_deref().filter(|source| !source.is_empty()),
            $at, $id, $limit
        )
    };
}

/// Prices, the newest first. `limit` rows on a page.
pub(crate) async fn list(tx: &mut ReadTx, query: &PriceQuery, limit: usize) -> Result<Page<Kept>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let (at, id) = place.map_or((None, None), |(at, id)| (Some(at), Some(id)));
    let most = limit as i64 + 1;
    // The two statements' rows are of two types, so each is turned into one at once.
    macro_rules! row {
        ($row:expr) => {{
            let row = $row;
            Kept {
                id: row.id,
                account: row.connection_id,
                model: row.model,
                from: row.holds_from,
                price: Price { read: row.read_price, written: row.written_price, cached: row.cached_price },
                source: PriceSource::from_str(&row.source).unwrap_or(PriceSource::Typed),
                by: row.by,
            }
        }};
    }
    let rows: Vec<Kept> = if cursor.as_ref().is_some_and(|cursor| !cursor.older) {
        let found = list_in!(">", "asc", tx, query, at, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    } else {
        let found = list_in!("<", "desc", tx, query, at, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| at.is_some()), |row| time_key(row.from, row.id)))
}
