use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{TeamActs, top};
use crate::model::TeamMode;
use crate::model::form::LONGEST_ROLE;
use crate::model::views::{MemberRow, MembersPage, TeamHead};
use crate::server_fns::{AddTeamMember, MoveTeamMember, RemoveTeamMember, SaveTeamRole, get_team_members};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

/// A team's members.
#[lazy]
pub fn team_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_team_members);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: MembersPage| view! { <Members page again/> }/> }.into_any()
    })
}

#[component]
fn Members(page: MembersPage, again: Callback<()>) -> impl IntoView {
    let MembersPage { head, members, others } = page;
    let acts = view! { <TeamActs head=head.clone() again/> }.into_any();
    let top = top(&head, "members", "Members", acts, None);
    let (count, may_edit) = (members.len(), head.may_edit);
    let note = match head.mode {
        TeamMode::Coordinate => "They work in this order. Each sees what came before.",
        TeamMode::Supervisor => "The supervisor decides by what each of them is for.",
    };
    let rows = match members.is_empty() {
        true => view! {
            <EmptyState icon="users-round" title="No members yet" text="Add the agents that work in this team, and say what each is for." small=true/>
        }
        .into_any(),
        false => {
            let last = members.len() - 1;
            let rows = members
                .into_iter()
                .enumerate()
                .map(|(place, member)| {
                    view! { <Member head=head.clone() member place is_last=place == last again/> }
                })
                .collect_view();
            view! { <ol class="list rows members">{rows}</ol> }.into_any()
        }
    };
    let description = head.description.clone();
    let about = (!description.is_empty())
        .then(|| view! { <Card title="What it is for"><p class="pre-line break">{description}</p></Card> });
    let add = may_edit.then(|| view! { <Add team=head.id.to_string() others again/> });
    view! {
        {top}
        <div class="cols main-side">
            <Card title="Members" count flush=true footer=move || view! { <p class="note">{note}</p> }>{rows}</Card>
            <div class="stack gap-4 min0">{add}{about}</div>
        </div>
    }
}

#[component]
fn Member(head: TeamHead, member: MemberRow, place: usize, is_last: bool, again: Callback<()>) -> impl IntoView {
    let (team, id, name) = (head.id.to_string(), member.id.to_string(), member.name.clone());
    let rest = member
        .rest
        .map(|rest| view! { <small class="row wrap"><Tag tone=Tone::Warn>"Takes no work"</Tag>{rest}</small> });
    let buttons = head.may_edit.then(|| {
        view! {
            <div class="row">
                <Move team=team.clone() member=id.clone() name=name.clone() up=true hidden=place == 0 again/>
                <Move team=team.clone() member=id.clone() name=name.clone() up=false hidden=is_last again/>
                <Remove team=team.clone() member=id.clone() name=name.clone() again/>
            </div>
        }
    });
    let role = match head.may_edit {
        true => view! { <Role team member=id name=name.clone() role=member.role again/> }.into_any(),
        false => view! { <p class="pre-line break">{member.role}</p> }.into_any(),
    };
    view! {
        <li class="col">
            <div class="row between wrap">
                <div class="who"><a class="link" href=format!("/agents/{}", member.agent)>{format!("{}. {name}", place + 1)}</a>{rest}</div>
                {buttons}
            </div>
            {role}
        </li>
    }
}

#[component]
fn Role(team: String, member: String, name: String, role: String, again: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SaveTeamRole>();
    let prefix = format!("role-{member}");
    let own = vec![("member", member.clone())];
    view! {
        <ServerForm action=save class="form" prefix own on_done=again said="Role saved">
            <input type="hidden" name="team" value=team/>
            <input type="hidden" name="member" value=member/>
            <div class="role">
                <TextInput name="role" label=format!("What {name} is for") value=role required=true maxlength=LONGEST_ROLE as u32 autocomplete="off"/>
                <SubmitButton kind=ButtonKind::Plain small=true>"Save role"</SubmitButton>
            </div>
        </ServerForm>
    }
}

#[component]
fn Move(team: String, member: String, name: String, up: bool, hidden: bool, again: Callback<()>) -> impl IntoView {
    let shift = FormAction::of::<MoveTeamMember>();
    let (to, icon) = if up { ("up", "arrow-up") } else { ("down", "arrow-down") };
    let label = format!("Move {name} {to}");
    (!hidden).then(|| {
        view! {
            <ServerForm action=shift class="inline" prefix=format!("{to}-{member}") on_done=again no_summary=true said="Moved">
                <input type="hidden" name="team" value=team/>
                <input type="hidden" name="member" value=member/>
                <input type="hidden" name="to" value=to/>
                <IconButton icon label submit=true small=true/>
            </ServerForm>
        }
    })
}

#[component]
fn Remove(team: String, member: String, name: String, again: Callback<()>) -> impl IntoView {
    let remove = FormAction::of::<RemoveTeamMember>();
    view! {
        <ServerForm action=remove class="inline" prefix=format!("remove-{member}") on_done=again no_summary=true said="Taken out of the team">
            <input type="hidden" name="team" value=team/>
            <input type="hidden" name="member" value=member/>
            <IconButton icon="x" label=format!("Take {name} out of the team") submit=true small=true/>
        </ServerForm>
    }
}

#[component]
fn Add(team: String, others: Vec<(String, String)>, again: Callback<()>) -> impl IntoView {
    let add = FormAction::of::<AddTeamMember>();
    let body = match others.is_empty() {
        true => view! {
            <p class="sub">"Every agent that can be in this team is a member already. "<a class="link" href="/agents/new">"Make another agent"</a></p>
        }
        .into_any(),
        false => view! {
            <ServerForm action=add class="form" prefix="add" on_done=again said="Added">
                <input type="hidden" name="team" value=team/>
                <Select name="agent" label="Agent" options=others prompt="Choose an agent" mark=false/>
                <TextInput
                    name="role"
                    label="What it is for"
                    mark=false
                    maxlength=LONGEST_ROLE as u32
                    autocomplete="off"
                    placeholder="Refunds: looks up payments and pays money back"
                    hint="The supervisor chooses by these words."
                />
                <FormActs><SubmitButton icon="plus">"Add to the team"</SubmitButton></FormActs>
            </ServerForm>
        }
        .into_any(),
    };
    view! { <Card title="Add a member">{body}</Card> }
}
