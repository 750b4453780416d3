//! The page of a test call: `/test-call`.

mod test_call;

pub use test_call::test_call_page;
