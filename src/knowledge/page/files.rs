use leptos::prelude::*;

use crate::model::{CollectionId, EntryRow, Kind, KnowledgeStatus, UploadProblem, bytes_text};
use crate::server_fns::{AddKnowledgePage, DeleteKnowledgeFile, ReindexKnowledgeFile};
use patchbay_shared::money::counted;
use patchbay_shared::{Page, Tone};
use patchbay_ui::*;

/// What the picker offers.
const ACCEPT: &str = ".pdf,.docx,.xlsx,.html,.htm,.md,.markdown,.txt,.csv,.tsv";

/// What an upload has come to.
#[component]
pub(super) fn Told() -> impl IntoView {
    move || {
        let added: i64 = query("added").and_then(|added| added.parse().ok()).unwrap_or_default();
        let problem = query("problem").and_then(|word| word.parse::<UploadProblem>().ok());
        let file = query("file").unwrap_or_default();
        let added = (added > 0).then(|| {
            let text = format!("{} uploaded. They are found once they are indexed.", counted(added, "file", "files"));
            view! { <Callout tone=Tone::Ok icon="check"><p role="status">{text}</p></Callout> }
        });
        let problem = problem.map(|problem| {
            let name = (!file.is_empty()).then(|| view! { <b class="break">{file}": "</b> });
            view! { <Callout tone=Tone::Bad><p role="alert">{name}{problem.label()}</p></Callout> }
        });
        view! { {added} {problem} }
    }
}

/// The files of a page, with their filters.
#[component]
pub(super) fn Files(
    page: Page<EntryRow>,
    collection: CollectionId,
    may_edit: bool,
    again: Callback<()>,
) -> impl IntoView {
    List::<EntryRow>::new("Files")
        .sorted("-added")
        .search("q", "Find a file")
        .filter(Filter::words("status", "State", KnowledgeStatus::ALL))
        .filter(Filter::words("kind", "Kind", Kind::ALL))
        .keep(&["question", "sort"])
        .no_match_in_card()
        .table("mid")
        .column("File", move |row| {
            let kind = if row.source_url.is_some() { "WEB" } else { row.kind.label() };
            let href = format!("/knowledge/{collection}/files/{}", row.id);
            let parts = [row.size_text(), cell::or(&row.language, "")];
            let note = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
            view! {
                <div class="lead">
                    <span class="ft">{kind}</span>
                    <div class="who">
                        <a href=href rel="external" download="" class="break">{row.name.clone()}</a>
                        <small>{note}</small>
                    </div>
                </div>
            }
        })
        .sort("name")
        .column("State", state)
        .class("wrap-text")
        .number("Size", |row| bytes_text(row.bytes))
        .sort("bytes")
        .column("Added", |row| cell::time(&row.created))
        .class("nowrap")
        .sort("added")
        .acts("Actions", move |row| view! { <Acts row=row.clone() again/> })
        .when(may_edit)
        .empty_view(move || {
            let text = if may_edit {
                "Add price lists, handbooks, questions and answers: whatever agents are asked about."
            } else {
                "An owner or admin of the agency can add files."
            };
            view! { <section class="card"><EmptyState icon="book-open" title="No files yet" text/></section> }
        })
        .show(page)
}

fn state(row: &EntryRow) -> AnyView {
    let is_on = row.status != KnowledgeStatus::Pending;
    let label = match row.percent() {
        Some(percent) => format!("Indexing {percent} %"),
        None => row.status.label().to_owned(),
    };
    let bar = row.percent().map(|percent| {
        view! { <Progress value=f64::from(percent) max=100.0 label="Indexing" quiet=true/> }
    });
    let why = row.error.clone().map(|why| view! { <small class="why">{why}</small> });
    let old = (row.has_passages && row.status != KnowledgeStatus::Indexed)
        .then(|| view! { <small>"What it said before is still found."</small> });
    view! { <div class="who"><State tone=row.status.tone() label on=is_on/>{bar}{why}{old}</div> }.into_any()
}

#[component]
fn Acts(row: EntryRow, again: Callback<()>) -> impl IntoView {
    let reindex = FormAction::of::<ReindexKnowledgeFile>();
    let id = row.id.to_string();
    let is_settled = matches!(row.status, KnowledgeStatus::Indexed | KnowledgeStatus::Failed);
    let label = match (row.status, &row.source_url) {
        (KnowledgeStatus::Failed, _) => "Retry",
        (_, Some(_)) => "Read again",
        _ => "Index again",
    };
    let (replace, delete) = (id.clone(), id.clone());
    let name = format!(" {}", row.name);
    let (of_replace, of_delete) = (name.clone(), name.clone());
    view! {
        <div class="row">
            {is_settled.then(|| view! {
                <ServerForm action=reindex class="inline" prefix=format!("again-{id}") on_done=again said="Indexing again" no_summary=true>
                    <input type="hidden" name="id" value=id.clone()/>
                    <SubmitButton kind=ButtonKind::Plain small=true icon="rotate-ccw">{label}<span class="sr">{name}</span></SubmitButton>
                </ServerForm>
            })}
            <a class="link" href=move || with_query(&[("replace", Some(&replace)), ("delete", None)])>"Replace"<span class="sr">{of_replace}</span></a>
            <a class="link" href=move || with_query(&[("delete", Some(&delete)), ("replace", None)])>"Delete"<span class="sr">{of_delete}</span></a>
        </div>
    }
}

/// The form that the address asks for: another file in the place of one, or whether to delete one.
#[component]
pub(super) fn EntryForms(collection: String, may_edit: bool, again: Callback<()>) -> impl IntoView {
    move || {
        let collection = collection.clone();
        let replace = query("replace").filter(|_| may_edit);
        let delete = query("delete").filter(|_| may_edit);
        let close = || with_query(&[("replace", None), ("delete", None)]);
        let replace = replace.map(|id| {
            view! {
                <Card title="Replace the file">
                    <form class="form" method="post" enctype="multipart/form-data" action=format!("/knowledge/{collection}/files/{id}")>
                        <p class="sub">"Agents find what the old file said until the new one is indexed."</p>
                        <FileField id="replacement" label="Choose the new file" multiple=false/>
                        <FormActs>
                            <SubmitButton icon="upload">"Replace"</SubmitButton>
                            <a class="btn ghost" href=close>"Cancel"</a>
                        </FormActs>
                    </form>
                </Card>
            }
        });
        let delete = delete.map(|id| {
            let action = FormAction::of::<DeleteKnowledgeFile>();
            view! {
                <Card title="Delete the file?" class="danger-zone">
                    <ServerForm action prefix="delete" on_done=again said="File deleted">
                        <p>"The file and its passages are deleted. Agents do not find them any more. This cannot be undone."</p>
                        <input type="hidden" name="id" value=id/>
                        <FormActs>
                            <SubmitButton kind=ButtonKind::DangerSolid icon="trash-2">"Delete the file"</SubmitButton>
                            <a class="btn ghost" href=close>"Cancel"</a>
                        </FormActs>
                    </ServerForm>
                </Card>
            }
        });
        view! { {replace} {delete} }
    }
}

/// Files to add.
#[component]
pub(super) fn UploadCard(collection: String, again: Callback<()>) -> impl IntoView {
    let add = FormAction::of::<AddKnowledgePage>();
    view! {
        <Card title="Add files" id="add">
            <form class="form" method="post" enctype="multipart/form-data" action=format!("/knowledge/{collection}/files")>
                <FileField id="files" label="Choose files" multiple=true/>
                <FormActs><SubmitButton icon="upload">"Upload"</SubmitButton></FormActs>
            </form>
            <ServerForm action=add class="form mt-4" prefix="page" on_done=again said="Page read">
                <input type="hidden" name="id" value=collection.clone()/>
                <TextInput
                    name="address"
                    label="A page by address"
                    kind="url"
                    placeholder="https://www.example.com/prices"
                    hint="The page is read now, and again when you say so."
                    required=true
                    maxlength=1000
                />
                <FormActs><SubmitButton kind=ButtonKind::Plain icon="globe">"Read the page"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

#[component]
fn FileField(id: &'static str, label: &'static str, multiple: bool) -> impl IntoView {
    let hint = format!("{id}-hint");
    view! {
        <label class="drop">
            <Icon name="upload"/>
            <b>{label}</b>
            <small id=hint.clone()>"PDF, Word, Excel, HTML, Markdown, text or CSV, up to 50 MB each. Contents are checked, not only names."</small>
            <input type="file" id=id name="file" accept=ACCEPT multiple=multiple required=true aria-describedby=hint/>
        </label>
    }
}
