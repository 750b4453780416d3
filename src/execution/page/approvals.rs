use std::sync::Arc;

use leptos::prelude::*;

use super::parts::opened;
use crate::model::Decision;
use crate::model::approval::{ApprovalList, ApprovalQuery, ApprovalRow, ApprovalState};
use crate::server_fns::list_approvals;
use patchbay_access::Action;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// What waits for a person, and what people decided.
#[lazy]
pub fn approvals_page() -> PageView {
    let asked = || ApprovalQuery {
        q: query("q"),
        state: query("state"),
        decision: query("decision"),
        client: query("client"),
        from: query("from"),
        to: query("to"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_approvals);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadApprovals) {
            return refused;
        }
        let is_agency = viewer().role.is_agency();
        let mut list = List::<ApprovalRow>::new("Approvals");
        if is_agency {
            list = list.under(crumb("Teams", "/teams")).under(crumb("Execution", "/execution"));
        }
        list.subtitle("What a rule has a person look at before it is done. Nobody decides twice, and what is not decided in time is not done.")
            .live(&["approvals"])
            .export("/approvals/export.csv")
            .search("q", "What is to be done, or the rule")
            .filter(Filter::new("state", "State", options_of([("decided", ApprovalState::Decided.label())])))
            .filter(Filter::words("decision", "Decision", Decision::ALL))
            .filter(Filter::date("from", "From").rare())
            .filter(Filter::date("to", "to").rare())
            .filter(Filter::new("sort", "Order", options_of([("time", "Earliest first"), ("-time", "Latest first")])).rare())
            .keep(&["client"])
            .narrowed_by(&["client"])
            .table("mid wrap")
            .column("What", |row: &ApprovalRow| {
                let who = row.asked_by.clone().map(|who| match &row.team {
                    Some(team) => format!("{who}, {team}"),
                    None => who,
                });
                cell::who(format!("/approvals/{}", row.id), &row.title, view! { <small>{who}</small> })
            })
            .column("Client", |row| cell::or(&row.client, "–"))
            .when(is_agency)
            .column("Rule", |row| row.rule.clone())
            .class("long")
            .column("State", state)
            .column("Asked", |row| {
                view! { <div class="who">{cell::time(&row.requested)}<small>{row.ago.clone()}</small></div> }
            })
            .column("Decide until", |row| cell::time(&row.expires))
            .empty_view(|| view! {
                <section class="card">
                    <EmptyState icon="circle-check" title="Nothing waits for you" text="When a rule of a team asks for a person, what it wants to do stands here until somebody decides or its time is up.">
                        <LinkButton href="/approvals?state=decided">"What was decided"</LinkButton>
                    </EmptyState>
                </section>
            })
            .page_of(rows, |list: ApprovalList| list.page)
    })
}

fn state(row: &ApprovalRow) -> AnyView {
    match (&row.decided, &row.left) {
        (Some(decided), _) => {
            let note = (!decided.note.is_empty()).then(|| format!("“{}”", decided.note));
            view! {
                <div class="who">
                    {cell::state(decided.decision)}
                    <small>{decided.by.clone()}" "<Time stamp=decided.at.clone()/></small>
                    <small>{note}</small>
                </div>
            }
            .into_any()
        }
        (None, Some(left)) => {
            view! { <div class="who">{cell::state_of(ApprovalState::Open.tone(), "Open")}<small>{format!("{left} left")}</small>{opened(row)}</div> }
                .into_any()
        }
        (None, None) => cell::state_of(Decision::Expired.tone(), "Time is up"),
    }
}
