use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{LinkKind, ShownLinks};
use crate::server_fns::take_links;
use patchbay_shared::Tone;
use patchbay_ui::*;

/// What became of the invitations or the link that were just made.
#[lazy]
pub fn links_page() -> PageView {
    let links = load(|| (), |()| take_links());
    Arc::new(move || {
        if let Some(refusal) = patchbay_shell::refused(patchbay_access::Action::ReadMembers) {
            return refusal;
        }
        view! {
            <PageTitle text="Links" parents=vec![crumb("Settings", "/settings/profile"), crumb("People", "/settings/users")]/>
            <PageBoundary data=links view={|shown: Option<ShownLinks>| view! { <LinkList shown back="/settings/users"/> }}/>
        }
        .into_any()
    })
}

/// Links to hand over by hand, or to whom e-mail went.
#[component]
pub fn LinkList(
    shown: Option<ShownLinks>,
    /// Where to go from here.
    back: &'static str,
) -> impl IntoView {
    let Some(ShownLinks { what, links }) = shown else {
        return view! {
            <PageHead title="Links"/>
            <EmptyState icon="link" title="Nothing to show" text="Links are shown once, right after they are created. You can create a new one at any time; the old one then stops working.">
                <LinkButton href=back>"Back"</LinkButton>
            </EmptyState>
        }
        .into_any();
    };
    let by_hand = links.iter().any(|one| one.link.is_some());
    let (title, days) = match what {
        LinkKind::Invitation => ("Invited", "seven days"),
        LinkKind::Password => ("A link for a new password", "30 minutes"),
    };
    let rows = links
        .into_iter()
        .map(|one| {
            let way = match one.link {
                Some(link) => view! { <td class="break"><code>{link.clone()}</code></td><td class="acts"><CopyButton text=link label="Copy link"/></td> }.into_any(),
                None => view! { <td><State tone=Tone::Ok label="E-mail on its way"/></td><td></td> }.into_any(),
            };
            view! { <tr><td><b>{one.email}</b></td>{way}</tr> }
        })
        .collect_view();
    view! {
        <PageHead title=title actions=move || view! { <LinkButton href=back>"Done"</LinkButton> }/>
        {by_hand.then(|| view! {
            <Callout tone=Tone::Warn icon="link">
                <b>"Copy each link now: it is not shown again."</b>
                {format!(" Give it only to the person it is for. It works once, for {days}.")}
            </Callout>
        })}
        <section class="card clip">
            <DataTable
                label=title
                class="wrap"
                head=|| view! {
                    <th scope="col">"Address"</th>
                    <th scope="col">"Link"</th>
                    <th scope="col"><span class="sr">"Copy"</span></th>
                }
            >
                {rows}
            </DataTable>
        </section>
    }
    .into_any()
}
