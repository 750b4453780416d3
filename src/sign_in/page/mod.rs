mod authenticator;
mod by_passkey;
mod doors;
mod frame;
mod passkeys;

mod security;

pub use by_passkey::{passkey_sign_in_page, passkey_step_page};
pub use doors::{choose_password_page, forgot_page, second_step_page, sign_in_page};
pub use frame::{DoorCard, DoorErrors, DoorField};

pub use security::security_page;
