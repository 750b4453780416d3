//! What pages of execution share: tabs, an approval as a card, and the small forms.

use leptos::prelude::*;

use crate::model::TargetType;
use crate::model::approval::ApprovalRow;
use crate::model::control::TabCounts;
use crate::server_fns::{DecideApproval, RequeueExecutionJob, TakeApproval};
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// What is counted stops here.
const MOST_COUNTED: i64 = 10_000;

/// The address, narrowed to the client that the present page is narrowed to.
pub(super) fn of_client(href: &str) -> String {
    match query("client") {
        Some(client) => {
            let mark = if href.contains('?') { '&' } else { '?' };
            format!("{href}{mark}client={}", patchbay_ui::address::escape(&client))
        }
        None => href.to_owned(),
    }
}

/// Tabs of execution. `current`: `control`, `jobs`, `runs`, `engines` or `targets`.
pub fn execution_tabs(current: &str, counts: &TabCounts) -> Vec<TabItem> {
    let tabs = [
        ("control", "Control room", "/execution", None),
        ("jobs", "Jobs", "/jobs", counts.jobs),
        ("runs", "Runs", "/supervisor-runs", counts.runs),
        ("engines", "Engines", "/execution/engines", counts.engines),
        ("targets", "Targets", "/execution/targets", counts.targets),
    ];
    let tabs = tabs.into_iter().map(|(key, label, href, count)| {
        // Engines and targets are the whole agency's.
        let href = if matches!(key, "engines" | "targets") { href.to_owned() } else { of_client(href) };
        let item = tab(label, href, key == current);
        match count {
            Some(count) if count >= MOST_COUNTED => item.count(format!("{}+", count_text(MOST_COUNTED))),
            Some(count) => item.count(count_text(count)),
            None => item,
        }
    });
    tabs.collect()
}

pub(super) fn target_icon(kind: TargetType) -> &'static str {
    match kind {
        TargetType::Local => "monitor",
        TargetType::Docker => "server",
        TargetType::Kubernetes => "globe",
    }
}

/// Megabytes for people: `512 MB`, `1.4 GB`.
pub(super) fn memory_text(mb: i64) -> String {
    match mb {
        ..2048 => format!("{} MB", count_text(mb)),
        _ => format!("{}.{} GB", mb / 1024, mb % 1024 * 10 / 1024),
    }
}

/// Tries a job again with more memory.
#[component]
pub(super) fn MoreMemory(
    id: String,
    memory_mb: i32,
    #[prop(optional, into)] back: String,
    #[prop(optional)] primary: bool,
) -> impl IntoView {
    let again = FormAction::of::<RequeueExecutionJob>();
    let kind = if primary { ButtonKind::Primary } else { ButtonKind::Plain };
    view! {
        <ServerForm action=again class="inline" prefix=format!("more-{id}") no_summary=true said="Queued again">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="memory_mb" value=memory_mb.to_string()/>
            {(!back.is_empty()).then(|| view! { <input type="hidden" name="back" value=back/> })}
            <SubmitButton kind icon="rotate-ccw" small=true>{format!("Re-queue with {} MB", count_text(memory_mb.into()))}</SubmitButton>
        </ServerForm>
    }
}

/// Approves it as it is.
#[component]
pub(super) fn ApproveButton(
    id: String,
    #[prop(optional, into)] back: String,
    #[prop(optional)] small: bool,
) -> impl IntoView {
    let decide = FormAction::of::<DecideApproval>();
    view! {
        <ServerForm action=decide class="inline" prefix=format!("approve-{id}") no_summary=true said="Approved">
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="decision" value="approved"/>
            {(!back.is_empty()).then(|| view! { <input type="hidden" name="back" value=back/> })}
            <SubmitButton icon="check" small>"Approve"</SubmitButton>
        </ServerForm>
    }
}

/// Says to the others that somebody is at it; with `edit` on the way to change what is done.
#[component]
pub(super) fn TakeButton(id: String, #[prop(optional)] edit: bool, #[prop(optional)] small: bool) -> impl IntoView {
    let take = FormAction::of::<TakeApproval>();
    let (word, icon) = if edit { ("Edit and approve", "pencil") } else { ("I’m on it", "eye") };
    let prefix = format!("take-{edit}-{id}");
    view! {
        <ServerForm action=take class="inline" prefix no_summary=true>
            <input type="hidden" name="id" value=id/>
            {edit.then(|| view! { <input type="hidden" name="edit" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon small>{word}</SubmitButton>
        </ServerForm>
    }
}

/// Who asked for it, in which team, and how long ago.
pub(super) fn asked(row: &ApprovalRow) -> AnyView {
    let who = match &row.asked_by {
        Some(name) => view! { "asked by "<b>{name.clone()}</b>", " }.into_any(),
        None => ().into_any(),
    };
    let team = row.team.clone().map(|team| format!("in the team {team}, "));
    let client = row.client.clone().map(|client| format!(" · for {client}"));
    view! { {who}{team}{row.ago.clone()}{client} }.into_any()
}

/// Who has it open.
pub(super) fn opened(row: &ApprovalRow) -> Option<AnyView> {
    let opened = row.opened.clone()?;
    let words = match opened.is_own {
        true => format!("You have it open since {}", opened.at.text),
        false => format!("{} has it open since {}", opened.by, opened.at.text),
    };
    Some(view! { <div class="row"><Avatar text=opened.initials small=true/><span class="sub text-xs">{words}</span></div> }.into_any())
}

/// An open approval with what is known of it, and the ways to decide.
#[component]
pub fn ApprovalCard(row: ApprovalRow, may_decide: bool, #[prop(optional, into)] back: String) -> impl IntoView {
    let id = row.id.to_string();
    let page = format!("/approvals/{id}");
    // Whoever looks sees at once that somebody else is at it.
    let is_others = row.opened.as_ref().is_some_and(|opened| !opened.is_own);
    let left = row
        .left
        .clone()
        .map(|left| view! { <span class="r"><Icon name="clock" small=true/>{format!("{left} left")}</span> });
    let details = row
        .details
        .iter()
        .take(5)
        .cloned()
        .map(|(name, value)| view! { <Fact label=name>{short(&value)}</Fact> })
        .collect_view();
    let cost = row.cost.map(|cost| view! { <Fact label="Cost so far">{cost.text()}</Fact> });
    let acts = match may_decide && !is_others {
        true => view! {
            <div class="acts">
                <ApproveButton id=id.clone() back small=true/>
                <TakeButton id=id.clone() edit=true small=true/>
                <LinkButton href=format!("{page}#reject") kind=ButtonKind::Danger small=true>"Reject"</LinkButton>
            </div>
        }
        .into_any(),
        false => view! { <p><a class="link" href=page.clone()>"Look"</a></p> }.into_any(),
    };
    let known = (!is_others).then(|| {
        let rule = row.rule.clone();
        view! { <Facts>{details}{cost}<Fact label="Rule">{rule}</Fact></Facts> }
    });
    view! {
        <div class=if is_others { "ask held" } else { "ask" }>
            <div class="h"><b><a href=page>{row.title.clone()}</a></b>{left}</div>
            <p>{asked(&row)}</p>
            {known}
            {opened(&row)}
            {acts}
        </div>
    }
}

/// The beginning of a long value.
fn short(text: &str) -> String {
    const MOST: usize = 160;
    let line: String = text.chars().take(MOST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(MOST).is_some() { format!("{line}…") } else { line }
}
