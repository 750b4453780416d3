//! The deliveries of an endpoint: filters, the list, and those that are ticked to be sent again.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map};

use super::{BASE, LIST, RANGE, kept, latency};
use crate::model::{DeliveryRow, DeliveryState, EventType, When};
use crate::server_fns::ReplayDeliveries;
use patchbay_shared::Page;
use patchbay_shared::ids::WebhookEndpointId;
use patchbay_ui::*;

/// The states that a list can be narrowed to: those that last.
const STATES: [DeliveryState; 4] =
    [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Failed, DeliveryState::Held];

#[component]
pub(super) fn Deliveries(
    endpoint: WebhookEndpointId,
    list: Page<DeliveryRow>,
    again: Callback<()>,
    ticked: RwSignal<Vec<String>>,
) -> impl IntoView {
    let replay = FormAction::of::<ReplayDeliveries>();
    let file = move || format!("{BASE}/{endpoint}/deliveries.csv{}", kept(&LIST[..4]));
    let filters = vec![
        Filter::words("when", "When", When::ALL),
        Filter::words("state", "State", &STATES),
        Filter::words("event", "Event", EventType::ALL),
    ];
    let keep: Vec<&'static str> = ["sort"].into_iter().chain(RANGE).collect();
    let opened = use_params_map().read_untracked().get("delivery");
    let here = untrack(|| format!("{}{}", use_location().pathname.get(), kept(&LIST)));
    // Only what is on this page can be sent.
    let ids: Vec<String> = list.rows.iter().map(|row| row.id.to_string()).collect();
    let places = StoredValue::new(list.rows.iter().map(|row| (row.id.to_string(), row.at.clone())).collect::<Vec<_>>());
    let chosen = Memo::new(move |_| {
        ticked.with(|ticked| {
            places.with_value(|places| {
                places.iter().filter(|(id, _)| ticked.contains(id)).map(|(id, _)| id.clone()).collect::<Vec<_>>()
            })
        })
    });
    let done = Callback::new(move |()| {
        ticked.set(Vec::new());
        again.run(());
    });
    let is_empty = ids.is_empty();
    let rows = List::<DeliveryRow>::new("Deliveries")
        .sorted("-at")
        .narrowed_by(&["when", "state", "event"])
        .note("25 per page")
        .table("deliveries")
        .acts("Choose", move |row: &DeliveryRow| {
            let (id, own, name) = (row.id.to_string(), row.id.to_string(), format!("Choose {}", row.message_id));
            let is_ticked = move || ticked.with(|ticked| ticked.contains(&own));
            let turn = {
                let id = id.clone();
                move |_| ticked.update(|ticked| match ticked.iter().position(|known| *known == id) {
                    Some(at) => {
                        ticked.remove(at);
                    }
                    None => ticked.push(id.clone()),
                })
            };
            view! {
                <input type="checkbox" class="cb" name="deliveries[]" value=id aria-label=name prop:checked=is_ticked on:change=turn/>
            }
        })
        .class("c-check")
        .newest("Event at", |row: &DeliveryRow| cell::time(&row.at))
        .sort("at")
        .column("State", |row: &DeliveryRow| {
            let (tone, label) = row.said();
            view! { <State tone label/> }
        })
        .column("Event", move |row: &DeliveryRow| {
            let current = (opened.as_deref() == Some(row.id.to_string().as_str())).then_some("true");
            let href = format!("{BASE}/{endpoint}/deliveries/{}{}", row.id, kept(&LIST));
            view! { <a class="link mono" href=href aria-current=current>{row.event.as_str()}</a> }
        })
        .column("Id", |row: &DeliveryRow| {
            let end = row.message_id.get(row.message_id.len().saturating_sub(12)..).unwrap_or_default().to_owned();
            view! { <span class="mono sub" title=row.message_id.clone()>"msg_…"{end}</span> }
        })
        .number("Tries", |row: &DeliveryRow| row.tries)
        .column("Next try", |row: &DeliveryRow| match (row.state, row.next.clone()) {
            (DeliveryState::Sending, _) => "waits for an answer".into_any(),
            (_, Some(next)) if row.tries_in_row == 0 => view! { <Time stamp=next/> }.into_any(),
            (_, Some(next)) => view! { <Time stamp=next/>", "{row.left()}" left" }.into_any(),
            (_, None) => ().into_any(),
        })
        .class("sub")
        .number("Latency", |row: &DeliveryRow| row.last_ms.map(latency))
        .empty("send", "Nothing was sent yet", "What happens from now on appears here with what was sent and what came back. Send a test event to try the endpoint.")
        .show(list);
    let bulk = (!is_empty).then(|| view! { <Bulk places chosen ticked/> });
    view! {
        <section class="stack gap-2 min0" aria-label="Deliveries">
            <div class="row wrap between">
                <h2 class="text-md">"Deliveries"</h2>
                <LinkButton href=Signal::derive(file) icon="download" external=true small=true>"Export"</LinkButton>
            </div>
            <FilterBar filters keep/>
            <ServerForm action=replay class="picked" prefix="replay" on_done=done said="They are sent again">
                <input type="hidden" name="endpoint" value=endpoint.to_string()/>
                <input type="hidden" name="back" value=here/>
                {bulk}
                {rows}
            </ServerForm>
        </section>
    }
}

/// How many are ticked, those between them, and the button that sends them again.
#[component]
fn Bulk(
    places: StoredValue<Vec<(String, patchbay_shared::Stamp)>>,
    chosen: Memo<Vec<String>>,
    ticked: RwSignal<Vec<String>>,
) -> impl IntoView {
    let ready = hydrated();
    let count = move || chosen.with(Vec::len);
    // From the first that is ticked to the last: the ids, and the two times.
    let between = Memo::new(move |_| {
        chosen.with(|chosen| {
            places.with_value(|places| {
                let is_chosen = |(id, _): &(String, patchbay_shared::Stamp)| chosen.contains(id);
                let (first, last) = (places.iter().position(is_chosen)?, places.iter().rposition(is_chosen)?);
                let range = places.get(first..=last)?;
                let (top, bottom) = (range.first()?.1.when(), range.last()?.1.when());
                let ids: Vec<String> = range.iter().map(|(id, _)| id.clone()).collect();
                (ids.len() > chosen.len()).then_some((ids, top, bottom))
            })
        })
    });
    let words = move || match count() {
        0 => "Tick deliveries to send them again".to_owned(),
        count => format!("{count} selected"),
    };
    let select = move || {
        between.get().map(|(ids, top, bottom)| {
            let words = format!("Select the {} between {} and {}", ids.len(), plain(&top), plain(&bottom));
            view! { <Button kind=ButtonKind::Ghost on:click=move |_| ticked.set(ids.clone())>{words}</Button> }
        })
    };
    let all = move || {
        let ids = places.with_value(|places| places.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
        (count() == 0).then(|| {
            view! { <Button kind=ButtonKind::Ghost class="js-only" on:click=move |_| ticked.set(ids.clone())>"Select this page"</Button> }
        })
    };
    let label = move || match count() {
        0 => "Replay".to_owned(),
        count => format!("Replay {count}"),
    };
    view! {
        <div class="bulk">
            <b aria-live="polite">{words}</b>
            {select}
            {all}
            <span class="grow"></span>
            <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw" disabled=Signal::derive(move || ready.get() && count() == 0)>{label}</SubmitButton>
        </div>
    }
}

fn plain(when: &str) -> String {
    when.strip_prefix("at ").unwrap_or(when).to_owned()
}
