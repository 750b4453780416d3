pub mod once;
pub mod rules;
