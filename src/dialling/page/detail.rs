use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::call_back::{CallBack, CallBackStatus};
use crate::server_fns::{CancelCallBack, SetCallBack, get_call_back};
use patchbay_shared::phone::spaced;
use patchbay_shared::{AppError, Tone};
use patchbay_shell::HistoryLink;
use patchbay_ui::*;

/// One call-back: who, when, in whose words, what became of it, and the form that sets its time.
#[lazy]
pub fn call_back_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let fetch = |id: String| async move {
        let id = id.parse().map_err(|_: AppError| AppError::NotFound)?;
        get_call_back(id).await
    };
    let call_back = load(id, fetch);
    Arc::new(move || {
        live::on_change(&["call-backs"], move || call_back.refetch());
        let refetch = Callback::new(move |()| call_back.refetch());
        view! { <PageBoundary data=call_back view=move |call_back: CallBack| view! { <Detail call_back refetch/> }/> }
            .into_any()
    })
}

#[component]
fn Detail(call_back: CallBack, refetch: Callback<()>) -> impl IntoView {
    let row = call_back.row.clone();
    let (status, id) = (row.status, row.id.to_string());
    let sub = match &row.campaign {
        Some(campaign) => format!("{} · {campaign}", row.client),
        None => row.client.clone(),
    };
    let may_change = call_back.may_change;
    let layout = if may_change { "cols main-side" } else { "stack gap-4" };
    view! {
        <PageTitle text=row.contact.clone() parents=vec![crumb("Call-backs", "/call-backs")]/>
        <PageHead
            title=format!("Call-back for {}", row.contact)
            sub
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions=move || view! { <HistoryLink id=id.clone()/> }
        />
        {row.why.clone().map(|why| {
            let tone = if status == CallBackStatus::NeedsPerson { Tone::Warn } else { Tone::Info };
            let next = (call_back.may_change && row.campaign_id.is_some()).then_some(" Set a time below, or call yourself and call this off.");
            view! { <Callout tone icon="triangle-alert"><p>{why}{next}</p></Callout> }
        })}
        // With nothing to do the facts are all there is: beside them would be an empty column.
        <div class=layout>
            {may_change.then(|| view! {
                <div class="stack gap-4">
                    {row.campaign_id.map(|_| view! { <TimeForm call_back=call_back.clone()/> })}
                    <Cancel id=row.id.to_string() refetch/>
                </div>
            })}
            <FactsCard call_back/>
        </div>
    }
}

#[component]
fn TimeForm(call_back: CallBack) -> impl IntoView {
    let set = FormAction::of::<SetCallBack>();
    let hours = call_back.hours.unwrap_or_default();
    let hint = format!("By the clock in {}. Calling hours: {hours}.", call_back.zone.replace('_', " "));
    view! {
        <Card title="When to call">
            <ServerForm action=set class="form" prefix="set-">
                <input type="hidden" name="id" value=call_back.row.id.to_string()/>
                <DateTimeInput name="at" label="Day and time" value=call_back.local hint required=true/>
                <p class="sub">"It goes out by itself then, through the campaign's number and agent, also when the batch is over. If nobody answers, it is tried twice more, a quarter of an hour apart and within the calling hours."</p>
                <FormActs><SubmitButton icon="calendar-clock">"Set the time"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

#[component]
fn Cancel(id: String, refetch: Callback<()>) -> impl IntoView {
    let cancel = FormAction::of::<CancelCallBack>();
    view! {
        <Card title="Not needed any more">
            <ServerForm action=cancel class="form" prefix="cancel-" on_done=refetch said="Called off">
                <input type="hidden" name="id" value=id/>
                <p class="sub">"Somebody has called already, or nobody should. The contact stays in the campaign as it is."</p>
                <FormActs><SubmitButton kind=ButtonKind::Danger icon="phone-off">"Call it off"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

#[component]
fn FactsCard(call_back: CallBack) -> impl IntoView {
    let row = call_back.row;
    let contact = match row.contact_id {
        Some(id) => view! { <a class="link" href=format!("/contacts/{id}")>{row.contact.clone()}</a> }.into_any(),
        None => row.contact.clone().into_any(),
    };
    view! {
        <Card title="Call-back">
            <Facts>
                <Fact label="Contact">{contact}</Fact>
                <Fact label="Phone" class="mono">{spaced(&row.number)}</Fact>
                {row.due.map(|stamp| view! { <Fact label="Time"><Time stamp/></Fact> })}
                {row.due_there.map(|there| view! { <Fact label="There">{there}</Fact> })}
                {call_back.next_try.map(|stamp| view! { <Fact label="Next try"><Time stamp/></Fact> })}
                {row.words.map(|words| view! { <Fact label="What was said">{format!("“{words}”")}</Fact> })}
                {row.call_id.map(|id| view! { <Fact label="Asked in"><a class="link" href=format!("/calls/{id}")>"Open the call"</a></Fact> })}
                {row.campaign_id.zip(row.campaign).map(|(id, name)| view! { <Fact label="Campaign"><a class="link" href=format!("/campaigns/{id}")>{name}</a></Fact> })}
                {call_back.batch.map(|(id, name)| view! { <Fact label="Batch"><a class="link" href=format!("/batches/{id}")>{name}</a></Fact> })}
                {call_back.set_by.map(|name| view! { <Fact label="Time set by">{name}</Fact> })}
                <Fact label="Asked"><Time stamp=row.created/></Fact>
            </Facts>
        </Card>
    }
}
