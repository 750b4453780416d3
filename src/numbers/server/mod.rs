//! `ops`: what people do with numbers. `order`: renting one, step by step, in the background. `route`: where the carrier sends its calls.
//! `look`: whether it still does. `answering`: who answers them. `carriers`: numbers of accounts at Twilio and Plivo; `account_route`:
//! where the calls of those go.

pub mod account_route;
pub mod answering;
pub mod carriers;
pub mod jobs;
pub mod look;
pub mod ops;
pub(crate) mod order;
pub(crate) mod route;
pub mod routes;
pub(crate) mod store;
