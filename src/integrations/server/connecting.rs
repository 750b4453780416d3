//! What forms of integrations ask for, between the form and `ops`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::store::views;
use super::{carriers, custom, ops, pages, repair, signing_in, slack};
use crate::model::{
    CarrierForm, CustomForm, Direction, IntegrationType, LineForm, MOST_FIELDS, NewForm, NewIntegrationSecret, Reach,
    SettingsForm, SignInForm, SignInPage, SlackForm, SyncType, Tried,
};
use patchbay_access::Action;
use patchbay_access::server::{Scope, Visitor, once};
use patchbay_shared::AppError;
use patchbay_shared::ids::{IntegrationId, PendingRecordId, SyncId};

/// Kept for the page that shows it.
const SIGN_IN: &str = "integration sign-in";
const SECRET: &str = "integration secret";
pub(crate) const TRIED: &str = "integration try";

/// Where somebody signs in, until they have.
#[derive(Serialize, Deserialize)]
struct Waiting {
    id: String,
    address: String,
}

/// A try, for the page of the integration that it was.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptTry {
    pub id: String,
    pub tried: Tried,
}

/// Makes an integration and gives the page that comes next. Errors: `Invalid`, `NotFound`.
pub(crate) async fn create(visitor: &Visitor, form: &NewForm) -> Result<String, AppError> {
    let scope = visitor.scope()?;
    let new = form.check()?;
    let id = ops::create(&scope, &new).await?;
    if new.kind.is_crm() {
        return sign_in(visitor, id, new.app, false).await;
    }
    Ok(format!("/integrations/{id}/settings"))
}

/// Begins a sign-in, and gives the page that leads to it. Errors: `NotFound`.
pub(crate) async fn sign_in(
    visitor: &Visitor,
    id: IntegrationId,
    app: Option<(String, String)>,
    other_account: bool,
) -> Result<String, AppError> {
    let address = signing_in::begin_sign_in(visitor, id, app, other_account).await?;
    once::keep(visitor, SIGN_IN, &Waiting { id: id.to_string(), address }).await?;
    Ok(format!("/integrations/{id}/sign-in"))
}

/// A sign-in has ended, well or not: the way to it is gone.
pub(crate) async fn sign_in_ended(visitor: &Visitor) -> Result<(), AppError> {
    once::take::<Waiting>(visitor, SIGN_IN).await.map(|_| ())
}

/// The same for an integration that is there. Errors: `Invalid`, `NotFound`.
pub(crate) async fn sign_in_again(visitor: &Visitor, form: &SignInForm) -> Result<String, AppError> {
    let id: IntegrationId = form.id.parse()?;
    sign_in(visitor, id, form.app()?, form.other.is_some()).await
}

/// The page that leads to the service. Errors: `NotFound`.
pub(crate) async fn sign_in_page(visitor: &Visitor, id: IntegrationId) -> Result<SignInPage, AppError> {
    let head = {
        let mut tx = visitor.scope()?.read(Action::ManageConnections).await?;
        views::shown(&mut tx, id).await?.head
    };
    let waiting: Option<Waiting> = once::peek(visitor, SIGN_IN).await?;
    let address = waiting.filter(|waiting| waiting.id == id.to_string()).map(|waiting| waiting.address);
    Ok(SignInPage { head, address })
}

/// Connects an account at a carrier. Errors: `Invalid`, `ProviderDown`.
pub(crate) async fn carrier(scope: &Scope, form: &CarrierForm) -> Result<IntegrationId, AppError> {
    let fields = form.check()?;
    carriers::connect(scope, fields.kind, &fields.name, fields.mode, &fields.account, &fields.token).await
}

/// Where messages go. The channel's name is the one that Slack says. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save_slack(scope: &Scope, mut form: SlackForm) -> Result<(), AppError> {
    // One field holds both: the id, and the name behind a space.
    if let Some((id, name)) = form.channel.clone().split_once(' ') {
        form.channel = id.to_owned();
        form.channel_name = name.to_owned();
    }
    slack::save(scope, form.id.parse()?, &form).await
}

/// Sends an example by what is stored. Errors: `NotFound`.
pub(crate) async fn try_custom(scope: &Scope, id: IntegrationId) -> Result<Tried, AppError> {
    let form = {
        let mut tx = scope.read(Action::ManageIntegrations).await?;
        let shown = views::shown(&mut tx, id).await?;
        if shown.head.kind != IntegrationType::CustomApi {
            return Err(AppError::NotFound);
        }
        CustomForm::of(id.to_string(), &serde_json::from_value(shown.config).unwrap_or_default())
    };
    custom::try_out(scope, id, &form).await
}

/// Keeps how a try went for the settings' page, and leads there.
pub(crate) async fn keep_tried(visitor: &Visitor, id: &str, tried: &Tried) -> Result<(), AppError> {
    once::keep(visitor, TRIED, &KeptTry { id: id.to_owned(), tried: tried.clone() }).await?;
    leptos_axum::redirect(&format!("/integrations/{id}/settings?tried=1"));
    Ok(())
}

/// Makes another secret, which the next page shows once. Errors: `NotFound`.
pub(crate) async fn make_secret(visitor: &Visitor, id: IntegrationId, kind: &str) -> Result<(), AppError> {
    let kind = match kind {
        "outgoing" => custom::SecretKind::Outgoing,
        "incoming" => custom::SecretKind::Incoming,
        "key" => custom::SecretKind::Key,
        _ => return Err(AppError::NotFound),
    };
    let made = custom::new_secret(&visitor.scope()?, id, kind).await?;
    once::keep(visitor, SECRET, &made).await
}

/// The secret that was just made.
pub(crate) async fn take_secret(visitor: &Visitor) -> Result<Option<NewIntegrationSecret>, AppError> {
    once::take(visitor, SECRET).await
}

/// Adds, changes or takes away one line. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save_line(scope: &Scope, form: &LineForm) -> Result<(), AppError> {
    let id: IntegrationId = form.id.parse()?;
    if form.remove.is_some() {
        let was = form.was.clone();
        return ops::save_mapping(scope, id, move |lines| {
            lines.retain(|line| line.ours != was);
            Ok(())
        })
        .await;
    }
    let line = form.check()?;
    let was = form.was.clone();
    ops::save_mapping(scope, id, move |lines| {
        let place = lines.iter().position(|known| known.ours == was && !was.is_empty());
        let taken = lines.iter().enumerate().any(|(at, known)| known.ours == line.ours && Some(at) != place);
        if taken {
            return Err(AppError::invalid("ours", "This field has a line already. Change that one."));
        }
        let writes = |line: &crate::model::FieldMap| matches!(line.direction, Direction::Out | Direction::Both);
        let shared = lines.iter().enumerate().find(|(at, known)| {
            Some(*at) != place
                && writes(known)
                && writes(&line)
                && known.theirs.iter().any(|name| line.theirs.contains(name))
        });
        if let Some((_, other)) = shared {
            let label = crate::model::field_label(&other.ours);
            return Err(AppError::invalid("theirs", format!("{label} is written into this field already.")));
        }
        match place {
            Some(place) => lines[place] = line,
            None if lines.len() >= MOST_FIELDS => {
                return Err(AppError::invalid("ours", format!("A mapping has at most {MOST_FIELDS} lines.")));
            }
            None => lines.push(line),
        }
        Ok(())
    })
    .await
}

/// Name and settings. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save_settings(scope: &Scope, form: &SettingsForm) -> Result<(), AppError> {
    let id: IntegrationId = form.id.parse()?;
    let kind = {
        let mut tx = scope.read(Action::ManageIntegrations).await?;
        pages::head(&mut tx, id).await?.head.kind
    };
    let (name, settings) = form.check(kind)?;
    ops::save_settings(scope, id, &name, &settings).await
}

/// Starts a sync. Errors: `NotFound`; `Conflict`.
pub(crate) async fn sync_now(scope: &Scope, id: IntegrationId, kind: &str, reach: &str) -> Result<SyncId, AppError> {
    let kind = SyncType::from_str(kind).unwrap_or(SyncType::Contacts);
    let reach = Reach::from_str(reach).unwrap_or(Reach::Changes);
    ops::sync_now(scope, id, kind, reach).await
}

/// Whose value counts. Errors: `Invalid`, `NotFound`.
pub(crate) async fn choose(
    scope: &Scope,
    id: IntegrationId,
    record: PendingRecordId,
    keep: &str,
) -> Result<(), AppError> {
    let ours = match keep {
        "ours" => true,
        "theirs" => false,
        _ => return Err(AppError::invalid("keep", "Choose whose value counts.")),
    };
    repair::choose(scope, id, record, ours).await
}
