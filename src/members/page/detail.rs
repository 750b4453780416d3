use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::what_it_may;
use crate::model::{MemberView, UserStatus, grantable, role_change};
use crate::server_fns::{
    ChangeMemberRole, ClearMemberSecondFactor, MakePasswordLink, SetMemberStatus, SignMemberOut, get_member,
};
use patchbay_access::Role;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, ProofField};
use patchbay_shell::{client_options, viewer};
use patchbay_ui::*;

/// One person: role, state, and ways to help them in or keep them out.
#[lazy]
pub fn member_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let member = load(id, get_member);
    Arc::new(move || {
        live::on_change(&["members"], move || member.refetch());
        let again = Callback::new(move |()| member.refetch());
        view! { <PageBoundary data=member view={move |view: MemberView| view! { <Detail view again/> }}/> }.into_any()
    })
}

#[component]
fn Detail(view: MemberView, again: Callback<()>) -> impl IntoView {
    let MemberView { member, client_id, created, sessions } = view;
    let (role, status, can_change) = (member.role, member.status, member.can_change);
    let id = member.id.to_string();
    let help = {
        let id = id.clone();
        move || {
            can_change.then(|| view! { <Help id=id.clone() status has_second_factor=member.has_second_factor again/> })
        }
    };
    view! {
        <PageTitle text=member.name.clone() parents=vec![crumb("Settings", "/settings/profile"), crumb("People", "/settings/users")]/>
        <PageHead
            title=member.name.clone()
            sub=member.email.clone()
            tags=move || view! { <Tag tone=role.tone()>{role.label()}</Tag> <State tone=status.tone() label=status.label()/> }
            actions={
                let id = id.clone();
                move || view! { <HistoryLink id/> }
            }
        />
        <div class="cols main-side">
            <div class="stack gap-4">
                {if can_change {
                    view! { <Card><RoleForm id role client=client_id.map(|id| id.to_string()) again/></Card> }.into_any()
                } else {
                    view! { <Card title="Role"><p>{what_it_may(role)}</p></Card> }.into_any()
                }}
                {help}
            </div>
            <Card title="Account">
                <Facts>
                    <Fact label="Client">{member.client.unwrap_or_else(|| "–".into())}</Fact>
                    <Fact label="Member since"><Time stamp=created/></Fact>
                    <Fact label="Last sign-in">{match member.last_login { Some(stamp) => view! { <Time stamp/> }.into_any(), None => "Never".into_any() }}</Fact>
                    <Fact label="Signed in">{match sessions { 0 => "Nowhere".to_owned(), count => patchbay_shared::money::counted(count, "session", "sessions") }}</Fact>
                    <Fact label="Second factor">{if member.has_second_factor { view! { <State tone=Tone::Ok label="On"/> }.into_any() } else { "Off".into_any() }}</Fact>
                </Facts>
            </Card>
        </div>
    }
}

/// The role picker says what changes with each role.
#[component]
fn RoleForm(id: String, role: Role, client: Option<String>, again: Callback<()>) -> impl IntoView {
    let change = FormAction::of::<ChangeMemberRole>();
    let options = grantable(viewer().role)
        .iter()
        .map(|to| RadioOption::new(to.as_str(), to.label(), what_changes(role, *to)))
        .collect();
    let is_agency = viewer().role.is_agency();
    view! {
        <ServerForm action=change class="form" prefix="role" on_done=again said="Role changed. This person has to sign in again.">
            <input type="hidden" name="id" value=id/>
            <RadioCards name="role" legend="Role" options=options value=role.as_str()/>
            {is_agency.then(|| view! {
                <Select name="client" label="Client" options=client_options() value=client.unwrap_or_default() prompt="None: a person of the agency" hint="For the two client roles." mark=false/>
            })}
            <ProofField/>
            <FormActs><SubmitButton>"Change role"</SubmitButton></FormActs>
        </ServerForm>
    }
}

fn what_changes(from: Role, to: Role) -> String {
    if from == to {
        return format!("Now. {}", what_it_may(to));
    }
    let list = |words: Vec<&str>| if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
    let (gains, loses) = role_change(from, to);
    let only = if to.is_client() && !from.is_client() { " Sees one client only." } else { "" };
    format!("Gains: {}. Loses: {}.{only}", list(gains), list(loses))
}

#[component]
fn Help(id: String, status: UserStatus, has_second_factor: bool, again: Callback<()>) -> impl IntoView {
    let (link, out) = (FormAction::of::<MakePasswordLink>(), FormAction::of::<SignMemberOut>());
    let (clear, set) = (FormAction::of::<ClearMemberSecondFactor>(), FormAction::of::<SetMemberStatus>());
    let hidden = move |id: String| view! { <input type="hidden" name="id" value=id/> };
    let (word, next, text) = match status {
        UserStatus::Active => (
            "Suspend",
            UserStatus::Suspended,
            "They are signed out at once and cannot sign in until you reactivate them. Nothing is deleted.",
        ),
        UserStatus::Suspended => ("Reactivate", UserStatus::Active, "They can sign in again, with the role they had."),
    };
    let ids = [id.clone(), id.clone(), id.clone(), id];
    let [link_id, out_id, clear_id, set_id] = ids;
    view! {
        <Card title="Access">
            <div class="row wrap">
                <DialogLink name="link" icon="key-round">"Link for a new password"</DialogLink>
                <ServerForm action=out class="inline" prefix="out" no_summary=true on_done=again said="Signed out everywhere">
                    {hidden(out_id)}
                    <SubmitButton kind=ButtonKind::Plain icon="log-out">"Sign out everywhere"</SubmitButton>
                </ServerForm>
                {has_second_factor.then(|| view! { <DialogLink name="clear">"Clear second factor"</DialogLink> })}
                <DialogLink name="status" kind=if status == UserStatus::Active { ButtonKind::Danger } else { ButtonKind::Plain }>{word}</DialogLink>
            </div>
            <ConfirmForm name="clear" action=clear title="Clear the second factor?" text="Do this only for somebody you have spoken to: their passkeys are removed as well, and the password alone signs them in. Their sessions end." confirm="Clear" danger=true on_done=again said="Second factor cleared">
                {hidden(clear_id)}
                <ProofField/>
            </ConfirmForm>
            <ConfirmForm name="link" action=link title="Make a link for a new password?" text="The person with the link chooses a new password. It works once, for thirty minutes; earlier links stop working." confirm="Create link">
                {hidden(link_id)}
                <ProofField/>
            </ConfirmForm>
            <ConfirmForm name="status" action=set title=format!("{word} this person?") text=text confirm=word danger={status == UserStatus::Active} on_done=again said="State changed">
                {hidden(set_id)}
                <input type="hidden" name="status" value=next.as_str()/>
            </ConfirmForm>
        </Card>
    }
}
