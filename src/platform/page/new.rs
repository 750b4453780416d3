use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::CreateWorkspace;
use patchbay_access::Action;
use patchbay_members::model::ShownLinks;
use patchbay_members::page::LinkList;
use patchbay_members::server_fns::take_links;
use patchbay_shared::zones::zone_options;
use patchbay_ui::*;
use patchbay_workspaces::model::WorkspacePlan;

/// The form for a new agency, whose owner is invited.
#[lazy]
pub fn new_workspace_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = patchbay_shell::refused(Action::ManagePlatform) {
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
        if let Some(refusal) = patchbay_shell::refused(Action::ManagePlatform) {
            return refusal;
        }
        view! {
            <PageTitle text="Invitation" parents=vec![crumb("Workspaces", "/platform")]/>
            <PageBoundary data=links view={|shown: Option<ShownLinks>| view! { <LinkList shown back="/platform"/> }}/>
        }
        .into_any()
    })
}
