use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::checks::ToFix;
use super::labels::ToApprove;
use super::outcomes::OutcomeCard;
use super::prompt_tabs;
use super::versions::{Side, VersionActions};
use crate::model::{Outcomes, PRODUCTION, PromptPage};
use crate::server_fns::{SavePrompt, SetPromptActive, get_prompt, get_prompt_outcomes};
use patchbay_access::Action;
use patchbay_shared::{AppError, Reason, Tone};
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
    let outcomes = load(move || params.read().get("id").unwrap_or_default(), get_prompt_outcomes);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("prompt:{id}")], move || side.refetch());
        let done = Callback::new(move |()| {
            prompt.refetch();
            side.refetch();
        });
        view! { <PageBoundary data=prompt view=move |prompt: PromptPage| view! { <Page prompt side outcomes done/> }/> }
            .into_any()
    })
}

#[component]
fn Page(prompt: PromptPage, side: Loaded<PromptPage>, outcomes: Loaded<Outcomes>, done: Callback<()>) -> impl IntoView {
    let id = prompt.id;
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
            tags={
                let tags = prompt.tags.clone();
                move || view! {
                    {tags.into_iter().map(|tag| view! { <Tag class="outline">{tag}</Tag> }).collect_view()}
                    {(!is_active).then(|| view! { <Tag>"Deactivated"</Tag> })}
                }
            }
            actions={
                let prompt = prompt.clone();
                move || view! {
                    <LinkButton href=format!("/prompts/{id}/diff") icon="git-compare">"Compare"</LinkButton>
                    <HistoryLink id=prompt.id.to_string()/>
                    {prompt.may_edit.then(|| view! { <SetActive prompt done/> })}
                }
            }
        />
        <Tabs label="Prompt" items=prompt_tabs(id, "editor")/>
        <BlockBoundary data=side view=move |prompt: PromptPage| view! { <ToApprove prompt done/> }/>
        {(prompt.has_unsaved && can_edit).then(|| view! {
            <Callout tone=Tone::Warn>
                <p>"A text of yours could not be saved, because somebody else had saved meanwhile. It was kept. "<a class="link" href=format!("/prompts/{id}/merge")>"Merge it"</a></p>
            </Callout>
        })}
        {is_old.then(|| view! { <VersionActions prompt=prompt.clone() done/> })}
        <div class="cols main-side">
            <div class="stack gap-4">
                <Card title>{middle}</Card>
                <BlockBoundary data=outcomes view=move |outcomes: Outcomes| view! { <OutcomeCard id outcomes/> }/>
            </div>
            <BlockBoundary data=side view=move |prompt: PromptPage| view! { <Side prompt done/> }/>
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
    let to_fix = prompt.clone().map(|prompt| view! { <ToFix prompt/> });
    let merge = (!is_new).then(|| format!("/prompts/{id}/merge"));
    let (release, release_hint) = release_words(prompt.as_ref());
    let (name, template, description, tags, tools) = prompt
        .map(|prompt| {
            (prompt.name, prompt.template, prompt.description, prompt.tags.join(", "), prompt.tools.join(", "))
        })
        .unwrap_or_default();
    view! {
        <ServerForm action=save class="form" draft_of=viewer().user_id.to_string() on_done=done said="Prompt saved">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="base_version" value=base/>
            <PromptConflict nostrip:merge=merge error=Signal::derive(move || save.answer().and_then(Result::err))/>
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
            {to_fix}
            <div class="form two">
                <TextInput name="description" label="Description" value=description maxlength=1000/>
                <TextInput name="tags" label="Tags" value=tags hint="Separated by commas."/>
            </div>
            <TextInput name="tools" label="Tools that the text relies on" value=tools class="mono" hint="Names separated by commas. Each agent that uses the prompt is checked for them."/>
            <TextInput name="note" label="What changed" maxlength=300 hint="Shown next to this version in the list."/>
            <Checkbox
                name="production"
                label=release
                hint=release_hint
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

/// What ticking means, by what the prompt asks for.
fn release_words(prompt: Option<&PromptPage>) -> (&'static str, String) {
    let said = "Agents that use this prompt get this version at once. Calls in progress keep theirs.";
    match prompt {
        Some(prompt) if prompt.needs_second_person => (
            "Ask to use it in production",
            format!("Another owner or admin approves it first. Agents say version {} until then.", prompt.spoken),
        ),
        Some(prompt) if prompt.labels.iter().all(|state| state.label != PRODUCTION) => (
            "Use in production",
            "Without the label production agents say every version that is saved. With it, they stay at the labelled one.".to_owned(),
        ),
        _ => ("Use in production", said.to_owned()),
    }
}

/// Inside a form that saves a prompt: somebody else saved meanwhile. The summary says who; this box says what to do about it.
#[component]
pub fn PromptConflict(
    #[prop(into)] error: Signal<Option<AppError>>,
    /// Where the text that was kept is merged.
    #[prop(optional, into)]
    merge: Option<String>,
) -> impl IntoView {
    let is_kept = move || matches!(error.get(), Some(AppError::Conflict(Reason::StalePage, _)));
    // Without script the refused form comes back with its error in the address.
    let is_refused = move || is_kept() || query("__err").is_some();
    view! {
        <Show when=is_refused>
            {merge.clone().filter(|_| is_kept()).map(|href| view! {
                <p>"Your text was kept. "<a class="link" href=href>"See what differs, and merge both texts"</a></p>
            })}
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
    let template = prompt.template.clone();
    view! {
        <div class="stack gap-3">
            <ToFix prompt/>
            <pre class="code pre-line">{template}</pre>
        </div>
    }
}
