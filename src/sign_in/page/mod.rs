mod authenticator;
mod by_passkey;
mod forms;
mod frame;
mod passkeys;

mod security;

pub use by_passkey::{passkey_sign_in_page, passkey_step_page};
pub use forms::{choose_password_page, forgot_page, second_step_page, sign_in_page};
pub use frame::{SignInCard, SignInErrors, SignInField};

pub use security::security_page;
