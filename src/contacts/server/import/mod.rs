//! An import, from bytes to rows: `sniff` looks at the head of a file, `decode` turns any encoding into UTF-8, `records` cuts it into
//! records whatever the quotes look like, `sheet` makes text of a workbook's sheet, `person` reads one record, `consent` what it says about
//! calling, `pieces` walks the whole file, `check` counts what was read, `kept` keeps it, `run` writes that.

mod check;
mod consent;
mod decode;
#[cfg(test)]
mod generated_tests;
mod kept;
mod numbers;
mod person;
mod pieces;
mod records;
mod run;
mod sheet;
pub mod sniff;

pub use check::check;
pub(crate) use consent::says_do_not_call;
pub(crate) use kept::Rows;
pub use pieces::{Piece, Walk, walk};
pub use records::{LONGEST, REACH, Record, Records};
pub use run::run;
pub(crate) use run::{Ending, end_early};
