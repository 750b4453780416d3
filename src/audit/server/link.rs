//! What the hash of a row covers: every column, so that nobody changes one unseen.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How hashes are made now. Rows keep the number that theirs was made by.
pub(super) const FORMAT: i16 = 2;

/// One row, and the hash of the row before it.
pub(super) struct Link<'a> {
    pub format: i16,
    pub previous: &'a [u8],
    /// The workspace whose chain it is. None: the platform's.
    pub chain: Option<Uuid>,
    pub seq: i64,
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub actor: &'a str,
    pub action: &'a str,
    pub entity: &'a str,
    pub entity_id: Option<Uuid>,
    pub client_id: Option<Uuid>,
    /// In the platform's chain: the id and the name of the agency that it was done to.
    pub agency: Option<(Uuid, Option<&'a str>)>,
    pub kind: Option<&'a str>,
    pub before: Option<&'a Value>,
    pub after: Option<&'a Value>,
    pub ip: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub at: chrono::DateTime<chrono::Utc>,
    pub api_key_id: Option<Uuid>,
    pub support_session_id: Option<Uuid>,
}

/// Whether the row has the hash that its own format gives.
pub(super) fn is_as_written(link: &Link<'_>, hash: &[u8]) -> bool {
    // Columns that a former hash does not cover were empty then.
    let is_known = match link.format {
        1 => link.kind.is_none() && link.support_session_id.is_none(),
        FORMAT => true,
        _ => false,
    };
    is_known && link.hash() == hash
}

impl Link<'_> {
    /// SHA-256 over the previous hash and the row as canonical JSON (serde_json keeps object keys sorted, as jsonb does not).
    pub(super) fn hash(&self) -> Vec<u8> {
        let row = if self.format == 1 { self.first_format() } else { self.all_columns().to_string() };
        let mut digest = Sha256::new();
        digest.update(self.previous);
        digest.update(row.as_bytes());
        digest.finalize().to_vec()
    }

    fn all_columns(&self) -> Value {
        json!({
            "format": self.format,
            "chain": self.chain.map_or_else(|| "platform".to_owned(), |id| id.to_string()),
            "seq": self.seq,
            "id": self.id,
            "user_id": self.user_id,
            "actor": self.actor,
            "action": self.action,
            "entity": self.entity,
            "entity_id": self.entity_id,
            "client_id": self.client_id,
            "agency": self.agency,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "ip": self.ip,
            "request_id": self.request_id,
            "created_at": self.at.timestamp_micros(),
            "api_key_id": self.api_key_id,
            "support_session_id": self.support_session_id,
        })
    }

    /// How rows were hashed at first: without request_id.
    fn first_format(&self) -> String {
        let mut row = vec![json!([
            self.chain,
            self.seq,
            self.id,
            self.user_id,
            self.actor,
            self.action,
            self.entity,
            self.entity_id,
            self.client_id,
            self.before,
            self.after,
            self.ip,
            self.at.timestamp_micros()
        ])];
        row.extend(self.api_key_id.map(|id| json!({ "api_key": id })));
        row.iter().map(Value::to_string).collect()
    }
}
