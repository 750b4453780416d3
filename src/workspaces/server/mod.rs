pub mod limits;
pub mod rules;
mod store;

/// The verbs with which other crates change an agency, in their own transactions.
pub use store::{
    Reactivated, claim_ownership, has_no_owner, hold, insert, is_suspended, lock_capacity, lock_tells_others,
    mark_demo, set_agreed, set_branding, set_owner, set_plan, set_sandbox, set_status, set_tells_others,
    settle_ownership,
};
