//! What pages of integrations show, put together from what is stored.

use chrono::{DateTime, NaiveTime, Utc};
use serde_json::Value;

use super::connecting::{KeptTry, TRIED};
use super::signing_in::CALLBACK;
use super::store::notices::known as known_notices;
use super::store::views::{self, Shown, lists};
use super::{carriers, notices, repair, slack, tokens};
use crate::model::{
    BelowQuery, ConnectPage, CustomConfig, CustomForm, CustomSettings, Direction, FIRST, FailedPage, FieldMap,
    IntegrationPage, IntegrationQuery, IntegrationType, IntegrationsPage, LimitView, MappingLine, MappingPage,
    MessagesPage, NoticesView, OneSyncPage, PreviewPage, SettingsPage, SlackApp, SlackConfig, SlackForm, SlackSettings,
    SyncsPage,
};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope, Visitor, once};
use patchbay_contacts::model::countries;
use patchbay_providers::oauth::{self, OauthKind};
use patchbay_shared::ids::{IntegrationId, SyncId};
use patchbay_shared::zone::{instant, stamp};
use patchbay_shared::{AppError, Stamp};

/// Longest sample of a value, in characters.
const SAMPLE: usize = 60;

/// An integration's own page. Errors: `NotFound`.
pub(crate) async fn page(scope: &Scope, id: IntegrationId) -> Result<IntegrationPage, AppError> {
    let mut page = exchanged(scope, id).await?;
    if page.head.kind.is_carrier() {
        page.carrier = Some(carriers::shown(scope, id).await?);
    }
    Ok(page)
}

async fn exchanged(scope: &Scope, id: IntegrationId) -> Result<IntegrationPage, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let shown = views::shown(&mut tx, id).await?;
    let now = tx.now().await?;
    let today = instant(now.with_timezone(&scope.zone()).date_naive(), NaiveTime::MIN, scope.zone());
    let config = shown.crm();
    let figures = views::figures(&mut tx, id, today, config.remote_total).await?;
    let (values, sample_of) = views::sample(&mut tx, id).await?;
    let few = BelowQuery::default();
    let syncs = lists::syncs(&mut tx, id, &few, FIRST).await?.rows;
    let failed = lists::failed(&mut tx, id, &few, FIRST).await?.rows;
    let sign_in = views::sign_in(&mut tx, id).await?;
    let limit = limit(&shown, now, scope);
    let mapping = lines(&shown, &values, &config.settings.country);
    Ok(IntegrationPage {
        head: shown.head,
        figures,
        mapping,
        sample_of,
        syncs,
        failed,
        sign_in,
        limit,
        settings: config.settings,
        carrier: None,
    })
}

/// Syncs. Errors: `NotFound`.
pub(crate) async fn syncs(scope: &Scope, id: IntegrationId, query: &BelowQuery) -> Result<SyncsPage, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let head = views::shown(&mut tx, id).await?.head;
    Ok(SyncsPage { page: lists::syncs(&mut tx, id, query, lists::ROWS).await?, head })
}

/// One sync and what it did. Errors: `NotFound`.
pub(crate) async fn sync(
    scope: &Scope,
    id: IntegrationId,
    sync: SyncId,
    query: &BelowQuery,
) -> Result<OneSyncPage, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let head = views::shown(&mut tx, id).await?.head;
    let sync = lists::sync(&mut tx, id, sync).await?;
    let records = lists::records(&mut tx, sync.id, query, lists::ROWS).await?;
    Ok(OneSyncPage { head, sync, records })
}

/// Records that failed. Errors: `NotFound`.
pub(crate) async fn failed(scope: &Scope, id: IntegrationId, query: &BelowQuery) -> Result<FailedPage, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let head = views::shown(&mut tx, id).await?.head;
    Ok(FailedPage { page: lists::failed(&mut tx, id, query, lists::ROWS).await?, head })
}

/// Messages. Errors: `NotFound`.
pub(crate) async fn messages(scope: &Scope, id: IntegrationId, query: &BelowQuery) -> Result<MessagesPage, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let head = views::shown(&mut tx, id).await?.head;
    Ok(MessagesPage { page: lists::messages(&mut tx, id, query, lists::ROWS).await?, head })
}

/// The editor of the mapping, with the fields that the service has. Errors: `NotFound`.
pub(crate) async fn mapping(scope: &Scope, id: IntegrationId) -> Result<MappingPage, AppError> {
    let (shown, values) = {
        let mut tx = scope.read(Action::ManageIntegrations).await?;
        let shown = views::shown(&mut tx, id).await?;
        let (values, _) = views::sample(&mut tx, id).await?;
        (shown, values)
    };
    if !shown.head.kind.is_crm() {
        return Err(AppError::NotFound);
    }
    let mapping = lines(&shown, &values, &shown.crm().settings.country);
    let (properties, note) = match repair::properties(scope, id).await {
        Ok(properties) => (properties, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Ok(MappingPage { head: shown.head, mapping, properties, note })
}

/// What would happen to twenty records. Nothing is written. Errors: `NotFound`, and those of the service.
pub(crate) async fn preview(scope: &Scope, id: IntegrationId) -> Result<PreviewPage, AppError> {
    let head = {
        let mut tx = scope.read(Action::ManageIntegrations).await?;
        views::shown(&mut tx, id).await?.head
    };
    Ok(PreviewPage { preview: repair::try_mapping(scope, id).await?, head })
}

/// An integration's head and settings, for forms. Errors: `NotFound`.
pub(crate) async fn head(tx: &mut ReadTx, id: IntegrationId) -> Result<Shown, AppError> {
    views::shown(tx, id).await
}

/// The mapping with a sample of each value and the rule that holds.
fn lines(shown: &Shown, values: &Value, country: &str) -> Vec<MappingLine> {
    let service = shown.head.kind.label();
    let line = |map: &FieldMap| {
        let sample = match &values[&map.ours] {
            Value::String(text) => Some(text.clone()),
            Value::Bool(is_so) => Some(if *is_so { "Yes" } else { "No" }.to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let sample = match map.ours.as_str() {
            "do_not_call" => {
                sample.map(|text| if text.is_empty() || text == "false" { "No".to_owned() } else { "Yes".to_owned() })
            }
            _ => sample.filter(|text| !text.is_empty()),
        };
        let sample = sample.map(|text| match text.char_indices().nth(SAMPLE) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        });
        MappingLine { rule: rule(map, country, service), sample, map: map.clone() }
    };
    let (calls, contacts): (Vec<_>, Vec<_>) = shown.mapping.iter().partition(|map| map.is_of_call());
    contacts.into_iter().chain(calls).map(line).collect()
}

fn rule(map: &FieldMap, country: &str, service: &str) -> String {
    let mut rules = Vec::new();
    match (map.ours.as_str(), map.direction) {
        (_, Direction::Kept) => rules.push("kept here".to_owned()),
        ("do_not_call", _) => rules.push("yes wins on either side".to_owned()),
        ("summary", _) => rules.push("one activity per call".to_owned()),
        ("callback_at", _) => rules.push("one task per call".to_owned()),
        ("phone", direction) => {
            if let Some(country) = countries::name(country) {
                rules.push(format!("{country} if no country"));
            }
            if direction == Direction::Both {
                rules.push("newest wins".to_owned());
            }
        }
        (_, Direction::Both) => rules.push("newest wins".to_owned()),
        (_, Direction::In) => rules.push(format!("{service} decides")),
        (_, Direction::Out) => rules.push("written there".to_owned()),
    }
    if !map.values.is_empty() {
        let count = map.values.len();
        rules.push(if count == 1 { "1 value matched".to_owned() } else { format!("{count} values matched") });
    }
    rules.join(", ")
}

/// What the service said last about its limit.
fn limit(shown: &Shown, now: DateTime<Utc>, scope: &Scope) -> Option<LimitView> {
    let moment = |at: DateTime<Utc>| -> Stamp { stamp(at, now, scope.zone()) };
    let wait_until = shown.wait_until.filter(|until| *until > now).map(moment);
    let said = shown.rate_limit.clone().unwrap_or_default();
    let number = |key: &str| said[key].as_i64();
    let mut lines = Vec::new();
    if let Some((most, left)) = number("most").zip(number("left")) {
        let window =
            number("seconds").map_or("Requests".to_owned(), |seconds| format!("Requests in {seconds} seconds"));
        lines.push((window, (most - left).max(0), most));
    }
    if let Some((most, left)) = number("daily_most").zip(number("daily_left")) {
        lines.push(("Requests today".to_owned(), (most - left).max(0), most));
    }
    let at = said["at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()).map(moment);
    (!lines.is_empty() || wait_until.is_some()).then_some(LimitView { lines, at, wait_until })
}

/// Everything that is connected.
pub(crate) async fn list(scope: &Scope, query: &IntegrationQuery) -> Result<IntegrationsPage, AppError> {
    let page = {
        let mut tx = scope.read(Action::ReadIntegrations).await?;
        views::list(&mut tx, query, lists::ROWS).await?
    };
    let connections = match scope.may(Action::ReadWorkshop) {
        true => patchbay_connections::server::ops::list(scope).await?,
        false => Vec::new(),
    };
    Ok(IntegrationsPage { connections, page })
}

/// What the way to a new integration begins with. Errors: `NotFound` for what is none.
pub(crate) async fn connect(visitor: &Visitor, kind: &str) -> Result<ConnectPage, AppError> {
    let scope = visitor.scope()?;
    scope.read(Action::ManageConnections).await?;
    let kind = kind.parse().map_err(|_| AppError::NotFound)?;
    let callback = format!("{}{CALLBACK}", visitor.base);
    Ok(ConnectPage { kind, has_sandbox: scope.services().sandbox.is_some(), callback })
}

/// The settings by the integration's type. `with_try`: takes how a message by hand went, this once. Errors: `NotFound`.
pub(crate) async fn settings(visitor: &Visitor, id: IntegrationId, with_try: bool) -> Result<SettingsPage, AppError> {
    let scope = visitor.scope()?;
    let shown = {
        let mut tx = scope.read(Action::ManageIntegrations).await?;
        views::shown(&mut tx, id).await?
    };
    let slack = match shown.head.kind {
        IntegrationType::Slack => Some(slack_settings(visitor, &scope, &shown).await?),
        _ => None,
    };
    let custom = (shown.head.kind == IntegrationType::CustomApi).then(|| {
        let config: CustomConfig = serde_json::from_value(shown.config.clone()).unwrap_or_default();
        CustomSettings {
            intake: CustomConfig::intake_address(&scope.services().public_url, scope.workspace_id(), id),
            has_key: config.key_digest.is_some(),
            has_incoming_secret: config.has_incoming_secret,
            form: CustomForm::of(id.to_string(), &config),
        }
    });
    let kept = if with_try { once::take::<KeptTry>(visitor, TRIED).await? } else { None };
    let tried = kept.filter(|kept| kept.id == id.to_string()).map(|kept| kept.tried);
    let notices = match shown.head.kind {
        IntegrationType::Hubspot => Some(notices_view(&scope, id).await?),
        _ => None,
    };
    Ok(SettingsPage { crm: shown.crm().settings, head: shown.head, slack, custom, notices, tried })
}

async fn notices_view(scope: &Scope, id: IntegrationId) -> Result<NoticesView, AppError> {
    let mut tx = scope.read(Action::ManageIntegrations).await?;
    let (came, refused) = known_notices(&mut tx, id).await?;
    let now = tx.now().await?;
    let told = |at: DateTime<Utc>| stamp(at, now, scope.zone());
    Ok(NoticesView {
        address: notices::address(&scope.services().public_url, scope.workspace_id(), id),
        came: came.map(told),
        refused: refused.map(|(at, why)| (told(at), why)),
    })
}

async fn slack_settings(visitor: &Visitor, scope: &Scope, shown: &Shown) -> Result<SlackSettings, AppError> {
    let config: SlackConfig = serde_json::from_value(shown.config.clone()).unwrap_or_default();
    let asked = shown.head.is_connected && !config.by_webhook;
    let (channels, note) = match asked {
        false => (Vec::new(), None),
        true => match slack::channels(scope, shown.head.id).await {
            Ok(channels) => (channels, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        },
    };
    let app = match shown.head.may_sign_in {
        true => Some(SlackApp {
            callback: format!("{}{CALLBACK}", visitor.base),
            scopes: oauth::scopes_of(OauthKind::Slack).iter().map(|scope| (*scope).to_owned()).collect(),
            is_known: tokens::known_app(scope, shown.head.id).await?.is_some(),
        }),
        false => None,
    };
    Ok(SlackSettings {
        form: SlackForm::of(shown.head.id.to_string(), &config),
        by_webhook: config.by_webhook,
        channels,
        note,
        app,
    })
}
