use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::prompt_tabs;
use crate::model::{
    LabelState, MoveList, MoveQuery, MoveRow, MoveStatus, PRODUCTION, PromptPage, STAGING, WaitingMove,
};
use crate::server_fns::{
    DecidePromptMove, MovePromptLabel, RemovePromptLabel, SetPromptRule, WithdrawPromptMove, list_prompt_moves,
};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// The tone of a label: the one that agents follow stands out.
pub(super) fn label_tone(label: &str) -> Tone {
    match label {
        PRODUCTION => Tone::Ok,
        STAGING => Tone::Info,
        _ => Tone::Mute,
    }
}

/// A move of `production` that waits: what it changes, and the answer.
#[component]
pub(super) fn ToApprove(prompt: PromptPage, done: Callback<()>) -> impl IntoView {
    let may_edit = prompt.may_edit;
    let id = prompt.id;
    prompt.waiting.map(|waiting| {
        let from = waiting.from.unwrap_or(prompt.spoken);
        let diff = format!("/prompts/{id}/diff?from={from}&to={}", waiting.to);
        let note = (!waiting.note.is_empty()).then(|| view! { <p class="pre-line">"“"{waiting.note.clone()}"”"</p> });
        let (asked_by, asked, to) = (waiting.asked_by.clone(), waiting.asked.clone(), waiting.to);
        view! {
            <Callout tone=Tone::Warn>
                <h2>"To approve"</h2>
                <p>
                    {format!("{asked_by} asks to move production from version {from} to version {to}, ")}<Time stamp=asked/>". "
                    <a class="link" href=diff>"What differs"</a>
                </p>
                {note}
                {may_edit.then(|| view! { <Answer waiting done/> })}
            </Callout>
        }
    })
}

#[component]
fn Answer(waiting: WaitingMove, done: Callback<()>) -> impl IntoView {
    let id = waiting.id.to_string();
    if waiting.is_own {
        let withdraw = FormAction::of::<WithdrawPromptMove>();
        return view! {
            <p class="sub">"Another owner or admin of the agency answers. Agents say what they said until then."</p>
            <ServerForm action=withdraw class="inline" prefix="withdraw" on_done=done said="Withdrawn">
                <input type="hidden" name="id" value=id/>
                <SubmitButton kind=ButtonKind::Plain icon="x" small=true>"Withdraw"</SubmitButton>
            </ServerForm>
        }
        .into_any();
    }
    let decide = FormAction::of::<DecidePromptMove>();
    view! {
        <ServerForm action=decide class="form mt-2" prefix="decide" on_done=done said="Answered">
            <input type="hidden" name="id" value=id/>
            <TextInput name="answer" label="A word to whoever asked" maxlength=300 hint="Needed when you refuse."/>
            <div class="row wrap">
                <SubmitButton icon="check" name="verdict" value="approve">"Approve"</SubmitButton>
                <SubmitButton kind=ButtonKind::Plain icon="x" name="verdict" value="refuse">"Refuse"</SubmitButton>
            </div>
        </ServerForm>
    }
    .into_any()
}

/// Where the labels are, going back, and moving one.
#[component]
pub(super) fn Labels(prompt: PromptPage, done: Callback<()>) -> impl IntoView {
    let can = prompt.may_edit && prompt.is_active;
    let id = prompt.id.to_string();
    let has_production = prompt.labels.iter().any(|state| state.label == PRODUCTION);
    let follows = match has_production {
        true => "Agents say the version labelled production.".to_owned(),
        false => format!(
            "No version is labelled production, so agents say the newest, version {}: every version that you save is said at once.",
            prompt.spoken
        ),
    };
    let rows = prompt
        .labels
        .iter()
        .cloned()
        .map(|state| view! { <LabelRow id=id.clone() state can done needs_second=prompt.needs_second_person/> })
        .collect_view();
    let history = format!("/prompts/{id}/moves");
    let all = prompt.versions.iter().map(|row| (row.version.to_string(), format!("Version {}", row.version))).collect();
    let shown = prompt.shown.to_string();
    let rule = prompt.clone();
    view! {
        <Card title="Labels" id="labels" flush=true right=move || view! { <a class="link" href=history.clone()>"History"</a> }>
            <p class="body pad sub">{follows}</p>
            <ul class="list">{rows}</ul>
            {can.then(|| view! {
                <div class="body pad">
                    <MoveForm id=id.clone() versions=all version=shown done needs_second=prompt.needs_second_person/>
                    <Rule prompt=rule done/>
                </div>
            })}
        </Card>
    }
}

#[component]
fn LabelRow(id: String, state: LabelState, can: bool, done: Callback<()>, needs_second: bool) -> impl IntoView {
    let LabelState { label, version, before, moved, by } = state;
    let (back, remove) = (FormAction::of::<MovePromptLabel>(), FormAction::of::<RemovePromptLabel>());
    let tone = label_tone(&label);
    let is_production = label == PRODUCTION;
    let was = moved.map(|at| {
        let before = before.map(|before| format!("was version {before} until ")).unwrap_or_else(|| "since ".to_owned());
        let by = by.map(|by| format!(", {by}")).unwrap_or_default();
        view! { <small>{before}<Time stamp=at/>{by}</small> }
    });
    let back_form = before.filter(|_| can).map(|before| {
        let (id, label) = (id.clone(), label.clone());
        let words = format!("Back to v{before}");
        let title = format!("Move {label} back to version {before}");
        let said = if is_production && needs_second { "Asked for: it waits for a second person" } else { "Label moved back" };
        view! {
            <ServerForm action=back class="inline" prefix=format!("back-{label}") on_done=done said no_summary=true>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="label" value=label.clone()/>
                <input type="hidden" name="version" value=before.to_string()/>
                <input type="hidden" name="was" value=version.to_string()/>
                <input type="hidden" name="note" value=format!("Back to where it was, from version {version}")/>
                <button class="btn ghost small" type="submit" aria-label=title><Icon name="rotate-ccw" small=true/>{words}</button>
            </ServerForm>
        }
    });
    let remove_form = (can && !is_production).then(|| {
        let title = format!("Take the label {label} away");
        let (id, label) = (id.clone(), label.clone());
        view! {
            <ServerForm action=remove class="inline" prefix=format!("remove-{label}") on_done=done said="Label taken away" no_summary=true>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="label" value=label.clone()/>
                <button class="btn ghost small" type="submit" aria-label=title><Icon name="trash-2" small=true/></button>
            </ServerForm>
        }
    });
    let href = format!("/prompts/{id}?version={version}");
    view! {
        <li>
            <div>
                <span class="row wrap"><Tag tone>{label}</Tag><a class="link" href=href>{format!("v{version}")}</a></span>
                {was}
            </div>
            <span class="x row">{back_form}{remove_form}</span>
        </li>
    }
}

#[component]
fn MoveForm(
    id: String,
    versions: Vec<(String, String)>,
    version: String,
    done: Callback<()>,
    needs_second: bool,
) -> impl IntoView {
    let send = FormAction::of::<MovePromptLabel>();
    let hint = match needs_second {
        true => "production, staging or a word of your own. production waits for a second person.",
        false => "production, staging or a word of your own. production decides what agents say.",
    };
    view! {
        <details class="more">
            <summary>"Move a label"</summary>
            <ServerForm action=send class="form mt-2" prefix="label" on_done=done said="Label moved or asked for">
                <input type="hidden" name="id" value=id/>
                <TextInput name="label" label="Label" required=true maxlength=30 hint list="prompt-labels"/>
                <datalist id="prompt-labels"><option value=PRODUCTION></option><option value=STAGING></option></datalist>
                <Select name="version" label="To version" options=versions value=version required=true/>
                <TextInput name="note" label="Why" maxlength=300 hint="Shown in the history."/>
                <FormActs><SubmitButton icon="tag">"Move"</SubmitButton></FormActs>
            </ServerForm>
        </details>
    }
}

/// Whether one person is enough.
#[component]
fn Rule(prompt: PromptPage, done: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetPromptRule>();
    let id = prompt.id.to_string();
    let is_on = prompt.needs_second_person;
    let text = match is_on {
        true => "A move of production waits until another owner or admin has approved it.",
        false => "One person moves production. A second person can be asked for each time.",
    };
    let button = match (is_on, prompt.may_lift_rule) {
        (true, false) => view! { <small class="sub">"An owner of the agency can lift this."</small> }.into_any(),
        (on, _) => view! {
            <ServerForm action=set class="inline" prefix="rule" on_done=done said="Rule changed">
                <input type="hidden" name="id" value=id/>
                {(!on).then(|| view! { <input type="hidden" name="on" value="true"/> })}
                <SubmitButton kind=ButtonKind::Plain small=true icon="users">
                    {if on { "Let one person move it" } else { "Ask for a second person" }}
                </SubmitButton>
            </ServerForm>
        }
        .into_any(),
    };
    view! { <div class="stack gap-3 mt-2"><p class="sub">{text}</p>{button}</div> }
}

/// Where a prompt's labels were moved, by whom and why.
#[lazy]
pub fn prompt_moves_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked =
            MoveQuery { label: query("label"), status: query("status"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let moves = load(asked, |(id, query)| list_prompt_moves(id, query));
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("prompt:{id}")], move || moves.refetch());
        view! { <PageBoundary data=moves view=move |list: MoveList| view! { <Moves list/> }/> }.into_any()
    })
}

#[component]
fn Moves(list: MoveList) -> impl IntoView {
    let MoveList { id, name, labels, page } = list;
    let path = format!("/prompts/{id}/moves/export.csv");
    let export = move || {
        let here = with_query(&[]);
        format!("{path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    let editor = format!("/prompts/{id}#labels");
    let diff = move |row: &MoveRow| match (row.from, row.to) {
        (Some(from), Some(to)) => cell::link(format!("/prompts/{id}/diff?from={from}&to={to}"), &row.way()),
        _ => row.way().into_any(),
    };
    let rows = List::<MoveRow>::new("Label moves")
        .what("moves")
        .filter(Filter::new("label", "Label", options_of(labels.into_iter().map(|label| (label.clone(), label)))))
        .filter(Filter::words("status", "State", MoveStatus::ALL))
        .table("mid wrap")
        .sorted("-at")
        .column("Label", |row: &MoveRow| {
            let (tone, label) = (label_tone(&row.label), row.label.clone());
            view! { <Tag tone>{label}</Tag> }
        })
        .column("Versions", diff)
        .column("State", |row: &MoveRow| cell::state(row.status))
        .column("By", |row: &MoveRow| cell::or(&row.by, "Patchbay"))
        .column("Why", |row: &MoveRow| row.note.clone())
        .column("Answer", |row: &MoveRow| match (&row.decided_by, row.answer.as_str()) {
            (Some(by), "") => by.clone(),
            (Some(by), answer) => format!("{by}: {answer}"),
            (None, answer) => answer.to_owned(),
        })
        .column("At", |row: &MoveRow| cell::time(&row.at))
        .sort("at")
        .empty_view(move || {
            let href = editor.clone();
            view! {
                <EmptyState icon="tag" title="No label has been moved yet" text="Who moved which label from where to where, and why, is listed here.">
                    <LinkButton href icon="tag">"The prompt’s labels"</LinkButton>
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle text="Labels" parents=vec![crumb("Prompts", "/prompts"), crumb(name.clone(), format!("/prompts/{id}"))]/>
        <PageHead
            title=name
            sub="Where labels were moved, by whom and why."
            actions=move || view! { <a class="btn" rel="external" href=export><Icon name="download" small=true/>"Export"</a> }
        />
        <Tabs label="Prompt" items=prompt_tabs(id, "moves")/>
        {rows}
    }
}
