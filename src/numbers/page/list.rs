use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shell::viewer;
use patchbay_agents::model::CallDirection;
use crate::model::{NumberList, NumberQuery, NumberRow, NumberStatus};
use crate::server_fns::list_numbers;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// The agency's phone numbers.
#[lazy]
pub fn numbers_page() -> PageView {
    let asked = || NumberQuery {
        words: query("q"),
        status: query("status"),
        client: query("client"),
        direction: query("direction"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_numbers);
    Arc::new(move || {
        live::on_change(&["numbers"], move || rows.refetch());
        let may_add = viewer().may(Action::ManageNumbers);
        let states = options_of(NumberStatus::ALL.iter().map(|status| (status.as_str(), status.label())));
        let ways = options_of(CallDirection::ALL.iter().map(|way| (way.as_str(), way.label())));
        view! {
            <PageTitle text="Phone numbers"/>
            <PageHead
                title="Phone numbers"
                sub="What agents call from and are called on."
                actions=move || view! {
                    <ExportLink path="/numbers/export.csv"/>
                    {may_add.then(|| view! {
                        <LinkButton href="/numbers/new" kind=ButtonKind::Primary icon="plus">"Add a number"</LinkButton>
                    })}
                }
            />
            <FilterBar
                search="q"
                placeholder="Digits of the number"
                filters=vec![Filter::new("status", "State", states), Filter::new("direction", "Way", ways)]
                keep=vec!["client"]
            />
            <PageBoundary data=rows view=move |list: NumberList| view! { <Rows list/> }/>
        }
        .into_any()
    })
}

#[component]
fn Rows(list: NumberList) -> impl IntoView {
    let NumberList { page, may_edit, .. } = list;
    if page.rows.is_empty() {
        if ["q", "status", "direction", "client", "cursor"].into_iter().any(|key| query(key).is_some()) {
            return view! { <NoMatch what="numbers"/> }.into_any();
        }
        return view! {
            <section class="card">
                <EmptyState
                    icon="phone"
                    title="No phone numbers yet"
                    text="Campaigns call from a number. Rent one at the carrier, or add one that your account has already."
                >
                    {may_edit.then(|| view! { <LinkButton href="/numbers/new" kind=ButtonKind::Primary icon="plus">"Add the first number"</LinkButton> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Phone numbers"
                class="wide"
                head=|| view! {
                    <th scope="col">"Number"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Client"</th>
                    <th scope="col">"Agent"</th>
                    <th scope="col">"Way"</th>
                    <th scope="col">"Country"</th>
                    <th scope="col" class="num">"Per month"</th>
                    <th scope="col">"Since"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="50 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: NumberRow) -> impl IntoView {
    let since = row.released.or(row.purchased);
    view! {
        <tr>
            <td>
                <div class="who">
                    <a class="mono" href=format!("/numbers/{}", row.id)>{spaced(&row.number)}</a>
                    {row.error.map(|error| view! { <small class="warn-ink">{error}</small> })}
                </div>
            </td>
            <td><State tone=row.status.tone() label=row.status.label() on=row.status != NumberStatus::Released/></td>
            <td>{row.client.unwrap_or_else(|| "Whole agency".into())}</td>
            <td>{row.agent.unwrap_or_else(|| "None".into())}</td>
            <td>{row.direction.label()}</td>
            <td>{row.country.unwrap_or_else(|| "Not known".into())}</td>
            <td class="num">{row.monthly_cost.map_or_else(|| "Not priced yet".into(), |cost| cost.text())}</td>
            <td>{since.map(|at| view! { <Time stamp=at/> })}</td>
        </tr>
    }
}
