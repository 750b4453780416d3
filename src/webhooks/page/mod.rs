//! Pages of outgoing webhooks: `/settings/webhooks`, `/settings/webhooks/{endpoint}`, `/settings/webhooks/{endpoint}/deliveries/{delivery}`,
//! `/settings/webhooks/new`, `/settings/webhooks/{endpoint}/edit`, `/settings/webhooks/made` and `/settings/webhooks/verify`.

mod deliveries;
mod delivery;
mod endpoint;
mod form;
mod side;
mod verify;
mod webhooks;

use leptos::prelude::*;

use patchbay_ui::address::query_string;
use patchbay_ui::*;

pub use form::{edit_webhook_page, made_webhook_page, new_webhook_page};
pub use verify::verify_webhooks_page;
pub use webhooks::webhooks_page;

const BASE: &str = "/settings/webhooks";
/// What narrows and cuts the list of deliveries.
const LIST: [&str; 5] = ["when", "state", "event", "sort", "cursor"];
/// What a range to replay is.
const RANGE: [&str; 3] = ["range_from", "range_to", "range_of"];

/// The pages above one of these.
fn above(with_list: bool) -> Vec<Crumb> {
    let mut crumbs = vec![crumb("Settings", "/settings/profile")];
    if with_list {
        crumbs.push(crumb("Webhooks", BASE));
    }
    crumbs
}

/// The values of these keys in the present address, as a query.
fn kept(keys: &[&str]) -> String {
    let pairs: Vec<(String, String)> = keys.iter().filter_map(|key| Some(((*key).to_owned(), query(key)?))).collect();
    query_string(&pairs)
}

/// The values of these keys in the present address, as hidden fields.
fn carried(keys: &'static [&'static str]) -> AnyView {
    let fields = keys.iter().filter_map(|key| Some((*key, query(key)?)));
    fields.map(|(key, value)| view! { <input type="hidden" name=key value=value/> }).collect_view().into_any()
}

/// `184 ms`, `2.4 s`.
fn latency(ms: i32) -> String {
    match ms.max(0) {
        ms @ 0..1000 => format!("{ms} ms"),
        ms => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}
