use std::sync::Arc;

use leptos::prelude::*;

use super::export;
use super::gallery::Gallery;
use super::head::sign_in_words;
use crate::model::{IntegrationQuery, IntegrationRow, IntegrationType, IntegrationsPage, Standing};
use crate::server_fns::list_integrations;
use patchbay_access::Action;
use patchbay_connections::model::{Connection, IntegrationStatus};
use patchbay_shared::money::count_text;
use patchbay_shared::{Page, Tone};
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// Everything that is connected, and what can be.
#[lazy]
pub fn integrations_page() -> PageView {
    let asked = || IntegrationQuery {
        words: query("q"),
        kind: query("kind"),
        state: query("state"),
        client: query("client"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let page = load(asked, list_integrations);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&["connections", "integrations"], move || page.refetch());
        view! { <PageBoundary data=page view=move |page: IntegrationsPage| view! { <Connected page/> }/> }.into_any()
    })
}

#[component]
fn Connected(page: IntegrationsPage) -> impl IntoView {
    let IntegrationsPage { connections, page } = page;
    let is_agency = viewer().role.is_agency();
    let may_connect = viewer().may(Action::ManageConnections);
    let (on, _): (Vec<Connection>, Vec<Connection>) =
        connections.clone().into_iter().partition(|row| row.status.is_some());
    let accounts = (is_agency && !on.is_empty()).then(|| view! { <Accounts rows=on/> });
    let words = sign_in_words("the service", true)
        .map(|words| view! { <Callout tone=Tone::Warn><p role="status">{words}</p></Callout> });
    let gallery = is_agency.then(|| view! { <Gallery connections may_connect/> });
    view! {
        <PageTitle text="Integrations"/>
        <PageHead
            title="Integrations"
            sub=if is_agency { "The accounts that calls go through, and the systems that clients use." } else { "The systems that calls are exchanged with." }
            actions=move || view! {
                {export("/integrations/export.csv".to_owned())}
                {is_agency.then(|| view! { <LinkButton href="/connections/models" icon="bot">"Models"</LinkButton> })}
            }
        />
        {words}
        {accounts}
        {systems(page, is_agency, may_connect)}
        {gallery}
    }
}

/// The agency's accounts for voice, telephone and models.
#[component]
fn Accounts(rows: Vec<Connection>) -> impl IntoView {
    let rows = Page { rows, newer: None, older: None };
    let list = List::<Connection>::new("Accounts for calls and models")
        .table("mid wrap people")
        .note("all of them")
        .column("Account", |row: &Connection| {
            let note = view! { <small>{row.provider.purpose()}</small> };
            cell::who(format!("/connections/{}", row.key()), &row.name, note)
        })
        .column("At the service", |row: &Connection| {
            let key = (!row.hint.is_empty()).then(|| format!("Key ends in {}", row.hint));
            view! { <div class="who"><span>{cell::or(&row.account, "–")}</span>{key.map(|key| view! { <small>{key}</small> })}</div> }
        })
        .column("Mode", |row: &Connection| {
            let mode = row.mode;
            view! { <Tag tone=mode.tone()>{mode.label()}</Tag> }
        })
        .column("State", |row: &Connection| {
            let status = row.status.unwrap_or(IntegrationStatus::Inactive);
            let problem = row.last_error.clone().map(|problem| view! { <small class="sub">{problem}</small> });
            view! { <div class="who">{cell::state(status)}{problem}</div> }
        })
        .column("Last checked", |row: &Connection| cell::time_or(row.last_checked.as_ref(), "Never"))
        .show(rows);
    view! { <section class="stack gap-3"><h2>"Accounts for calls and models"</h2>{list}</section> }
}

/// Systems that clients use, carriers, and where messages go.
fn systems(page: Page<IntegrationRow>, is_agency: bool, may_connect: bool) -> AnyView {
    // The last one leads here from the dashboard, with exactly those that it names.
    let states = Standing::ALL.iter().map(|standing| (standing.as_str(), standing.label()));
    let states = options_of(states.chain([("needs", "Needs a person")]));
    let list = List::<IntegrationRow>::new("Connected systems")
        .search("q", "Name, client or account")
        .filter(Filter::words("kind", "Service", IntegrationType::ALL))
        .filter(Filter::new("state", "State", states))
        .keep(&["sort", "client"])
        .narrowed_by(&["client"])
        .sorted("name")
        .what("systems")
        .table("mid wrap people")
        .column("System", |row: &IntegrationRow| {
            let sandbox = row.mode == patchbay_connections::model::Mode::Sandbox;
            let note = view! { <small>{row.kind.label()}{sandbox.then_some(" · Sandbox")}</small> };
            cell::who(format!("/integrations/{}", row.id), &row.name, note)
        })
        .sort("name")
        .column("Client", |row: &IntegrationRow| cell::or(&row.client, "Whole agency"))
        .when(is_agency)
        .column("Account", |row: &IntegrationRow| cell::or(&row.account, "–"))
        .column("State", |row: &IntegrationRow| {
            let problem = row.problem.clone().map(|problem| view! { <small class="sub">{problem}</small> });
            view! { <div class="who">{cell::state(row.standing)}{problem}</div> }
        })
        .column("Last sync", |row: &IntegrationRow| cell::time_or(row.last_sync.as_ref(), "–"))
        .number("Waits", |row: &IntegrationRow| count_text(row.waits))
        .number("Failed", |row: &IntegrationRow| {
            if row.failed == 0 {
                return "0".into_any();
            }
            let part = if row.kind.is_crm() { "failed" } else { "messages?state=failed" };
            cell::link(format!("/integrations/{}/{part}", row.id), &count_text(row.failed))
        })
        .no_match_in_card()
        .empty(
            "plug",
            "No systems yet",
            match (is_agency, may_connect) {
                (true, true) => "A client’s CRM, a channel of Slack or a system of your own: choose one below.",
                (true, false) => "An owner of the agency can connect one.",
                (false, _) => "Your agency can connect the system in which you keep your contacts.",
            },
        )
        .show(page);
    view! { <section class="stack gap-3"><h2>"Connected systems"</h2>{list}</section> }.into_any()
}
