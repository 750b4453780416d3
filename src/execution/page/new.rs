use std::sync::Arc;

use leptos::prelude::*;

use crate::model::job::{JobChoices, JobForm};
use crate::server_fns::{RunExecutionJob, get_job_choices};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

/// The form of a job that somebody runs by hand.
#[lazy]
pub fn new_job_page() -> PageView {
    let asked = || JobForm {
        engine: query("engine").unwrap_or_default(),
        target: query("target").unwrap_or_default(),
        agent: query("agent").unwrap_or_default(),
        script: query("script").unwrap_or_default(),
        ..JobForm::default()
    };
    let choices = load(asked, get_job_choices);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageExecution) {
            return refused;
        }
        view! {
            <PageTitle text="Run a job" parents=vec![crumb("Teams", "/teams"), crumb("Execution", "/execution")]/>
            <PageBoundary data=choices view=move |choices: JobChoices| view! { <Page choices/> }/>
        }
        .into_any()
    })
}

#[component]
fn Page(choices: JobChoices) -> impl IntoView {
    let sub = "One piece of work, done by an engine on a target. It is in the list of jobs like those of teams.";
    let missing = choices.missing.clone().map(|missing| {
        let href = if choices.engines.is_empty() { "/execution/engines" } else { "/execution/targets" };
        view! { <Callout tone=Tone::Warn><p>{missing}" "<a class="link" href=href>"Add it"</a></p></Callout> }
    });
    view! {
        <PageHead title="Run a job" sub/>
        {missing}
        <Card><Form choices/></Card>
    }
}

#[component]
fn Form(choices: JobChoices) -> impl IntoView {
    let run = FormAction::of::<RunExecutionJob>();
    let JobChoices { engines, targets, agents, scripts, form, .. } = choices;
    view! {
        <ServerForm action=run class="form">
            <input type="hidden" name="key" value=form.key/>
            <TextInput name="title" label="What it does" value=form.title mark=false maxlength=120 autocomplete="off" placeholder="Merge claim photos"/>
            <Select name="engine" label="Engine" options=engines value=form.engine mark=false hint="How the work is done: by a model with the tools of an agent, or by a command in a sandbox."/>
            <Select name="target" label="Target" options=targets value=form.target mark=false hint="Where it is done."/>
            <Fieldset legend="For a model" hint="Leave these empty for a command.">
                <Select name="agent" label="Agent" options=agents value=form.agent prompt="None" hint="Its prompt, tools and skills are taken as they are now."/>
            </Fieldset>
            <Fieldset legend="For a command" hint="Leave these empty for a model.">
                <Select name="script" label="Script of a skill" options=scripts value=form.script prompt="None"/>
                <TextArea name="content" label="Or a script of its own" value=form.content rows=6 class="prompt-editor" maxlength=20000 hint="Read by the engine’s interpreter. Files that it writes into the folder out are kept."/>
            </Fieldset>
            <TextArea name="input" label="What it is told" value=form.input rows=5 maxlength=20000 hint="A model’s task; a command reads it from its standard input."/>
            <div class="cols two">
                <TextInput name="memory_mb" label="Memory" value=form.memory_mb inputmode="numeric" suffix_text="MB" class="short" hint="Empty: as the engine has it."/>
                <TextInput name="minutes" label="Time of a try" value=form.minutes inputmode="numeric" suffix_text="minutes" class="short" hint="Empty: as the engine has it."/>
            </div>
            <Checkbox name="asks" label="Somebody has to approve it first" checked=form.asks.is_some() hint="An owner or admin has two hours; else it counts as rejected."/>
            <Checkbox name="for_client" label="The client’s admins may decide, too" checked=form.for_client.is_some() hint="For work of an agent that has a client."/>
            <FormActs>
                <SubmitButton icon="play">"Run it"</SubmitButton>
                <LinkButton href="/execution">"Leave it"</LinkButton>
            </FormActs>
        </ServerForm>
    }
}
