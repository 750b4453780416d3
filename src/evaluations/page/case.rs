use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::cases::{ModelFields, Versions};
use crate::model::{CaseForm, CaseKind, CasePage, Matcher, Replaced, ResultRow, USUAL_BUDGET};
use crate::server_fns::{RemoveTestCase, RunTestCases, SaveTestCase, get_test_case};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// The form of a new case, also of one that is made from a call or another run.
#[lazy]
pub fn new_test_case_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("call"), query("run"));
    let page = load(asked, |(agent, call, run)| get_test_case(agent, None, call, run));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageAgents) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: CasePage| view! { <New page/> }/> }.into_any()
    })
}

/// A case with its form, and what came of it.
#[lazy]
pub fn test_case_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let params = params.read();
        (params.get("id").unwrap_or_default(), params.get("case").unwrap_or_default())
    };
    let page = load(asked, |(agent, id)| get_test_case(agent, Some(id), None, None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: CasePage| view! { <Present page again/> }/> }.into_any()
    })
}

fn parents(page: &CasePage) -> Vec<Crumb> {
    let id = page.agent.id;
    vec![
        crumb("Agents", "/agents"),
        crumb(page.agent.name.clone(), format!("/agents/{id}")),
        crumb("Tests", format!("/agents/{id}/tests")),
    ]
}

#[component]
fn New(page: CasePage) -> impl IntoView {
    let source = match (page.form.call.as_str(), query("run")) {
        ("", None) => None,
        ("", Some(run)) => Some((format!("/runs/{}", address::escape(&run)), "The run")),
        (call, _) => Some((format!("/calls/{call}"), "The call")),
    };
    let sub = match &source {
        Some((_, "The run")) => "Made from a run. Look at it, say what is expected, and save it.",
        Some(_) => "Made from a call. Look at it, say what is expected, and save it.",
        None => "What a caller says or wants, and what the agent should answer or do.",
    };
    let replaced = source.map(|source| view! { <ReplacedCard replaced=page.replaced.clone() source/> });
    view! {
        <PageTitle text="New case" parents=parents(&page)/>
        <PageHead title="New case" sub/>
        {replaced}
        <Card><Form form=page.form tools=page.tools/></Card>
    }
}

/// What does not go into the case.
#[component]
fn ReplacedCard(replaced: Vec<Replaced>, source: (String, &'static str)) -> impl IntoView {
    let (href, word) = source;
    if replaced.is_empty() {
        return view! {
            <Callout tone=Tone::Warn>
                <p>"Nothing was found that looks like a personal detail. Read the texts all the same before you save: what is said in other words is not recognised."</p>
            </Callout>
        }
        .into_any();
    }
    let rows = replaced
        .into_iter()
        .map(|one| {
            view! { <tr><td>{one.what}</td><td>{one.was}</td><td>{one.becomes}</td><td class="num">{one.times}</td></tr> }
        })
        .collect_view();
    view! {
        <Card
            title="Replaced before saving"
            flush=true
            footer=|| view! { <p class="note">"Read the texts below: what is said in other words is not recognised."</p> }
            right=move || view! { <a class="link" href=href>{word}</a> }
        >
            <DataTable
                label="Replaced before saving"
                class="mid wrap"
                head=|| view! {
                    <th scope="col">"What"</th>
                    <th scope="col">"As it was said"</th>
                    <th scope="col">"In the case"</th>
                    <th scope="col" class="num">"Times"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn Present(page: CasePage, again: Callback<()>) -> impl IntoView {
    let parents = parents(&page);
    let CasePage { agent, form, tools, choices, results, may_edit, .. } = page;
    let (id, name) = (form.id.clone(), form.name.clone());
    let run = FormAction::of::<RunTestCases>();
    let remove = FormAction::of::<RemoveTestCase>();
    let (agent_id, case_id) = (agent.id.to_string(), id.clone());
    let call = Some(form.call.clone()).filter(|call| !call.is_empty());
    let side = may_edit.then(|| {
        let (agent, case) = (agent_id.clone(), case_id.clone());
        view! {
            <div class="stack gap-4 min0">
                <Card title="Run this case">
                    <ServerForm action=run prefix="run" on_done=again>
                        <input type="hidden" name="agent" value=agent/>
                        <input type="hidden" name="case" value=case/>
                        <Versions choices=choices.clone()/>
                        <ModelFields choices/>
                        <TextInput name="budget" label="Budget" value=USUAL_BUDGET class="short" prefix_text="$" inputmode="decimal" required=true/>
                        <FormActs><SubmitButton kind=ButtonKind::Plain icon="play">"Run"</SubmitButton></FormActs>
                    </ServerForm>
                </Card>
                <Card title="Remove" class="danger-zone">
                    <p class="sub">"The case is not run any more. What came of it is kept."</p>
                    <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove the case"</DialogLink></p>
                </Card>
            </div>
            <ConfirmForm name="remove" action=remove title="Remove the case?" text="The case is not run any more. What came of it is kept." confirm="Remove the case" danger=true>
                <input type="hidden" name="agent" value=agent_id/>
                <input type="hidden" name="id" value=case_id/>
            </ConfirmForm>
        }
    });
    let form = match may_edit {
        true => view! { <Card><Form form tools/></Card> }.into_any(),
        false => view! { <Card><Read form/></Card> }.into_any(),
    };
    view! {
        <PageTitle text=name.clone() parents/>
        <PageHead
            title=name
            actions=move || call.clone().map(|call| view! { <LinkButton href=format!("/calls/{call}") icon="phone">"The call it is from"</LinkButton> })
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "tests")/>
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                {form}
                <Card title="What came of it" flush=true><Results rows=results/></Card>
            </div>
            {side}
        </div>
    }
}

#[component]
fn Results(rows: Vec<ResultRow>) -> impl IntoView {
    if rows.is_empty() {
        return view! { <EmptyState icon="activity" title="Not run yet" text="Run it to see what the agent answers." small=true/> }.into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <td><a class="link" href=format!("/test-runs/{}?shown={}", row.run, row.id)>{format!("Run {}", row.number)}</a></td>
                    <td>{cell::state(row.result)}</td>
                    <td>{format!("v{} · {}", row.version, row.model)}</td>
                    <td class="num">{row.cost_text()}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="What came of it"
            class="mid"
            head=|| view! {
                <th scope="col">"Run"</th>
                <th scope="col">"Result"</th>
                <th scope="col">"With"</th>
                <th scope="col" class="num">"Cost"</th>
            }
        >
            {rows}
        </DataTable>
    }
    .into_any()
}

/// A case for whoever may not change it.
#[component]
fn Read(form: CaseForm) -> impl IntoView {
    let fact = |label: &'static str, value: String| {
        (!value.trim().is_empty()).then(|| view! { <Fact label=label><span class="pre-line">{value}</span></Fact> })
    };
    let kind: Option<CaseKind> = form.kind.parse().ok();
    let matcher: Option<Matcher> = form.matcher.parse().ok();
    view! {
        <Facts>
            {fact("Kind", kind.map(|kind| kind.label().to_owned()).unwrap_or_default())}
            {fact("Caller", form.input)}
            {fact("Mood", form.mood)}
            {fact("Language", form.language)}
            {fact("Compared by", matcher.map(|matcher| matcher.label().to_owned()).unwrap_or_default())}
            {fact("Expected", form.expected)}
            {fact("Tools that must be called", form.tool_checks)}
            {fact("What tools answer", form.stubs)}
            {fact("Values", form.variables)}
            {fact("Tags", form.tags)}
        </Facts>
    }
}

#[component]
fn Form(form: CaseForm, tools: Vec<String>) -> impl IntoView {
    let save = FormAction::of::<SaveTestCase>();
    let is_new = form.id.is_empty();
    let words = |all: Vec<(&'static str, &'static str)>| options_of(all);
    let kinds = words(CaseKind::ALL.iter().map(|kind| (kind.as_str(), kind.label())).collect());
    let matchers = words(Matcher::ALL.iter().map(|matcher| (matcher.as_str(), matcher.label())).collect());
    let tools = match tools.is_empty() {
        true => "The agent has no tools.".to_owned(),
        false => format!("The agent has {}.", tools.join(", ")),
    };
    let back = if is_new {
        format!("/agents/{}/tests", form.agent)
    } else {
        format!("/agents/{}/tests/{}", form.agent, form.id)
    };
    view! {
        <ServerForm action=save prefix="case" said="Saved">
            <input type="hidden" name="agent" value=form.agent/>
            {(!is_new).then(|| view! { <input type="hidden" name="id" value=form.id/> })}
            {(is_new && !form.call.is_empty()).then(|| view! { <input type="hidden" name="call" value=form.call/> })}
            <TextInput name="name" label="Name" value=form.name required=true maxlength=120 placeholder="Books the first free slot"/>
            <Select name="kind" label="The other side" options=kinds value=form.kind hint="One message is answered once. In a conversation a model plays the caller." required=true/>
            <TextArea
                name="input"
                label="What the caller says, or wants"
                value=form.input
                rows=4
                required=true
                hint="Of one message: its words. Of a conversation: the caller’s goal, and what the caller knows."
            />
            <div class="row wrap">
                <TextInput name="mood" label="Mood" value=form.mood class="mid" maxlength=80 placeholder="in a hurry" hint="Of a conversation."/>
                <TextInput name="language" label="Language" value=form.language class="mid" maxlength=80 placeholder="English" hint="Of a conversation."/>
                <TextInput name="most_turns" label="Turns at most" value=form.most_turns class="short" inputmode="numeric" hint="Of a conversation: 1 to 20."/>
            </div>
            <Select name="matcher" label="Compared by" options=matchers value=form.matcher required=true/>
            <TextArea
                name="expected"
                label="Expected"
                value=form.expected
                rows=4
                hint="Contains: each line must be said. Exact words: all that the agent says. Pattern: a regular expression. JSON Schema: what the answer must fit. Judge: the rules that a model goes by."
            />
            <TextArea
                name="tool_checks"
                label="Tools that must be called"
                value=form.tool_checks
                rows=3
                class="mono"
                hint=format!("One a line: book, or book {{\"day\": \"Tuesday\"}} for a value that it must contain, or not book. {tools}")
            />
            <TextArea
                name="stubs"
                label="What tools answer"
                value=form.stubs
                rows=3
                class="mono"
                hint="One a line: book = Booked for Tuesday. Nothing is done then. Other tools are not available, unless you tick the box below."
            />
            <Checkbox
                name="uses_tools"
                label="Use other tools for real"
                checked=form.uses_tools.is_some()
                hint="They act outside each time that the case is run: they send, book and change."
            />
            <TextArea name="variables" label="Values for the prompt" value=form.variables rows=3 class="mono" hint="One a line: first_name = Robin."/>
            <TextInput name="tags" label="Tags" value=form.tags hint="Separated by commas." placeholder="booking, smoke"/>
            <FormActs>
                <SubmitButton>{if is_new { "Save the case" } else { "Save" }}</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}
