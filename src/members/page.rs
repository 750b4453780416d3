use std::sync::Arc;

use leptos::prelude::*;

use super::model::{MemberRow, UserStatus, grantable};
use super::server_fns::{CreateMember, SetMemberStatus, SignMemberOut, list_members};
use crate::access::Role;
use crate::agents::page::ExportLink;
use crate::app::{client_options, viewer};
use crate::settings::SettingsNav;
use crate::shared::Page;
use crate::ui::*;

/// People of the agency, or of the viewer's own client.
#[lazy]
pub fn members_page() -> PageView {
    let asked = || (query("role"), query("cursor"));
    let rows = load(asked, |(role, cursor)| list_members(role, cursor));
    Arc::new(move || {
        let again = Callback::new(move |()| rows.refetch());
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
                    <LinkButton href="/settings/users/new" kind=ButtonKind::Primary icon="user-plus">"Add a person"</LinkButton>
                }
            />
            <div class="cols settings">
                <SettingsNav current="/settings/users"/>
                <div class="stack gap-4">
                    <FilterBar filters=vec![Filter::new("role", "Role", roles)]/>
                    <PageBoundary data=rows view={move |page: Page<MemberRow>| view! { <Rows page again/> }}/>
                </div>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Rows(page: Page<MemberRow>, again: Callback<()>) -> impl IntoView {
    if page.rows.is_empty() {
        return view! { <NoMatch what="people"/> }.into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row again/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="People"
                head=|| view! {
                    <th scope="col">"Name"</th>
                    <th scope="col">"Role"</th>
                    <th scope="col">"Client"</th>
                    <th scope="col">"Last sign-in"</th>
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
fn Row(row: MemberRow, again: Callback<()>) -> impl IntoView {
    let set = FormAction::of::<SetMemberStatus>();
    let out = FormAction::of::<SignMemberOut>();
    let (word, next) = match row.status {
        UserStatus::Active => ("Suspend", UserStatus::Suspended),
        UserStatus::Suspended => ("Reactivate", UserStatus::Active),
    };
    let id = row.id.to_string();
    let sign_out_id = id.clone();
    view! {
        <tr>
            <td><div class="who"><b>{row.name}</b><small>{row.email}</small></div></td>
            <td>{row.role.label()}</td>
            <td>{row.client.unwrap_or_else(|| "–".into())}</td>
            <td>{match row.last_login { Some(stamp) => view! { <Time stamp/> }.into_any(), None => "Never".into_any() }}</td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            <td class="acts">
                {row.can_change.then(|| view! {
                    <div class="row end">
                        <ServerForm action=out class="inline" prefix=format!("out-{id}") no_summary=true said="Signed out everywhere">
                            <input type="hidden" name="id" value=sign_out_id/>
                            <SubmitButton kind=ButtonKind::Plain small=true>"Sign out"</SubmitButton>
                        </ServerForm>
                        <ServerForm action=set class="inline" prefix=format!("state-{id}") no_summary=true on_done=again said="State changed">
                            <input type="hidden" name="id" value=id/>
                            <input type="hidden" name="status" value=next.as_str()/>
                            <SubmitButton kind=ButtonKind::Plain small=true>{word}</SubmitButton>
                        </ServerForm>
                    </div>
                })}
            </td>
        </tr>
    }
}

/// The form for a new person.
#[lazy]
pub fn new_member_page() -> PageView {
    Arc::new(move || {
        if let Some(refusal) = crate::app::refused(crate::access::Action::ManageViewers) {
            return refusal;
        }
        let create = FormAction::of::<CreateMember>();
        let mine = viewer();
        let roles: Vec<RadioOption> = grantable(mine.role)
            .iter()
            .map(|role| RadioOption::new(role.as_str(), role.label(), what_it_may(*role)))
            .collect();
        let first = grantable(mine.role).last().map(|role| role.as_str()).unwrap_or_default();
        view! {
            <PageTitle text="Add a person" parents=vec![crumb("People", "/settings/users")]/>
            <PageHead title="Add a person" sub="They sign in with this address and the first password that you give them."/>
            <Card>
                <ServerForm action=create class="form">
                    <TextInput name="name" label="Name" required=true maxlength=120 autocomplete="off"/>
                    <TextInput name="email" label="E-mail address" kind="email" required=true autocomplete="off"/>
                    <RadioCards name="role" legend="Role" options=roles value=first/>
                    {mine.role.is_agency().then(|| view! {
                        <Select name="client" label="Client" options=client_options() prompt="None: a person of the agency" hint="For the two client roles." mark=false/>
                    })}
                    <TextInput name="password" label="First password" kind="password" required=true autocomplete="new-password" hint="8 to 128 characters."/>
                    <FormActs>
                        <SubmitButton>"Add"</SubmitButton>
                        <a class="btn ghost" href="/settings/users">"Cancel"</a>
                    </FormActs>
                </ServerForm>
            </Card>
        }
        .into_any()
    })
}

fn what_it_may(role: Role) -> &'static str {
    match role {
        Role::AgencyOwner => "Everything, credentials and deleting agents included.",
        Role::AgencyAdmin => "Agents, numbers, campaigns, batches, people below owner. No credentials.",
        Role::AgencyMember => "Reads all of the agency's data. Changes nothing.",
        Role::ClientAdmin => "One client: manages its contacts and viewers, reads its calls and usage.",
        Role::ClientViewer => "One client: reads its calls, campaigns and results.",
        Role::Admin => "Runs the platform.",
    }
}
