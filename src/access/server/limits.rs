//! How long a request's body may be, in bytes, by what it is. A body that is longer is refused before it is read, or where it passes the
//! limit. Files have theirs where they are read: contacts (`MAX_FILE`) and logos count for themselves, and what precedes a file is
//! bounded by `MAX_BEFORE_FILE`.

/// Forms and server functions: the longest prompt, every field of a form.
pub const FORM: usize = 2 * 1024 * 1024;
/// The public API.
pub const API: usize = 1024 * 1024;
/// Events of outside services.
pub const WEBHOOK: usize = 1024 * 1024;
