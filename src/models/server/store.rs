//! All statements that change `model_choices` and `model_prices`.

pub(super) mod choices;
pub(super) mod prices;
