use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{MANAGE, Overwrite};
use crate::model::{SkillPage, SkillText};
use crate::server_fns::{SaveSkill, get_skill};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// The form for a new skill.
#[lazy]
pub fn new_skill_page() -> PageView {
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! {
            <PageTitle text="New skill" parents=vec![crumb("Skills", "/skills")]/>
            <PageHead title="New skill" sub="References and scripts are added once it is there."/>
            <Card><Form page=None/></Card>
        }
        .into_any()
    })
}

/// The form for a present one. It does not follow live notices: what is being typed stays.
#[lazy]
pub fn edit_skill_page() -> PageView {
    let params = use_params_map();
    let skill = load(move || params.read().get("id").unwrap_or_default(), get_skill);
    Arc::new(move || {
        if let Some(refused) = refused(MANAGE) {
            return refused;
        }
        view! { <PageBoundary data=skill view=move |page: SkillPage| view! { <Edit page/> }/> }.into_any()
    })
}

#[component]
fn Edit(page: SkillPage) -> impl IntoView {
    let name = page.text.name.clone();
    let parents = vec![crumb("Skills", "/skills"), crumb(name.clone(), format!("/skills/{}", page.id))];
    view! {
        <PageTitle text="Change" parents/>
        <PageHead title=format!("Change {name}") sub="Agents that have it are told the new text from their next call on."/>
        <Card><Form page=Some(page)/></Card>
    }
}

#[component]
fn Form(page: Option<SkillPage>) -> impl IntoView {
    let save = FormAction::of::<SaveSkill>();
    let is_new = page.is_none();
    let (id, revision, text) = match page {
        Some(page) => (page.id.to_string(), page.revision.to_string(), page.text),
        None => (String::new(), String::new(), SkillText::default()),
    };
    let back = if is_new { "/skills".to_owned() } else { format!("/skills/{id}") };
    view! {
        <ServerForm action=save class="form" draft_of=viewer().user_id.to_string()>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="revision" value=revision/>
            <Overwrite error=Signal::derive(move || save.answer().and_then(Result::err))/>
            <TextInput
                name="name"
                label="Name"
                value=text.name
                required=true
                maxlength=64
                class="mono"
                placeholder="booking-visits"
                hint="Small letters, digits and hyphens, as SKILL.md has it."
            />
            <TextArea
                name="description"
                label="Description"
                value=text.description
                rows=3
                required=true
                maxlength=1024
                hint="What it is for and when to use it: the model decides by this."
            />
            <TextArea
                name="instructions"
                label="Instructions"
                value=text.instructions
                rows=16
                class="prompt-editor"
                required=true
                hint="In Markdown. A skill has no variables: those belong into prompts."
            />
            <div class="form two">
                <TextInput name="category" label="Category" value=text.category maxlength=60/>
                <TextInput name="tags" label="Tags" value=text.tags.join(", ") hint="Separated by commas."/>
            </div>
            <TextInput
                name="allowed_tools"
                label="Tools for it"
                value=text.allowed_tools.join(" ")
                class="mono"
                hint="Names of the agent’s tools, with spaces between them. A page names those that an agent lacks."
            />
            <TextInput name="license" label="License" value=text.license maxlength=300/>
            <FormActs sticky=true>
                <SubmitButton>{if is_new { "Create skill" } else { "Save" }}</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}
