use std::sync::Arc;

use leptos::prelude::*;

use super::{ABOVE, export_address, parts};
use crate::model::{RuleList, RuleQuery, RuleRow, Switched};
use crate::server_fns::list_text_rules;
use patchbay_access::Action;
use patchbay_shared::phone::spaced;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Rules that send text messages after calls.
#[lazy]
pub fn text_rules_page() -> PageView {
    let asked = || RuleQuery {
        words: query("q"),
        client: query("client"),
        state: query("state"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let list = load(asked, list_text_rules);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        live::on_change(&["text_rules"], move || list.refetch());
        view! { <PageBoundary data=list view=move |list: RuleList| view! { <Rules list/> }/> }.into_any()
    })
}

#[component]
fn Rules(list: RuleList) -> impl IntoView {
    let RuleList { page, may_edit } = list;
    let export = Signal::derive(|| export_address("/messages/rules/export.csv", &["q", "client", "state", "sort"]));
    let rows = List::<RuleRow>::new("Rules")
        .search("q", "Part of the name or message")
        .filter(Filter::words("state", "State", Switched::ALL))
        .keep(&["sort", "client"])
        .sorted("name")
        .table("mid wrap")
        .column("Rule", |row: &RuleRow| {
            cell::who(format!("/messages/rules/{}", row.id), &row.name, view! { <small class="sub">{row.template.clone()}</small> })
        })
        .sort("name")
        .column("Client", |row: &RuleRow| row.client.clone())
        .column("After", |row: &RuleRow| row.outcomes.iter().map(|outcome| outcome.label()).collect::<Vec<_>>().join("; "))
        .column("State", |row: &RuleRow| cell::state(Switched::of(row.enabled)))
        .column("From", |row: &RuleRow| row.number.as_deref().map_or_else(|| "The number of the call".to_owned(), spaced))
        .column("Last message", |row: &RuleRow| match &row.last {
            Some(at) => view! { <a class="link" href=format!("/messages?rule={}", row.id)><Time stamp=at.clone()/></a> }.into_any(),
            None => view! { <span class="sub">"None yet"</span> }.into_any(),
        })
        .empty_view(move || {
            view! {
                <EmptyState
                    icon="message-square"
                    title="No rules yet"
                    text="A rule sends a text message after calls of one client that end in a certain way: when somebody was missed, or after a call-back was agreed."
                >
                    {may_edit.then(|| view! { <LinkButton href="/messages/rules/new" kind=ButtonKind::Primary icon="plus">"Add the first rule"</LinkButton> })}
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle text="Message rules" parents=vec![crumb(ABOVE.0, ABOVE.1)]/>
        <PageHead
            title="Messages"
            sub="Rules that send text messages after calls."
            actions=move || view! {
                <LinkButton href=export icon="download" external=true>"Export"</LinkButton>
                {may_edit.then(|| view! { <LinkButton href="/messages/rules/new" kind=ButtonKind::Primary icon="plus">"Add a rule"</LinkButton> })}
            }
        />
        {parts("rules")}
        {rows}
    }
}
