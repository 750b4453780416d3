//! Pages about teams: `/teams`, `/teams/new`, `/teams/{id}` with `limits`, `playground`, `cases`, `cases/new`, `cases/{case}`, `runs` and
//! `versions`, `/supervisor-runs`, `/supervisor-runs/{id}`, and `/supervisor-runs/compare`.

mod cases;
mod compare;
mod limits;
mod list;
mod members;
mod playground;
mod run;
mod runs;
mod side;
mod tree;
mod versions;

pub use cases::{new_team_case_page, team_case_page, team_cases_page};
pub use compare::compare_supervisor_runs_page;
pub use limits::team_limits_page;
pub use list::{new_team_page, teams_page};
pub use members::team_page;
pub use playground::playground_page;
pub use run::supervisor_run_page;
pub use runs::{supervisor_runs_page, team_runs_page};
pub use versions::team_versions_page;

use leptos::prelude::*;

use crate::model::TeamMode;
use crate::model::views::TeamHead;
use crate::server_fns::{DuplicateTeam, SwitchTeam};
use patchbay_access::Action;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::{count_text, counted, length_text};
use patchbay_shared::{Money, Tone};
use patchbay_shell::HistoryLink;
use patchbay_ui::*;

/// Changing teams.
const MANAGE: Action = Action::ManageTeams;

/// Breadcrumb, heading, tabs, and why the team rests. `title` is the page's own, below the team's.
fn top(head: &TeamHead, current: &'static str, title: &'static str, actions: AnyView, tag: Option<AnyView>) -> AnyView {
    let parents = match current {
        "members" => vec![crumb("Teams", "/teams")],
        _ => vec![crumb("Teams", "/teams"), crumb(head.name.clone(), format!("/teams/{}", head.id))],
    };
    let text = if current == "members" { head.name.clone() } else { title.to_owned() };
    let is_active = head.is_active;
    let rest = head.rest.clone().map(|rest| view! { <Callout tone=Tone::Warn><p>{rest}</p></Callout> });
    view! {
        <PageTitle text parents/>
        <PageHead
            title=head.name.clone()
            sub=sub(head)
            tags=move || view! { {(!is_active).then(|| view! { <Tag>"Deactivated"</Tag> })}{tag} }
            actions=move || actions
        />
        <Tabs label="Team" items=tabs(head, current)/>
        {rest}
    }
    .into_any()
}

/// For whom a team works and how: the line below its name.
fn sub(head: &TeamHead) -> String {
    let client = head.client.as_ref().map_or("Every client", |(_, name)| name.as_str());
    let how = match head.mode {
        TeamMode::Coordinate => "members work in order",
        TeamMode::Supervisor => "supervisor decides",
    };
    let members = counted(head.members, "worker", "workers");
    format!("{client} · {how} · {members} · version {}", head.revision)
}

fn tabs(head: &TeamHead, current: &str) -> Vec<TabItem> {
    let base = format!("/teams/{}", head.id);
    let runs = if head.runs > 1000 { "1,000+".to_owned() } else { head.runs.to_string() };
    vec![
        tab("Members", base.clone(), current == "members").count(head.members),
        tab("Limits and approval", format!("{base}/limits"), current == "limits"),
        tab("Playground", format!("{base}/playground"), current == "playground"),
        tab("Test cases", format!("{base}/cases"), current == "cases").count(head.cases),
        tab("Runs", format!("{base}/runs"), current == "runs").count(runs),
        tab("Versions", format!("{base}/versions"), current == "versions").count(head.versions),
    ]
}

/// What can be done with a whole team.
#[component]
fn TeamActs(head: TeamHead, again: Callback<()>) -> impl IntoView {
    let (switch, copy) = (FormAction::of::<SwitchTeam>(), FormAction::of::<DuplicateTeam>());
    let (id, is_active) = (head.id.to_string(), head.is_active);
    let (word, icon) = if is_active { ("Deactivate", "pause") } else { ("Restore", "rotate-ccw") };
    let edit = head.may_edit.then(|| {
        let same = id.clone();
        view! {
            <ServerForm action=copy class="inline" prefix="copy" no_summary=true>
                <input type="hidden" name="id" value=same/>
                <SubmitButton kind=ButtonKind::Plain icon="copy">"Duplicate"</SubmitButton>
            </ServerForm>
            <ServerForm action=switch class="inline" prefix="switch" on_done=again no_summary=true said="Saved">
                <input type="hidden" name="id" value=id.clone()/>
                {(!is_active).then(|| view! { <input type="hidden" name="on" value="true"/> })}
                <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
            </ServerForm>
        }
    });
    view! { <HistoryLink id=head.id.to_string()/>{edit} }
}

/// The list's filters go along to its file.
fn export_address(path: String, keys: &'static [&'static str]) -> Signal<String> {
    Signal::derive(move || {
        let pairs: Vec<(String, String)> =
            keys.iter().filter_map(|key| Some(((*key).to_owned(), query(key)?))).collect();
        format!("{path}{}", address::query_string(&pairs))
    })
}

/// What something cost, as far as it is known. A tiny amount is not shown as none.
fn cost_text(cost: Money, is_unpriced: bool) -> String {
    let is_none = cost == Money::default();
    match (is_none, is_unpriced) {
        (true, true) => "not priced".to_owned(),
        (true, false) => "$0".to_owned(),
        (false, _) if cost.number() < 0.0001 => "< $0.0001".to_owned(),
        (false, true) => format!("{} and more", cost.text()),
        (false, false) => cost.text(),
    }
}

/// `0.7 s` below a minute, else `1:05`.
fn took_text(ms: i64) -> String {
    if ms < 60_000 { format!("{} s", fixed(ms as f64 / 1000.0, 1)) } else { length_text(ms / 1000) }
}

/// Of a thousand: `0.91`.
fn part_text(mille: u32) -> String {
    fixed(f64::from(mille) / 1000.0, 2)
}

fn tokens_text(tokens: i64) -> String {
    count_text(tokens)
}
