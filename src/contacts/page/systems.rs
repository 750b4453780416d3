use leptos::prelude::*;

use crate::{ActivityOfContact, DealOfContact, SystemOfContact};
use patchbay_ui::address::escape;
use patchbay_ui::*;

/// Letters of an activity that stand on the contact's page.
const SHOWN: usize = 280;

/// Where the contact is with its record in each system of the client.
#[component]
pub(super) fn SystemsCard(systems: Vec<SystemOfContact>) -> impl IntoView {
    if systems.is_empty() {
        return ().into_any();
    }
    let rows = systems
        .into_iter()
        .map(|system| {
            let record = system.record.map(|href| {
                view! { <a class="link" href=href rel="external noopener" target="_blank">"Open the record there"</a> }
            });
            let repair = system.repair.map(|label| {
                let href = format!("/integrations/{}/failed?q={}", system.id, escape(&label));
                view! { <a class="link" href=href>"Repair it"</a> }
            });
            let links = (record.is_some() || repair.is_some())
                .then(|| view! { <small class="row wrap gap-3">{repair}{record}</small> });
            let agreed = system.agreed.map(|stamp| view! { <small>"Agreed last: "<Time stamp/></small> });
            let words = (!system.words.is_empty()).then(|| view! { <small class="break">{system.words}</small> });
            view! {
                <li>
                    <div class="who min0">
                        <b><a class="link plain" href=format!("/integrations/{}", system.id)>{system.name}</a></b>
                        {words} {agreed} {links}
                    </div>
                    <span class="push"><State tone=system.state.tone() label=system.state.label()/></span>
                </li>
            }
        })
        .collect_view();
    view! { <Card title="In other systems"><ul class="list">{rows}</ul></Card> }.into_any()
}

/// Deals of the contact there. `all`: systems and the addresses of their deals, when there are more than these.
#[component]
pub(super) fn DealsCard(deals: Vec<DealOfContact>, all: Vec<(String, String)>) -> impl IntoView {
    if deals.is_empty() {
        return ().into_any();
    }
    let more = if all.is_empty() { "" } else { "+" };
    let count = format!("{}{more}", deals.len());
    let all = (!all.is_empty()).then(|| {
        let links = all
            .into_iter()
            .map(|(system, href)| view! { <a class="link" href=href>{format!("All in {system}")}</a> })
            .collect_view();
        view! { <p class="note row wrap gap-3 mt-2">{links}</p> }
    });
    let rows = deals
        .into_iter()
        .map(|deal| {
            let closes = (!deal.closes.is_empty()).then(|| format!("closes {}", deal.closes));
            let facts: Vec<String> =
                [Some(deal.amount), closes, Some(deal.system)].into_iter().flatten().filter(|text| !text.is_empty()).collect();
            let name = match deal.record {
                Some(href) => {
                    view! { <a class="link plain" href=href rel="external noopener" target="_blank">{deal.name}</a> }.into_any()
                }
                None => deal.name.into_any(),
            };
            let stage = (!deal.stage.is_empty()).then(|| view! { <span class="push"><Tag>{deal.stage}</Tag></span> });
            view! { <li><div class="who min0"><b class="break">{name}</b><small>{facts.join(" · ")}</small></div>{stage}</li> }
        })
        .collect_view();
    view! { <Card title="Deals" count><ul class="list">{rows}</ul>{all}</Card> }.into_any()
}

/// The newest of what was done with the contact there.
#[component]
pub(super) fn ActivitiesCard(contact: String, activities: Vec<ActivityOfContact>, has_more: bool) -> impl IntoView {
    if activities.is_empty() {
        return ().into_any();
    }
    let rows = activities
        .into_iter()
        .map(|one| {
            let rest = one.rest();
            let text = match rest.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", rest[..end].trim_end()),
                None => rest.to_owned(),
            };
            let text = (!text.is_empty()).then(|| view! { <div class="pre-line break">{text}</div> });
            let state = (!one.state.is_empty()).then(|| format!(" · {}", one.state));
            view! {
                <li>
                    <div class="who min0">
                        <b class="break">{one.heading().to_owned()}</b>
                        {text}
                        <small>{one.kind.label()}{state}" · "{one.system.clone()}" · "<Time stamp=one.at.clone()/></small>
                    </div>
                </li>
            }
        })
        .collect_view();
    let href = format!("/contacts/{contact}/activities");
    let more = if has_more { "Show more" } else { "Search and export" };
    view! {
        <Card title="Done in other systems" right=move || view! { <a class="link" href=href>{more}</a> }>
            <ul class="list">{rows}</ul>
        </Card>
    }
    .into_any()
}
