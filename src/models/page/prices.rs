use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{PriceList, PriceQuery, PriceRow, PriceSource, dollars};
use crate::server_fns::list_model_prices;
use patchbay_access::Action;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// What models cost, and from when.
#[lazy]
pub fn model_prices_page() -> PageView {
    let asked = || PriceQuery {
        words: query("q"),
        account: query("account"),
        source: query("source"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_model_prices);
    Arc::new(move || {
        let sources = PriceSource::ALL.iter().map(|source| (source.as_str(), source.label()));
        List::<PriceRow>::new("Model prices")
            .under(crumb("Integrations", "/integrations"))
            .under(crumb("Models", "/connections/models"))
            .subtitle("US dollars per million tokens. What a service tells with its answer goes before these.")
            .live(&["models"])
            .export("/connections/models/prices.csv")
            .add(viewer().may(Action::ManageConnections), "plus", "/connections/models/prices/new", "New price")
            .search("q", "Part of the model’s name")
            .filter(Filter::new("source", "Source", options_of(sources)))
            .narrowed_by(&["account"])
            .table("mid")
            .column("Model", |row| view! { <code class="break">{row.model.clone()}</code> })
            .column("Account", |row| row.account.clone())
            .number("Read", |row| dollars(row.price.read))
            .number("Cached", |row| row.price.cached.map_or_else(|| "As read".to_owned(), dollars))
            .number("Written", |row| dollars(row.price.written))
            .newest("Holds from", |row| cell::time(&row.from))
            .column("Source", |row| match &row.by {
                Some(by) => format!("{} by {by}", row.source.label()),
                None => row.source.label().to_owned(),
            })
            .empty(
                "receipt-text",
                "No prices yet",
                "OpenRouter tells with each answer what it cost. For other accounts enter what their models cost, so that their answers have a price.",
            )
            .first("Enter the first price")
            .page_of(rows, |list: PriceList| {
                let filter = Filter::new("account", "Account", options_of(list.accounts));
                (list.page, vec![filter])
            })
    })
}
