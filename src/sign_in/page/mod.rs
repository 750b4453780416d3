mod doors;
mod frame;
mod proof;
mod security;

pub use doors::{choose_password_page, forgot_page, second_step_page, sign_in_page};
pub use frame::{DoorCard, DoorErrors, DoorField};
pub use proof::ProofField;
pub use security::security_page;
