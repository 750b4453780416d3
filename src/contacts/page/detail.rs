use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::form::EditForm;
use super::memories::MemoriesCard;
use super::systems::{ActivitiesCard, DealsCard, SystemsCard};
use crate::server_fns::{AllowContact, SuppressContact, get_contact};
use crate::{Contact, ContactCall, ContactCampaign, SystemOfContact};
use patchbay_calls::model::{CallBackNote, CallBackStatus, CallResult, ContactOutcome, Disposition};
use patchbay_shared::Tone;
use patchbay_shared::money::length_text;
use patchbay_shared::phone::spaced;
use patchbay_shell::HistoryLink;
use patchbay_ui::address::escape;
use patchbay_ui::*;

/// One contact: who it is, what campaigns it is in, and every call with it.
#[lazy]
pub fn contact_page() -> PageView {
    let params = use_params_map();
    // A form that was saved leads to an address without `edit` or `dialog`, and so to fresh data.
    let asked = move || (params.read().get("id").unwrap_or_default(), query("edit"), query("dialog"));
    let fetch = |(id, _, _): (String, Option<String>, Option<String>)| async move { get_contact(id.parse()?).await };
    let contact = load(asked, fetch);
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        let is_editing = Memo::new(|_| query("edit").is_some());
        live::on_change(&[&format!("contact:{id}"), "calls", "integrations"], move || {
            // Nobody's typing is thrown away.
            if !is_editing.get_untracked() {
                contact.refetch();
            }
        });
        let refetch = Callback::new(move |()| contact.refetch());
        view! { <PageBoundary data=contact view=move |contact: Contact| view! { <Detail contact refetch/> }/> }
            .into_any()
    })
}

#[component]
fn Detail(contact: Contact, refetch: Callback<()>) -> impl IntoView {
    let name = if contact.name.is_empty() { contact.phone.clone() } else { contact.name.clone() };
    let may_manage = contact.may_manage;
    let is_editing = may_manage && query("edit").is_some();
    let (tone, word) = if contact.do_not_call { (Tone::Warn, "Do not call") } else { (Tone::Ok, "May be called") };
    let (id, suppressed) = (contact.id.to_string(), contact.do_not_call);
    let dialog = format!("/contacts/{id}");
    let systems = contact.systems.clone();
    let deals_in = |system: &SystemOfContact| {
        let href = format!("/integrations/{}/deals?q={}", system.id, escape(&contact.name));
        (system.name.clone(), href)
    };
    let all_deals = match systems.has_more_deals {
        true => systems.systems.iter().map(deals_in).collect(),
        false => Vec::new(),
    };
    let body = if is_editing {
        let contact = contact.clone();
        view! { <Card title="Edit"><EditForm contact/></Card> }.into_any()
    } else {
        view! { <FactsCard contact=contact.clone()/> }.into_any()
    };
    view! {
        <PageTitle text=name.clone() parents=vec![crumb("Contacts", "/contacts")]/>
        <PageHead
            title=name
            sub=format!("{} · {} there now", contact.client_name, contact.local_time)
            tags=move || view! { <Tag tone>{word}</Tag> }
            actions=move || view! { <HistoryLink id=id.clone()/> <LinkButton href=format!("/messages/with/{id}") icon="message-square">"Messages"</LinkButton> {may_manage.then(|| view! {
                {(!is_editing).then(|| view! { <LinkButton href=format!("{dialog}?edit=1") icon="pencil">"Edit"</LinkButton> })}
                {if suppressed {
                    view! { <AllowForm id=id.clone() refetch/> }.into_any()
                } else {
                    view! { <SuppressForm id=id.clone()/> }.into_any()
                }}
            })} }
        />
        <div class="cols main-side">
            <div class="stack gap-4">
                <CallsCard calls=contact.calls/>
                <ActivitiesCard contact=contact.id.to_string() activities=systems.activities has_more=systems.has_more/>
            </div>
            <div class="stack gap-4">
                {body}
                <SystemsCard systems=systems.systems/>
                <DealsCard deals=systems.deals all=all_deals/>
                <CampaignsCard campaigns=contact.campaigns/>
                <MemoriesCard contact=contact.id.to_string() memories=contact.memories may_manage refetch/>
            </div>
        </div>
    }
}

#[component]
fn SuppressForm(id: String) -> impl IntoView {
    let suppress = FormAction::of::<SuppressContact>();
    view! {
        <DialogLink name="suppress" kind=ButtonKind::Danger>"Do not call"</DialogLink>
        <ConfirmForm
            name="suppress"
            action=suppress
            title="Put on the do-not-call list?"
            text="No campaign will call this number for the client any more. A call in progress is not cut off."
            confirm="Do not call"
            danger=true
        >
            <input type="hidden" name="id" value=id/>
            <TextInput name="reason" label="Why" required=true maxlength=300 placeholder="Asked on the phone not to be called"/>
        </ConfirmForm>
    }
}

#[component]
fn AllowForm(id: String, refetch: Callback<()>) -> impl IntoView {
    let allow = FormAction::of::<AllowContact>();
    view! {
        <ServerForm action=allow class="inline" prefix="allow" on_done=refetch said="May be called again">
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Plain>"Allow calls again"</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn FactsCard(contact: Contact) -> impl IntoView {
    let zone = match contact.timezone {
        Some(zone) => zone.replace('_', " "),
        None => format!("{} (the client's)", contact.client_timezone.replace('_', " ")),
    };
    let own =
        contact.attributes.into_iter().map(|(name, value)| view! { <Fact label=name>{value}</Fact> }).collect_view();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    view! {
        <Card title="Contact">
            {contact.do_not_call.then(|| view! {
                <Callout tone=Tone::Warn icon="phone-off">
                    <p>
                        {contact.do_not_call_reason.clone().unwrap_or_else(|| "No reason was given.".into())}
                        {contact.do_not_call_at.clone().map(|stamp| view! { " " <span class="sub"><Time stamp/></span> })}
                    </p>
                </Callout>
            })}
            <Facts>
                <Fact label="Phone" class="mono">{spaced(&contact.phone)}</Fact>
                <Fact label="E-mail">{or_none(contact.email)}</Fact>
                <Fact label="Company">{or_none(contact.company)}</Fact>
                <Fact label="Client">{contact.client_name}</Fact>
                <Fact label="Time zone">{zone}</Fact>
                {own}
                {contact.import.map(|(id, file)| {
                    let href = format!("/contacts/imports/{id}");
                    view! { <Fact label="From"><a class="link" href=href>{file}</a></Fact> }
                })}
                <Fact label="Added"><Time stamp=contact.created/></Fact>
                <Fact label="Changed"><Time stamp=contact.updated/></Fact>
            </Facts>
        </Card>
    }
}

#[component]
fn CallsCard(calls: Vec<ContactCall>) -> impl IntoView {
    if calls.is_empty() {
        return view! {
            <section class="card"><EmptyState icon="phone" title="No calls yet" text="Calls appear here as soon as they are dialled." small=true/></section>
        }
        .into_any();
    }
    let count = calls.len() as i64;
    let rows = calls
        .into_iter()
        .map(|call| {
            let length = call.seconds.map(|seconds| length_text(seconds.into()));
            view! {
                <tr>
                    <td><a class="link" href=format!("/calls/{}", call.id)><Time stamp=call.started/></a></td>
                    <td>{call.agent_name}</td>
                    <td>{call.direction.label()}</td>
                    <td>
                        {match call.result {
                            None => view! { <State tone=Tone::Live label="On the line"/> }.into_any(),
                            Some(result) => view! {
                                <span title=result.means()><State tone=result.tone() label=result.label()/></span>
                                {said(call.outcome, result).map(|said| view! { " "<Tag tone=said.tone()>{said.label()}</Tag> })}
                            }.into_any(),
                        }}
                    </td>
                    <td class="num">{length}</td>
                    <td>{call.missed.map(|why| view! { <span class="sub">{why}</span> })}{call.summary}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Calls" count flush=true class="clip">
            <DataTable
                label="Calls with this contact"
                class="wrap"
                head=|| view! {
                    <th scope="col">"Started"</th>
                    <th scope="col">"Agent"</th>
                    <th scope="col">"Direction"</th>
                    <th scope="col">"Result"</th>
                    <th scope="col" class="num">"Length"</th>
                    <th scope="col">"Summary"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

/// What the result does not say yet.
fn said(outcome: Option<ContactOutcome>, result: CallResult) -> Option<Disposition> {
    let said = Disposition::of(outcome?, result == CallResult::Answered);
    matches!(said, Disposition::SaidNo | Disposition::CallBack).then_some(said)
}

/// The newest call-back in a campaign, or the way to set one.
#[component]
fn CallBack(note: Option<CallBackNote>, member: String) -> impl IntoView {
    let is_over =
        note.as_ref().is_none_or(|note| matches!(note.status, CallBackStatus::Kept | CallBackStatus::Cancelled));
    let set = (is_over && patchbay_shell::viewer().may(patchbay_access::Action::RunBatches)).then(|| {
        let href = format!("/call-backs/new?member={member}");
        view! { <small><a class="link" href=href>"Have them called back"</a></small> }
    });
    view! {
        {note.map(|note| view! { <small>"Call-back: "<a class="link" href=format!("/call-backs/{}", note.id)>{note.text()}</a>{note.why.map(|why| format!(". {why}"))}</small> })}
        {set}
    }
}

#[component]
fn CampaignsCard(campaigns: Vec<ContactCampaign>) -> impl IntoView {
    let is_empty = campaigns.is_empty();
    let rows = campaigns
        .into_iter()
        .map(|campaign| {
            let calls = patchbay_shared::money::counted(campaign.attempts.into(), "call", "calls");
            let outcome =
                campaign.outcome.map(|outcome| format!(" · {}", Disposition::of(outcome, campaign.reached).label()));
            view! {
                <li>
                    <div class="min0">
                        <b><a class="link plain" href=format!("/campaigns/{}", campaign.id)>{campaign.name}</a></b>
                        <small>{calls}{outcome}</small>
                        <CallBack note=campaign.call_back member=campaign.member.to_string()/>
                    </div>
                    <span class="push"><State tone=campaign.status.tone() label=campaign.status.label()/></span>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Campaigns">
            {if is_empty {
                view! { <p class="sub">"In no campaign. Add contacts on a campaign's page."</p> }.into_any()
            } else {
                view! { <ul class="list">{rows}</ul> }.into_any()
            }}
        </Card>
    }
}
