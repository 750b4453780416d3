use std::sync::Arc;

use leptos::prelude::*;

use crate::server_fns::get_import_choices;
use crate::{ImportChoices, UploadProblem};
use patchbay_shared::Tone;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The first step of an import: whose people, and the file.
#[lazy]
pub fn new_import_page() -> PageView {
    let choices = load(|| query("client"), get_import_choices);
    Arc::new(move || {
        view! {
            <PageTitle text="Import contacts" parents=vec![crumb("Contacts", "/contacts"), crumb("Imports", "/contacts/imports")]/>
            <PageHead
                title="Import contacts"
                sub="A CSV file or an Excel workbook with one person per row."
                actions=|| view! { <LinkButton href="/contacts/imports/template.csv" icon="download" external=true>"Template"</LinkButton> }
            />
            <ImportSteps now=0 id=String::new()/>
            <PageBoundary data=choices view=move |choices: ImportChoices| view! { <UploadForm choices/> }/>
        }
        .into_any()
    })
}

/// File, columns, check, import. Steps that lie behind can be gone back to while nothing is imported, by whoever may: `id` is empty for others.
#[component]
pub(crate) fn ImportSteps(now: usize, id: String) -> impl IntoView {
    let steps = ["File", "Columns", "Check", "Import"];
    let steps = steps
        .into_iter()
        .enumerate()
        .map(|(index, label)| Step {
            label: label.into(),
            href: (index == 1 && now == 2 && !id.is_empty()).then(|| format!("/contacts/imports/{id}/mapping")),
            state: match index.cmp(&now) {
                std::cmp::Ordering::Less => StepState::Done,
                std::cmp::Ordering::Equal => StepState::Now,
                std::cmp::Ordering::Greater => StepState::Next,
            },
        })
        .collect();
    view! { <Stepper steps/> }
}

#[component]
fn UploadForm(choices: ImportChoices) -> impl IntoView {
    let problem = query("problem").and_then(|word| word.parse::<UploadProblem>().ok());
    let clients = options_of(choices.clients.into_iter().map(|pick| (pick.id, pick.label)));
    let campaigns = options_of(choices.campaigns.into_iter().map(|pick| (pick.id, pick.label)));
    let of_agency = viewer().client.is_none();
    view! {
        {problem.map(|problem| view! { <Callout tone=Tone::Bad><p role="alert">{problem.label()}</p></Callout> })}
        <Card>
            <form class="form" method="post" enctype="multipart/form-data" action="/contacts/imports/upload">
                {of_agency.then(|| view! {
                    <Select name="client" label="Client" options=clients value=query("client").unwrap_or_default() prompt="Choose a client" required=true/>
                })}
                {(!campaigns.is_empty()).then(|| view! {
                    <Select
                        name="campaign"
                        label="Add them to a campaign"
                        options=campaigns
                        value=query("campaign").unwrap_or_default()
                        prompt="No campaign"
                        hint="You can still change this in the next step."
                    />
                })}
                <FileDrop
                    name="file"
                    label="Choose a CSV or Excel file"
                    accept=".csv,.tsv,.txt,.xlsx,text/csv,text/plain,text/tab-separated-values,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
                    hint="CSV up to 1 GB, Excel (.xlsx) up to 25 MB. Patchbay detects encoding and separator."
                />
                <FormActs>
                    <SubmitButton icon="upload">"Upload"</SubmitButton>
                    <a class="btn ghost" href="/contacts/imports">"Cancel"</a>
                </FormActs>
            </form>
        </Card>
    }
}
