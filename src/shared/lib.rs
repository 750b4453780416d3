//! Pure words used everywhere: ids, errors, money, phone numbers, pages of a list. No input or output.
//! The surprising part: the macros here also teach sqlx to read and write these types on the server.

#[cfg(feature = "ssr")]
pub mod csv_cell;
pub mod day;
pub mod decimals;
pub mod email;
pub mod error;
pub mod ids;
pub mod money;
pub mod page;
pub mod phone;
pub mod plain;
#[cfg(feature = "ssr")]
mod problem;
pub mod reason;
pub mod search;
pub mod slug;
pub mod stamp;
#[cfg(feature = "ssr")]
pub mod text;
pub mod variables;
pub mod window;
pub mod words;
#[cfg(feature = "ssr")]
pub mod zone;
#[cfg(feature = "ssr")]
pub mod zone_names;
pub mod zones;

pub use error::{AppError, FieldErrors};
pub use money::Money;
pub use page::{Cursor, Page, read_time_key, time_key};
pub use phone::Phone;
pub use reason::Reason;
pub use stamp::Stamp;
pub use words::{Tone, Word};

/// For the macros of this crate alone.
#[cfg(feature = "ssr")]
#[doc(hidden)]
pub use sqlx;
