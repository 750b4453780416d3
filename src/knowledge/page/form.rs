use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::MANAGE;
use crate::model::CollectionChoices;
use crate::server_fns::{DeleteKnowledge, SaveKnowledge, knowledge_choices};
use patchbay_shared::money::counted;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The form for a new collection.
#[lazy]
pub fn new_knowledge_page() -> PageView {
    let choices = load(|| (), |()| knowledge_choices(None));
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! {
            <PageTitle text="New collection" parents=vec![crumb("Knowledge", "/knowledge")]/>
            <PageHead title="New collection" sub="What belongs together: an agent is given whole collections."/>
            <PageBoundary data=choices view=move |choices: CollectionChoices| view! { <Card><Form choices/></Card> }/>
        }
        .into_any()
    })
}

/// The form for a present one.
#[lazy]
pub fn edit_knowledge_page() -> PageView {
    let params = use_params_map();
    let choices = load(move || params.read().get("id"), knowledge_choices);
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! { <PageBoundary data=choices view=move |choices: CollectionChoices| view! { <Edit choices/> }/> }
            .into_any()
    })
}

#[component]
fn Edit(choices: CollectionChoices) -> impl IntoView {
    let Some(collection) = choices.collection.clone() else { return ().into_any() };
    let delete = FormAction::of::<DeleteKnowledge>();
    let id = collection.id.to_string();
    let parents = vec![crumb("Knowledge", "/knowledge"), crumb(collection.name.clone(), format!("/knowledge/{id}"))];
    let text = format!(
        "{} will be deleted with all passages. Agents that have this collection find nothing in it any more. This cannot be undone.",
        counted(collection.entries, "file", "files")
    );
    view! {
        <PageTitle text="Change" parents/>
        <PageHead title=format!("Change {}", collection.name)/>
        <Card><Form choices/></Card>
        <Card title="Delete" class="danger-zone">
            <p class="sub">"The collection goes with its files and passages."</p>
            <p class="mt-4"><DialogLink name="delete" kind=ButtonKind::Danger icon="trash-2">"Delete the collection"</DialogLink></p>
        </Card>
        <ConfirmForm name="delete" action=delete title=format!("Delete {}?", collection.name) text confirm="Delete the collection" danger=true>
            <input type="hidden" name="id" value=id/>
        </ConfirmForm>
    }
    .into_any()
}

#[component]
fn Form(choices: CollectionChoices) -> impl IntoView {
    let save = FormAction::of::<SaveKnowledge>();
    let collection = choices.collection;
    let is_new = collection.is_none();
    let back = collection.as_ref().map_or_else(|| "/knowledge".to_owned(), |one| format!("/knowledge/{}", one.id));
    let clients = options_of(choices.clients.into_iter().map(|(id, name)| (id.to_string(), name)));
    let (id, name, description, of) = match collection {
        Some(one) => {
            let of = one.client.map_or_else(|| "every client".to_owned(), |(_, name)| name);
            (one.id.to_string(), one.name, one.description, of)
        }
        None => (String::new(), String::new(), String::new(), String::new()),
    };
    view! {
        <ServerForm action=save>
            {(!is_new).then(|| view! { <input type="hidden" name="id" value=id/> })}
            <TextInput name="name" label="Name" value=name required=true maxlength=80/>
            <TextArea name="description" label="What is in it" value=description rows=3 hint="For your people, and for whoever chooses it for an agent."/>
            {if is_new {
                view! {
                    <Select
                        name="client"
                        label="For"
                        options=clients
                        value=query("client").unwrap_or_default()
                        prompt="Every client"
                        mark=false
                        hint="Only agents of this client can be given the collection. It cannot be changed later."
                    />
                }
                .into_any()
            } else {
                view! { <p class="sub">{format!("For the agents of {of}. That cannot be changed: make another collection for somebody else.")}</p> }
                    .into_any()
            }}
            <FormActs>
                <SubmitButton>{if is_new { "Make the collection" } else { "Save" }}</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}
