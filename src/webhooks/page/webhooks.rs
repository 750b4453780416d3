use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::deliveries::Deliveries;
use super::delivery::Opened;
use super::endpoint::Endpoint;
use super::side::{Ends, Off, Order, Range};
use super::{BASE, above};
use crate::model::{DeliveryQuery, EndpointStatus, WebhooksPage, WebhooksQuery, share};
use crate::server_fns::get_webhooks;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::{SettingsNav, refused};
use patchbay_ui::*;

/// What other systems are told, and how it went: the endpoints, one of them, its deliveries, and one of these.
#[lazy]
pub fn webhooks_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let list = DeliveryQuery {
            when: query("when"),
            state: query("state"),
            event: query("event"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        let query = WebhooksQuery {
            list,
            attempt: query("attempt"),
            range_from: query("range_from"),
            range_to: query("range_to"),
            range_of: query("range_of"),
        };
        let params = params.read();
        (params.get("endpoint"), params.get("delivery"), query)
    };
    let page = load(asked, |(endpoint, delivery, query)| get_webhooks(endpoint, delivery, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageWebhooks) {
            return refused;
        }
        live::on_change(&["webhook_endpoints"], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        // What is ticked stays while the list is asked for again.
        let ticked = RwSignal::new(Vec::<String>::new());
        let is_named = params.read_untracked().get("endpoint").is_some();
        view! {
            <PageBoundary data=page view=move |page: WebhooksPage| view! { <Present page again ticked is_named/> }/>
        }
        .into_any()
    })
}

#[component]
fn Present(page: WebhooksPage, again: Callback<()>, ticked: RwSignal<Vec<String>>, is_named: bool) -> impl IntoView {
    let WebhooksPage { endpoints, chosen, list, opened, range, rest, is_mailed } = page;
    let Some(chosen) = chosen else {
        return nothing().into_any();
    };
    let title = if is_named { chosen.row.name.clone() } else { "Webhooks".to_owned() };
    let sum = |of: fn(&crate::model::EndpointRow) -> i64| endpoints.iter().map(of).sum::<i64>();
    let mut sub = format!(
        "What other systems hear from Patchbay · {} · {} in 24 hours",
        counted(endpoints.len() as i64, "endpoint", "endpoints"),
        counted(sum(|row| row.deliveries), "delivery", "deliveries")
    );
    if let Some(share) = share(sum(|row| row.first_try), sum(|row| row.tried)) {
        sub.push_str(&format!(", {share} at the first try"));
    }
    let rest = rest.map(|rest| view! { <Callout tone=Tone::Warn><p>{rest}</p></Callout> });
    let off = endpoints
        .iter()
        .filter(|row| row.status == EndpointStatus::Error)
        .take(3)
        .cloned()
        .map(|row| view! { <Off row is_mailed again/> })
        .collect_view();
    let id = chosen.row.id;
    let is_on = chosen.row.status == EndpointStatus::Active;
    let is_opened = opened.is_some();
    let opened = opened.map(|delivery| view! { <Opened endpoint=id delivery again/> });
    view! {
        <PageTitle text=title parents=above(is_named)/>
        <PageHead title="Webhooks" sub actions=head_acts/>
        {rest}
        <div class="cols webhooks">
            <div class="stack gap-4 min0">
                <Ends endpoints chosen=id/>
                {off}
                <Range endpoint=id range is_on again/>
                <Order/>
            </div>
            <div class="stack gap-4 min0">
                <Endpoint endpoint=chosen short=is_opened again/>
                {opened}
                <Deliveries endpoint=id list again ticked/>
            </div>
        </div>
    }
    .into_any()
}

fn head_acts() -> impl IntoView {
    view! {
        <LinkButton href=format!("{BASE}/verify") icon="book-open">"How to verify"</LinkButton>
        <LinkButton href=format!("{BASE}/new") kind=ButtonKind::Primary icon="plus">"New endpoint"</LinkButton>
    }
}

/// There is no endpoint yet.
fn nothing() -> impl IntoView {
    view! {
        <PageTitle text="Webhooks" parents=above(false)/>
        <PageHead
            title="Webhooks"
            sub="What other systems hear from Patchbay."
            actions=|| view! { <LinkButton href=format!("{BASE}/verify") icon="book-open">"How to verify"</LinkButton> }
        />
        <div class="cols settings">
            <SettingsNav current="/settings/webhooks"/>
            <section class="card">
                <EmptyState
                    icon="webhook"
                    title="No endpoints yet"
                    text="An endpoint is an address of another system: a booking tool, a data warehouse, a client’s own server. Patchbay tells it at once when a call is over, was read by a model, or reached nobody, signed, and again until it has answered."
                >
                    <LinkButton href=format!("{BASE}/new") kind=ButtonKind::Primary icon="plus">"Add the first endpoint"</LinkButton>
                </EmptyState>
            </section>
        </div>
    }
}
