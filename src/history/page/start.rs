use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::gaps::{CheckButton, Checked, CloseAll, GapTable, Kinds};
use super::progress::{Agents, SyncCard};
use super::{above, address};
use crate::model::{AgentChoice, CarrierCall, Estimate, HistoryPage, SyncJobStatus, duration_text, some_text};
use crate::server_fns::{StartHistoryImport, estimate_history, get_history};
use patchbay_access::Action;
use patchbay_connections::model::Provider;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shared::phone::spaced;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The past of a voice service: bring it in, and see what is missing. The form does not follow live notices: what is chosen stays.
#[lazy]
pub fn history_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("provider").unwrap_or_default(), query("from"), query("to"));
    let page = load(asked, |(provider, from, to)| get_history(provider, from, to));
    let state = load(asked, |(provider, from, to)| get_history(provider, from, to));
    let estimate = load(asked, |(provider, from, to)| estimate_history(provider, from, to));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        live::on_change(&["history"], move || state.refetch());
        let again = Callback::new(move |()| state.refetch());
        view! {
            <PageTitle text="Past calls" parents=above(false)/>
            <PageBoundary data=page view=move |page: HistoryPage| view! { <Shown page state estimate again/> }/>
        }
        .into_any()
    })
}

#[component]
fn Shown(
    page: HistoryPage,
    state: Loaded<HistoryPage>,
    estimate: Loaded<Estimate>,
    again: Callback<()>,
) -> impl IntoView {
    let may_close = page.may_close;
    let sub =
        format!("Bring in what {} already has, and find what is missing here · times in {}", page.service, page.zone);
    view! {
        <PageHead
            title="Past calls"
            sub
            actions=move || view! {
                <LinkButton href=address("/imports") icon="history">"Earlier imports"</LinkButton>
                {may_close.then(|| view! { <CheckButton again/> })}
            }
        />
        <div class="cols batch">
            <NewImport page=page.clone() estimate again/>
            <div class="stack gap-4 min0">
                <BlockBoundary data=state view=move |page: HistoryPage| view! { <Running page/> }/>
            </div>
        </div>
        <BlockBoundary data=state view=move |page: HistoryPage| view! { <Gaps page=page.clone() again/> <Carrier calls=page.carrier/> }/>
    }
}

#[component]
fn NewImport(page: HistoryPage, estimate: Loaded<Estimate>, again: Callback<()>) -> impl IntoView {
    let spans = page
        .spans
        .iter()
        .map(|span| {
            let href = format!("{}?from={}&to={}", address(""), span.from, span.to);
            let class = if span.is_chosen { "chip set" } else { "chip" };
            view! { <a class=class href=href aria-current=span.is_chosen.then_some("true")>{span.label.clone()}</a> }
        })
        .collect_view();
    let (from, to) = (page.from.clone(), page.to.clone());
    let form = match (page.obstacle.clone(), page.may_start) {
        (Some(obstacle), _) => view! { <Callout tone=Tone::Warn><p>{obstacle}</p></Callout> }.into_any(),
        (None, false) => {
            view! { <Callout tone=Tone::Info><p>"Only an owner of the agency can start an import."</p></Callout> }
                .into_any()
        }
        (None, true) => view! { <StartForm page=page.clone() estimate again/> }.into_any(),
    };
    view! {
        <Card title="New import">
            <div class="stack gap-3">
                <GetForm action=address("") class="stack gap-2">
                    <div class="cols two">
                        <DateTimeInput name="from" label="From" value=from date_only=true mark=false id="span-from"/>
                        <DateTimeInput name="to" label="To, this day included" value=to date_only=true mark=false id="span-to"/>
                    </div>
                    <div class="row wrap">{spans}<button type="submit" class="btn sm">"Count these days"</button></div>
                </GetForm>
                <BlockBoundary data=estimate view=move |estimate: Estimate| view! { <Estimated estimate/> }/>
                {form}
            </div>
        </Card>
    }
}

#[component]
fn Estimated(estimate: Estimate) -> impl IntoView {
    if let Some(note) = estimate.note {
        return view! { <Callout tone=Tone::Warn><p>{note}</p></Callout> }.into_any();
    }
    let (here, pace) = (estimate.here_text(), estimate.pace_text());
    let counted = estimate.counted.map(|at| format!("Counted at Ultravox {}. ", at.when()));
    let calls = estimate.calls.map_or_else(|| "Not counted".to_owned(), count_text);
    let extra = (estimate.transcript_seconds > 0).then(|| {
        format!(
            " Transcripts or recordings take {} more, after the import.",
            duration_text(estimate.transcript_seconds)
        )
    });
    view! {
        <div class="figures">
            <div class="mid"><span class="lbl">"Calls"</span><span class="big">{calls}</span></div>
            <div class="mid"><span class="lbl">"Takes"</span><span class="medium">{duration_text(estimate.seconds)}</span></div>
        </div>
        <p class="note">{counted}{here}" "{pace}{extra}</p>
    }
    .into_any()
}

#[component]
fn StartForm(page: HistoryPage, estimate: Loaded<Estimate>, again: Callback<()>) -> impl IntoView {
    let start = FormAction::of::<StartHistoryImport>();
    let is_busy = page.shown.as_ref().is_some_and(|sync| sync.status == SyncJobStatus::InProgress);
    let agents = (!page.agents.is_empty()).then(|| view! { <AgentBoxes agents=page.agents.clone() estimate/> });
    view! {
        <ServerForm action=start class="stack gap-3" prefix="start" on_done=again said="Import started">
            <input type="hidden" name="provider" value=Provider::Ultravox.as_str()/>
            <input type="hidden" name="from" value=page.from/>
            <input type="hidden" name="to" value=page.to/>
            {agents}
            <Fieldset legend="Also fetch" hint="Calls have times, ends and costs without either. What is left out can be fetched later, on the page of a call.">
                <div class="checks mt-2">
                    <Checkbox
                        name="transcripts"
                        label="Transcripts"
                        checked=true
                        hint="What was said, and an analysis of each call, which the model service charges for."
                    />
                    <Checkbox
                        name="recordings"
                        label="Recordings"
                        hint="The sound, where Ultravox kept it. It is kept on this server, and takes up much room there."
                    />
                </div>
            </Fieldset>
            <FormActs><SubmitButton icon="download">{if is_busy { "Start after the running one" } else { "Start the import" }}</SubmitButton></FormActs>
        </ServerForm>
    }
}

/// Which agents' calls. None ticked: all, also of agents that Patchbay does not know.
#[component]
fn AgentBoxes(agents: Vec<AgentChoice>, estimate: Loaded<Estimate>) -> impl IntoView {
    let boxes = agents
        .into_iter()
        .map(|agent| {
            let id = agent.id;
            // Counts stand in the hint once they are there; the box does not wait for them.
            let count = move || {
                let calls = estimate.get()?.ok()?.agents.into_iter().find(|(known, _)| *known == id)?.1;
                Some(view! { <span class="sub">{count_text(calls)}</span> })
            };
            view! {
                <label class="check">
                    <input type="checkbox" class="cb" name="agents[]" value=id.to_string()/>
                    <span class="grow">{agent.name}" "<span class="sub">"· "{agent.clients}</span></span>
                    <Transition>{count}</Transition>
                </label>
            }
        })
        .collect_view();
    view! {
        <Fieldset legend="Agents" hint="None ticked: all calls, also those of agents that Patchbay does not know.">
            <div class="checks wide mt-2">{boxes}</div>
        </Fieldset>
    }
}

#[component]
fn Running(page: HistoryPage) -> impl IntoView {
    let waiting = (page.waiting > 0).then(|| {
        let words = patchbay_shared::money::counted(page.waiting, "import waits", "imports wait");
        view! { <p class="sub text-xs"><a class="link" href=address("/imports?status=pending")>{words}</a>" for the running one."</p> }
    });
    match page.shown {
        Some(sync) => {
            let agents = sync.agents.clone();
            view! { <SyncCard sync/> {waiting} <Agents agents/> }.into_any()
        }
        None => view! {
            <section class="card">
                <EmptyState
                    icon="history"
                    title="Nothing imported yet"
                    text="Patchbay knows the calls since it was connected. Choose the days on this page and bring in what was before: calls that are here already stay as they are."
                />
            </section>
        }
        .into_any(),
    }
}

#[component]
fn Gaps(page: HistoryPage, again: Callback<()>) -> impl IntoView {
    let open = page.gaps.open();
    let has_any = open + page.gaps.closed > 0;
    let may_close = page.may_close;
    let right = move || {
        view! {
            <a class="link" href=address("/gaps")>"All gaps"</a>
            {(may_close && open > 0).then(|| view! { <CloseAll open again/> })}
        }
    };
    let list = if page.first_gaps.is_empty() {
        let text = match page.gaps.closed {
            0 if page.check.checked.is_none() => "Ultravox and Patchbay have not been compared yet.".to_owned(),
            0 => "Every call that Ultravox has since it was connected is here.".to_owned(),
            closed => format!("Nothing is open. {} were closed this week.", some_text(closed)),
        };
        view! { <EmptyState small=true icon="check" title="No open gaps" text/> }.into_any()
    } else {
        view! { <GapTable rows=page.first_gaps may_close again/> }.into_any()
    };
    view! {
        <Card title="Gap report" class="clip" flush=true right>
            <div class="pad-below"><Checked check=page.check/></div>
            {has_any.then(|| view! { <div class="pad-below"><Kinds counts=page.gaps is_elsewhere=true/></div> })}
            {list}
        </Card>
    }
}

/// What the carrier knows and nobody else does, as far as that can be known.
#[component]
fn Carrier(calls: Vec<CarrierCall>) -> impl IntoView {
    let why = "Telnyx lists calls only under ids that Ultravox never names, so its list cannot be compared with the calls here. What Telnyx reports by itself is: here are calls of the last 30 days that it reported and that no call here fits.";
    let number = |number: Option<String>| number.map_or_else(|| "Not known".to_owned(), |number| spaced(&number));
    let rows = calls
        .into_iter()
        .map(|call| {
            view! {
                <tr>
                    <td class="nowrap"><Time stamp=call.started/></td>
                    <td class="mono nowrap">{number(call.from)}</td>
                    <td class="mono nowrap">{number(call.to)}</td>
                    <td class="mono break">{call.leg}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let list = if rows.is_empty() {
        view! { <EmptyState small=true icon="check" title="Nothing that only Telnyx knows" text="Every call that Telnyx reported is here."/> }.into_any()
    } else {
        view! {
            <DataTable
                label="Calls that only the carrier knows"
                class="mid"
                head=|| view! {
                    <th scope="col">"Began"</th>
                    <th scope="col">"From"</th>
                    <th scope="col">"To"</th>
                    <th scope="col">"Id at Telnyx"</th>
                }
            >
                {rows}
            </DataTable>
        }
        .into_any()
    };
    view! {
        <Card title="At the carrier" class="clip" flush=true>
            <div class="pad-below"><p class="sub text-xs">{why}</p></div>
            {list}
        </Card>
    }
}
