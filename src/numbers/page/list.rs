use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{CARRIERS, NumberQuery, NumberRow, NumberStatus, carrier_name};
use crate::server_fns::{CheckNumberRoute, list_numbers};
use patchbay_access::Action;
use patchbay_agents::model::CallDirection;
use patchbay_shared::phone::spaced;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The agency's phone numbers.
#[lazy]
pub fn numbers_page() -> PageView {
    let asked = || NumberQuery {
        words: query("q"),
        status: query("status"),
        client: query("client"),
        direction: query("direction"),
        route: query("route"),
        carrier: query("carrier"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_numbers);
    Arc::new(move || {
        List::<NumberRow>::new("Phone numbers")
            .subtitle("What agents call from and are called on.")
            .live(&["numbers"])
            .export("/numbers/export.csv")
            .add(viewer().may(Action::ManageNumbers), "plus", "/numbers/new", "Add a number")
            .search("q", "Digits of the number")
            .filter(Filter::words("status", "State", NumberStatus::ALL))
            .filter(Filter::words("direction", "Direction", CallDirection::ALL))
            .filter(Filter::new("carrier", "Carrier", options_of(CARRIERS)))
            .filter(Filter::new("route", "Incoming calls", options_of([("trouble", "Do not arrive")])))
            .keep(&["client"])
            .narrowed_by(&["client"])
            .what("numbers")
            .table("wide wrap")
            .column("Number", |row| {
                let error = row.error.clone().map(|error| view! { <small class="warn-ink">{error}</small> });
                view! { <div class="who"><a class="mono" href=format!("/numbers/{}", row.id)>{spaced(&row.number)}</a>{error}</div> }
            })
            .column("State", |row| view! { <State tone=row.status.tone() label=row.status.label() on=row.status != NumberStatus::Released/> })
            .column("Client", |row| cell::or(&row.client, "Whole agency"))
            .column("Agent", |row| cell::or(&row.agent, "None"))
            .column("Direction", |row| row.direction.label())
            .column("Incoming calls", |row| match &row.route_trouble {
                Some(why) => {
                    let (may, id) = (row.has_drifted && viewer().may(Action::ManageNumbers), row.id.to_string());
                    view! {
                        <div class="stack gap-1"><span class="warn-ink">{why.clone()}</span>{may.then(|| view! { <SetAgain id/> })}</div>
                    }
                    .into_any()
                }
                None if row.arrives => "Arrive here".into_any(),
                None => "Go elsewhere".into_any(),
            })
            .class("sub long")
            .column("Carrier", |row| carrier_name(&row.carrier).to_owned())
            .column("Country", |row| cell::or(&row.country, "Not known"))
            .number("Per month", |row| row.monthly_cost.as_ref().map_or_else(|| "Not priced yet".into(), |cost| cost.text()))
            .column("Since", |row| cell::time(row.released.as_ref().or(row.purchased.as_ref())))
            .empty(
                "phone",
                "No phone numbers yet",
                "Campaigns call from a number. Rent one at the carrier, or add one that your account has already.",
            )
            .first("Add the first number")
            .page_of(rows, |list| list.page)
    })
}

/// Has the carrier told once more where the number's calls go.
#[component]
fn SetAgain(id: String) -> impl IntoView {
    let set = FormAction::of::<CheckNumberRoute>();
    view! {
        <ServerForm action=set class="inline" prefix=format!("route-{id}-") said="The carrier is being told">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="set" value="on"/>
            <SubmitButton kind=ButtonKind::Plain small=true icon="refresh-cw">"Set again"</SubmitButton>
        </ServerForm>
    }
}
