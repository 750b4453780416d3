use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::list::ModeChoice;
use super::top;
use crate::model::form::{COLLECTION_BOX, SKILL_BOX, TeamForm};
use crate::model::rules::{RULE_KINDS, RuleForm};
use crate::model::views::LimitsPage;
use crate::model::{MOST_RULES, TeamMode};
use crate::server_fns::{SaveTeam, get_team_limits};
use patchbay_access::Action;
use patchbay_shared::{AppError, Reason};
use patchbay_shell::{HistoryLink, refused, viewer};
use patchbay_ui::*;

/// A team's name, limits and rules. It does not follow live notices: what is being typed stays.
#[lazy]
pub fn team_limits_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_team_limits);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: LimitsPage| view! { <Limits page again/> }/> }.into_any()
    })
}

#[component]
fn Limits(page: LimitsPage, again: Callback<()>) -> impl IntoView {
    let history = view! { <HistoryLink id=page.head.id.to_string()/> }.into_any();
    let top = top(&page.head, "limits", "Limits and approval", history, None);
    let body = match page.head.may_edit {
        true => view! { <Form page again/> }.into_any(),
        false => {
            let facts = page
                .facts
                .into_iter()
                .filter(|(_, how)| !how.is_empty())
                .map(|(what, how)| view! { <Fact label=what><span class="pre-line break">{how}</span></Fact> })
                .collect_view();
            view! { <Card title="Limits and approval"><Facts wide=true>{facts}</Facts></Card> }.into_any()
        }
    };
    view! { {top}{body} }
}

#[component]
fn Form(page: LimitsPage, again: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SaveTeam>();
    let (form, rules, workers, tools) =
        (page.form.clone(), page.rules.clone(), page.workers.clone(), page.tools.clone());
    let (clients, collections, skills) = (page.clients.clone(), page.collections.clone(), page.skills.clone());
    let (same, taught, limits) = (form.clone(), form.clone(), form.clone());
    let is_supervisor = form.mode == TeamMode::Supervisor.as_str();
    let error = Signal::derive(move || save.answer().and_then(Result::err));
    view! {
        <ServerForm action=save class="form" on_done=again said="Saved as a new version" draft_of=viewer().user_id.to_string()>
            <input type="hidden" name="id" value=form.id.clone()/>
            <input type="hidden" name="revision" value=form.revision.clone()/>
            <Overwrite error/>
            <div class="cols two">
                <Card title="The team">
                    <div class="form">
                        <TextInput name="name" label="Name" value=form.name.clone() required=true maxlength=80 autocomplete="off"/>
                        <TextArea name="description" label="What it is for" value=form.description.clone() rows=2 maxlength=500/>
                        <ModeChoice value=if is_supervisor { TeamMode::Supervisor } else { TeamMode::Coordinate }/>
                        <Select name="client" label="Client" options=clients value=form.client.clone() prompt="Every client" mark=false/>
                        <TextArea
                            name="instructions"
                            label="Instructions of the supervisor"
                            value=form.instructions.clone()
                            rows=5
                            maxlength=8000
                            hint="What it is told beside the members: what comes first, when to ask back, how to answer."
                        />
                    </div>
                </Card>
                <div class="stack gap-4 min0">
                    <LimitFields form=limits/>
                    <Where page/>
                </div>
            </div>
            <Rules rules workers tools/>
            <div class="cols two">
                <Boxes title="Shared knowledge" before=COLLECTION_BOX options=collections form=same none="There are no collections yet." note="Every member may look things up in these, beside its own."/>
                <Boxes title="Shared skills" before=SKILL_BOX options=skills form=taught none="There are no skills yet." note="Every member is told these, and may have their scripts run."/>
            </div>
            <TextInput name="note" label="What was changed" maxlength=200 autocomplete="off" hint="For the list of versions."/>
            <FormActs sticky=true><SubmitButton icon="check">"Save as a new version"</SubmitButton></FormActs>
        </ServerForm>
    }
}

/// Somebody else saved meanwhile. The summary says so; this box says what to do about it.
#[component]
fn Overwrite(#[prop(into)] error: Signal<Option<AppError>>) -> impl IntoView {
    // Without script the refused form comes back with its error in the address.
    let is_refused =
        move || matches!(error.get(), Some(AppError::Conflict(Reason::StalePage, _))) || query("__err").is_some();
    view! {
        <Show when=is_refused>
            <Checkbox
                name="overwrite"
                label="Save my version in the place of theirs"
                hint="Somebody else has saved in the meantime. The versions keep both."
                value="true"
            />
        </Show>
    }
}

#[component]
fn LimitFields(form: TeamForm) -> impl IntoView {
    view! {
        <Card title="Limits" footer=|| view! { <p class="note">"A run stops at a limit and says so. The clock stands still while a person is asked."</p> }>
            <div class="form two">
                <TextInput name="most_steps" label="Steps" value=form.most_steps inputmode="numeric" mark=false class="short" hint="Answers of models and uses of tools, 1 to 200."/>
                <TextInput name="most_cost" label="Money" value=form.most_cost inputmode="decimal" mark=false class="short" prefix_text="$" hint="Of one run, 0.01 to 1000."/>
                <TextInput name="most_seconds" label="Time" value=form.most_seconds inputmode="numeric" mark=false class="short" suffix_text="seconds" hint="10 to 86400."/>
                <TextInput name="threshold" label="Asks back below" value=form.threshold inputmode="numeric" mark=false class="short" suffix_text="%" hint="How sure the supervisor must be, 0 to 100."/>
            </div>
        </Card>
    }
}

/// Which models ask and work, and where.
#[component]
fn Where(page: LimitsPage) -> impl IntoView {
    let form = page.form;
    view! {
        <Card title="Models and places">
            <div class="form two">
                <Select name="account" label="Account of the supervisor" options=page.accounts value=form.account prompt="The one that agents use" mark=false/>
                <TextInput name="model" label="Its model" value=form.model class="mono" maxlength=120 mark=false autocomplete="off" hint="Empty: the model that agents use."/>
                <Select name="engine" label="Engine of the workers" options=page.engines value=form.engine prompt="The default engine" mark=false/>
                <Select name="target" label="Target" options=page.targets value=form.target prompt="The first active target" mark=false/>
                <TextInput name="memory_mb" label="Memory of a script" value=form.memory_mb inputmode="numeric" mark=false class="short" suffix_text="MB" hint="16 to 65536."/>
            </div>
        </Card>
    }
}

/// The rules, and one empty row for the next.
#[component]
fn Rules(rules: Vec<RuleForm>, workers: Vec<(String, String)>, tools: Vec<String>) -> impl IntoView {
    let count = rules.len();
    let names = tools.into_iter().map(|name| view! { <option value=name></option> }).collect_view();
    let rows = rules
        .into_iter()
        .chain((count < MOST_RULES).then(|| RuleForm { minutes: "60".to_owned(), ..RuleForm::default() }))
        .enumerate()
        .map(|(number, rule)| view! { <Rule number rule workers=workers.clone() is_new=number == count/> })
        .collect_view();
    view! {
        <Card title="Approval" count footer=|| view! { <p class="note">"Nothing that a rule asks about is done before somebody approves. To remove a rule, choose “No rule”. After saving there is room for another one."</p> }>
            <p class="sub">"When a person is asked before something is done. Approvals reach people on the dashboard, in the playground and by e-mail."</p>
            <datalist id="tool-names">{names}</datalist>
            <div class="stack gap-4 rules">{rows}</div>
        </Card>
    }
}

#[component]
fn Rule(number: usize, rule: RuleForm, workers: Vec<(String, String)>, is_new: bool) -> impl IntoView {
    let legend = if is_new { "Another rule".to_owned() } else { format!("Rule {}", number + 1) };
    let field = move |name: &str| format!("rule_{number}_{name}");
    view! {
        <Fieldset legend class="rule">
            <Select name=field("on") label="Asks when" options=options_of(RULE_KINDS.iter().copied()) value=rule.on prompt="No rule" mark=false/>
            <TextInput name=field("name") label="Name" value=rule.name mark=false maxlength=80 autocomplete="off" placeholder="Refunds above 50"/>
            <TextInput name=field("tool") label="Tool" value=rule.tool class="mono" mark=false maxlength=80 autocomplete="off" list="tool-names" hint="For “a tool is used”."/>
            <TextInput name=field("argument") label="Argument" value=rule.argument class="mono" mark=false maxlength=80 autocomplete="off" hint="Empty: each use of it."/>
            <TextInput name=field("above") label="Above" value=rule.above inputmode="decimal" mark=false hint="A number of the argument, or US dollars."/>
            <Select name=field("worker") label="Worker" options=workers value=rule.worker prompt="None" mark=false hint="For “a worker starts a job”."/>
            <TextInput name=field("minutes") label="Minutes to decide" value=rule.minutes inputmode="numeric" mark=false hint="Then it counts as rejected."/>
            <Checkbox name=field("client") label="The client’s admins may decide, too" checked=rule.for_client/>
        </Fieldset>
    }
}

/// Boxes to tick, one for each of what is there.
#[component]
fn Boxes(
    title: &'static str,
    before: &'static str,
    options: Vec<(String, String)>,
    form: TeamForm,
    none: &'static str,
    note: &'static str,
) -> impl IntoView {
    let is_empty = options.is_empty();
    let boxes = options
        .into_iter()
        .map(|(id, label)| {
            let name = format!("{before}{id}");
            let checked = form.more.contains_key(&name);
            view! { <Checkbox name label checked/> }
        })
        .collect_view();
    view! {
        <Card title footer=move || view! { <p class="note">{note}</p> }>
            {is_empty.then(|| view! { <p class="sub">{none}</p> })}
            <div class="stack boxes">{boxes}</div>
        </Card>
    }
}
