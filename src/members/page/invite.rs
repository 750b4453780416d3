use std::sync::Arc;

use leptos::prelude::*;

use super::what_it_may;
use crate::model::grantable;
use crate::server_fns::InviteMembers;
use patchbay_access::{Action, Role};
use patchbay_shell::ProofField;
use patchbay_shell::{client_options, refused, viewer};
use patchbay_ui::*;

/// The form that invites one address or many.
#[lazy]
pub fn invite_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageViewers) {
            return refusal;
        }
        let invite = FormAction::of::<InviteMembers>();
        let mine = viewer();
        let roles: Vec<RadioOption> = grantable(mine.role)
            .iter()
            .map(|role| RadioOption::new(role.as_str(), role.label(), what_it_may(*role)))
            .collect();
        // From a client's page, its people are meant.
        let client = query("client").unwrap_or_default();
        let for_client = mine.role.is_client() || !client.is_empty();
        let first = if for_client { Role::ClientViewer } else { Role::AgencyMember };
        view! {
            <PageTitle text="Invite people" parents=vec![crumb("Settings", "/settings/profile"), crumb("People", "/settings/users")]/>
            <PageHead title="Invite people" sub="Each gets a link of their own, good for seven days, and chooses a name and a password."/>
            <Card>
                <ServerForm action=invite class="form">
                    <TextArea name="emails" label="E-mail addresses" rows=4 required=true hint="One per line, or with commas between them. Up to 100."/>
                    <RadioCards name="role" legend="Role" options=roles value=first.as_str()/>
                    {mine.role.is_agency().then(|| view! {
                        <Select name="client" label="Client" options=client_options() value=client prompt="None: people of the agency" hint="For the two client roles." mark=false/>
                    })}
                    <ProofField/>
                    <FormActs>
                        <SubmitButton icon="send">"Invite"</SubmitButton>
                        <a class="btn ghost" href="/settings/users">"Cancel"</a>
                    </FormActs>
                </ServerForm>
            </Card>
        }
        .into_any()
    })
}
