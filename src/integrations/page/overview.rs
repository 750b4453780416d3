use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_params_map;

use super::carrier::Dialling;
use super::head::Top;
use super::mapping::MappingTable;
use super::own_id;
use super::side::{CarrierCard, FailedCard, LimitCard, SignInCard};
use super::syncs::sync_columns;
use crate::model::{IntegrationHead, IntegrationPage, Standing, SyncFigures, SyncRow};
use crate::server_fns::get_integration;
use patchbay_access::Action;
use patchbay_shared::money::{count_text, counted};
use patchbay_shared::{Page, Tone};
use patchbay_shell::refused;
use patchbay_ui::*;

/// One integration: what was exchanged, how fields are matched, what failed, how one is signed in. The words of a service lead to the page
/// of the agency's account there.
#[lazy]
pub fn integration_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_integration);
    Arc::new(move || {
        let id = own_id();
        // A service's own word, as in addresses of connections.
        if id.len() != 36 {
            return view! { <Redirect path=format!("/connections/{id}")/> }.into_any();
        }
        if let Some(refused) = refused(Action::ReadIntegrations) {
            return refused;
        }
        live::on_change(&[&format!("integration:{id}")], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: IntegrationPage| view! { <Overview page again/> }/> }
            .into_any()
    })
}

#[component]
fn Overview(page: IntegrationPage, again: Callback<()>) -> impl IntoView {
    let head = page.head.clone();
    let figures = head.kind.is_crm().then_some((page.figures, head.waits));
    let body = match head.kind {
        kind if kind.is_crm() => view! { <Crm page again/> }.into_any(),
        kind if kind.is_carrier() => view! {
            <div class="cols main-side">
                <div class="stack gap-4 min0"><CarrierCard head=head.clone() again/>{page.carrier.map(|carrier| view! { <Dialling head=head.clone() carrier again/> })}</div>
                <div class="stack gap-4 min0">{page.sign_in.map(|sign_in| view! { <SignInCard head=head.clone() sign_in/> })}</div>
            </div>
        }
        .into_any(),
        _ => view! {
            <div class="cols main-side">
                <Told head=head.clone()/>
                <div class="stack gap-4 min0">
                    {page.sign_in.map(|sign_in| view! { <SignInCard head=head.clone() sign_in/> })}
                    {page.limit.map(|limit| view! { <LimitCard service=head.kind.label() limit/> })}
                </div>
            </div>
        }
        .into_any(),
    };
    match figures {
        Some((figures, waits)) => {
            let of = head.clone();
            view! { <Top head above_tabs=move || view! { <Figures head=of figures waits/> } again/> {body} }.into_any()
        }
        None => view! { <Top head again/> {body} }.into_any(),
    }
}

/// What a system that takes messages is told.
#[component]
fn Told(head: IntegrationHead) -> impl IntoView {
    let base = format!("/integrations/{}", head.id);
    let (waits, failed) = (head.waits.0, head.failed);
    let (all, bad, settings) =
        (format!("{base}/messages"), format!("{base}/messages?state=failed"), format!("{base}/settings"));
    let failed_view = match failed {
        0 => "0".into_any(),
        some => view! { <a class="link" href=bad>{count_text(some)}</a> }.into_any(),
    };
    let may_manage = head.may_manage;
    view! {
        <Card title="Messages">
            <Facts>
                <Fact label="Wait">{count_text(waits)}</Fact>
                <Fact label="Failed">{failed_view}</Fact>
                {head.set_up_by.map(|name| view! { <Fact label="Set up by">{name}</Fact> })}
            </Facts>
            <div class="row wrap mt-4">
                <LinkButton href=all icon="list">"All messages"</LinkButton>
                {may_manage.then(|| view! { <LinkButton href=settings icon="settings">"What is told, and where"</LinkButton> })}
            </div>
        </Card>
    }
}

#[component]
fn Crm(page: IntegrationPage, again: Callback<()>) -> impl IntoView {
    let IntegrationPage { head, mapping, sample_of, syncs, failed, sign_in, limit, settings, .. } = page;
    let base = format!("/integrations/{}", head.id);
    let begin = (head.syncs == 0 && head.is_connected && head.may_manage).then(|| {
        let href = format!("{base}/setup");
        view! {
            <Callout tone=Tone::Info>
                <div class="row wrap"><p class="grow">"Nothing has been exchanged yet."</p><LinkButton href kind=ButtonKind::Primary small=true>"Go on with setting it up"</LinkButton></div>
            </Callout>
        }
    });
    let rhythm = match (head.standing, &head.next_sync) {
        (Standing::Failing, _) if !head.is_connected && head.may_sign_in => "stopped until you reconnect".to_owned(),
        (Standing::Paused, _) => "paused".to_owned(),
        (Standing::Works, Some(next)) => format!("{}, next {}", settings.pace().to_lowercase(), next.when()),
        _ => settings.pace().to_lowercase(),
    };
    let (all, count) = (format!("{base}/syncs"), head.syncs);
    let latest = if syncs.is_empty() {
        view! { <p class="pad sub">"No sync yet."</p> }.into_any()
    } else {
        sync_columns(List::<SyncRow>::new("Latest syncs").table("wrap syncs few"), &base)
            .note("the latest")
            .show(Page { rows: syncs, newer: None, older: None })
    };
    view! {
        {begin}
        <div class="cols main-side exchange">
            <div class="stack gap-4 min0">
                <MappingTable head=head.clone() lines=mapping sample_of/>
                <section class="stack gap-2">
                    <div class="row between wrap">
                        <h2>"Latest syncs"</h2>
                        <span class="row wrap"><span class="sub text-sm">{rhythm}</span><a class="link" href=all>{format!("All {}", count_text(count))}</a></span>
                    </div>
                    {latest}
                </section>
            </div>
            <div class="stack gap-4 min0">
                <FailedCard head=head.clone() rows=failed again/>
                {sign_in.map(|sign_in| view! { <SignInCard head=head.clone() sign_in/> })}
                {limit.map(|limit| view! { <LimitCard service=head.kind.label() limit/> })}
            </div>
        </div>
    }
}

#[component]
fn Figures(head: IntegrationHead, figures: SyncFigures, waits: (i64, i64)) -> impl IntoView {
    let service = head.kind.label();
    let base = format!("/integrations/{}", head.id);
    // Counted there when all were read last. Contacts that were made there since are not among them.
    let there = match figures.there {
        Some(there) if there >= figures.in_step => format!("of {} in {service}", count_text(there)),
        Some(there) => format!("{service} had {} when all were read", count_text(there)),
        None => format!("with {service}"),
    };
    let waiting = waits.0 + waits.1;
    let read = if waiting > 0 { format!("{} wait", count_text(waiting)) } else { "nothing waits".to_owned() };
    let written = format!(
        "{}, {}",
        counted(figures.call_results, "call result", "call results"),
        counted(figures.flags, "flag", "flags")
    );
    let needs = if head.failed == 0 { "nothing needs a person" } else { "tried again, or for a person" };
    view! {
        <Kpis>
            <Kpi label="Contacts in step" value=count_text(figures.in_step) versus=there means="Contacts here with a record there that still exists"/>
            <Kpi label="Read today" value=count_text(figures.read) versus=read means="Records that syncs which began today took over"/>
            <Kpi label="Written today" value=count_text(figures.written) versus=written means="Records that syncs which began today changed there"/>
            <Kpi label="Skipped today" value=count_text(figures.skipped) versus="nothing had changed" means="Records that both sides had alike"/>
            <Kpi label="Failed" value=count_text(head.failed) versus=needs href=format!("{base}/failed") means="Records that could not be read or written until now"/>
        </Kpis>
    }
}
