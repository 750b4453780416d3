use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::contacts::ContactsTab;
use super::form::EditForm;
use super::overview::{BatchesTab, OverviewTab, ResultsTab};
use crate::server_fns::{MoveCampaign, get_campaign, get_campaign_choices, list_campaign_contacts};
use crate::{CampaignChoices, CampaignStatus, CampaignView, MemberQuery, MemberRow};
use patchbay_access::Action;
use patchbay_shared::{Page, Tone};
use patchbay_shell::{HistoryLink, viewer};
use patchbay_ui::*;

/// One campaign: where it stands, its contacts, batches and results, its settings.
#[lazy]
pub fn campaign_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    // Another tab, or what a form led to, brings fresh figures.
    let asked = move || (id(), query("tab"), query("added"), query("removed"));
    let fetch = |(id, ..): (String, Option<String>, Option<String>, Option<String>)| async move {
        get_campaign(id.parse()?).await
    };
    let wanted = move || {
        let is_shown = query("tab").as_deref() == Some("contacts");
        let added = (query("added"), query("removed"));
        let query = MemberQuery {
            campaign: id(),
            status: query("status"),
            result: query("result"),
            outcome: query("outcome"),
            batch: query("batch"),
            tried: query("tried"),
            cursor: query("cursor"),
        };
        (is_shown, query, added)
    };
    // Contacts are only read when their tab is open.
    let list = |(is_shown, query, _): (bool, MemberQuery, (Option<String>, Option<String>))| async move {
        if is_shown { list_campaign_contacts(query).await } else { Ok(Page::default()) }
    };
    let campaign = load(asked, fetch);
    let members = load(wanted, list);
    // What the forms of two tabs offer.
    let choose = |(id, tab): (String, Option<String>)| async move {
        match tab.as_deref() {
            Some("contacts" | "settings") => {
                let client = get_campaign(id.parse()?).await?.campaign.client_id;
                get_campaign_choices(Some(client.to_string())).await
            }
            _ => Ok(CampaignChoices::default()),
        }
    };
    let choices = load(move || (id(), query("tab")), choose);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        let is_editing = Memo::new(|_| query("tab").as_deref() == Some("settings"));
        let refresh = move || {
            // Nobody's typing is thrown away.
            if !is_editing.get_untracked() {
                campaign.refetch();
                members.refetch();
            }
        };
        live::on_change(&[&format!("campaign:{id}"), "batches"], refresh);
        let refetch = Callback::new(move |()| refresh());
        view! {
            <PageBoundary
                data=campaign
                view=move |shown: CampaignView| view! { <Detail shown members choices refetch/> }
            />
        }
        .into_any()
    })
}

#[component]
fn Detail(
    shown: CampaignView,
    members: Loaded<Page<MemberRow>>,
    choices: Loaded<CampaignChoices>,
    refetch: Callback<()>,
) -> impl IntoView {
    let campaign = shown.campaign.clone();
    let (id, status, may_manage) = (campaign.id.to_string(), campaign.status, shown.may_manage);
    let dials = matches!(status, CampaignStatus::Active) && viewer().may(Action::RunBatches);
    let current = query("tab").unwrap_or_default();
    let current = match current.as_str() {
        "settings" if !may_manage => "overview".to_owned(),
        "contacts" | "batches" | "results" | "settings" => current,
        _ => "overview".to_owned(),
    };
    let items = tabs(&id, &current, &shown);
    let body = match current.as_str() {
        "contacts" => view! { <ContactsTab shown=shown.clone() members choices/> }.into_any(),
        "batches" => view! { <BatchesTab shown=shown.clone()/> }.into_any(),
        "results" => view! { <ResultsTab shown=shown.clone()/> }.into_any(),
        "settings" => view! { <EditForm campaign=campaign.clone() choices/> }.into_any(),
        _ => view! { <OverviewTab shown=shown.clone()/> }.into_any(),
    };
    let batch = format!("/batches/new?campaign={id}");
    view! {
        <PageTitle text=campaign.name.clone() parents=vec![crumb("Campaigns", "/campaigns")]/>
        <PageHead
            title=campaign.name.clone()
            sub=format!("{} · {}", campaign.client_name, campaign.kind.label())
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions=move || view! {
                <HistoryLink id=id.clone()/>
                {may_manage.then(|| view! { <Moves id=id.clone() status refetch/> })}
                {dials.then(|| view! { <LinkButton href=batch kind=ButtonKind::Primary icon="plus">"New batch"</LinkButton> })}
            }
        />
        <Obstacles shown=shown.clone()/>
        <Tabs label="Parts of the campaign" items=Signal::stored(items)/>
        {body}
    }
}

fn tabs(id: &str, current: &str, shown: &CampaignView) -> Vec<TabItem> {
    let item = |name: &str, label: &str| tab(label, format!("/campaigns/{id}?tab={name}"), current == name);
    let mut items = vec![
        item("overview", "Overview"),
        item("contacts", "Contacts").count(shown.counts.total.text()),
        item("batches", "Batches"),
        item("results", "Results"),
    ];
    if shown.may_manage {
        items.push(item("settings", "Settings"));
    }
    items
}

/// A button for each state that the campaign may move to.
#[component]
fn Moves(id: String, status: CampaignStatus, refetch: Callback<()>) -> impl IntoView {
    let go = FormAction::of::<MoveCampaign>();
    status
        .moves()
        .iter()
        .map(|(to, word)| {
            let id = id.clone();
            view! {
                <ServerForm action=go class="inline" prefix=to.as_str() on_done=refetch said="State changed">
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="to" value=to.as_str()/>
                    <SubmitButton kind=ButtonKind::Plain>{*word}</SubmitButton>
                </ServerForm>
            }
        })
        .collect_view()
}

/// What stands between the campaign and its first call, each with what to do about it.
#[component]
fn Obstacles(shown: CampaignView) -> impl IntoView {
    let mut lines: Vec<String> = shown.obstacles;
    if !shown.missing_variables.is_empty() {
        let names = shown.missing_variables.iter().map(|name| format!("{{{{{name}}}}}")).collect::<Vec<_>>().join(", ");
        lines.push(format!("The prompt uses {names}, but nothing fills it yet. Add values in the settings, or import them with the contacts."));
    }
    let rows = lines.iter().map(|line| view! { <p>{line.clone()}</p> }).collect_view();
    (!lines.is_empty()).then(|| view! { <Callout tone=Tone::Warn>{rows}</Callout> })
}
