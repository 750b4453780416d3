use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::parts::{TakeButton, asked, opened};
use crate::model::Decision;
use crate::model::approval::{ApprovalPage, ApprovalRow};
use crate::server_fns::{DecideApproval, get_approval};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, refused, viewer};
use patchbay_ui::*;

/// One approval: what is to be done, with which data, and the ways to decide.
#[lazy]
pub fn approval_page() -> PageView {
    let params = use_params_map();
    // Whoever begins to edit sees what is asked for now.
    let asked = move || (params.read().get("id").unwrap_or_default(), query("edit").is_some());
    let found = load(asked, |(id, _)| get_approval(id));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadApprovals) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        // What somebody types meanwhile is kept as a draft.
        live::on_change(&[format!("approval:{id}")], move || found.refetch());
        let again = Callback::new(move |()| found.refetch());
        view! { <PageBoundary data=found view=move |page: ApprovalPage| view! { <Page page again/> }/> }.into_any()
    })
}

#[component]
fn Page(page: ApprovalPage, again: Callback<()>) -> impl IntoView {
    let ApprovalPage { row, tool, content, edited, job, run, agent, client, may_decide } = page;
    let id = row.id.to_string();
    let is_agency = viewer().role.is_agency();
    let mut parents = Vec::new();
    if is_agency {
        parents.extend([crumb("Teams", "/teams"), crumb("Execution", "/execution")]);
    }
    parents.push(crumb("Approvals", "/approvals"));
    let tags = state(&row);
    let sub = asked(&row);
    let own = id.clone();
    let acts = move || {
        view! {
            <HistoryLink id=own.clone()/>
            {may_decide.then(|| view! { <TakeButton id=own.clone()/> })}
        }
    };
    let verdict = row.decided.clone().map(|decided| {
        let tone = decided.decision.tone();
        let said = decided.said();
        let note =
            (!decided.note.is_empty()).then(|| view! { <p class="pre-line break">{format!("“{}”", decided.note)}</p> });
        view! { <Callout tone icon="info"><p><b>{said}</b>", "<Time stamp=decided.at/>"."</p>{note}</Callout> }
    });
    let is_over = row.decided.is_none() && row.left.is_none();
    let over = is_over.then(|| {
        view! { <Callout tone=Tone::Warn><p>"Nobody decided in time, which counts as a rejection. It is closed in a moment."</p></Callout> }
    });
    let held = row.opened.as_ref().filter(|opened| !opened.is_own && may_decide).map(|opened| {
        let words = format!("{} has it open since {}. Whoever decides first decides.", opened.by, opened.at.text);
        view! { <Callout tone=Tone::Info><p>{words}</p></Callout> }
    });
    let details = row
        .details
        .iter()
        .cloned()
        .map(|(name, value)| view! { <Fact label=name class="pre-line break">{value}</Fact> })
        .collect_view();
    let is_tool = tool.is_some();
    let about = match tool {
        Some(tool) => view! { <Fact label="Tool" class="mono">{tool}</Fact> }.into_any(),
        None => view! { <Fact label="What">"The start of the work"</Fact> }.into_any(),
    };
    let label = if is_tool { "With these values" } else { "What is to be done" };
    let edited = edited.map(|edited| {
        view! { <Card title="What was approved instead"><pre class="code wrap" tabindex="0" aria-label="What was approved instead">{edited}</pre></Card> }
    });
    let (shown, at_it, title) = (content.clone(), opened(&row), row.title.clone());
    let decide = may_decide.then(|| view! { <Decide id=id.clone() content is_tool again/> });
    view! {
        <PageTitle text=title.clone() parents/>
        <PageHead title tags=move || tags sub_view=move || sub actions=acts/>
        {verdict}{over}{held}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <Card title=label>
                    <pre class="code wrap" tabindex="0" aria-label=label>{shown}</pre>
                </Card>
                {edited}
                {decide}
            </div>
            <div class="stack gap-4 min0">
                <Card title="About it">
                    <Facts>
                        {about}
                        {details}
                        <Fact label="Rule">{row.rule.clone()}</Fact>
                        <Fact label="Asked">{cell::time(&row.requested)}</Fact>
                        <Fact label="Decide until">{cell::time(&row.expires)}</Fact>
                        {row.left.clone().map(|left| view! { <Fact label="Left" class="mono">{left}</Fact> })}
                        {row.cost.map(|cost| view! { <Fact label="Cost so far">{cost.text()}</Fact> })}
                        {client.map(|(id, name)| view! { <Fact label="Client"><a class="link" href=format!("/clients/{id}")>{name}</a></Fact> })}
                        {agent.map(|(id, name)| view! { <Fact label="Worker"><a class="link" href=format!("/agents/{id}")>{name}</a></Fact> })}
                        {job.map(|(id, title)| view! { <Fact label="Job"><a class="link" href=format!("/jobs/{id}")>{title}</a></Fact> })}
                        {run.map(|id| view! { <Fact label="Run"><a class="link" href=format!("/supervisor-runs/{id}")>"The team’s run"</a></Fact> })}
                        {is_agency.then(|| view! {
                            <Fact label="Who may decide">{if row.for_client { "Owners, admins and the client’s admins" } else { "Owners and admins" }}</Fact>
                        })}
                    </Facts>
                    {at_it}
                </Card>
            </div>
        </div>
    }
}

fn state(row: &ApprovalRow) -> AnyView {
    match (&row.decided, &row.left) {
        (Some(decided), _) => cell::state(decided.decision),
        (None, Some(_)) => cell::state_of(Tone::Warn, "Waits for a decision"),
        (None, None) => cell::state_of(Decision::Expired.tone(), "Time is up"),
    }
}

/// The three ways: as it is, with changes, or not at all.
#[component]
fn Decide(id: String, content: String, is_tool: bool, again: Callback<()>) -> impl IntoView {
    if query("edit").is_some() {
        return view! { <Edit id content is_tool again/> }.into_any();
    }
    let decide = FormAction::of::<DecideApproval>();
    let of_edit = id.clone();
    view! {
        <Card title="Your decision" id="reject">
            <p class="sub">"It is done as soon as you approve it."</p>
            <ServerForm action=decide class="form" prefix="decide" on_done=again draft_of=viewer().user_id.to_string()>
                <input type="hidden" name="id" value=id/>
                <TextArea name="note" label="Note" rows=3 mark=false maxlength=1000 hint="A rejection needs it: whoever wants to do it reads it, and goes on without it."/>
                <FormActs>
                    <SubmitButton icon="check" name="decision" value="approved">"Approve"</SubmitButton>
                    <SubmitButton kind=ButtonKind::Danger icon="x" name="decision" value="rejected">"Reject"</SubmitButton>
                </FormActs>
            </ServerForm>
            <div class="mt-4"><TakeButton id=of_edit edit=true/></div>
        </Card>
    }
    .into_any()
}

#[component]
fn Edit(id: String, content: String, is_tool: bool, again: Callback<()>) -> impl IntoView {
    let hint = match is_tool {
        true => "JSON. Change the values, and leave names, quotes and braces as they are.",
        false => "Change what is to be done. The work goes on with your words.",
    };
    let edit = FormAction::of::<DecideApproval>();
    let back = format!("/approvals/{id}");
    view! {
        <Card title="Edit and approve">
            <ServerForm action=edit class="form" prefix="edit" on_done=again draft_of=viewer().user_id.to_string()>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="decision" value="edited"/>
                <TextArea name="content" label="What is done" value=content rows=12 mark=false class="prompt-editor" maxlength=20000 hint/>
                <TextArea name="note" label="Note" rows=2 maxlength=1000/>
                <FormActs>
                    <SubmitButton icon="check">"Approve what stands here"</SubmitButton>
                    <LinkButton href=back>"Leave it as it was"</LinkButton>
                </FormActs>
            </ServerForm>
        </Card>
    }
}
