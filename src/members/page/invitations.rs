use std::sync::Arc;

use leptos::prelude::*;

use super::people_tabs;
use crate::model::{InvitationRow, InvitationStatus};
use crate::server_fns::{ResendInvitation, WithdrawInvitation, list_invitations};
use patchbay_shell::SettingsNav;
use patchbay_shared::Page;
use patchbay_shell::ProofField;
use patchbay_ui::*;

/// Who has been invited, and what became of it.
#[lazy]
pub fn invitations_page() -> PageView {
    let asked = || (query("status"), query("cursor"));
    let rows = load(asked, |(status, cursor)| list_invitations(status, cursor));
    Arc::new(move || {
        let again = Callback::new(move |()| rows.refetch());
        live::on_change(&["members"], move || rows.refetch());
        let states = options_of(InvitationStatus::ALL.iter().map(|status| (status.as_str(), status.label())));
        view! {
            <PageTitle text="Invitations" parents=vec![crumb("People", "/settings/users")]/>
            <PageHead
                title="People"
                actions=|| view! {
                    <ExportLink path="/settings/invitations.csv"/>
                    <LinkButton href="/settings/users/new" kind=ButtonKind::Primary icon="user-plus">"Invite people"</LinkButton>
                }
            />
            <div class="cols settings">
                <SettingsNav current="/settings/users"/>
                <div class="stack gap-4">
                    <Tabs label="People" items=people_tabs("invitations")/>
                    <FilterBar filters=vec![Filter::new("status", "State", states)]/>
                    <PageBoundary data=rows view={move |page: Page<InvitationRow>| view! { <Rows page again/> }}/>
                </div>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Rows(page: Page<InvitationRow>, again: Callback<()>) -> impl IntoView {
    if page.rows.is_empty() {
        let filtered = query("status").is_some() || query("cursor").is_some();
        return if filtered {
            view! { <NoMatch what="invitations"/> }.into_any()
        } else {
            view! {
                <EmptyState icon="mail" title="Nobody is invited" text="An invitation is a link with which somebody chooses a name and a password.">
                    <LinkButton href="/settings/users/new" kind=ButtonKind::Primary icon="user-plus">"Invite people"</LinkButton>
                </EmptyState>
            }
            .into_any()
        };
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row again/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Invitations"
                head=|| view! {
                    <th scope="col">"Address"</th>
                    <th scope="col">"Role"</th>
                    <th scope="col">"Client"</th>
                    <th scope="col">"Invited by"</th>
                    <th scope="col">"Ends"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="sr">"Actions"</span></th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="100 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: InvitationRow, again: Callback<()>) -> impl IntoView {
    let (resend, withdraw) = (FormAction::of::<ResendInvitation>(), FormAction::of::<WithdrawInvitation>());
    let id = row.id.to_string();
    let (again_name, withdraw_name, same_id) = (format!("again-{id}"), format!("withdraw-{id}"), id.clone());
    view! {
        <tr>
            <td><b>{row.email}</b></td>
            <td>{row.role.label()}</td>
            <td>{row.client.unwrap_or_else(|| "–".into())}</td>
            <td>{row.inviter.unwrap_or_else(|| "–".into())}</td>
            <td><Time stamp=row.expires/></td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            <td class="acts">
                {row.can_change.then(|| view! {
                    <div class="row end">
                        <DialogLink name=again_name.clone() small=true>"New link"</DialogLink>
                        <ServerForm action=withdraw class="inline" prefix=withdraw_name no_summary=true on_done=again said="Invitation withdrawn">
                            <input type="hidden" name="id" value=same_id/>
                            <SubmitButton kind=ButtonKind::Plain small=true>"Withdraw"</SubmitButton>
                        </ServerForm>
                    </div>
                    <ConfirmForm name=again_name action=resend title="Make a new link?" text="The old one stops working. The new one is good for seven days." confirm="Make the link">
                        <input type="hidden" name="id" value=id/>
                        <ProofField/>
                    </ConfirmForm>
                })}
            </td>
        </tr>
    }
}
