//! Numbers and orders as Telnyx writes them. Nearly every field may be null.

use crate::telephony::{AvailableNumber, NumberOrder, OrderStatus, OrderedNumber, OwnedNumber};
use crate::wire;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Available {
    phone_number: String,
    #[serde(default, deserialize_with = "wire::list")]
    features: Vec<Feature>,
    #[serde(default, deserialize_with = "wire::list")]
    region_information: Vec<Region>,
    #[serde(default, deserialize_with = "wire::object")]
    cost_information: Option<Cost>,
    #[serde(default, deserialize_with = "wire::flag")]
    best_effort: Option<bool>,
}

#[derive(Deserialize)]
struct Feature {
    name: String,
}

#[derive(Deserialize)]
struct Region {
    #[serde(default, deserialize_with = "wire::text")]
    region_name: Option<String>,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(default, deserialize_with = "wire::decimal")]
    upfront_cost: Option<Decimal>,
    #[serde(default, deserialize_with = "wire::decimal")]
    monthly_cost: Option<Decimal>,
    #[serde(default, deserialize_with = "wire::text")]
    currency: Option<String>,
}

impl From<Available> for AvailableNumber {
    fn from(a: Available) -> Self {
        let cost = a.cost_information;
        AvailableNumber {
            number: a.phone_number,
            features: a.features.into_iter().map(|f| f.name).collect(),
            regions: a.region_information.into_iter().filter_map(|r| r.region_name).collect(),
            upfront_cost: cost.as_ref().and_then(|c| c.upfront_cost),
            monthly_cost: cost.as_ref().and_then(|c| c.monthly_cost),
            currency: cost.and_then(|c| c.currency),
            is_best_effort: a.best_effort.unwrap_or(false),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Order {
    #[serde(default, deserialize_with = "wire::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "wire::list")]
    phone_numbers: Vec<Ordered>,
    #[serde(default, deserialize_with = "wire::flag")]
    requirements_met: Option<bool>,
    #[serde(default, deserialize_with = "wire::text")]
    customer_reference: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    created_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Ordered {
    #[serde(default, deserialize_with = "wire::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    phone_number: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    requirements_status: Option<String>,
}

impl From<Order> for NumberOrder {
    fn from(o: Order) -> Self {
        NumberOrder {
            id: o.id.unwrap_or_default(),
            status: order_status(o.status),
            numbers: o
                .phone_numbers
                .into_iter()
                .map(|n| OrderedNumber {
                    id: n.id,
                    number: n.phone_number.unwrap_or_default(),
                    status: order_status(n.status),
                    requirements_status: n.requirements_status,
                })
                .collect(),
            are_requirements_met: o.requirements_met,
            reference: o.customer_reference,
            created: o.created_at,
        }
    }
}

/// No word at all means that nothing is decided yet.
fn order_status(word: Option<String>) -> OrderStatus {
    match word.as_deref() {
        None | Some("pending") => OrderStatus::Pending,
        Some("success") => OrderStatus::Success,
        Some("failure") => OrderStatus::Failure,
        Some(other) => OrderStatus::Other(other.to_owned()),
    }
}

#[derive(Deserialize)]
pub(super) struct Owned {
    #[serde(default, deserialize_with = "wire::text")]
    id: Option<String>,
    phone_number: String,
    #[serde(default, deserialize_with = "wire::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    phone_number_type: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    country_iso_alpha2: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    connection_id: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    connection_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    customer_reference: Option<String>,
    #[serde(default, deserialize_with = "wire::list")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "wire::time")]
    purchased_at: Option<DateTime<Utc>>,
}

impl From<Owned> for OwnedNumber {
    fn from(n: Owned) -> Self {
        OwnedNumber {
            id: n.id.unwrap_or_default(),
            number: n.phone_number,
            status: n.status.unwrap_or_default(),
            number_type: n.phone_number_type,
            country: n.country_iso_alpha2,
            connection_id: n.connection_id.filter(|c| !c.is_empty()),
            connection_name: n.connection_name.filter(|c| !c.is_empty()),
            reference: n.customer_reference.filter(|r| !r.is_empty()),
            tags: n.tags,
            purchased: n.purchased_at,
        }
    }
}
