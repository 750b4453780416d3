use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{Estimate, GridForm, GridFormPage, RunChoices};
use crate::server_fns::{StartTestGrid, get_test_grid_form};
use patchbay_access::Action;
use patchbay_shared::money::{count_text, counted};
use patchbay_shared::{FieldErrors, Tone};
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// The form of a new grid, with what it would ask and cost.
#[lazy]
pub fn test_grid_form_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), chosen());
    let page = load(asked, |(agent, form)| get_test_grid_form(agent, form));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageAgents) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: GridFormPage| view! { <New page/> }/> }.into_any()
    })
}

/// What stands in the address.
fn chosen() -> GridForm {
    let get = |key: &str| query(key).unwrap_or_default();
    GridForm {
        version_1: get("version_1"),
        version_2: get("version_2"),
        version_3: get("version_3"),
        version_4: get("version_4"),
        account_1: get("account_1"),
        model_1: get("model_1"),
        account_2: get("account_2"),
        model_2: get("model_2"),
        account_3: get("account_3"),
        model_3: get("model_3"),
        account_4: get("account_4"),
        model_4: get("model_4"),
        tag: get("tag"),
        repeats: get("repeats"),
        budget: get("budget"),
        ..GridForm::default()
    }
}

#[component]
fn New(page: GridFormPage) -> impl IntoView {
    let GridFormPage { agent, choices, tags, cases, form, models, estimate, problems } = page;
    let id = agent.id;
    let parents = vec![
        crumb("Agents", "/agents"),
        crumb(agent.name.clone(), format!("/agents/{id}")),
        crumb("Tests", format!("/agents/{id}/tests")),
        crumb("Grids", format!("/agents/{id}/tests/grids")),
    ];
    let sub = format!("The cases of {}, run with several versions of its prompt and several models.", agent.name);
    let content = match (choices.prompt.is_some(), cases) {
        (false, _) => view! {
            <EmptyState icon="file-text" title="No prompt yet" text="Cases are run against versions of the agent’s prompt. Give it a prompt first.">
                <LinkButton href=format!("/agents/{id}/edit") kind=ButtonKind::Primary icon="pencil">"Give it a prompt"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        (true, 0) => view! {
            <EmptyState icon="check" title="No tests yet" text="A grid runs the cases of the agent, and it has none.">
                <LinkButton href=format!("/agents/{id}/tests/new") kind=ButtonKind::Primary icon="plus">"Add the first case"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        _ => view! {
            <div class="cols main-side">
                <Card><Fields choices tags form models problems cases/></Card>
                <Estimated estimate/>
            </div>
        }
        .into_any(),
    };
    view! {
        <PageTitle text="New grid" parents/>
        <PageHead title="New grid" sub/>
        <Tabs label="Agent" items=agent_tabs(id, "tests")/>
        {content}
    }
}

#[component]
fn Fields(
    choices: RunChoices,
    tags: Vec<String>,
    form: GridForm,
    models: Vec<String>,
    problems: FieldErrors,
    cases: i64,
) -> impl IntoView {
    let action = FormAction::of::<StartTestGrid>();
    let has_problems = !problems.0.is_empty();
    // What the address has wrong stands at its field until the form is sent.
    let sent = action.errors();
    let errors = Signal::derive(move || {
        let errors = sent.get();
        if errors.0.is_empty() { problems.clone() } else { errors }
    });
    let (versions, accounts) = (version_options(&choices), options_of(choices.accounts));
    let (chosen_versions, chosen_models) = (form.clone(), form.clone());
    let known = models.into_iter().map(|model| view! { <option value=model></option> }).collect_view();
    let tags = options_of(tags.into_iter().map(|tag| (tag.clone(), tag)));
    let all = format!("All {}", counted(cases, "case", "cases"));
    let back = format!("/agents/{}/tests/grids", form.agent);
    view! {
        <ServerForm action prefix="grid">
            {has_problems.then(|| view! {
                <Callout tone=Tone::Warn><p>"Some of what was chosen is not there any more. What to do stands at the fields."</p></Callout>
            })}
            <input type="hidden" name="agent" value=form.agent/>
            <Fieldset legend="Versions of the prompt" hint="One to four of them." class="two"><VersionFields form=chosen_versions versions errors/></Fieldset>
            <Fieldset legend="Models" hint="One to four of them, each of an account that is switched on." class="two"><ModelFields form=chosen_models accounts errors/></Fieldset>
            <datalist id="grid-models">{known}</datalist>
            <Fieldset legend="How much" class="two">
                <Select name="tag" label="Cases" options=tags value=form.tag prompt=all mark=false errors/>
                <TextInput
                    name="repeats"
                    label="Times each"
                    value=form.repeats
                    class="short"
                    inputmode="numeric"
                    required=true
                    hint="1 to 5. Models do not say the same each time."
                    errors
                />
                <TextInput
                    name="budget"
                    label="Budget"
                    value=form.budget
                    class="short"
                    prefix_text="$"
                    inputmode="decimal"
                    required=true
                    hint="For the whole grid. It stops before it would cost more."
                    errors
                />
            </Fieldset>
            <FormActs>
                <SubmitButton kind=ButtonKind::Plain icon="gauge" name="look" value="true">"Work out the cost"</SubmitButton>
                <SubmitButton icon="play">"Start the grid"</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}

fn version_options(choices: &RunChoices) -> Vec<(String, String)> {
    options_of(choices.versions.iter().map(|(version, labels)| {
        let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
        (version.to_string(), format!("Version {version}{labels}"))
    }))
}

/// A component, so that its fields are made inside the form and know what was typed.
#[component]
fn VersionFields(form: GridForm, versions: Vec<(String, String)>, errors: Signal<FieldErrors>) -> impl IntoView {
    form.versions()
        .into_iter()
        .enumerate()
        .map(|(at, value)| {
            let name = format!("version_{}", at + 1);
            let (label, prompt) = match at {
                0 => ("Version".to_owned(), "Choose a version"),
                _ => (format!("Version beside it, {}", at + 1), "None"),
            };
            let value = value.to_owned();
            view! { <Select name label options=versions.clone() value prompt required={at == 0} mark=false errors/> }
        })
        .collect_view()
}

#[component]
fn ModelFields(form: GridForm, accounts: Vec<(String, String)>, errors: Signal<FieldErrors>) -> impl IntoView {
    form.models()
        .into_iter()
        .enumerate()
        .map(|(at, (account, model))| {
            let number = at + 1;
            let (account_label, model_label) = match at {
                0 => ("Account".to_owned(), "Model".to_owned()),
                _ => (format!("Account beside it, {number}"), format!("Model beside it, {number}")),
            };
            let prompt = if at == 0 { "Choose an account" } else { "None" };
            let (account, model) = (account.to_owned(), model.to_owned());
            view! {
                <Select
                    name=format!("account_{number}")
                    label=account_label
                    options=accounts.clone()
                    value=account
                    prompt
                    required={at == 0}
                    mark=false
                    errors
                />
                <TextInput
                    name=format!("model_{number}")
                    label=model_label
                    value=model
                    class="mono"
                    maxlength=200
                    list="grid-models"
                    required={at == 0}
                    mark=false
                    errors
                />
            }
        })
        .collect_view()
}

#[component]
fn Estimated(estimate: Option<Estimate>) -> impl IntoView {
    let Some(estimate) = estimate else {
        return view! {
            <Card title="What it asks and costs">
                <p class="sub">"Choose versions and models, then work out the cost."</p>
            </Card>
        }
        .into_any();
    };
    let total = estimate.cost_text();
    let rows = estimate
        .models
        .iter()
        .map(|row| {
            let cost = row.cost.map_or_else(|| "Not priced yet".to_owned(), |cost| cost.text());
            view! {
                <tr>
                    <td>{row.what.clone()}" "<small class="sub">{row.model.clone()}</small></td>
                    <td class="num">{count_text(row.calls)}</td>
                    <td class="num">{cost}</td>
                </tr>
            }
        })
        .collect_view();
    let is_unpriced = estimate.models.iter().any(|row| row.cost.is_none());
    let unpriced = is_unpriced.then(|| {
        view! {
            <p class="note">
                "Where no price is known beforehand, five cents are set aside for each answer. "<a class="link" href="/connections/models/prices">"Enter a price"</a>
            </p>
        }
    });
    view! {
        <Card title="What it asks and costs">
            <Kpis count=3>
                <Kpi label="Cells" value=count_text(estimate.cells)/>
                <Kpi label="Tests" value=count_text(estimate.tests)/>
                <Kpi label="Calls of models" value=count_text(estimate.calls)/>
            </Kpis>
            <DataTable
                label="What it asks and costs"
                class="wrap"
                head=|| view! {
                    <th scope="col">"Who is asked"</th>
                    <th scope="col" class="num">"Calls"</th>
                    <th scope="col" class="num">"Cost"</th>
                }
            >
                {rows}
                <tr>
                    <td><b>"All"</b></td>
                    <td class="num"><b>{count_text(estimate.calls)}</b></td>
                    <td class="num"><b>{total}</b></td>
                </tr>
            </DataTable>
            <p class="note">"An estimate from the lengths of the prompt and of the cases, for short answers. Tools add calls. The cells share one budget: what an answer may cost at most is set aside before it is asked for."</p>
            {unpriced}
        </Card>
    }
    .into_any()
}
