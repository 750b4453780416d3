use std::sync::Arc;

use leptos::prelude::*;

use super::people_tabs;
use patchbay_access::Role;
use patchbay_shell::viewer;
use crate::model::MemberRow;
use crate::server_fns::list_members;
use patchbay_shell::SettingsNav;
use patchbay_shared::{Page, Tone};
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// People of the agency, or of the viewer's own client.
#[lazy]
pub fn members_page() -> PageView {
    let asked = || (query("role"), query("client"), query("cursor"));
    let rows = load(asked, |(role, client, cursor)| list_members(role, client, cursor));
    Arc::new(move || {
        live::on_change(&["members"], move || rows.refetch());
        let roles = if viewer().role.is_client() {
            vec![Role::ClientAdmin, Role::ClientViewer]
        } else {
            Role::ALL[..5].to_vec()
        };
        let roles = roles.into_iter().map(|role| (role.as_str().to_owned(), role.label().to_owned())).collect();
        view! {
            <PageTitle text="People" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead
                title="People"
                actions=|| view! {
                    <ExportLink path="/settings/users.csv"/>
                    <LinkButton href=invite_address kind=ButtonKind::Primary icon="user-plus">"Invite people"</LinkButton>
                }
            />
            <div class="cols settings">
                <SettingsNav current="/settings/users"/>
                <div class="stack gap-4">
                    <Tabs label="People" items=people_tabs("people")/>
                    <FilterBar filters=vec![Filter::new("role", "Role", roles)] keep=vec!["client"]/>
                    <PageBoundary data=rows view={|page: Page<MemberRow>| view! { <Rows page/> }}/>
                </div>
            </div>
        }
        .into_any()
    })
}

/// The form for the client that the list is narrowed to.
fn invite_address() -> String {
    let pairs: Vec<(String, String)> = query("client").map(|id| ("client".to_owned(), id)).into_iter().collect();
    format!("/settings/users/new{}", query_string(&pairs))
}

#[component]
fn Rows(page: Page<MemberRow>) -> impl IntoView {
    if page.rows.is_empty() {
        return view! { <NoMatch what="people"/> }.into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="People"
                head=|| view! {
                    <th scope="col">"Name"</th>
                    <th scope="col">"Role"</th>
                    <th scope="col">"Client"</th>
                    <th scope="col">"Last sign-in"</th>
                    <th scope="col">"Second factor"</th>
                    <th scope="col">"State"</th>
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
fn Row(row: MemberRow) -> impl IntoView {
    view! {
        <tr>
            <td><div class="who"><b><a class="link" href=format!("/settings/users/{}", row.id)>{row.name}</a></b><small>{row.email}</small></div></td>
            <td>{row.role.label()}</td>
            <td>{row.client.unwrap_or_else(|| "–".into())}</td>
            <td>{match row.last_login { Some(stamp) => view! { <Time stamp/> }.into_any(), None => "Never".into_any() }}</td>
            <td>{if row.has_second_factor { view! { <State tone=Tone::Ok label="On"/> }.into_any() } else { view! { <span class="sub">"Off"</span> }.into_any() }}</td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
        </tr>
    }
}
