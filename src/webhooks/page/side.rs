//! What stands beside an endpoint: all of them, those that are off, the range to replay, and in which order events come.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{BASE, LIST, carried};
use crate::model::{EndpointRow, EndpointStatus, RangeView, share};
use crate::server_fns::{ReplayDeliveryRange, SendTestEvent, SwitchWebhookEndpoint};
use patchbay_shared::ids::WebhookEndpointId;
use patchbay_shared::money::{count_text, counted};
use patchbay_ui::*;

/// The endpoints of the agency.
#[component]
pub(super) fn Ends(endpoints: Vec<EndpointRow>, chosen: WebhookEndpointId) -> impl IntoView {
    let rows = endpoints
        .into_iter()
        .map(|row| {
            let share = match row.status {
                EndpointStatus::Active => share(row.first_try, row.tried).unwrap_or_else(|| "–".to_owned()),
                status => status.label().to_lowercase(),
            };
            let (tone, status) = (row.tone(), row.status.label());
            let current = (row.id == chosen).then_some("true");
            view! {
                <li>
                    <a href=format!("{BASE}/{}", row.id) aria-current=current>
                        <span class="h"><StatusDot tone/><span class="sr">{status}": "</span><b>{row.name.clone()}</b><span class="x">{share}</span></span>
                        <small>{row.client.clone().unwrap_or_else(|| "All clients".to_owned())}" · "{remark(&row)}</small>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card clip">
            <header><h2>"Endpoints"</h2><div class="r sub text-xs">"First tries, last 24 h"</div></header>
            <ul class="ends">{rows}</ul>
        </section>
    }
}

/// What matters most about an endpoint, in a few words.
fn remark(row: &EndpointRow) -> String {
    match row.status {
        EndpointStatus::Error if row.held > 0 => counted(row.held, "event is kept", "events are kept"),
        EndpointStatus::Error => "switched off".to_owned(),
        _ if row.archived => "the client is archived".to_owned(),
        _ if row.waiting > 0 => counted(row.waiting, "waits for a retry", "wait for a retry"),
        EndpointStatus::Inactive if row.held > 0 => counted(row.held, "event is kept", "events are kept"),
        _ if row.hears_everything() => "every event".to_owned(),
        _ => counted(row.events.len() as i64, "event", "events"),
    }
}

/// An endpoint that Patchbay switched off: why, and what to do about it.
#[component]
pub(super) fn Off(row: EndpointRow, is_mailed: bool, again: Callback<()>) -> impl IntoView {
    let id = row.id.to_string();
    let since = row.off_at.clone().map(|at| view! { " Patchbay switched it off "<Time stamp=at/>"." });
    let kept = row.kept_until.clone().filter(|_| row.held > 0).map(|until| {
        view! { " "{counted(row.held, "event is", "events are")}" kept, the oldest until "<Time stamp=until/>"." }
    });
    let told = is_mailed.then_some(" The agency’s owners and admins were told by mail.");
    let reason = row.off_reason.clone().unwrap_or_else(|| "Its tries failed for too long.".to_owned());
    view! {
        <Card title=format!("{} is off", row.name)>
            <p>{reason}{since}{kept}{told}</p>
            <div class="row wrap mt-4">
                <TestEvent id=id.clone() prefix="off-test"/>
                <SwitchOn id held=row.held prefix="off" again/>
            </div>
        </Card>
    }
}

/// Sends a test event, and leads to its delivery.
#[component]
pub(super) fn TestEvent(id: String, prefix: &'static str) -> impl IntoView {
    let send = FormAction::of::<SendTestEvent>();
    view! {
        <ServerForm action=send class="inline" prefix=format!("{prefix}-{id}") no_summary=true>
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Plain icon="send">"Send a test event"</SubmitButton>
        </ServerForm>
    }
}

/// Has an endpoint go on: with what was kept meanwhile, or without.
#[component]
pub(super) fn SwitchOn(id: String, held: i64, prefix: &'static str, again: Callback<()>) -> impl IntoView {
    let switch = FormAction::of::<SwitchWebhookEndpoint>();
    let same = id.clone();
    let with = (held > 0).then(|| {
        let words = format!("Switch on and replay {}", count_text(held));
        view! {
            <ServerForm action=switch class="inline" prefix=format!("{prefix}-replay-{same}") on_done=again no_summary=true said="Switched on">
                <input type="hidden" name="id" value=same/>
                <input type="hidden" name="on" value="true"/>
                <input type="hidden" name="replay" value="true"/>
                <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw">{words}</SubmitButton>
            </ServerForm>
        }
    });
    let words = if held > 0 { "Without these" } else { "Switch on" };
    view! {
        {with}
        <ServerForm action=switch class="inline" prefix=format!("{prefix}-on-{id}") on_done=again no_summary=true said="Switched on">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="on" value="true"/>
            <SubmitButton kind=ButtonKind::Plain icon="play">{words}</SubmitButton>
        </ServerForm>
    }
}

/// Deliveries of a range of time, to be sent again: counted first.
#[component]
pub(super) fn Range(
    endpoint: WebhookEndpointId,
    range: RangeView,
    /// The endpoint is on: else nothing is sent.
    is_on: bool,
    again: Callback<()>,
) -> impl IntoView {
    let replay = FormAction::of::<ReplayDeliveryRange>();
    let pathname = use_location().pathname;
    let RangeView { from, to, only_failed, count, wrong, zone } = range;
    let of = if only_failed { "" } else { "all" };
    let which = options_of([("", "Those that failed or are kept"), ("all", "All that were tried")]);
    let what = match wrong {
        Some(wrong) => {
            view! { <p class="err" role="alert"><Icon name="circle-alert" small=true/>{wrong}</p> }.into_any()
        }
        None => {
            let match_words = if count == 1 {
                " matches. It keeps its id and body, and gets a new time and signature."
            } else {
                " match. They keep their id and body, and get a new time and signature."
            };
            view! { <p class="hint"><b class="ink">{counted(count, "event", "events")}</b>{match_words}</p> }.into_any()
        }
    };
    let (from_too, to_too) = (from.clone(), to.clone());
    let off = (!is_on).then(|| view! { <p class="hint">"The endpoint is off: switch it on first."</p> });
    let send = (count > 0 && is_on).then(|| {
        view! {
            <ServerForm action=replay class="inline" prefix="range" on_done=again no_summary=true said="They are sent again">
                <input type="hidden" name="endpoint" value=endpoint.to_string()/>
                <input type="hidden" name="from" value=from_too/>
                <input type="hidden" name="to" value=to_too/>
                <input type="hidden" name="range_of" value=of/>
                <SubmitButton kind=ButtonKind::Plain icon="history">{format!("Replay {}", count_text(count))}</SubmitButton>
            </ServerForm>
        }
    });
    view! {
        <Card title="Replay a range">
            <GetForm action=pathname class="form">
                {untrack(|| carried(&LIST))}
                <DateTimeInput name="range_from" label="From" value=from mark=false/>
                <DateTimeInput name="range_to" label="To" value=to mark=false hint=format!("Times of {zone}.")/>
                <Select name="range_of" label="Which" options=which value=of mark=false/>
                <div class="row wrap"><Button kind=ButtonKind::Plain submit=true>"Count them"</Button></div>
            </GetForm>
            <div class="stack mt-4">{what}{off}{send}</div>
        </Card>
    }
}

/// What a receiver can rely on.
#[component]
pub(super) fn Order() -> impl IntoView {
    view! {
        <Card title="In which order">
            <p>
                "An event comes at least once. It may come twice, late, or after one that happened later: compare "<code>"webhook-id"</code>" to know it again, and "
                <code>"timestamp"</code>" in the body to know what is newer. A slow receiver holds up nobody else. "
                <a class="link" href=format!("{BASE}/verify")>"How to verify"</a>
            </p>
        </Card>
    }
}
