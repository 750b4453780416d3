use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::versions::{Side, VersionActions};
use crate::model::PromptPage;
use crate::server_fns::{SavePrompt, SetPromptActive, get_prompt};
use patchbay_access::Action;
use patchbay_shared::{AppError, Reason};
use patchbay_shell::{HistoryLink, refused, viewer};
use patchbay_ui::*;

/// The form for a new prompt.
#[lazy]
pub fn new_prompt_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManagePrompts) {
            return refusal;
        }
        view! {
            <PageTitle text="New prompt" parents=vec![crumb("Prompts", "/prompts")]/>
            <PageHead title="New prompt" sub="Tell the agent its task, tone and limits."/>
            <Card><Editor prompt=None done=Callback::new(|()| ())/></Card>
        }
        .into_any()
    })
}

/// One prompt: the editor, and its versions beside it. Live notices renew the side only: what is being typed stays.
#[lazy]
pub fn prompt_editor_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        (params.read().get("id").unwrap_or_default(), query("version").and_then(|version| version.parse().ok()))
    };
    let fetch = |(id, version)| get_prompt(id, version);
    let prompt = load(asked, fetch);
    let side = load(asked, fetch);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("prompt:{id}")], move || side.refetch());
        let done = Callback::new(move |()| {
            prompt.refetch();
            side.refetch();
        });
        view! { <PageBoundary data=prompt view=move |prompt: PromptPage| view! { <Page prompt side done/> }/> }
            .into_any()
    })
}

#[component]
fn Page(prompt: PromptPage, side: Loaded<PromptPage>, done: Callback<()>) -> impl IntoView {
    let is_active = prompt.is_active;
    let is_old = prompt.shown != prompt.version;
    let can_edit = prompt.may_edit && is_active;
    let title = if is_old {
        format!("Version {} of {}", prompt.shown, prompt.version)
    } else {
        format!("Version {}", prompt.version)
    };
    let middle = if can_edit && !is_old {
        view! { <Editor prompt=Some(prompt.clone()) done/> }.into_any()
    } else {
        view! { <Text prompt=prompt.clone()/> }.into_any()
    };
    view! {
        <PageTitle text=prompt.name.clone() parents=vec![crumb("Prompts", "/prompts")]/>
        <PageHead
            title=prompt.name.clone()
            sub=prompt.description.clone()
            tags=move || (!is_active).then(|| view! { <Tag>"Deactivated"</Tag> })
            actions={
                let prompt = prompt.clone();
                move || view! {
                    <HistoryLink id=prompt.id.to_string()/>
                    {prompt.may_edit.then(|| view! { <SetActive prompt done/> })}
                }
            }
        />
        {is_old.then(|| view! { <VersionActions prompt=prompt.clone() done/> })}
        <div class="cols main-side">
            <Card title>{middle}</Card>
            <BlockBoundary data=side view=move |prompt: PromptPage| view! { <Side prompt/> }/>
        </div>
    }
}

#[component]
fn SetActive(prompt: PromptPage, done: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetPromptActive>();
    let is_active = prompt.is_active;
    let (word, icon) = if is_active { ("Deactivate", "x") } else { ("Restore", "rotate-ccw") };
    view! {
        <ServerForm action=set class="inline" prefix="active" on_done=done said="State changed">
            <input type="hidden" name="id" value=prompt.id.to_string()/>
            {(!is_active).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn Editor(prompt: Option<PromptPage>, done: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SavePrompt>();
    let is_new = prompt.is_none();
    let (id, base) =
        prompt.as_ref().map(|prompt| (prompt.id.to_string(), prompt.version.to_string())).unwrap_or_default();
    let variables = prompt.as_ref().map(|prompt| prompt.variables.clone()).unwrap_or_default();
    let (name, template, description, tags) = prompt
        .map(|prompt| (prompt.name, prompt.template, prompt.description, prompt.tags.join(", ")))
        .unwrap_or_default();
    view! {
        <ServerForm action=save class="form" draft_of=viewer().user_id.to_string() on_done=done said="Prompt saved">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="base_version" value=base/>
            <PromptConflict error=Signal::derive(move || save.answer().and_then(Result::err))/>
            <TextInput name="name" label="Name" value=name required=true maxlength=120/>
            <TextArea
                name="template"
                label="Prompt"
                value=template
                rows=20
                class="prompt-editor"
                required=true
                hint="Write variables in double braces, for example {{first_name}}. They are filled from the contact and the campaign."
            />
            {(!variables.is_empty()).then(|| view! { <Variables names=variables/> })}
            <div class="form two">
                <TextInput name="description" label="Description" value=description maxlength=1000/>
                <TextInput name="tags" label="Tags" value=tags hint="Separated by commas."/>
            </div>
            <TextInput name="note" label="What changed" maxlength=300 hint="Shown next to this version in the list."/>
            <Checkbox
                name="production"
                label="Use in production"
                hint="Agents that use this prompt get this version at once. Calls in progress keep theirs."
                checked=true
                value="true"
            />
            <FormActs sticky=true>
                <SubmitButton>{if is_new { "Create prompt" } else { "Save version" }}</SubmitButton>
                {is_new.then(|| view! { <a class="btn ghost" href="/prompts">"Cancel"</a> })}
            </FormActs>
        </ServerForm>
    }
}

/// Inside a form that saves a prompt: somebody else saved meanwhile. The summary says who; this box says what to do about it.
#[component]
pub fn PromptConflict(#[prop(into)] error: Signal<Option<AppError>>) -> impl IntoView {
    // Without script the refused form comes back with its error in the address.
    let is_refused =
        move || matches!(error.get(), Some(AppError::Conflict(Reason::StalePage, _))) || query("__err").is_some();
    view! {
        <Show when=is_refused>
            <Checkbox
                name="overwrite"
                label="Save my text as a version after theirs"
                hint="Somebody else has saved in the meantime. Their version stays in the list."
                value="true"
            />
        </Show>
    }
}

#[component]
fn Text(prompt: PromptPage) -> impl IntoView {
    view! {
        <div class="stack gap-3">
            <pre class="code pre-line">{prompt.template}</pre>
            {(!prompt.variables.is_empty()).then(|| view! { <Variables names=prompt.variables/> })}
        </div>
    }
}

#[component]
fn Variables(names: Vec<String>) -> impl IntoView {
    let names = names.into_iter().map(|name| view! { <Tag class="outline mono">{name}</Tag> }).collect_view();
    view! { <div class="row wrap"><span class="sub">"Variables found"</span>{names}</div> }
}
