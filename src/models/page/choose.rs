use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{AccountChoice, ChoicePage, Purpose};
use crate::server_fns::{ChooseModel, get_model_choice};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The form of one choice.
#[lazy]
pub fn model_choice_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("purpose").unwrap_or_default(), query("agent"));
    let page = load(asked, |(purpose, agent)| get_model_choice(purpose, agent));
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! { <PageBoundary data=page view=move |page: ChoicePage| view! { <Choose page/> }/> }.into_any()
    })
}

#[component]
fn Choose(page: ChoicePage) -> impl IntoView {
    let save = FormAction::of::<ChooseModel>();
    let purpose = page.purpose;
    let title = purpose.label();
    let without = match purpose {
        Purpose::Embedding => "None: found by words alone",
        Purpose::Analysis => "None: the usual model",
        _ if page.agent.is_some() => "None: the model for agent runs",
        _ => "None: the model of the analyses",
    };
    let agents: Vec<(String, String)> = page.agents.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
    let agent = page.agent.map(|id| id.to_string()).unwrap_or_default();
    let notes =
        page.notes.into_iter().map(|note| view! { <Callout tone=Tone::Warn><p>{note}</p></Callout> }).collect_view();
    let count = page.offers.len();
    let hint = match count {
        0 => "As the service writes it.".to_owned(),
        1 => "One model is listed. Any other name that the service knows is taken, too.".to_owned(),
        _ => format!(
            "{count} models are listed: type a part of the name. Any other name that the service knows is taken, too."
        ),
    };
    view! {
        <PageTitle text=title parents=vec![crumb("Integrations", "/integrations"), crumb("Models", "/connections/models")]/>
        <PageHead title=title sub=purpose.about()/>
        {notes}
        <Card>
            <ServerForm action=save said="Model chosen">
                <input type="hidden" name="purpose" value=purpose.as_str()/>
                {(purpose == Purpose::Agent).then(|| view! {
                    <Select
                        name="agent"
                        label="Agent"
                        options=agents
                        value=agent
                        prompt="All agents without a model of their own"
                        mark=false
                    />
                })}
                <Select
                    name="account"
                    label="Account"
                    options=options(&page.accounts)
                    value=page.account.map(|id| id.to_string()).unwrap_or_default()
                    prompt=without
                    mark=false
                />
                <TextInput
                    name="model"
                    label="Model"
                    value=page.model
                    class="mono"
                    mark=false
                    maxlength=200
                    list="models-listed"
                    autocomplete="off"
                    hint=hint
                />
                <Offers offers=page.offers/>
                <FormActs>
                    <SubmitButton>"Save"</SubmitButton>
                    <LinkButton href="/connections/models" kind=ButtonKind::Ghost>"Cancel"</LinkButton>
                </FormActs>
            </ServerForm>
        </Card>
    }
}

/// Accounts for a picker, with what stands in the way.
pub(super) fn options(accounts: &[AccountChoice]) -> Vec<(String, String)> {
    let label = |account: &AccountChoice| match &account.trouble {
        Some(trouble) => format!("{} ({trouble})", account.name),
        None => account.name.clone(),
    };
    accounts.iter().map(|account| (account.id.to_string(), label(account))).collect()
}

/// What a field of a model's name offers.
#[component]
pub(super) fn Offers(offers: Vec<(String, String)>) -> impl IntoView {
    let options =
        offers.into_iter().map(|(model, account)| view! { <option value=model>{account}</option> }).collect_view();
    view! { <datalist id="models-listed">{options}</datalist> }
}
