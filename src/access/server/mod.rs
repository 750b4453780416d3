//! Tenant isolation. `Db` hides the pool; a `Scope` comes only from a session (a platform admin names the workspace), or is a machine's that declares what it may do (`machines`);
//! `scope.read(action)` and `scope.write(action)` ask the policy table first and give a transaction that carries the tenant.

mod address;
mod api;
mod audit;
mod csv_file;
mod db;
mod downloads;
pub mod limits;
mod machines;
pub mod once;
mod scope;
mod session;
mod system;
mod tx;
mod upload_form;
mod upload_place;
mod visitor;

pub use address::{own_path, page_before, path_and_query, sender};
pub use api::{Body, page_size};
pub use audit::{AppendEvent, AppendPlatformEvent, Change, EVENTS, Fields, Kind, NewEvent};
pub use csv_file::{ROWS_AT_ONCE, csv_file, csv_pages};
pub use db::{Db, DbSettings};
pub use downloads::{OfNobody, record_downloads};
pub use machines::Machine;
pub use scope::{Actor, Holder, KeyUse, Scope};
pub use session::{
    ENDED_SESSIONS, PROOF_LASTS, SESSION_AGENT, SESSION_IP, SESSION_OF_ADMIN, SESSION_PROVED, SESSION_SUPPORT,
    SESSION_USER, SessionTable, end_session, end_sessions, prune_sessions, random_token, refresh_session, session_hash,
};
pub use system::SystemTx;
pub use tx::{ReadTx, WriteTx};
pub use upload_form::{FormFault, MAX_BEFORE_FILE, Part, UploadForm};
pub use upload_place::{UploadPlace, upload_place};
pub use visitor::{Visitor, identify, scope, scope_of_key, stays_until, visitor};
