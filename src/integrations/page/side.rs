use leptos::prelude::*;

use crate::model::{IntegrationHead, LimitView, PendingRow, Remedy, SignInView, Standing, TokenType};
use crate::server_fns::{CheckCarrier, ImportCarrierNumbers, RetryFailedRecords};
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// After trying all again: a record that waits for a person goes on waiting.
pub(super) const RETRIED: &str = "All that this can help is tried again. The others say what helps.";

/// The first records that failed, each with what helps.
#[component]
pub(super) fn FailedCard(head: IntegrationHead, rows: Vec<PendingRow>, again: Callback<()>) -> impl IntoView {
    let base = format!("/integrations/{}", head.id);
    let may = head.may_manage;
    if rows.is_empty() {
        return view! { <Card title="Records that failed"><p class="sub">"None. A record that fails stands here with what helps; the others go on."</p></Card> }.into_any();
    }
    let items = rows
        .into_iter()
        .map(|row| {
            let href = match row.remedy {
                Remedy::Map if may => map_address(&base, &row),
                _ => format!("{base}/failed#record-{}", row.id),
            };
            let name = if row.label.is_empty() { "A record without a name".to_owned() } else { row.label.clone() };
            let word = if may { row.remedy.label() } else { "Details" };
            let label = format!("{word}: {name}");
            view! {
                <li>
                    <div class="grow"><b class="break">{name}</b>" "<Tag>{row.way.label().to_lowercase()}</Tag><small>{row.problem}</small></div>
                    <a class="link x" href=href aria-label=label>{word}</a>
                </li>
            }
        })
        .collect_view();
    let retry = may.then(|| {
        let action = FormAction::of::<RetryFailedRecords>();
        view! {
            <ServerForm action class="inline" prefix="retry-all" no_summary=true on_done=again said=RETRIED>
                <input type="hidden" name="id" value=head.id.to_string()/>
                <SubmitButton kind=ButtonKind::Plain small=true icon="refresh-cw">"Retry all"</SubmitButton>
            </ServerForm>
        }
    });
    let (all, count) = (format!("{base}/failed"), head.failed);
    view! {
        <Card
            title="Records that failed"
            count=count_text(count)
            right=move || retry
            footer=move || view! { <span class="sub text-xs">"Others go on. What passes by itself is tried 5 times."</span><a class="link push" href=all>"All"</a> }
        >
            <ul class="list">{items}</ul>
        </Card>
    }
    .into_any()
}

/// Where the line of the mapping is that a value misses.
pub(super) fn map_address(base: &str, row: &PendingRow) -> String {
    match &row.unknown {
        Some((property, _)) => {
            let pairs = [("property".to_owned(), property.clone())];
            format!("{base}/mapping{}", patchbay_ui::address::query_string(&pairs))
        }
        None => format!("{base}/mapping"),
    }
}

/// How one is signed in there. Only the agency sees it.
#[component]
pub(super) fn SignInCard(head: IntegrationHead, sign_in: SignInView) -> impl IntoView {
    let is_theirs = sign_in.kind == TokenType::Oauth2;
    // A token of Slack may have no end.
    let renews = is_theirs && sign_in.until.is_some();
    let (tone, word) = match (sign_in.is_good && head.standing != Standing::Failing, renews) {
        (false, _) if !sign_in.is_good => (Tone::Bad, "Ended"),
        (false, _) => (Tone::Warn, "In trouble"),
        (true, true) => (Tone::Ok, "Renews itself"),
        (true, false) => (Tone::Ok, "Good"),
    };
    let service = head.kind.label();
    let until = match sign_in.until {
        Some(at) => view! { <Time stamp=at/> }.into_any(),
        None => "It does not end by itself".into_any(),
    };
    let scopes = (!sign_in.scopes.is_empty())
        .then(|| view! { <Fact label="May read, write" class="break">{scope_words(&sign_in.scopes)}</Fact> });
    let key = sign_in.key.chars().take(8).collect::<String>();
    view! {
        <Card
            title="Sign-in"
            right=move || view! { <Tag tone>{word}</Tag> }
            footer=move || view! { <Icon name="info" small=true/><span class="sub text-xs">{if is_theirs { format!("Disconnect ends it at {service} too.") } else { "Disconnect deletes it here.".to_owned() }}</span> }
        >
            <Facts>
                <Fact label="Kind">{sign_in.kind.label()}</Fact>
                <Fact label="Good until">{until}</Fact>
                {renews.then(|| view! { <Fact label="Renewed ahead">"5 minutes before"</Fact> })}
                {sign_in.renewed.map(|at| view! { <Fact label="Last renewed"><Time stamp=at/></Fact> })}
                <Fact label="Signed in by">{sign_in.by}", "<Time stamp=sign_in.since/></Fact>
                {scopes}
                <Fact label="Kept">"sealed, key "<code>{key}</code></Fact>
            </Facts>
        </Card>
    }
}

/// Scopes as people read them: the last words of each, once.
fn scope_words(scopes: &[String]) -> String {
    let mut words: Vec<String> = Vec::new();
    for scope in scopes {
        let parts: Vec<&str> = scope.split(['.', ':']).filter(|part| !part.is_empty()).collect();
        let from = parts.len().saturating_sub(2);
        let word = parts[from..].join(" ").to_lowercase().replace('_', " ");
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// What the service said last about its limit.
#[component]
pub(super) fn LimitCard(service: &'static str, limit: LimitView) -> impl IntoView {
    let lines = limit
        .lines
        .into_iter()
        .map(|(what, used, most)| {
            let label = format!("{what}: {} of {}", count_text(used), count_text(most));
            view! {
                <li class="col">
                    <span class="row between"><span>{what}</span><span class="nowrap"><b>{count_text(used)}</b>" of "{count_text(most)}</span></span>
                    <Progress value=used as f64 max=most as f64 label quiet=true/>
                </li>
            }
        })
        .collect_view();
    let wait = limit
        .wait_until
        .map(|at| view! { <Callout tone=Tone::Warn><p>"It asked to wait. It goes on "{at.when()}"."</p></Callout> });
    view! {
        <Card title=format!("{service}’s limit") right=move || limit.at.map(|at| view! { <span class="sub text-xs"><Time stamp=at/></span> })>
            {wait}
            <ul class="list">{lines}</ul>
        </Card>
    }
}

/// What can be done with a carrier's account.
#[component]
pub(super) fn CarrierCard(head: IntegrationHead, again: Callback<()>) -> impl IntoView {
    let (check, import) = (FormAction::of::<CheckCarrier>(), FormAction::of::<ImportCarrierNumbers>());
    let (id, same) = (head.id.to_string(), head.id.to_string());
    let service = head.kind.label();
    let acts = head.may_sign_in.then(|| {
        view! {
            <ServerForm action=check class="inline" prefix="check" no_summary=true on_done=again said="Account checked">
                <input type="hidden" name="id" value=id/>
                <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Check now"</SubmitButton>
            </ServerForm>
        }
    });
    let take = head.may_manage.then(|| {
        view! {
            <ServerForm action=import class="inline" prefix="import" no_summary=true on_done=again said="Numbers taken over">
                <input type="hidden" name="id" value=same/>
                <SubmitButton kind=ButtonKind::Plain icon="download">"Take over its numbers"</SubmitButton>
            </ServerForm>
        }
    });
    view! {
        <Card title="Account">
            <p class="sub">{format!("Calls from {service} numbers go through the voice service with this account. Take over its numbers to give them to clients and agents.")}</p>
            <Facts class="mt-4">
                <Fact label="Account" class="mono break">{head.account_id.clone().unwrap_or_else(|| "–".to_owned())}</Fact>
                {head.account.clone().map(|name| view! { <Fact label="Name">{name}</Fact> })}
                {head.set_up_by.clone().map(|name| view! { <Fact label="Set up by">{name}</Fact> })}
                <Fact label="Last checked">{cell::time_or(head.last_sync.as_ref(), "Never")}</Fact>
            </Facts>
            <div class="row wrap mt-4">{acts}{take}<LinkButton href="/numbers" icon="phone">"Phone numbers"</LinkButton></div>
        </Card>
    }
}
