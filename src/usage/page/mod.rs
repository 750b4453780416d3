//! Minutes, tokens and money of some days, beside the days before.

mod amount;
mod by_client;
mod by_day;
mod period_bar;
mod tables;
mod texts;

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;

use super::model::{Usage, change, unpriced_answers_text};
use super::server_fns::get_usage;
pub use amount::{amount, carrier};
use by_client::Clients;
use by_day::{Days, Spend};
use patchbay_calls::model::figures::unpriced_text;
use patchbay_calls::model::term;
use patchbay_metering::model::{Preset, Sums, TextSums};
use patchbay_shared::Money;
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::count_text;
use patchbay_ui::address::query_string;
use patchbay_ui::*;
pub use period_bar::{PeriodBar, asked};
use tables::{Models, PhoneNumbers};
use texts::TextMessages;
pub use texts::{text_cost, texts_listed};

/// The periods that this page and the dashboard offer.
pub const PERIODS: &[Preset] = &[Preset::Today, Preset::Week, Preset::Month, Preset::Quarter];

#[lazy]
pub fn usage_page() -> PageView {
    let usage = load(
        || (query("client"), asked(), query("by"), query("sort")),
        |(client, asked, by, sort)| get_usage(client, asked, by, sort),
    );
    Arc::new(move || {
        let busy = RwSignal::new(false);
        live::on_change_slowly(&["calls", "clients", "texts"], Duration::from_secs(5), move || {
            if !busy.get_untracked() {
                usage.refetch();
            }
        });
        view! {
            <PageTitle text="Usage"/>
            <PageBoundary data=usage view=move |usage: Usage| view! { <Figures usage busy/> }/>
        }
        .into_any()
    })
}

/// The address of a file of what is shown.
pub(crate) fn file(part: Option<&str>) -> String {
    let asked = asked();
    let mut pairs: Vec<(String, String)> =
        query("client").map(|client| ("client".to_owned(), client)).into_iter().collect();
    pairs.extend(asked.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    // Only the rows of days stand together.
    pairs.extend(query("by").filter(|_| part.is_none()).map(|by| ("by".to_owned(), by)));
    pairs.extend(part.map(|part| ("part".to_owned(), part.to_owned())));
    format!("/usage.csv{}", query_string(&pairs))
}

/// For drawings; what is said is a `Money`.
pub fn number(money: Money) -> f64 {
    money.number()
}

/// `11.2%` and which way.
pub fn moved(now: f64, then: f64) -> (String, Direction) {
    match change(now, then) {
        None => (String::new(), Direction::Same),
        Some(percent) if percent.abs() < 0.05 => ("0.0%".to_owned(), Direction::Same),
        Some(percent) => {
            (format!("{}%", fixed(percent.abs(), 1)), if percent > 0.0 { Direction::Up } else { Direction::Down })
        }
    }
}

#[component]
fn Figures(usage: Usage, busy: RwSignal<bool>) -> impl IntoView {
    let (total, before, shown) = (usage.total, usage.before, usage.shown.clone());
    let whose = usage.client.clone().unwrap_or_else(|| "All clients".to_owned());
    let is_agency = usage.is_agency;
    let updated = shown.updated_text(&usage.updated, &usage.viewer_zone);
    let head = if is_agency {
        format!("{whose} · {} · {updated}", shown.zone_text())
    } else {
        format!("{} · {updated}", shown.zone_text())
    };
    let (numbers, texts) = (usage.numbers.clone(), usage.texts.clone());
    let is_nothing = total.is_nothing() && before.is_nothing() && usage.month.spend.0.is_zero();
    let has_texts = !texts.total.is_nothing();
    view! {
        <PageHead
            title="Usage"
            sub=capital(&head)
            actions=move || view! {
                {is_agency.then(|| view! { <LinkButton href="/clients" icon="gauge">"Budgets"</LinkButton> })}
                <LinkButton href=Signal::derive(|| file(None)) icon="download" external=true>"Export CSV"</LinkButton>
            }
        />
        <PeriodBar shown=shown.clone() presets=PERIODS default=Preset::Month busy by=usage.by/>
        <LeftOut total texts=texts.total client=query("client") shown=shown.clone()/>
        {if is_nothing && has_texts {
            ().into_any()
        } else if is_nothing {
            view! { <EmptyState icon="receipt-text" title="No usage yet" text="Usage appears after the first call."/> }.into_any()
        } else {
            view! { <Summary usage=usage.clone() total before/> <Spend usage=usage.clone()/> }.into_any()
        }}
        {(is_agency && !is_nothing).then(|| view! {
            <Clients clients=usage.clients others=usage.others shown=shown.clone() total/>
        })}
        {(!is_nothing).then(|| view! { <Days by=usage.by days=usage.days shown=shown.clone()/> })}
        <TextMessages texts by=usage.by shown/>
        {is_agency.then(|| view! { <Models models=usage.models/> })}
        {numbers.map(|numbers| view! { <PhoneNumbers numbers/> })}
    }
}

/// What is in no figure, and where it is listed.
#[component]
fn LeftOut(total: Sums, texts: TextSums, client: Option<String>, shown: super::model::Shown) -> impl IntoView {
    let texts = texts.unpriced_text().map(|text| {
        let href = texts_listed(&shown, (shown.first, shown.last), client.clone(), true);
        view! { <p><a class="link" href=href>{text}</a>" and not in these figures."</p> }
    });
    let calls = unpriced_text(total.unpriced).map(|text| {
        let href = shown.listed(client).of_unpriced().address();
        view! { <p><a class="link" href=href>{text}</a>" and not in these figures."</p> }
    });
    let answers =
        unpriced_answers_text(total.unpriced_answers).map(|text| view! { <p>{text}" and not in these figures."</p> });
    (calls.is_some() || answers.is_some() || texts.is_some())
        .then(|| view! { <Callout tone=patchbay_shared::Tone::Warn icon="info">{calls}{answers}{texts}</Callout> })
}

#[component]
fn Summary(usage: Usage, total: Sums, before: Sums) -> impl IntoView {
    let listed = usage.shown.listed(query("client"));
    let course = usage.parts.clone();
    let parts = move |pick: fn(&Sums) -> f64| course.iter().map(pick).collect::<Vec<f64>>();
    let from =
        |text: String, was_nothing: bool| if was_nothing { "None before".to_owned() } else { format!("from {text}") };
    let (spend, spend_way) = moved(number(total.spend()), number(before.spend()));
    let (calls, calls_way) = moved(total.calls as f64, before.calls as f64);
    let (minutes, minutes_way) = moved(total.seconds as f64, before.seconds as f64);
    let cost = |sums: &Sums| sums.per_goal().map_or(0.0, number);
    let (per_goal, per_goal_way) = moved(cost(&total), cost(&before));
    let month = usage.month;
    let month_listed = patchbay_calls::model::CallQuery {
        from: Some(month.first.clone()),
        to: Some(month.today.clone()),
        ..listed.clone()
    };
    let forecast = match month.forecast {
        Some((money, last)) => format!("about {} by the {last}, as the last four weeks went", money.text()),
        None => "A forecast needs four weeks of calls".to_owned(),
    };
    let goal_text = total.per_goal().map_or_else(|| "–".to_owned(), Money::text);
    let goal_from =
        before.per_goal().map_or_else(|| "No goals before".to_owned(), |cost| format!("from {}", cost.text()));
    view! {
        <Kpis count=5>
            <Kpi label=term::SPEND.label value=total.spend().text() delta=spend direction=spend_way neutral=true versus=from(before.spend().text(), before.spend().0.is_zero()) points=parts(|sums| number(sums.spend())) paint="chart-2" href=listed.address() means=term::SPEND.means/>
            <Kpi label=term::CALLS.label value=count_text(total.calls) delta=calls direction=calls_way neutral=true versus=from(count_text(before.calls), before.calls == 0) points=parts(|sums| sums.calls as f64) href=listed.address() means=term::CALLS.means/>
            <Kpi label=term::MINUTES.label value=fixed(total.minutes(), 1) delta=minutes direction=minutes_way neutral=true versus=from(fixed(before.minutes(), 1), before.seconds == 0) points=parts(|sums| sums.seconds as f64) means=term::MINUTES.means/>
            <Kpi label=term::COST_PER_GOAL.label value=goal_text delta=per_goal direction=per_goal_way good=per_goal_way == Direction::Down versus=goal_from points=parts(|sums| sums.per_goal().map_or(0.0, number)) href=listed.of_goals().address() means=term::COST_PER_GOAL.means/>
            <Kpi label=format!("{} so far", month.name) value=month.spend.text() versus=forecast href=month_listed.address() means=term::SPEND.means/>
        </Kpis>
    }
}

/// `analysis` as `Analysis`.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| std::iter::once(first.to_ascii_uppercase()).chain(letters).collect())
}
