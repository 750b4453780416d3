use std::sync::Arc;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;

use super::list::Queues;
use crate::model::{ConnectionHealth, WorkspaceUse, WorkspaceView};
use crate::server_fns::{
    InviteWorkspaceOwner, OpenSupportSession, SaveWorkspaceTerms, SetWorkspaceStatus, get_workspace,
};
use patchbay_settings::agency::HeldBars;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::count_text;
use patchbay_shell::ProofField;
use patchbay_ui::*;
use patchbay_workspaces::model::{WorkspacePlan, WorkspaceStatus};

/// One agency, as the platform sees it: plan, limits, use, health, and the door to a support session.
#[lazy]
pub fn workspace_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let workspace = load(id, get_workspace);
    Arc::new(move || {
        let again = Callback::new(move |()| workspace.refetch());
        view! { <PageBoundary data=workspace view={move |view: WorkspaceView| view! { <Detail view again/> }}/> }
            .into_any()
    })
}

#[component]
fn Detail(view: WorkspaceView, again: Callback<()>) -> impl IntoView {
    let (row, id) = (view.row.clone(), view.row.id.to_string());
    let status = row.status;
    let (invites, invited) = (row.owner.is_none(), view.owner_invited.clone());
    let address = invited.clone().unwrap_or_default();
    view! {
        <PageTitle text=row.name.clone() parents=vec![crumb("Workspaces", "/platform")]/>
        <PageHead
            title=row.name.clone()
            sub=row.slug.clone()
            tags=move || view! { <State tone=status.tone() label=status.label()/> }
            actions={
                let (id, name) = (id.clone(), row.name.clone());
                move || view! {
                    <LinkButton href=format!("/platform/log?agency={id}") icon="history">"History"</LinkButton>
                    <StatusForm id=id.clone() name=name.clone() status again/>
                }
            }
        />
        <Use totals=view.use_30/>
        <div class="cols main-side">
            <div class="stack gap-4">
                <Terms view=view.clone() again/>
                <SupportForm id=id.clone()/>
            </div>
            <div class="stack gap-4">
                <Card title="Account">
                    <Facts>
                        <Fact label="Owner">{row.owner.clone().unwrap_or_else(|| "Nobody yet".into())}</Fact>
                        {invited.map(|email| view! { <Fact label="Invited">{email}</Fact> })}
                        <Fact label="Time zone">{view.timezone.replace('_', " ")}</Fact>
                        <Fact label="Since"><Time stamp=row.created/></Fact>
                    </Facts>
                    {invites.then(|| view! { <OwnerForm id=id.clone() email=address.clone()/> })}
                </Card>
                <Card title="Holds"><HeldBars held=view.held/></Card>
            </div>
        </div>
        <h2>"Work"</h2>
        <Queues queues=view.queues/>
        <Connections rows=view.connections/>
    }
}

#[component]
fn Use(totals: WorkspaceUse) -> impl IntoView {
    view! {
        <Kpis count=3>
            <Kpi label="Calls in 30 days" value=count_text(totals.calls)/>
            <Kpi label="Talk minutes" value=fixed(totals.minutes, 1)/>
            <Kpi label="Spend at providers" value=totals.spend.text()/>
        </Kpis>
    }
}

/// Plan, and what was agreed in its place.
#[component]
fn Terms(view: WorkspaceView, again: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SaveWorkspaceTerms>();
    let plan = view.row.plan;
    let plans = options_of(WorkspacePlan::ALL.iter().map(|plan| (plan.as_str(), plan.label())));
    let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let gives = move |limit: Option<i64>| match limit {
        Some(limit) => format!("The {} plan includes {limit}.", plan.label()),
        None => format!("The {} plan has no limit.", plan.label()),
    };
    let (given, agreed) = (plan.limits(), view.agreed);
    view! {
        <Card title="Plan and limits">
            <ServerForm action=save class="form two" prefix="terms" on_done=again said="Saved">
                <input type="hidden" name="id" value=view.row.id.to_string()/>
                <Select name="plan" label="Plan" options=plans value=plan.as_str() required=true/>
                <TextInput name="lines" label="Calls at once" value=text(agreed.lines) inputmode="numeric" class="short" hint=gives(Some(given.lines))/>
                <TextInput name="people" label="People" value=text(agreed.people) inputmode="numeric" class="short" hint=gives(given.people)/>
                <TextInput name="clients" label="Clients" value=text(agreed.clients) inputmode="numeric" class="short" hint=gives(given.clients)/>
                <TextInput name="agents" label="Agents" value=text(agreed.agents) inputmode="numeric" class="short" hint=gives(given.agents)/>
                <ProofField/>
                <FormActs><SubmitButton>"Save"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

#[component]
fn SupportForm(id: String) -> impl IntoView {
    let open = FormAction::of::<OpenSupportSession>();
    view! {
        <Card title="Support session">
            <p class="sub">"You read what a member of the agency reads, for an hour. Its people see that you are there and why. You can change nothing."</p>
            <FormScope errors=open.errors() prefix="support">
                // Plain: what follows is another person's frame.
                <form method="post" action=OpenSupportSession::url() class="form">
                    <FormErrors/>
                    <input type="hidden" name="id" value=id/>
                    <TextInput name="reason" label="Why" required=true maxlength=500/>
                    <ProofField/>
                    <FormActs><Button submit=true>"Open support session"</Button></FormActs>
                </form>
            </FormScope>
        </Card>
    }
}

#[component]
fn OwnerForm(id: String, email: String) -> impl IntoView {
    let invite = FormAction::of::<InviteWorkspaceOwner>();
    view! {
        <ServerForm action=invite class="form mt-4" prefix="owner">
            <input type="hidden" name="id" value=id/>
            <TextInput name="email" label="Owner's e-mail address" kind="email" value=email required=true autocomplete="off" hint="A new link; earlier links stop working."/>
            <ProofField/>
            <FormActs><SubmitButton kind=ButtonKind::Plain>"Invite again"</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn StatusForm(id: String, name: String, status: WorkspaceStatus, again: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetWorkspaceStatus>();
    match status {
        WorkspaceStatus::Active => view! {
            <DialogLink name="suspend" kind=ButtonKind::Danger>"Suspend"</DialogLink>
            <ConfirmForm name="suspend" action=set title=format!("Suspend {name}?") text="Its people can sign in and read. Nothing dials, syncs or spends until you reactivate it." confirm="Suspend" danger=true on_done=again said="Workspace suspended">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="status" value="suspended"/>
                <TextInput name="reason" label="Why" required=true hint="The owner reads it in the audit log."/>
            </ConfirmForm>
        }
        .into_any(),
        WorkspaceStatus::Suspended => view! {
            <ServerForm action=set class="inline" prefix="reactivate" no_summary=true on_done=again said="Workspace reactivated">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="status" value="active"/>
                <input type="hidden" name="reason" value=""/>
                <SubmitButton kind=ButtonKind::Plain>"Reactivate"</SubmitButton>
            </ServerForm>
        }
        .into_any(),
    }
}

#[component]
fn Connections(rows: Vec<ConnectionHealth>) -> impl IntoView {
    if rows.is_empty() {
        return view! {
            <Card title="Accounts at outside services"><p class="sub">"None yet: the agency connects them itself."</p></Card>
        }
        .into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| view! {
            <tr>
                <td>{row.provider}</td>
                <td><State tone=row.status.tone() label=row.status.label()/></td>
                <td>{match row.checked { Some(stamp) => view! { <Time stamp/> }.into_any(), None => "Never".into_any() }}</td>
                <td class="break">{row.error.unwrap_or_else(|| "–".into())}</td>
            </tr>
        })
        .collect_view();
    view! {
        <Card title="Accounts at outside services" flush=true class="clip">
            <DataTable
                label="Accounts at outside services"
                head=|| view! {
                    <th scope="col">"Service"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Last checked"</th>
                    <th scope="col">"Last message"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}
