use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{MANAGE, Overwrite};
use crate::model::{FileKind, SkillFile, SkillPage};
use crate::server_fns::{RemoveSkillFile, SaveSkillFile, get_skill};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// The form of a reference or a script: `?kind=` says which, `?name=` is the one that is changed.
#[lazy]
pub fn skill_file_page() -> PageView {
    let params = use_params_map();
    let skill = load(move || params.read().get("id").unwrap_or_default(), get_skill);
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! { <PageBoundary data=skill view=move |page: SkillPage| view! { <File page/> }/> }.into_any()
    })
}

#[component]
fn File(page: SkillPage) -> impl IntoView {
    let kind = query("kind").and_then(|word| word.parse::<FileKind>().ok()).unwrap_or(FileKind::Reference);
    let name = query("name").unwrap_or_default();
    let known = page.text.files(kind).iter().find(|file| file.name == name).cloned();
    let (skill, href) = (page.text.name.clone(), format!("/skills/{}", page.id));
    let word = kind.label().to_lowercase();
    let title = match &known {
        Some(file) => file.name.clone(),
        None => format!("Add a {word}"),
    };
    let sub = match kind {
        FileKind::Reference => {
            "What the instructions refer to: prices, hours, questions and answers. Agents are told all of it."
        }
        FileKind::Script => "Agents are told it as text. It is never run.",
    };
    let remove = known.clone().map(|file| view! { <Remove id=page.id.to_string() kind file/> });
    let parents = vec![crumb("Skills", "/skills"), crumb(skill, href.clone())];
    view! {
        <PageTitle text=title.clone() parents/>
        <PageHead title sub/>
        <Card><Form id=page.id.to_string() revision=page.revision.to_string() kind known back=href/></Card>
        {remove}
    }
}

#[component]
fn Form(id: String, revision: String, kind: FileKind, known: Option<SkillFile>, back: String) -> impl IntoView {
    let save = FormAction::of::<SaveSkillFile>();
    let is_new = known.is_none();
    let file = known.unwrap_or_default();
    let example = match kind {
        FileKind::Reference => "prices.md",
        FileKind::Script => "check_insurance.py",
    };
    view! {
        <ServerForm action=save class="form" draft_of=viewer().user_id.to_string()>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="revision" value=revision/>
            <input type="hidden" name="kind" value=kind.as_str()/>
            <input type="hidden" name="old_name" value=file.name.clone()/>
            <Overwrite error=Signal::derive(move || save.answer().and_then(Result::err))/>
            <TextInput name="file_name" label="File name" value=file.name required=true maxlength=120 class="mono" placeholder=example/>
            <TextArea name="content" label="Content" value=file.content rows=16 class="prompt-editor" required=true/>
            <FormActs sticky=true>
                <SubmitButton>{if is_new { "Add" } else { "Save" }}</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}

#[component]
fn Remove(id: String, kind: FileKind, file: SkillFile) -> impl IntoView {
    let remove = FormAction::of::<RemoveSkillFile>();
    let word = kind.label().to_lowercase();
    let text =
        format!("Agents that have the skill are not told {} any more. The history keeps what it said.", file.name);
    view! {
        <Card title="Remove" class="danger-zone">
            <p class="sub">"The skill itself stays."</p>
            <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">{format!("Remove the {word}")}</DialogLink></p>
        </Card>
        <ConfirmForm name="remove" action=remove title=format!("Remove {}?", file.name) text confirm="Remove" danger=true>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="kind" value=kind.as_str()/>
            <input type="hidden" name="old_name" value=file.name/>
        </ConfirmForm>
    }
}
