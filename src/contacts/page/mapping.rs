use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::upload::ImportSteps;
use crate::server_fns::{CancelImport, CheckImport, RereadImport, get_import, get_import_choices};
use crate::{
    DELIMITERS, DuplicateRule, ENCODINGS, ImportChoices, ImportStatus, ImportView, Target, attribute_keys, countries,
    delimiter_name,
};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// The second step of an import: what each column is.
#[lazy]
pub fn import_mapping_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let fetch = |id: String| async move {
        let import = get_import(id.parse()?).await?;
        let choices = get_import_choices(Some(import.client_id.to_string())).await?;
        Ok((import, choices))
    };
    let data = load(id, fetch);
    Arc::new(move || {
        view! {
            <PageBoundary
                data=data
                view=move |(import, choices): (ImportView, ImportChoices)| view! { <Mapped import choices/> }
            />
        }
        .into_any()
    })
}

#[component]
fn Mapped(import: ImportView, choices: ImportChoices) -> impl IntoView {
    let id = import.id.to_string();
    let open = matches!(import.status, ImportStatus::Uploaded | ImportStatus::Checked);
    let kind = match import.preview.sheets.get(import.preview.sheet) {
        Some(sheet) => format!("sheet {sheet}"),
        None => {
            let known = ENCODINGS.iter().find(|(name, _)| *name == import.encoding);
            let encoding = known.map_or(import.encoding.as_str(), |(_, label)| label);
            format!("{encoding}, separated by {}", delimiter_name(&import.delimiter))
        }
    };
    let size = format!("{} · {} · {kind}", import.client_name, import.file_name);
    view! {
        <PageTitle text="Choose columns" parents=vec![crumb("Contacts", "/contacts"), crumb("Imports", "/contacts/imports")]/>
        <PageHead title="Choose columns" sub=size/>
        <ImportSteps now=1 id=id.clone()/>
        {if open {
            view! { <ReadingForm import=import.clone()/> <MappingForm import choices/> <CancelForm id/> }.into_any()
        } else {
            view! {
                <Callout>
                    <p>"This import has started, so its columns stay as they are. "
                        <a class="link" href=format!("/contacts/imports/{id}")>"Open the import"</a></p>
                </Callout>
            }
            .into_any()
        }}
    }
}

/// How the file is read, and what it looks like read like that.
#[component]
fn ReadingForm(import: ImportView) -> impl IntoView {
    let reread = FormAction::of::<RereadImport>();
    let preview = import.preview;
    let is_text = preview.sheets.is_empty();
    let sheets = options_of(preview.sheets.iter().enumerate().map(|(at, name)| (at.to_string(), name.clone())));
    let mut delimiters = options_of(DELIMITERS);
    if !DELIMITERS.iter().any(|(known, _)| *known == import.delimiter) {
        delimiters.push((import.delimiter.clone(), delimiter_name(&import.delimiter)));
    }
    let named = import.mapping.named;
    let header = preview.header(named).into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view();
    let rows = (!named)
        .then_some(&preview.first)
        .into_iter()
        .chain(&preview.rows)
        .map(|row| {
            let cells = row.iter().map(|cell| cell.chars().take(60).collect::<String>());
            view! { <tr>{cells.map(|cell| view! { <td>{cell}</td> }).collect_view()}</tr> }
        })
        .collect_view();
    let letters = (!preview.letters.is_empty()).then(|| preview.letters.join(" · "));
    view! {
        <Card title="First rows">
            <DataTable label="First rows of the file" class="wrap" head=|| header>{rows}</DataTable>
            {letters.map(|letters| view! { <p class="sub mt-4">"Words with special letters: " <b>{letters}</b></p> })}
            <ServerForm action=reread class="form two mt-4" prefix="read">
                <input type="hidden" name="id" value=import.id.to_string()/>
                {if is_text {
                    view! {
                        <Select
                            name="form[encoding]"
                            label="Encoding"
                            options=options_of(ENCODINGS)
                            value=import.encoding
                            hint="Choose another when letters look wrong."
                            mark=false
                        />
                        <Select name="form[delimiter]" label="Separator" options=delimiters value=import.delimiter mark=false/>
                    }
                    .into_any()
                } else {
                    view! {
                        <Select name="form[sheet]" label="Sheet" options=sheets value=preview.sheet.to_string() mark=false/>
                    }
                    .into_any()
                }}
                <TextInput
                    name="form[above]"
                    label="Rows above the column names"
                    value=preview.above.to_string()
                    hint="Titles and remarks that are no people. Empty lines do not count."
                    mark=false
                />
                <FormActs><SubmitButton kind=ButtonKind::Plain>"Read the file again"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

#[component]
fn MappingForm(import: ImportView, choices: ImportChoices) -> impl IntoView {
    let check = FormAction::of::<CheckImport>();
    let named = import.mapping.named;
    let header = import.preview.header(named);
    let has_phone = import.mapping.columns.contains(&Target::Phone);
    let keys = attribute_keys(&header);
    let rows = header
        .into_iter()
        .zip(keys)
        .enumerate()
        .map(|(index, (name, key))| {
            let target = import.mapping.columns.get(index).copied().unwrap_or(Target::Skip);
            view! { <Column index name key samples=import.preview.samples(named, index) target/> }
        })
        .collect_view();
    let campaigns = options_of(choices.campaigns.into_iter().map(|pick| (pick.id, pick.label)));
    let campaign = import.campaign.map(|(id, _)| id.to_string()).unwrap_or_default();
    view! {
        <ServerForm action=check class="form">
            <input type="hidden" name="id" value=import.id.to_string()/>
            {(!has_phone).then(|| view! {
                <Callout tone=Tone::Warn>
                    <p>"No column looks like a phone number. Choose “Phone number” at the column that holds it."</p>
                </Callout>
            })}
            <section class="card clip" id="columns">
                <DataTable
                    label="Columns of the file"
                    class="mapping wrap"
                    head=|| view! {
                        <th scope="col">"Column"</th>
                        <th scope="col">"First values"</th>
                        <th scope="col">"Becomes"</th>
                    }
                >
                    {rows}
                </DataTable>
            </section>
            <Card title="Rules">
                <div class="form two">
                    <Checkbox
                        name="form[named]"
                        label="The first row holds the columns' names"
                        hint="Untick it when the first row is already a person."
                        checked=named
                        value="true"
                    />
                    <Select
                        name="form[country]"
                        label="Country of numbers without +"
                        options=options_of(countries::COUNTRIES)
                        value=import.country.unwrap_or_default()
                        prompt="None: numbers need their country's code"
                    />
                    <RadioCards
                        name="form[duplicates]"
                        legend="When the client already has the number"
                        options=vec![
                            RadioOption::new(
                                DuplicateRule::Skip.as_str(),
                                DuplicateRule::Skip.label(),
                                "Nothing about the contact changes.",
                            ),
                            RadioOption::new(
                                DuplicateRule::Update.as_str(),
                                DuplicateRule::Update.label(),
                                "Cells that are empty in the file change nothing.",
                            ),
                        ]
                        value=import.duplicates.as_str()
                    />
                    {(!campaigns.is_empty()).then(|| view! {
                        <Select
                            name="form[campaign]"
                            label="Add everyone in the file to a campaign"
                            options=campaigns
                            value=campaign
                            prompt="No campaign"
                            hint="Nobody on the do-not-call list is added."
                        />
                    })}
                </div>
            </Card>
            <FormActs><SubmitButton icon="check">"Check the file"</SubmitButton></FormActs>
        </ServerForm>
    }
}

#[component]
fn Column(index: usize, name: String, key: String, samples: Vec<String>, target: Target) -> impl IntoView {
    let options = Target::ALL
        .iter()
        .map(|option| {
            let label = match option {
                Target::Attribute => format!("Variable {{{{{key}}}}}"),
                other => other.label().to_owned(),
            };
            (option.as_str().to_owned(), label)
        })
        .collect::<Vec<_>>();
    let samples = if samples.is_empty() { "(empty)".to_owned() } else { samples.join(" · ") };
    view! {
        <tr>
            <th scope="row">{name.clone()}</th>
            <td class="sub">{samples}</td>
            <td>
                <Select
                    name=format!("form[columns][{index}]")
                    label=format!("{name} becomes")
                    options
                    value=target.as_str()
                    mark=false
                />
            </td>
        </tr>
    }
}

/// Throws the upload away.
#[component]
pub(crate) fn CancelForm(id: String) -> impl IntoView {
    let cancel = FormAction::of::<CancelImport>();
    view! {
        <ServerForm action=cancel class="inline" prefix="cancel">
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Ghost>"Cancel the import"</SubmitButton>
        </ServerForm>
    }
}
