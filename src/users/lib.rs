//! [server] People's accounts: the row of a person, their password, and how often it may be tried. Signing in, members and the
//! platform change accounts through the verbs here.
//! Owns the tables users and sign_in_throttles.
//!
//! The surprising part: a try is counted before it is judged (`throttle`), and a wrong address takes as long as a wrong password.
//! Reads the table clients.

mod password;
pub mod proof;
mod store;
pub mod throttle;

pub use password::{check_new, hash_password, verify};
/// The verbs with which other crates change an account, in their own transactions.
pub use store::{
    Account, NewUser, Profile, account, by_email, forget_authenticator, insert, note_sign_in, set_active,
    set_authenticator, set_has_passkey, set_password, set_profile, set_role, use_step,
};
