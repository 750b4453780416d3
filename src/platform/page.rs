use std::sync::Arc;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::model::{QueueHealth, WorkspacePlan, WorkspaceQuery, WorkspaceRow, WorkspaceStatus};
use super::server_fns::{CreateWorkspace, OpenSupportSession, SetWorkspaceStatus, list_workspaces, platform_queues};
use crate::access::Action;
use crate::members::model::ShownLinks;
use crate::members::page::LinkList;
use crate::members::server_fns::take_links;
use crate::shared::Page;
use crate::shared::zones::zone_options;
use crate::ui::*;

/// The platform admin's page: agencies, and how the queues are doing.
#[lazy]
pub fn platform_page() -> PageView {
    let asked = || WorkspaceQuery { words: query("q"), status: query("status"), cursor: query("cursor") };
    let rows = load(asked, list_workspaces);
    let queues = load(|| (), |()| platform_queues());
    Arc::new(move || {
        let again = Callback::new(move |()| rows.refetch());
        let states = options_of(WorkspaceStatus::ALL.iter().map(|status| (status.as_str(), status.label())));
        view! {
            <PageTitle text="Workspaces"/>
            <PageHead
                title="Workspaces"
                sub="Agencies on this installation. Their data is theirs: it is not shown here."
                actions=|| view! { <LinkButton href="/platform/new" kind=ButtonKind::Primary icon="plus">"New workspace"</LinkButton> }
            />
            <BlockBoundary data=queues view={|queues: Vec<QueueHealth>| view! { <Queues queues/> }}/>
            <FilterBar search="q" placeholder="Name" filters=vec![Filter::new("status", "State", states)]/>
            <PageBoundary data=rows view={move |page: Page<WorkspaceRow>| view! { <Rows page again/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Queues(queues: Vec<QueueHealth>) -> impl IntoView {
    let figures = queues
        .into_iter()
        .map(|queue| {
            let oldest = queue.oldest_seconds.map_or_else(|| "nothing waits".to_owned(), |seconds| format!("oldest waits {seconds} s"));
            view! { <Kpi label=queue.name value=queue.waiting.to_string() unit="waiting" versus=format!("{oldest} · {} failed", queue.failed)/> }
        })
        .collect_view();
    view! { <Kpis count=3>{figures}</Kpis> }
}

#[component]
fn Rows(page: Page<WorkspaceRow>, again: Callback<()>) -> impl IntoView {
    if page.rows.is_empty() {
        return view! { <NoMatch what="workspaces"/> }.into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row again/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Workspaces"
                head=|| view! {
                    <th scope="col">"Agency"</th>
                    <th scope="col">"Owner"</th>
                    <th scope="col">"Plan"</th>
                    <th scope="col" class="num">"People"</th>
                    <th scope="col" class="num">"Failed work"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="50 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: WorkspaceRow, again: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetWorkspaceStatus>();
    let id = row.id.to_string();
    let (view_as, view_id, view_title) = (format!("view-{id}"), id.clone(), format!("View {}", row.name));
    let why = format!("why-{id}");
    let name = format!("suspend-{id}");
    let change = match row.status {
        WorkspaceStatus::Active => {
            let (dialog, title) = (name.clone(), format!("Suspend {}?", row.name));
            view! {
                <DialogLink name=name>"Suspend"</DialogLink>
                <ConfirmForm name=dialog action=set title=title text="Its people can sign in and read. Nothing dials, syncs or spends until you reactivate it." confirm="Suspend" danger=true on_done=again said="Workspace suspended">
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="status" value="suspended"/>
                    <TextInput name="reason" label="Why" required=true hint="The owner reads it in the audit trail."/>
                </ConfirmForm>
            }
            .into_any()
        }
        WorkspaceStatus::Suspended => view! {
            <ServerForm action=set class="inline" prefix=format!("reactivate-{id}") no_summary=true on_done=again said="Workspace reactivated">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="status" value="active"/>
                <input type="hidden" name="reason" value=""/>
                <SubmitButton kind=ButtonKind::Plain small=true>"Reactivate"</SubmitButton>
            </ServerForm>
        }
        .into_any(),
    };
    view! {
        <tr>
            <td><div class="who"><b>{row.name}</b><small class="mono">{row.slug}</small></div></td>
            <td>{row.owner.unwrap_or_else(|| "–".into())}</td>
            <td>{row.plan.label()}</td>
            <td class="num">{row.users}</td>
            <td class="num">{row.failed_work}</td>
            <td><Time stamp=row.created/></td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            <td class="acts">
                <div class="row end">
                    <DialogLink name=view_as.clone()>"View as"</DialogLink>
                    {change}
                </div>
                <Dialog name=view_as title=view_title>
                    // Plain: what follows is another person's frame.
                    <form method="post" action=OpenSupportSession::url() class="stack gap-4">
                        <p>"You read what a member of the agency reads, for an hour. Its people see that you are there and why. You can change nothing."</p>
                        <input type="hidden" name="id" value=view_id/>
                        <TextInput name="reason" label="Why" id=why required=true maxlength=500/>
                        <FormActs><Button submit=true kind=ButtonKind::Primary>"Open support session"</Button></FormActs>
                    </form>
                </Dialog>
            </td>
        </tr>
    }
}

/// The form for a new agency, whose owner is invited.
#[lazy]
pub fn new_workspace_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = crate::app::refused(Action::ManagePlatform) {
            return refusal;
        }
        let create = FormAction::of::<CreateWorkspace>();
        let plans = options_of(WorkspacePlan::ALL.iter().map(|plan| (plan.as_str(), plan.label())));
        view! {
            <PageTitle text="New workspace" parents=vec![crumb("Workspaces", "/platform")]/>
            <PageHead title="New workspace" sub="An agency, and an invitation for the person who owns it."/>
            <Card>
                <ServerForm action=create class="form two">
                    <TextInput name="workspace" label="Name of the agency" required=true maxlength=120/>
                    <Select name="timezone" label="Time zone" options=zone_options("UTC") value="UTC" required=true/>
                    <TextInput name="email" label="Owner's e-mail address" kind="email" required=true autocomplete="off"/>
                    <Select name="plan" label="Plan" options=plans value="pro" required=true/>
                    <FormActs>
                        <SubmitButton>"Create and invite"</SubmitButton>
                        <a class="btn ghost" href="/platform">"Cancel"</a>
                    </FormActs>
                </ServerForm>
            </Card>
        }
        .into_any()
    })
}

/// The owner's link, after an agency has been created.
#[lazy]
pub fn new_links_page() -> PageView {
    let links = load(|| (), |()| take_links());
    Arc::new(move || {
        if let Some(refusal) = crate::app::refused(Action::ManagePlatform) {
            return refusal;
        }
        view! {
            <PageTitle text="Invitation" parents=vec![crumb("Workspaces", "/platform")]/>
            <PageBoundary data=links view={|shown: Option<ShownLinks>| view! { <LinkList shown back="/platform"/> }}/>
        }
        .into_any()
    })
}
