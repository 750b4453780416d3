use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::mapping::CancelForm;
use super::upload::ImportSteps;
use crate::server_fns::{RunImport, get_import};
use crate::{CheckResult, DuplicateRule, ImportStatus, ImportView, Problem};
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// The third and fourth step of an import: what the check found, then its progress and its result.
#[lazy]
pub fn import_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let import = load(id, |id| async move { get_import(id.parse()?).await });
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::follow(&[&format!("import:{id}")], move || import.refetch());
        let refetch = Callback::new(move |()| import.refetch());
        view! { <PageBoundary data=import view=move |import: ImportView| view! { <Shown import refetch/> }/> }
            .into_any()
    })
}

#[component]
fn Shown(import: ImportView, refetch: Callback<()>) -> impl IntoView {
    let id = import.id.to_string();
    let (status, may_manage) = (import.status, import.may_manage);
    let now = match status {
        ImportStatus::Uploaded => 1,
        ImportStatus::Checking | ImportStatus::Checked => 2,
        ImportStatus::Importing | ImportStatus::Failed | ImportStatus::Cancelled => 3,
        ImportStatus::Completed => 4,
    };
    let started_by = import.started_by.clone().map(|name| format!(" · by {name}")).unwrap_or_default();
    let mapping = format!("/contacts/imports/{id}/mapping");
    let body = match status {
        ImportStatus::Uploaded => view! {
            <Callout>
                <p>
                    "The columns are not chosen yet. "
                    {may_manage.then(|| view! { <a class="link" href=mapping>"Choose columns"</a> })}
                </p>
            </Callout>
        }
        .into_any(),
        ImportStatus::Checking => view! { <Running import=import.clone() what="Checked"/> }.into_any(),
        ImportStatus::Checked => view! { <Checked import=import.clone() refetch/> }.into_any(),
        ImportStatus::Importing => {
            view! { <Running import=import.clone() what="Imported"/> <Counts import=import.clone()/> }.into_any()
        }
        _ => view! { <Counts import=import.clone()/> }.into_any(),
    };
    let can_cancel = may_manage && !import.is_over() && !import.cancel_requested;
    view! {
        <PageTitle text=import.file_name.clone() parents=vec![crumb("Contacts", "/contacts"), crumb("Imports", "/contacts/imports")]/>
        <PageHead
            title=import.file_name.clone()
            sub=format!("{}{started_by}", import.client_name)
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions=move || can_cancel.then(|| view! { <CancelForm id=id.clone()/> })
        />
        <ImportSteps now id=if may_manage { import.id.to_string() } else { String::new() }/>
        {import.error.clone().map(|error| view! { <Callout tone=Tone::Bad><p role="alert">{error}</p></Callout> })}
        {body}
    }
}

/// A bar that moves. What it says is also heard.
#[component]
fn Running(import: ImportView, what: &'static str) -> impl IntoView {
    let percent = import.percent();
    let speed = import.rows_per_second.filter(|_| import.status == ImportStatus::Importing);
    let speed = speed.map(|rows| format!(" · {} rows a second", count_text(rows))).unwrap_or_default();
    let words = format!(
        "{what} {}, {percent} % of the file{speed}",
        patchbay_shared::money::counted(import.rows, "row", "rows")
    );
    view! {
        <Card>
            <Progress value=percent as f64 max=100.0 label=words/>
            {import.cancel_requested.then(|| view! { <p class="sub" role="status">"Stopping after the rows that are being written."</p> })}
            <p class="sub">"You can leave this page: the import continues."</p>
        </Card>
    }
}

/// What the check found, and the button that starts the import.
#[component]
fn Checked(import: ImportView, refetch: Callback<()>) -> impl IntoView {
    let run = FormAction::of::<RunImport>();
    let check = import.preview.check.clone().unwrap_or_default();
    let updates = import.duplicates == DuplicateRule::Update;
    let writes = check.fresh + if updates { check.known } else { 0 };
    let joins = import.campaign.clone();
    let worth_it = writes > 0 || (joins.is_some() && check.known > check.suppressed);
    let may_manage = import.may_manage;
    let (problems, refused) = (check.problems.clone(), check.doubled + check.rejected);
    let label = match (check.fresh, updates && check.known > 0) {
        (1, false) => "Import 1 contact".to_owned(),
        (fresh, false) => format!("Import {}", patchbay_shared::money::counted(fresh, "contact", "contacts")),
        (fresh, true) => format!("Import {} and update {}", count_text(fresh), count_text(check.known)),
    };
    view! {
        <Kpis count=4>
            <Kpi label="New contacts" value=count_text(check.fresh)/>
            <Kpi label=if updates { "Known: will be updated" } else { "Known: stay as they are" } value=count_text(check.known)/>
            <Kpi label="Twice in the file" value=count_text(check.doubled)/>
            <Kpi label="Cannot be imported" value=count_text(check.rejected)/>
        </Kpis>
        <Card title=format!("{} checked", patchbay_shared::money::counted(check.rows, "row", "rows"))>
            <ul class="stack gap-2">
                {(check.blank > 0).then(|| view! { <li>{format!("Empty lines, which are passed over: {}", count_text(check.blank))}</li> })}
                {(check.suppressed > 0).then(|| view! {
                    <li>{format!("{} of the known ones are on the do-not-call list and stay there.", count_text(check.suppressed))}</li>
                })}
                <Consent check=check.clone()/>
                {joins.map(|(id, name)| view! {
                    <li>"Everyone who may be called joins the campaign " <a class="link" href=format!("/campaigns/{id}")>{name}</a> "."</li>
                })}
                {check.reasons.iter().map(|(reason, count)| view! { <li>{format!("{reason}: {}", count_text(*count))}</li> }).collect_view()}
            </ul>
            {may_manage.then(|| view! {
                <div class="row mt-4">
                    {if worth_it {
                        view! {
                            <ServerForm action=run class="inline" on_done=refetch>
                                <input type="hidden" name="id" value=import.id.to_string()/>
                                <SubmitButton icon="check">{label}</SubmitButton>
                            </ServerForm>
                        }
                        .into_any()
                    } else {
                        view! { <p>"There is nothing to import from this file."</p> }.into_any()
                    }}
                    <a class="btn" href=format!("/contacts/imports/{}/mapping", import.id)>"Change the columns"</a>
                </div>
            })}
        </Card>
        <Problems problems total=refused/>
    }
}

/// Whom the file itself keeps from being called, and the words that nobody could read as a yes or a no.
#[component]
fn Consent(check: CheckResult) -> impl IntoView {
    let unclear: i64 = check.unclear.iter().map(|(_, count)| count).sum();
    let words: Vec<String> =
        check.unclear.iter().map(|(word, count)| format!("“{word}” ({})", count_text(*count))).collect();
    view! {
        {(check.do_not_call > 0).then(|| view! {
            <li>{format!("Marked as do not call by the file: {}.", count_text(check.do_not_call))}</li>
        })}
        {(unclear > 0).then(|| view! {
            <li>
                {format!(
                    "{} of them because a word about consent is neither a yes nor a no, and in doubt nobody is called: {}.",
                    count_text(unclear),
                    words.join(", "),
                )}
            </li>
        })}
    }
}

/// How many rows became what, and the way to those that became nothing.
#[component]
fn Counts(import: ImportView) -> impl IntoView {
    if !import.has_begun {
        return view! { <Card><p>"Nothing was imported."</p></Card> }.into_any();
    }
    let refused = import.doubled + import.rejected;
    let done = import.status == ImportStatus::Completed;
    let speed =
        import.rows_per_second.filter(|_| import.is_over()).map(|rows| format!(", {} rows a second", count_text(rows)));
    let contacts = format!("/contacts?import={}", import.id);
    view! {
        <Kpis count=4>
            <Kpi label="New contacts" value=count_text(import.imported)/>
            <Kpi label="Updated" value=count_text(import.updated)/>
            <Kpi label="Known and kept" value=count_text(import.kept)/>
            <Kpi label="Not imported" value=count_text(refused)/>
        </Kpis>
        {import.is_over().then(|| view! {
            <Card>
                <p role="status">
                    {if done { "The whole file was read: " } else { "What was imported before the end is kept: " }}
                    {count_text(import.rows)} " rows" {speed} "."
                    {import.completed.clone().map(|stamp| view! { " " <Time stamp class="sub"/> })}
                </p>
                <ul class="stack gap-2"><Consent check=import.preview.check.clone().unwrap_or_default()/></ul>
                <div class="row mt-4">
                    <a class="btn pri" href=contacts>"See the contacts"</a>
                    {import.campaign.clone().map(|(id, name)| view! { <a class="btn" href=format!("/campaigns/{id}")>{name}</a> })}
                </div>
            </Card>
        })}
        {(refused > 0).then(|| view! {
            <p>
                <LinkButton href=format!("/contacts/imports/{}/rejected.csv", import.id) icon="download" external=true>
                    "Download the rows that were not imported"
                </LinkButton>
            </p>
        })}
        <Problems problems=import.problems.clone() total=refused/>
    }
    .into_any()
}

#[component]
fn Problems(problems: Vec<Problem>, total: i64) -> impl IntoView {
    let shown = problems.len() as i64;
    let rows = problems
        .into_iter()
        .map(|problem| {
            view! {
                <tr>
                    <td class="num">{problem.line}</td>
                    <td>{problem.reason}</td>
                    <td class="mono break">{problem.raw.chars().take(200).collect::<String>()}</td>
                </tr>
            }
        })
        .collect_view();
    (shown > 0).then(|| view! {
        <Card title="Rows that are not imported" count=total flush=true class="clip">
            <DataTable
                label="Rows that are not imported"
                class="wrap top"
                head=|| view! {
                    <th scope="col" class="num">"Line"</th>
                    <th scope="col">"Why"</th>
                    <th scope="col">"The row"</th>
                }
            >
                {rows}
            </DataTable>
            {(total > shown).then(|| view! { <p class="sub pad">{format!("The first {shown} of {}.", count_text(total))}</p> })}
        </Card>
    })
}
