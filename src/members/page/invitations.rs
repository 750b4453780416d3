use std::sync::Arc;

use leptos::prelude::*;

use super::people_frame;
use crate::model::{InvitationRow, InvitationStatus};
use crate::server_fns::{ResendInvitation, WithdrawInvitation, list_invitations};
use patchbay_access::Action;
use patchbay_shell::{ProofField, viewer};
use patchbay_ui::*;

/// Who has been invited, and what became of it.
#[lazy]
pub fn invitations_page() -> PageView {
    let asked = || (query("status"), query("cursor"));
    let rows = load(asked, |(status, cursor)| list_invitations(status, cursor));
    Arc::new(move || {
        let again = Callback::new(move |()| rows.refetch());
        List::<InvitationRow>::new("Invitations")
            .heading("People")
            .under(crumb("People", "/settings/users"))
            .live(&["members"])
            .export("/settings/invitations.csv")
            .add(viewer().may(Action::ManageViewers), "user-plus", "/settings/users/new", "Invite people")
            .within(|list| people_frame("invitations", list))
            .filter(Filter::words("status", "State", InvitationStatus::ALL))
            .column("Address", |row| view! { <b>{row.email.clone()}</b> })
            .column("Role", |row| row.role.label())
            .column("Client", |row| cell::or(&row.client, "–"))
            .column("Invited by", |row| cell::or(&row.inviter, "–"))
            .column("Ends", |row| cell::time(&row.expires))
            .column("State", |row| cell::state(row.status))
            .acts("Actions", move |row| row.can_change.then(|| view! { <Change id=row.id.to_string() again/> }))
            .note("100 per page")
            .empty_view(|| view! {
                <EmptyState icon="mail" title="No open invitations" text="An invitation is a link with which somebody chooses a name and a password.">
                    {viewer().may(Action::ManageViewers).then(|| view! {
                        <LinkButton href="/settings/users/new" kind=ButtonKind::Primary icon="user-plus">"Invite people"</LinkButton>
                    })}
                </EmptyState>
            })
            .page(rows)
    })
}

#[component]
fn Change(id: String, again: Callback<()>) -> impl IntoView {
    let (resend, withdraw) = (FormAction::of::<ResendInvitation>(), FormAction::of::<WithdrawInvitation>());
    let (again_name, withdraw_name, same_id) = (format!("again-{id}"), format!("withdraw-{id}"), id.clone());
    view! {
        <div class="row end">
            <DialogLink name=again_name.clone() small=true>"New link"</DialogLink>
            <ServerForm action=withdraw class="inline" prefix=withdraw_name no_summary=true on_done=again said="Invitation withdrawn">
                <input type="hidden" name="id" value=same_id/>
                <SubmitButton kind=ButtonKind::Plain small=true>"Withdraw"</SubmitButton>
            </ServerForm>
        </div>
        <ConfirmForm name=again_name action=resend title="Create a new link?" text="The old one stops working. The new one is good for seven days." confirm="Create link">
            <input type="hidden" name="id" value=id/>
            <ProofField/>
        </ConfirmForm>
    }
}
