//! All SQL of teams. `teams`: teams, their members and versions. `runs`: supervisor runs, and what execution has of them. `cases`: kept
//! questions. `views`: what pages read.

pub(crate) mod cases;
pub(crate) mod runs;
pub(crate) mod teams;
pub(crate) mod views;
