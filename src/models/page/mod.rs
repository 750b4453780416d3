//! Pages about models: `/connections/models`, `/connections/models/{purpose}` with `?agent=`, `/connections/models/prices`,
//! `/connections/models/prices/new`.

mod choose;
mod overview;
mod price;
mod prices;

pub use choose::model_choice_page;
pub use overview::models_page;
pub use price::new_model_price_page;
pub use prices::model_prices_page;
