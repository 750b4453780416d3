use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::ask::AskCard;
use super::files::{EntryForms, Files, Told, UploadCard};
use super::meaning::InForce;
use crate::model::{Asked, Collection, CollectionPage, EntryQuery, bytes_text};
use crate::server_fns::{ReindexKnowledge, ask_knowledge, get_knowledge};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted};
use patchbay_shell::refused;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// One collection: its files, a way to add some, and a question to try. Forms do not follow live notices: what is chosen stays.
#[lazy]
pub fn knowledge_collection_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let asked = move || {
        let asked = EntryQuery {
            words: query("q"),
            status: query("status"),
            kind: query("kind"),
            sort: query("sort"),
            cursor: query("cursor"),
        };
        (id(), asked)
    };
    let head = load(id, |id| get_knowledge(id, EntryQuery::default()));
    let state = load(asked, |(id, query)| get_knowledge(id, query));
    let hits =
        load(move || (id(), query("question").unwrap_or_default()), |(id, question)| ask_knowledge(id, question));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        // A file that was just uploaded may be indexed before the stream of notices is open.
        live::follow(&["knowledge"], move || state.refetch());
        let again = Callback::new(move |()| {
            head.refetch();
            state.refetch();
        });
        view! { <PageBoundary data=head view=move |page: CollectionPage| view! { <Shown page state hits again/> }/> }
            .into_any()
    })
}

#[component]
fn Shown(
    page: CollectionPage,
    state: Loaded<CollectionPage>,
    hits: Loaded<Asked>,
    again: Callback<()>,
) -> impl IntoView {
    let (collection, may_edit) = (page.collection, page.may_edit);
    let (id, name) = (collection.id, collection.name.clone());
    let description = collection.description.clone();
    let may_add = may_edit && !collection.is_of_archived_client;
    let archived = collection.is_of_archived_client.then(|| {
        view! { <Callout tone=Tone::Warn><p>"The client of this collection is archived: files can be read and deleted, and none can be added."</p></Callout> }
    });
    let readers = match &collection.client {
        Some((_, client)) => format!("Only agents of {client} can be given this collection."),
        None => "Agents of every client can be given this collection.".to_owned(),
    };
    view! {
        <PageTitle text=name.clone() parents=vec![crumb("Knowledge", "/knowledge")]/>
        <PageHead
            title=name
            sub=description
            actions=move || view! {
                <LinkButton href=move || export_address(&id.to_string()) icon="download" external=true>"Export"</LinkButton>
                {may_edit.then(|| view! { <LinkButton href=format!("/knowledge/{id}/edit") icon="pencil">"Change"</LinkButton> })}
            }
        />
        <Told/>
        {archived}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <BlockBoundary
                    data=state
                    view=move |page: CollectionPage| view! { <Counts collection=page.collection may_edit again/><InForce meaning=page.meaning/> }
                />
                <EntryForms collection=id.to_string() may_edit again/>
                <BlockBoundary data=state view=move |page: CollectionPage| view! { <Files page=page.page collection=id may_edit again/> }/>
                {may_add.then(|| view! { <UploadCard collection=id.to_string() again/> })}
                <p class="note"><Icon name="lock" small=true/>{readers}</p>
            </div>
            <AskCard collection=id.to_string() hits/>
        </div>
    }
}

/// The list's filters go along.
fn export_address(id: &str) -> String {
    let pairs: Vec<(String, String)> =
        ["q", "status", "kind", "sort"].into_iter().filter_map(|key| Some((key.to_owned(), query(key)?))).collect();
    format!("/knowledge/{id}/export.csv{}", query_string(&pairs))
}

#[component]
fn Counts(collection: Collection, may_edit: bool, again: Callback<()>) -> impl IntoView {
    let all = FormAction::of::<ReindexKnowledge>();
    let failed = FormAction::of::<ReindexKnowledge>();
    let id = collection.id.to_string();
    let text = format!(
        "{} · {} · {}",
        counted(collection.entries, "file", "files"),
        counted(collection.passages, "passage", "passages"),
        bytes_text(collection.bytes),
    );
    let busy = (collection.busy > 0).then(|| {
        view! { <State tone=Tone::Info label=format!("{} to index", counted(collection.busy, "file", "files")) on=true/> }
    });
    let bad = (collection.failed > 0)
        .then(|| view! { <State tone=Tone::Bad label=format!("{} failed", count_text(collection.failed))/> });
    let settled = collection.entries - collection.busy;
    let of_failed = id.clone();
    view! {
        <div class="row wrap">
            <p class="sub" role="status">{text}</p>
            {busy}
            {bad}
            {(may_edit && collection.failed > 0).then(|| view! {
                <ServerForm action=failed class="inline" prefix="failed" on_done=again said="Indexing again" no_summary=true>
                    <input type="hidden" name="id" value=of_failed/>
                    <input type="hidden" name="failed" value="true"/>
                    <SubmitButton kind=ButtonKind::Plain small=true icon="rotate-ccw">"Try the failed again"</SubmitButton>
                </ServerForm>
            })}
            {(may_edit && settled > 0).then(|| view! {
                <ServerForm action=all class="inline" prefix="all" on_done=again said="Indexing again" no_summary=true>
                    <input type="hidden" name="id" value=id.clone()/>
                    <SubmitButton kind=ButtonKind::Plain small=true icon="refresh-cw">"Index all again"</SubmitButton>
                </ServerForm>
            })}
        </div>
    }
}
