//! The first few of what belongs to a client, each with the way to all of them. An empty block says what to do next.

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_agents::model::AgentRow;
use patchbay_calls::model::CallRow;
use patchbay_calls::page::Ticking;
use patchbay_campaigns::CampaignRow;
use patchbay_members::model::MemberRow;
use patchbay_numbers::model::NumberRow;
use patchbay_shared::Tone;
use patchbay_shared::ids::ClientId;
use patchbay_shared::money::{count_text, counted, length_text};
use patchbay_shared::phone::spaced;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// A block: its rows, or what to do while there are none.
#[component]
fn Block(
    title: &'static str,
    all: String,
    icon: &'static str,
    empty: &'static str,
    /// Where the first one is made, and what that is called; only for those who may.
    first: Option<(String, &'static str)>,
    is_empty: bool,
    /// The rows are a table.
    #[prop(optional)]
    flush: bool,
    children: Children,
) -> impl IntoView {
    let body = if is_empty {
        let title = format!("No {} yet", title.to_lowercase());
        let button =
            first.map(|(href, text)| view! { <LinkButton href=href small=true icon="plus">{text}</LinkButton> });
        view! { <EmptyState icon title text=empty small=true>{button}</EmptyState> }.into_any()
    } else {
        children().into_any()
    };
    view! {
        <Card
            title=title
            right=move || (!is_empty).then(|| view! { <a class="link" href=all>"All"<span class="sr">{format!(" {}", title.to_lowercase())}</span></a> })
            flush=flush && !is_empty
        >
            {body}
        </Card>
    }
}

fn may(action: Action, href: String, text: &'static str) -> Option<(String, &'static str)> {
    viewer().may(action).then_some((href, text))
}

#[component]
pub(crate) fn Campaigns(rows: Vec<CampaignRow>, client: ClientId) -> impl IntoView {
    let is_empty = rows.is_empty();
    let items = rows
        .into_iter()
        .map(|row| {
            let (all, waiting) = (row.contacts, row.waiting);
            let begun = all.count - waiting.count;
            let words = match all {
                all if all.count == 0 => "No contacts yet".to_owned(),
                // Beyond the bound nobody counts, so there is no share to draw.
                all if all.more => format!("{} of {} contacts are waiting for a batch", waiting.text(), all.text()),
                all => format!("{} of {} in a batch or done", count_text(begun), counted(all.count, "contact", "contacts")),
            };
            let bar = (!all.more).then(|| {
                let segments = vec![Segment::new("In a batch or done", begun as f64, "chart-1")];
                view! { <SegmentBar label=words.clone() total=all.count.max(1) as f64 segments/> }
            });
            view! {
                <li class="col">
                    <div class="row between"><b><a href=format!("/campaigns/{}", row.id)>{row.name}</a></b><State tone=row.status.tone() label=row.status.label()/></div>
                    {bar}
                    <small><span>{words}</span><span>{row.agent_name}</span></small>
                </li>
            }
        })
        .collect_view();
    view! {
        <Block
            title="Campaigns"
            all=format!("/campaigns?client={client}")
            icon="megaphone"
            empty="A campaign connects the client's contacts with an agent and a number. Batches then call them."
            first=may(Action::ManageCampaigns, format!("/campaigns/new?client={client}"), "New campaign")
            is_empty
        >
            <ul class="list">{items}</ul>
        </Block>
    }
}

#[component]
pub(crate) fn Calls(rows: Vec<CallRow>, client: ClientId) -> impl IntoView {
    let is_empty = rows.is_empty();
    let items = rows
        .into_iter()
        .map(|row| {
            let length = match (row.state.is_open(), row.seconds) {
                (true, Some(seconds)) => view! { <Ticking seconds/> }.into_any(),
                (false, Some(seconds)) => length_text(seconds).into_any(),
                (_, None) => "–".into_any(),
            };
            let title = row.title().to_owned();
            let goal = row.goal_reached.filter(|reached| *reached).map(|_| view! { <Tag tone=Tone::Ok>"Goal"</Tag> });
            view! {
                <tr>
                    <td><a class="link" href=format!("/calls/{}?list=client%3D{client}", row.id)>{title}</a></td>
                    <td><span class="row"><State tone=row.state.tone() label=row.state.label()/>{goal}</span></td>
                    <td class="nowrap"><Time stamp=row.started/></td>
                    <td class="num">{length}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Block
            title="Calls"
            all=format!("/calls?client={client}")
            icon="phone-call"
            empty="Calls appear here as soon as a batch calls for the client, or somebody calls in."
            first=may(Action::RunBatches, format!("/batches/new?client={client}"), "New batch")
            is_empty
            flush=true
        >
            <DataTable
                label="Latest calls"
                head=|| view! {
                    <th scope="col">"Contact"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Started"</th>
                    <th scope="col" class="num">"Length"</th>
                }
            >
                {items}
            </DataTable>
        </Block>
    }
}

#[component]
pub(crate) fn Agents(rows: Vec<AgentRow>, client: ClientId) -> impl IntoView {
    let is_empty = rows.is_empty();
    let items = rows
        .into_iter()
        .map(|row| {
            let serves = if row.client.is_none() { "The whole agency's" } else { "This client's own" };
            view! {
                <li>
                    <div class="min0 grow"><b><a href=format!("/agents/{}", row.id)>{row.name}</a></b><small>{serves}</small></div>
                    <State tone=row.status.tone() label=row.status.label()/>
                </li>
            }
        })
        .collect_view();
    view! {
        <Block
            title="Agents"
            all=format!("/agents?client={client}")
            icon="bot"
            empty="An agent holds the conversation: it has a prompt, a voice and a language."
            first=may(Action::ManageAgents, format!("/agents/new?client={client}"), "New agent")
            is_empty
        >
            <ul class="list">{items}</ul>
        </Block>
    }
}

#[component]
pub(crate) fn Numbers(rows: Vec<NumberRow>, client: ClientId) -> impl IntoView {
    let is_empty = rows.is_empty();
    let items = rows
        .into_iter()
        .map(|row| {
            let serves = row.agent.map_or_else(|| row.direction.label().to_owned(), |agent| format!("Answered by {agent}"));
            view! {
                <li>
                    <div class="min0 grow"><b class="mono"><a href=format!("/numbers/{}", row.id)>{spaced(&row.number)}</a></b><small>{serves}</small></div>
                    <State tone=row.status.tone() label=row.status.label()/>
                </li>
            }
        })
        .collect_view();
    view! {
        <Block
            title="Numbers"
            all=format!("/numbers?client={client}")
            icon="phone"
            empty="Numbers of the whole agency may call for this client too. One of its own is answered in its name."
            first=may(Action::ManageNumbers, "/numbers/new".to_owned(), "Get a number")
            is_empty
        >
            <ul class="list">{items}</ul>
        </Block>
    }
}

#[component]
pub(crate) fn People(rows: Vec<MemberRow>, client: ClientId) -> impl IntoView {
    let is_empty = rows.is_empty();
    let invite = format!("/settings/users/new?client={client}");
    let again = (!is_empty)
        .then(|| may(Action::ManageViewers, invite.clone(), "Invite someone"))
        .flatten()
        .map(|(href, text)| view! { <p class="mt-4"><LinkButton href=href small=true icon="user-plus">{text}</LinkButton></p> });
    let items = rows
        .into_iter()
        .map(|row| {
            view! {
                <li>
                    <div class="min0 grow"><b><a href=format!("/settings/users/{}", row.id)>{row.name}</a></b><small>{row.email}</small></div>
                    <Tag tone=row.role.tone()>{row.role.label()}</Tag>
                </li>
            }
        })
        .collect_view();
    view! {
        <Block
            title="People"
            all=format!("/settings/users?client={client}")
            icon="users-round"
            empty="The client's own people see only what belongs to the client. Each gets an invitation link."
            first=may(Action::ManageViewers, invite, "Invite someone")
            is_empty
        >
            <ul class="list">{items}</ul>
            {again}
        </Block>
    }
}
