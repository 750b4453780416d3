use std::sync::Arc;

use leptos::prelude::*;

use super::{export_address, parts, person, size, source, standing};
use crate::model::{Said, TextDirection, TextList, TextQuery, TextRow, TextState};
use crate::server_fns::list_texts;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::phone::spaced;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

const KEYS: [&str; 13] =
    ["q", "client", "direction", "state", "rule", "contact", "call", "number", "from", "to", "zone", "taken", "priced"];

/// Text messages with contacts, newest first.
#[lazy]
pub fn texts_page() -> PageView {
    let asked = || TextQuery {
        words: query("q"),
        client: query("client"),
        direction: query("direction"),
        state: query("state"),
        rule: query("rule"),
        contact: query("contact"),
        call: query("call"),
        number: query("number"),
        from: query("from"),
        to: query("to"),
        zone: query("zone"),
        taken: query("taken"),
        priced: query("priced"),
        cursor: query("cursor"),
    };
    let list = load(asked, list_texts);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadContacts) {
            return refused;
        }
        live::on_change(&["texts"], move || list.refetch());
        let export = Signal::derive(|| export_address("/messages/export.csv", &KEYS));
        view! {
            <PageTitle text="Messages"/>
            <PageHead
                title="Messages"
                sub="Text messages to contacts, and what they answered."
                actions=move || view! { <LinkButton href=export icon="download" external=true>"Export"</LinkButton> }
            />
            {parts("messages")}
            <PageBoundary data=list view=move |list: TextList| view! { <Texts list/> }/>
        }
        .into_any()
    })
}

#[component]
fn Texts(list: TextList) -> impl IntoView {
    let of_agency = viewer().client.is_none();
    let may_edit = viewer().may(Action::ManageTexts);
    let TextList { page, rules, numbers, silent } = list;
    let silent = silent
        .into_iter()
        .map(|(number, why)| {
            let text = format!("Answers to {} do not come here. {why}", spaced(&number));
            view! { <Callout tone=Tone::Warn><p>{text}</p></Callout> }
        })
        .collect_view();
    let mut rows = List::<TextRow>::new("Messages")
        .search("q", "Part of a message or number")
        .filter(Filter::words("direction", "Direction", TextDirection::ALL))
        .filter(Filter::words("state", "State", TextState::ALL))
        .filter(Filter::date("from", "From"))
        .filter(Filter::date("to", "To"));
    if !rules.is_empty() {
        rows = rows.filter(Filter::new("rule", "Rule", rules));
    }
    if !numbers.is_empty() {
        let numbers = numbers.into_iter().map(|choice| (choice.id.to_string(), spaced(&choice.number)));
        rows = rows.filter(Filter::new("number", "Number", options_of(numbers)).rare());
    }
    rows = rows.filter(Filter::new("taken", "Carrier", options_of([("yes", "Has taken it")])).rare());
    if viewer().sees_cost() {
        rows = rows.filter(Filter::new("priced", "Price", options_of([("no", "Not priced yet")])).rare());
    }
    let rows = rows
        .keep(&["client", "contact", "call", "zone"])
        .narrowed_by(&["contact", "call"])
        .table("wide wrap log")
        .newest("When", |row: &TextRow| cell::time(&row.at))
        .column("Contact", person)
        .column("Message", |row: &TextRow| view! { <div class="who"><span class="pre-line break">{row.body.clone()}</span>{said(row)}</div> })
        .column("State", standing)
        .column("By", source)
        .column("Client", |row: &TextRow| row.client.clone())
        .when(of_agency)
        .column("Number", |row: &TextRow| row.number.as_deref().map(spaced))
        .when(of_agency)
        .number("Size", size)
        .empty_view(move || {
            view! {
                <EmptyState
                    icon="message-square"
                    title="No messages yet"
                    text="A rule sends a text message after calls that end in a certain way. Agents can send one on a call, and people can write to a contact from its page."
                >
                    {may_edit.then(|| view! { <LinkButton href="/messages/rules/new" kind=ButtonKind::Primary icon="plus">"Add the first rule"</LinkButton> })}
                </EmptyState>
            }
        })
        .show(page);
    view! { {silent}{rows} }
}

/// What a contact asked for by one word.
fn said(row: &TextRow) -> Option<AnyView> {
    let word: Said = row.keyword.as_deref()?.parse().ok()?;
    Some(cell::state(word))
}
