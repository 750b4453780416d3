//! Amounts of columns of which much is nothing.

use leptos::prelude::*;

use patchbay_calls::model::term;
use patchbay_shared::Money;

/// Nothing is a dash: a row of zeros hides what there is. What has not been priced yet says so, which is not nothing. `unpriced`: how
/// much of it there is.
pub fn amount(money: Money, unpriced: i64) -> AnyView {
    match (money.0.is_zero(), unpriced) {
        (false, _) => money.column().into_any(),
        (true, 0) => none("None"),
        (true, _) => view! { <span class="sub" title=term::UNPRICED.means>{term::UNPRICED.label}</span> }.into_any(),
    }
}

/// What the carrier charged. It says so call by call, and of many calls never.
pub fn carrier(money: Money) -> AnyView {
    if money.0.is_zero() { none("None that the carrier told") } else { money.column().into_any() }
}

fn none(means: &'static str) -> AnyView {
    view! { <span class="sub" title=means><span aria-hidden="true">"–"</span><span class="sr">{means}</span></span> }
        .into_any()
}
