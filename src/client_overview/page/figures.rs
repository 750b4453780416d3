use leptos::prelude::*;

use patchbay_calls::model::figures::{share_text, unpriced_text};
use patchbay_calls::model::{ResultFilter, term};
use patchbay_metering::model::{BudgetStatus, Preset};
use patchbay_shared::decimals::fixed;
use patchbay_shared::money::count_text;
use patchbay_shared::{Money, Tone};
use patchbay_ui::address::query_string;
use patchbay_ui::*;
use patchbay_usage::model::{ClientPeriod, Shown, unpriced_answers_text};
use patchbay_usage::page::{PeriodBar, amount, carrier, moved, text_cost, texts_listed};

/// What this page offers; it shows the month that budgets are counted by when nothing else is asked for.
const PERIODS: &[Preset] = &[Preset::Today, Preset::Week, Preset::Month, Preset::Quarter, Preset::MonthToDate];

/// The days' figures beside the days before, and how far the budget goes.
#[component]
pub(crate) fn Figures(usage: ClientPeriod, client: String, busy: RwSignal<bool>) -> impl IntoView {
    let (total, before, shown) = (usage.total, usage.before, usage.shown);
    let of_ended = format!("{} of {} ended", share_text(total.answered, total.ended), count_text(total.ended));
    let of_answered = format!("{} of answered", share_text(total.goals, total.answered));
    // The days are the client's; the list's would be the viewer's.
    let listed = shown.listed(Some(client.clone()));
    let from = |text: String| format!("from {text}");
    let (priced, priced_href) = match unpriced_text(total.unpriced) {
        Some(text) => (text, listed.of_unpriced().address()),
        None => (from(before.spend().text()), listed.address()),
    };
    let priced = match unpriced_answers_text(total.unpriced_answers) {
        Some(text) => format!("{priced} · {text}"),
        None => priced,
    };
    let remark = usage.budget_status.as_ref().and_then(BudgetStatus::remark);
    let change = |now: i64, then: i64| moved(now as f64, then as f64);
    let (calls, calls_way) = change(total.calls, before.calls);
    let (answered, answered_way) = change(total.answered, before.answered);
    let (goals, goals_way) = change(total.goals, before.goals);
    let (minutes, minutes_way) = change(total.seconds, before.seconds);
    let (spend, spend_way) = moved(number(total.spend()), number(before.spend()));
    view! {
        {remark.map(|(tone, text)| view! { <Callout tone icon="gauge"><p>{text}</p></Callout> })}
        <PeriodBar shown presets=PERIODS default=Preset::MonthToDate busy/>
        <Kpis count=5>
            <Kpi label=term::CALLS.label value=count_text(total.calls) delta=calls direction=calls_way neutral=true versus=from(count_text(before.calls)) href=listed.address() means=term::CALLS.means/>
            <Kpi label=term::ANSWERED.label value=count_text(total.answered) delta=answered direction=answered_way neutral=true versus=of_ended href=listed.of_result(ResultFilter::Answered).address() means=term::ANSWERED.means/>
            <Kpi label=term::GOALS.label value=count_text(total.goals) delta=goals direction=goals_way versus=of_answered href=listed.of_goals().address() means=term::GOALS.means/>
            <Kpi label=term::MINUTES.label value=fixed(total.minutes(), 1) delta=minutes direction=minutes_way neutral=true versus=from(fixed(before.minutes(), 1)) means=term::MINUTES.means/>
            <Kpi label=term::SPEND.label value=total.spend().text() delta=spend direction=spend_way neutral=true versus=priced href=priced_href means=term::SPEND.means/>
        </Kpis>
        <Budget budget_status=usage.budget_status client/>
    }
}

/// What calls and text messages of the month cost against the budget, with a bar.
#[component]
fn Budget(budget_status: Option<BudgetStatus>, client: String) -> impl IntoView {
    let settings = format!("/clients/{client}/settings");
    let body = match budget_status {
        None => view! { <p class="sub">"No monthly budget. With one, what calls and text messages cost is shown beside it, and both can be held when it is spent."</p> }.into_any(),
        Some(budget_status) => {
            let percent = share(&budget_status);
            let paint = match budget_status.remark() {
                Some((Tone::Bad, _)) => "bad",
                Some(_) => "warn",
                None => "chart-2",
            };
            let words = format!("{} of {} for calls and text messages", budget_status.spent.text(), budget_status.budget.text());
            let then = format!("{} · resets on {}", budget_status.action.label(), budget_status.ends);
            view! {
                <div class="stack">
                    <div class="row between wrap"><b class="medium">{words.clone()}</b><span class="sub">{then}</span></div>
                    <SegmentBar label=words total=100.0 segments=vec![Segment::new("Spent", percent, paint)] large=true/>
                </div>
            }
            .into_any()
        }
    };
    view! { <Card title="Monthly budget" right=move || view! { <a class="link" href=settings>"Settings"</a> }>{body}</Card> }
}

/// How much of the budget is spent, in percent, as a bar shows it.
fn share(budget_status: &BudgetStatus) -> f64 {
    match number(budget_status.budget) {
        budget if budget > 0.0 => (number(budget_status.spent) / budget * 100.0).min(100.0),
        _ => 100.0,
    }
}

/// For drawings; what is said is a `Money`.
fn number(money: Money) -> f64 {
    money.number()
}

/// Where the same days are shown with all that they took.
fn usage_of(shown: &Shown, client: &str) -> String {
    let pairs = [("client", client.to_owned()), ("from", shown.first.to_string()), ("to", shown.last.to_string())];
    format!("/usage{}", query_string(&pairs.map(|(name, value)| (name.to_owned(), value))))
}

/// What the money of the days went to.
#[component]
pub(crate) fn Spent(period: ClientPeriod, client: String) -> impl IntoView {
    let total = period.total;
    let href = usage_of(&period.shown, &client);
    let (texts, shown) = (period.texts, period.shown);
    let days = (shown.first, shown.last);
    let listed = texts_listed(&shown, days, Some(client.clone()), false);
    let cost = text_cost(texts, || texts_listed(&shown, days, Some(client), true));
    let text = shown.text;
    view! {
        <Card title="Usage" right=move || view! { <a class="link" href=href>"Usage by day"</a> }>
            {if total.is_nothing() && texts.is_nothing() {
                view! { <EmptyState icon="receipt-text" title="No usage" text="Nobody was called or written to in these days." small=true/> }.into_any()
            } else {
                view! {
                    <Facts>
                        <Fact label="Voice" class="num">{amount(total.voice, total.unpriced)}</Fact>
                        <Fact label="Carrier" class="num">{carrier(total.carrier)}</Fact>
                        <Fact label="Models" class="num">{amount(total.model, total.unpriced_answers)}</Fact>
                        <Fact label="Tokens" class="num">{count_text(total.tokens)}</Fact>
                        <Fact label=term::TEXTS.label class="num"><a class="link" href=listed>{count_text(texts.messages)}</a></Fact>
                        <Fact label="Cost of messages" class="num">{cost}</Fact>
                    </Facts>
                    <p class="note">{text}</p>
                }
                .into_any()
            }}
        </Card>
    }
}
