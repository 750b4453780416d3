use leptos::prelude::*;

use crate::{CampaignView, ContactResult, ContactStatus, Disposition, term};
use patchbay_access::Action;
use patchbay_calls::model::figures::share_text;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shared::phone::spaced;
use patchbay_shared::variables::variables_text;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// Counts, and the terms in words.
#[component]
pub(crate) fn OverviewTab(shown: CampaignView) -> impl IntoView {
    let campaign = shown.campaign.clone();
    let tries = if campaign.max_attempts == 1 {
        "One call".to_owned()
    } else {
        let unit = if campaign.retry_minutes == 1 { "minute" } else { "minutes" };
        format!("Up to {} calls, {} {unit} apart", campaign.max_attempts, count_text(campaign.retry_minutes.into()))
    };
    let variables = variables_text(&campaign.variables);
    let agent = match (campaign.agent_name.clone(), viewer().may(Action::ReadWorkshop)) {
        (Some(name), true) => {
            view! { <a class="link" href=format!("/agents/{}", campaign.agent_id)>{name}</a> }.into_any()
        }
        (name, _) => name.unwrap_or_else(|| "The agency's agent".into()).into_any(),
    };
    view! {
        <Progressing shown=shown.clone()/>
        <div class="cols two">
            <Card title="Terms">
                <Facts>
                    <Fact label="Client">{campaign.client_name}</Fact>
                    <Fact label="Agent">{agent}</Fact>
                    <Fact label="Calls from" class="mono">{campaign.from_number.map_or_else(|| "The agency's number".into(), |number| spaced(&number))}</Fact>
                    <Fact label="Calling hours">{campaign.calling_window.text()}</Fact>
                    <Fact label="Attempts">{tries}</Fact>
                    <Fact label="Created"><Time stamp=shown.created/></Fact>
                    <Fact label="Changed"><Time stamp=shown.updated/></Fact>
                </Facts>
                <p class="sub mt-2">"Calling hours apply in each contact's own time zone."</p>
            </Card>
            <Card title="Goal">
                <p class="pre-line">{if campaign.goal.is_empty() { "No goal was written down.".to_owned() } else { campaign.goal }}</p>
                {(!variables.is_empty()).then(|| view! { <h3 class="mt-4">"Variables"</h3> <pre class="code">{variables}</pre> })}
            </Card>
        </div>
    }
}

/// Contacts by state as one bar; each part leads to its contacts.
#[component]
fn Progressing(shown: CampaignView) -> impl IntoView {
    let (id, counts) = (shown.campaign.id, shown.counts);
    let total = counts.total;
    if total.count == 0 {
        let add = format!("/campaigns/{id}?tab=contacts");
        return view! {
            <section class="card">
                <EmptyState icon="users" title="No contacts yet" text="A campaign calls only the contacts that are in it.">
                    {shown.may_manage.then(|| view! { <LinkButton href=add kind=ButtonKind::Primary icon="user-plus">"Add contacts"</LinkButton> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let contacts = format!("/campaigns/{id}?tab=contacts");
    let by_result =
        [(ContactResult::Reached, "ok"), (ContactResult::NotReached, "chart-6"), (ContactResult::Failed, "bad")];
    let by_status =
        [(ContactStatus::Calling, "live"), (ContactStatus::Scheduled, "info"), (ContactStatus::Pending, "soft")];
    let mut segments: Vec<Segment> = by_result
        .iter()
        .map(|(result, paint)| {
            Segment::new(result.label(), counts.of_result(*result) as f64, paint)
                .href(format!("{contacts}&result={result}"))
                .means(result.means())
        })
        .collect();
    segments.extend(by_status.iter().map(|(status, paint)| {
        Segment::new(status.label(), counts.of_status(*status) as f64, paint)
            .href(format!("{contacts}&status={status}"))
    }));
    let done: i64 = counts.by_result.iter().map(|(_, count)| count).sum();
    let label = format!("{} of {} contacts done", count_text(done), total.text());
    let all_done = format!("{contacts}&result=done");
    view! {
        <Card title=label.clone() right=move || view! { <a class="link" href=all_done title=term::DONE.means>"Done contacts"</a> }>
            <SegmentBar label segments total=total.count as f64 large=true legend=true/>
            {total.more.then(|| view! { <p class="sub">"The campaign is larger: the parts are those of its first 100,000 contacts."</p> })}
        </Card>
    }
    .into_any()
}

/// The newest batches, and the way to all.
#[component]
pub(crate) fn BatchesTab(shown: CampaignView) -> impl IntoView {
    let id = shown.campaign.id;
    let all = format!("/batches?campaign={id}");
    let new = format!("/batches/new?campaign={id}");
    let may_start = viewer().may(Action::RunBatches) && shown.campaign.status == crate::CampaignStatus::Active;
    if shown.batches.is_empty() {
        let text = if may_start {
            "A batch calls the waiting contacts."
        } else {
            "A batch calls the waiting contacts. Activate the campaign first."
        };
        return view! {
            <section class="card">
                <EmptyState icon="list-checks" title="No batches yet" text=text>
                    {may_start.then(|| view! { <LinkButton href=new kind=ButtonKind::Primary icon="plus">"New batch"</LinkButton> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let rows = shown
        .batches
        .into_iter()
        .map(|batch| {
            view! {
                <tr>
                    <td><a class="link" href=format!("/batches/{}", batch.id)>{batch.name}</a></td>
                    <td><State tone=batch.status.tone() label=batch.status.label()/></td>
                    <td class="num">{count_text(batch.contacts.into())}</td>
                    <td><Time stamp=batch.created/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Newest batches" flush=true class="clip" right=move || view! { <a class="link" href=all>"All batches"</a> }>
            <DataTable
                label="Newest batches"
                head=|| view! {
                    <th scope="col">"Batch"</th>
                    <th scope="col">"State"</th>
                    <th scope="col" class="num">"Contacts"</th>
                    <th scope="col">"Created"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

/// How the last call to each contact went.
#[component]
pub(crate) fn ResultsTab(shown: CampaignView) -> impl IntoView {
    let (id, counts) = (shown.campaign.id, shown.counts);
    let called: i64 = counts.by_outcome.iter().map(|(_, count)| count).sum();
    if called == 0 {
        return view! {
            <section class="card"><EmptyState icon="activity" title="No results yet" text="Results appear as soon as the first calls have ended."/></section>
        }
        .into_any();
    }
    let paint = |outcome: Disposition| match outcome {
        Disposition::Talked => "chart-1",
        Disposition::CallBack => "chart-2",
        Disposition::SaidNo => "warn",
        Disposition::Voicemail => "chart-3",
        Disposition::Busy => "chart-4",
        Disposition::Declined => "chart-5",
        Disposition::NoAnswer => "chart-6",
    };
    let segments = counts
        .by_outcome
        .iter()
        .map(|(outcome, count)| {
            Segment::new(outcome.label(), *count as f64, paint(*outcome))
                .href(format!("/campaigns/{id}?tab=contacts&outcome={outcome}"))
        })
        .collect::<Vec<_>>();
    let rows = counts
        .by_outcome
        .iter()
        .map(|(outcome, count)| {
            let share = share_text(*count, called);
            view! {
                <tr>
                    <td><a class="link" href=format!("/campaigns/{id}?tab=contacts&outcome={outcome}")>{outcome.label()}</a></td>
                    <td class="num">{count_text(*count)}</td>
                    <td class="num">{share}</td>
                </tr>
            }
        })
        .collect_view();
    let label =
        format!("{} by the outcome of their last call", patchbay_shared::money::counted(called, "contact", "contacts"));
    view! {
        <Card title=label.clone() right=move || view! { <a class="link" href=format!("/calls?campaign={id}")>"All calls"</a> }>
            <SegmentBar label segments total=called as f64 large=true legend=true/>
        </Card>
        <section class="card clip">
            <DataTable
                label="Contacts by the outcome of their last call"
                head=|| view! {
                    <th scope="col">"Last outcome"</th>
                    <th scope="col" class="num">"Contacts"</th>
                    <th scope="col" class="num">"Share"</th>
                }
            >
                {rows}
            </DataTable>
        </section>
        {counts.total.more.then(|| view! {
            <Callout tone=Tone::Info><p>"The campaign is larger: these are the figures of its first 100,000 contacts."</p></Callout>
        })}
    }
    .into_any()
}
