use std::sync::Arc;

use leptos::prelude::*;

use crate::model::Client;
use crate::server_fns::SaveClient;
use patchbay_access::ClientAdminRights;
use patchbay_metering::model::BudgetAction;
use patchbay_shared::zones::zone_options;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The form for a new client.
#[lazy]
pub fn new_client_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = patchbay_shell::refused(patchbay_access::Action::ManageClients) {
            return refusal;
        }
        view! {
            <PageTitle text="New client" parents=vec![crumb("Clients", "/clients")]/>
            <PageHead title="New client" sub="A customer of your agency. Its people see only what belongs to it."/>
            <Card><ClientFields client=None/></Card>
        }
        .into_any()
    })
}

/// Fields of a new or present client.
#[component]
pub(crate) fn ClientFields(client: Option<Client>) -> impl IntoView {
    let save = FormAction::of::<SaveClient>();
    let is_new = client.is_none();
    let id = client.as_ref().map(|client| client.id.to_string()).unwrap_or_default();
    let zone = client.as_ref().map_or_else(|| viewer().timezone, |client| client.timezone.clone());
    let (shares_cost, shares_recordings, shares_steps) = client
        .as_ref()
        .map_or((false, true, false), |client| (client.shares_cost, client.shares_recordings, client.shares_steps));
    let shares_prompts = client.as_ref().is_some_and(|client| client.shares_prompts);
    let admins = client.as_ref().map_or_else(ClientAdminRights::default, |client| client.admins);
    let action = client.as_ref().map_or(BudgetAction::Warn, |client| client.budget_action);
    let actions = options_of(BudgetAction::ALL.iter().map(|action| (action.as_str(), action.label())));
    let budget = client.as_ref().and_then(|client| client.monthly_budget.clone()).unwrap_or_default();
    let name = client.map(|client| client.name).unwrap_or_default();
    view! {
        <ServerForm action=save class="form two">
            <input type="hidden" name="id" value=id/>
            <TextInput name="name" label="Name" value=name required=true maxlength=120/>
            <Select name="timezone" label="Time zone" options=zone_options(&zone) value=zone.clone() required=true hint="Used for the calling hours of contacts without their own time zone."/>
            <TextInput
                name="monthly_budget"
                label="Monthly budget"
                value=budget
                prefix_text="$"
                inputmode="decimal"
                hint="For a calendar month in the client's zone: calls, models and text messages together. Empty means no limit; 0 means nothing may be spent."
            />
            <Select
                name="budget_action"
                label="When the budget is spent"
                options=actions
                value=action.as_str()
                required=true
                hint="Calls in progress always finish normally. Held calls continue when the month ends or the budget is raised; text messages that were due meanwhile are not sent."
            />
            <Fieldset legend="What its people see beyond calls and results">
                <Checkbox name="shares_cost" label="Cost" hint="Of calls, batches and usage." checked=shares_cost value="true"/>
                <Checkbox name="shares_recordings" label="Recordings" hint="Transcripts are always shown." checked=shares_recordings value="true"/>
                <Checkbox name="shares_steps" label="Steps" hint="What the agent looked up or did with its tools during a call." checked=shares_steps value="true"/>
                <Checkbox name="shares_prompts" label="Prompts" hint="The prompt version that each of their calls used, to read only." checked=shares_prompts value="true"/>
            </Fieldset>
            <Fieldset legend="What its admins may do">
                <Checkbox name="admins_edit_contacts" label="Import and edit contacts" hint="And put people on the do-not-call list." checked=admins.edit_contacts value="true"/>
                <Checkbox name="admins_edit_campaigns" label="Create and edit campaigns" hint="With the agents and numbers that are theirs." checked=admins.edit_campaigns value="true"/>
                <Checkbox name="admins_run_batches" label="Run batches" hint="Start, pause and stop calls. They cost what they cost you." checked=admins.run_batches value="true"/>
                <Checkbox name="admins_invite_viewers" label="Invite viewers" hint="And change or suspend their accounts." checked=admins.invite_viewers value="true"/>
            </Fieldset>
            <FormActs>
                <SubmitButton>{if is_new { "Create client" } else { "Save" }}</SubmitButton>
                {is_new.then(|| view! { <a class="btn ghost" href="/clients">"Cancel"</a> })}
            </FormActs>
        </ServerForm>
    }
}
