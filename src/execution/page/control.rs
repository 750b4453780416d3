use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;

use super::job_parts::JobPanel;
use super::parts::{ApprovalCard, execution_tabs, of_client};
use super::rack::TargetColumn;
use crate::model::approval::ApprovalRow;
use crate::model::control::{ControlQuery, ControlRoom, Figure, Unserved};
use crate::server_fns::{HoldExecution, get_control_room};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted};
use patchbay_shell::refused;
use patchbay_ui::*;

/// What waits and runs, target by target, and what needs a person.
#[lazy]
pub fn control_room_page() -> PageView {
    let asked = || ControlQuery { pool: query("pool"), client: query("client"), job: query("job") };
    let room = load(asked, get_control_room);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        live::on_change_slowly(&["execution", "approvals"], Duration::from_secs(2), move || room.refetch());
        view! {
            <PageTitle text="Execution" parents=vec![crumb("Teams", "/teams")]/>
            <PageBoundary data=room view=move |room: ControlRoom| view! { <Room room/> }/>
        }
        .into_any()
    })
}

#[component]
fn Room(room: ControlRoom) -> impl IntoView {
    let sub = format!("{} · updated {}", room.sub, room.updated);
    let (may_manage, may_decide, is_held) = (room.may_manage, room.may_decide, room.is_held);
    let (pools, pool, has_targets) = (room.pools.clone(), room.query.pool.clone(), !room.targets.is_empty());
    let figures = room.figures.into_iter().map(figure).collect_view();
    let targets = room.targets.into_iter().map(|card| view! { <TargetColumn card may_manage/> }).collect_view();
    let rack = match (has_targets, room.has_engines) {
        (true, true) => view! { <div class="rack">{targets}</div> }.into_any(),
        (has_targets, _) => view! { <First has_targets may_manage/> }.into_any(),
    };
    let held = is_held.then(|| {
        view! { <Callout tone=Tone::Warn icon="pause"><p>"The queue is held: no new job starts on any target. What runs goes on, and approvals can be decided."</p></Callout> }
    });
    let unserved = room.unserved.into_iter().map(unserved).collect_view();
    let job = room.job.map(|job| view! { <JobPanel page=*job/> });
    view! {
        <PageHead
            title="Execution"
            sub
            actions=move || view! {
                {(pools.len() > 1).then(|| view! { <Pools pools pool/> })}
                {(may_manage && has_targets).then(|| view! { <Hold is_held/> })}
                {may_manage.then(|| view! { <LinkButton href="/execution/new" kind=ButtonKind::Primary icon="plus">"Run a job"</LinkButton> })}
            }
        />
        <Tabs label="Execution" items=execution_tabs("control", &room.tabs)/>
        {held}
        {unserved}
        <Kpis count=6>{figures}</Kpis>
        <div class="cols execution">
            <div class="stack gap-4 min0">{rack}{job}</div>
            <div class="stack gap-4 min0 first-narrow">
                <Approvals rows=room.approvals open=room.approvals_open mailed=room.mailed may_decide/>
                <DecidedToday rows=room.decided count=room.decided_today href=room.decided_href/>
            </div>
        </div>
    }
}

/// No worker takes the work of a pool: what to do.
fn unserved(pool: Unserved) -> AnyView {
    let words = format!(
        "No worker takes the work of the pool {}: {} could have begun, the first {} ago. \
         Its workers are stopped or full, or it has none. Start one with ",
        pool.pool,
        counted(pool.waiting, "job", "jobs"),
        pool.time
    );
    let command = format!("patchbay work --pool {}", pool.pool);
    view! { <Callout tone=Tone::Warn icon="server"><p>{words}<code>{command}</code>", or move the jobs to another target, each on its page."</p></Callout> }
        .into_any()
}

fn figure(figure: Figure) -> AnyView {
    let direction = match (&figure.share, figure.is_bad) {
        (None, _) => None,
        (Some(_), true) => Some("down"),
        (Some(_), false) => Some("up"),
    };
    let share = figure.share.map(|share| view! { <span class=direction>{share}</span> });
    let has_remark = share.is_some() || !figure.note.is_empty();
    view! {
        <dl class="kpi">
            <dt><a href=figure.query.address()>{figure.label}</a></dt>
            <dd class="v">{count_text(figure.count)}</dd>
            {has_remark.then(|| view! { <dd class="d">{share}<span>{figure.note}</span></dd> })}
        </dl>
    }
    .into_any()
}

#[component]
fn Pools(pools: Vec<String>, pool: Option<String>) -> impl IntoView {
    let text = pool.clone().unwrap_or_else(|| "All pools".to_owned());
    let is_all = pool.is_none();
    let links = pools
        .into_iter()
        .map(|name| {
            let current = pool.as_deref() == Some(name.as_str());
            let own = name.clone();
            let href = Signal::derive(move || with_query(&[("pool", Some(&own))]));
            view! { <MenuLink href current>{name}</MenuLink> }
        })
        .collect_view();
    view! {
        <Menu id="pools" label="Pool" icon="server" text>
            <MenuLink href=Signal::derive(|| with_query(&[("pool", None)])) current=is_all>"All pools"</MenuLink>
            {links}
        </Menu>
    }
}

#[component]
fn Hold(is_held: bool) -> impl IntoView {
    let hold = FormAction::of::<HoldExecution>();
    let (word, icon) = if is_held { ("Continue", "play") } else { ("Hold the queue", "pause") };
    view! {
        <ServerForm action=hold class="inline" prefix="hold" no_summary=true said="Saved">
            {(!is_held).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <input type="hidden" name="back" value=with_query(&[])/>
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

/// What is missing before a job can run.
#[component]
fn First(has_targets: bool, may_manage: bool) -> impl IntoView {
    let (title, text, href, word) = match has_targets {
        true => (
            "No engine yet",
            "An engine says how work is done: by a model with tools, or by a command in a sandbox.",
            "/execution/engines",
            "Engines",
        ),
        false => (
            "No target yet",
            "A target says where work is done: on this machine, in a Docker engine, or in a Kubernetes cluster.",
            "/execution/targets",
            "Targets",
        ),
    };
    view! {
        <section class="card">
            <EmptyState icon="server" title text>
                {may_manage.then(|| view! { <LinkButton href kind=ButtonKind::Primary>{word}</LinkButton> })}
            </EmptyState>
        </section>
    }
}

#[component]
fn Approvals(rows: Vec<ApprovalRow>, open: i64, mailed: Option<i64>, may_decide: bool) -> impl IntoView {
    let more = open - rows.len() as i64;
    let is_empty = rows.is_empty();
    let cards =
        rows.into_iter().map(|row| view! { <ApprovalCard row may_decide back=with_query(&[])/> }).collect_view();
    let (all, rest) = (of_client("/approvals"), of_client("/approvals"));
    let mail = match mailed {
        Some(people) => format!("Also sent by e-mail to {} who may decide", counted(people, "person", "people")),
        None => "Approvals are shown here alone: this installation sends no e-mail".to_owned(),
    };
    view! {
        <Card
            title="Approvals"
            count=open
            right=move || view! { <a class="link" href=all>"All approvals"</a> }
            footer=move || view! { <Icon name="mail" small=true/><span>{mail}</span> }
        >
            {match is_empty {
                true => view! { <EmptyState icon="circle-check" title="Nothing waits for a person" text="What a rule has somebody look at first appears here." small=true/> }.into_any(),
                false => view! {
                    <div class="stack gap-3">{cards}</div>
                    {(more > 0).then(|| view! { <p class="note mt-2"><a class="link" href=rest>{format!("{} more", count_text(more))}</a></p> })}
                }
                .into_any(),
            }}
        </Card>
    }
}

#[component]
fn DecidedToday(rows: Vec<ApprovalRow>, count: i64, href: String) -> impl IntoView {
    let items = rows
        .into_iter()
        .filter_map(|row| {
            let decided = row.decided.clone()?;
            let note = (!decided.note.is_empty()).then(|| format!(": “{}”", decided.note));
            let said = decided.said();
            Some(view! {
                <li>
                    <StatusDot tone=decided.decision.tone()/>
                    <div class="min0">
                        <b><a href=format!("/approvals/{}", row.id)>{row.title}</a></b>
                        <small>{said}{note}", "<Time stamp=decided.at/></small>
                    </div>
                </li>
            })
        })
        .collect_view();
    (count > 0).then(|| {
        view! {
            <Card title="Decided today" right=move || view! { <a class="link" href=href>{format!("All {}", count_text(count))}</a> }>
                <ul class="list">{items}</ul>
            </Card>
        }
    })
}
