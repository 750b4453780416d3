use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::answering::{Assign, Assigned, RouteCard};
use crate::model::{NumberPage, NumberStatus, carrier_name};
use crate::server_fns::{ReleaseNumber, SetNumberStatus, get_number};
use patchbay_shared::Tone;
use patchbay_shared::phone::spaced;
use patchbay_shell::HistoryLink;
use patchbay_ui::*;

/// One number: where it stands, and whom it belongs to. The form does not follow live notices: what is being typed stays.
#[lazy]
pub fn number_detail_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let number = load(id, get_number);
    let state = load(id, get_number);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("number:{id}")], move || state.refetch());
        let again = Callback::new(move |()| {
            number.refetch();
            state.refetch();
        });
        view! { <PageBoundary data=number view=move |number: NumberPage| view! { <Detail number state again/> }/> }
            .into_any()
    })
}

#[component]
fn Detail(number: NumberPage, state: Loaded<NumberPage>, again: Callback<()>) -> impl IntoView {
    let is_gone = number.row.status == NumberStatus::Released;
    let can = number.may_edit && !is_gone;
    let looked = Callback::new(move |()| state.refetch());
    let assigned = if can {
        view! { <Assign number=number.clone() again/> }.into_any()
    } else {
        view! { <Assigned number=number.clone()/> }.into_any()
    };
    let campaigns = view! { <Campaigns campaigns=number.campaigns.clone()/> };
    view! {
        <PageTitle text=spaced(&number.row.number) parents=vec![crumb("Phone numbers", "/numbers")]/>
        <BlockBoundary data=state view=move |number: NumberPage| view! { <Head number again=looked/> }/>
        <div class="cols main-side">
            <Card title="Who answers">{assigned}</Card>
            <div class="stack gap-4">
                <BlockBoundary data=state view=move |number: NumberPage| view! { <Side number again=looked/> }/>
                <Card title="Campaigns that call from it">{campaigns}</Card>
            </div>
        </div>
        {(can && number.account.is_none()).then(|| view! { <ReleaseDialog number again/> })}
    }
}

/// What the number is at this moment, with what can be done about it.
#[component]
fn Head(number: NumberPage, again: Callback<()>) -> impl IntoView {
    let row = number.row.clone();
    let (status, is_gone) = (row.status, row.status == NumberStatus::Released);
    let can = number.may_edit && !is_gone;
    let waiting = status == NumberStatus::Pending && row.error.is_none();
    view! {
        <PageHead
            title=spaced(&row.number)
            tags=move || view! { <State tone=status.tone() label=status.label() on=!is_gone/> }
            actions=move || view! {
                <HistoryLink id=number.row.id.to_string()/>
                {(can && status != NumberStatus::Pending).then(|| view! { <Actions number again/> })}
            }
        />
        {waiting.then(|| view! {
            <Callout tone=Tone::Info><p>"The carrier is working on the order. This page follows it; most orders take less than a minute."</p></Callout>
        })}
        {row.error.map(|error| view! { <Callout tone=Tone::Warn><p>{error}</p></Callout> })}
    }
}

/// What the carrier does with it.
#[component]
fn Side(number: NumberPage, again: Callback<()>) -> impl IntoView {
    let is_gone = number.row.status == NumberStatus::Released;
    let can = number.may_edit && !is_gone;
    let carrier = view! { <Carrier number=number.clone()/> };
    view! {
        {(!is_gone).then(|| view! { <RouteCard number=number.clone() can again/> })}
        <Card title="At the carrier">{carrier}</Card>
    }
}

#[component]
fn Carrier(number: NumberPage) -> impl IntoView {
    let account = number.account.map(|id| format!("/integrations/{id}"));
    let row = number.row;
    let carrier = carrier_name(&row.carrier).to_owned();
    let theirs = account.as_ref().map(|_| format!("Bought and given back at {carrier}. What changes there is seen here once a day, or when somebody looks for numbers."));
    let abilities =
        if number.capabilities.is_empty() { "Not known".to_owned() } else { number.capabilities.join(", ") };
    view! {
        <Facts>
            <Fact label="Carrier"><a class="link" href=account.unwrap_or_else(|| "/connections/telnyx".into())>{carrier}</a></Fact>
            <Fact label="Country">{row.country.unwrap_or_else(|| "Not known".into())}</Fact>
            <Fact label="Capabilities">{abilities}</Fact>
            <Fact label="Per month">{row.monthly_cost.map_or_else(|| "Not priced yet".into(), |cost| cost.text())}</Fact>
            {row.purchased.map(|at| view! { <Fact label="Rented since"><Time stamp=at/></Fact> })}
            {row.released.map(|at| view! { <Fact label="Released"><Time stamp=at/></Fact> })}
            {number.provider_number_id.map(|id| view! { <Fact label="Number ID at the carrier" class="mono break">{id}</Fact> })}
            {number.order_id.map(|id| view! { <Fact label="Order" class="mono break">{id}</Fact> })}
        </Facts>
        {theirs.map(|said| view! { <p class="note mt-4">{said}</p> })}
    }
}

#[component]
fn Actions(number: NumberPage, again: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetNumberStatus>();
    let is_active = number.row.status == NumberStatus::Active;
    let (next, word) = if is_active { ("inactive", "Deactivate") } else { ("active", "Activate") };
    view! {
        {number.account.is_none().then(|| view! { <DialogLink name="release" kind=ButtonKind::Danger>"Release"</DialogLink> })}
        <ServerForm action=set class="inline" prefix="status" on_done=again said="State changed">
            <input type="hidden" name="id" value=number.row.id.to_string()/>
            <input type="hidden" name="status" value=next/>
            <SubmitButton kind=ButtonKind::Plain>{word}</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn ReleaseDialog(number: NumberPage, again: Callback<()>) -> impl IntoView {
    let release = FormAction::of::<ReleaseNumber>();
    // The answer of a refusal stands behind the dialog once it is closed; the number's own note says it as well.
    Effect::new(move |_| {
        if release.answer().is_some() {
            again.run(());
        }
    });
    view! {
        <ConfirmForm
            name="release"
            action=release
            title=format!("Release {}?", number.row.number)
            text="The number goes back to the carrier for good. Somebody else may get it, and callbacks to it no longer reach you."
            confirm="Release for good"
            danger=true
        >
            <input type="hidden" name="id" value=number.row.id.to_string()/>
        </ConfirmForm>
    }
}

#[component]
fn Campaigns(campaigns: Vec<(String, String)>) -> impl IntoView {
    if campaigns.is_empty() {
        return view! { <p class="sub">"None."</p> }.into_any();
    }
    let rows = campaigns
        .into_iter()
        .map(|(id, name)| view! { <li><Icon name="megaphone"/><a class="link" href=format!("/campaigns/{id}")>{name}</a></li> })
        .collect_view();
    view! { <ul class="list">{rows}</ul> }.into_any()
}
