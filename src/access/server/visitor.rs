use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::use_context;
use tower_sessions::Session;

use super::scope::{Actor, ActorKind, Holder};
use super::{Db, KeyUse, Machine, PROOF_LASTS, SESSION_PROVED, SESSION_SUPPORT, SESSION_USER, Scope, SystemTx};
use crate::viewer::{SupportView, ViewerClient, ViewerWorkspace};
use crate::{Action, ClientAdminRights, Role, SecondFactorRule, Viewer};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, SupportSessionId, UserId, WorkspaceId};

/// The role of a support session only reads, so it could not end itself.
const SUPPORT_END: Machine = Machine { name: "support session", actions: &[Action::ManagePlatform] };
/// Reads the one row that says which client somebody belongs to, without an action of anybody's.
const SIGN_IN: Machine = Machine { name: "sign-in", actions: &[] };

/// Whoever sent this request: a signed-in person or nobody. Put into the request by `identify`.
#[derive(Clone)]
pub struct Visitor {
    pub db: Db,
    pub viewer: Option<Viewer>,
    pub ip: Option<String>,
    /// What the browser calls itself, cut to 300 characters.
    pub user_agent: Option<String>,
    /// The request's cookies as they came.
    pub cookies: Option<String>,
    pub request_id: Option<String>,
    pub session: Option<Session>,
    /// The agency whose own host name the request came to. None: the site's own host.
    pub home: Option<WorkspaceId>,
    /// What addresses begin with where the visitor is: the agency's own proved host, else the site's.
    pub base: String,
    /// The branding columns of the viewer's client and workspace, the nearest first, as they are stored.
    pub branding: Vec<serde_json::Value>,
}

impl Visitor {
    /// Whether somebody of this workspace may come in by the host name that was used. At an agency's own, only its people.
    pub fn may_enter(&self, workspace: Option<WorkspaceId>) -> bool {
        self.home.is_none_or(|home| workspace == Some(home))
    }

    /// The caller's scope. Errors: `NotSignedIn`; `NotFound` for the platform's admins, who are in no workspace.
    pub fn scope(&self) -> Result<Scope, AppError> {
        let viewer = self.viewer.clone().ok_or(AppError::NotSignedIn)?;
        Scope::of_viewer(self.db.clone(), viewer, self.ip.clone(), self.request_id.clone()).ok_or(AppError::NotFound)
    }

    /// The workspace that a platform admin looks at now, as machine: to end the session. Errors: `NotFound` without one.
    pub fn support_scope(&self) -> Result<(Scope, SupportView), AppError> {
        let viewer = self.viewer()?;
        let (support, home) = viewer.support.clone().zip(viewer.workspace.as_ref()).ok_or(AppError::NotFound)?;
        let holder = Holder { id: viewer.user_id, name: viewer.name.clone() };
        let scope = Scope::of_link(self, home.id, SUPPORT_END, Some(holder));
        Ok((scope.in_support_session(support.id), support))
    }

    /// A platform admin's scope over one workspace. For everybody else there is no such place: `NotFound`.
    pub fn platform_scope(&self, workspace: WorkspaceId) -> Result<Scope, AppError> {
        self.viewer()?;
        Scope::of_platform(self, workspace).ok_or(AppError::NotFound)
    }

    /// The person with this request, for the platform's log. Errors: `NotSignedIn`.
    pub fn actor(&self) -> Result<Actor, AppError> {
        Ok(Actor::of_request(ActorKind::Person(Box::new(self.viewer()?.clone())), self))
    }

    /// A machine that acts on this request for somebody who is known and has not signed in.
    pub fn actor_for(&self, machine: Machine, holder: Option<Holder>) -> Actor {
        Actor { holder, ..Actor::of_request(ActorKind::Machine(machine), self) }
    }

    pub fn viewer(&self) -> Result<&Viewer, AppError> {
        self.viewer.as_ref().ok_or(AppError::NotSignedIn)
    }
}

/// Inside a server function: who is asking.
pub fn visitor() -> Result<Visitor, AppError> {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Visitor>().cloned())
        .ok_or_else(|| patchbay_shared::error::internal("no visitor in the request: the layer is missing"))
}

/// Inside a server function: the caller's scope.
pub fn scope() -> Result<Scope, AppError> {
    visitor()?.scope()
}

/// Reads the session once per request and puts a `Visitor` into it. The host name that was used, and the brand, come after: see the
/// brand's own layer.
pub async fn identify(State(db): State<Db>, mut request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>().cloned();
    let known = match &session {
        Some(session) => match session.get::<uuid::Uuid>(SESSION_USER).await {
            // A database that does not answer is no reason to say that somebody signed out.
            Ok(Some(id)) => match load_viewer(&db, UserId(id), support_of(session).await).await {
                Ok(Some((viewer, branding))) => {
                    Some((Viewer { has_proved: has_proved(session).await, ..viewer }, branding))
                }
                Ok(None) => None,
                Err(error) => return error.into_response(),
            },
            Ok(None) => None,
            Err(error) => return patchbay_shared::error::internal(error).into_response(),
        },
        None => None,
    };
    let (viewer, branding) = known.map_or((None, Vec::new()), |(viewer, branding)| (Some(viewer), branding));
    let ip = super::sender(&request, &db.services().trusted_proxies);
    let request_id = header(&request, "x-request-id");
    let cookies = header(&request, "cookie");
    let user_agent = header(&request, "user-agent").map(|text| text.chars().take(300).collect());
    let base = db.services().public_url.clone();
    request.extensions_mut().insert(Visitor {
        db,
        viewer,
        ip,
        user_agent,
        cookies,
        request_id,
        session,
        home: None,
        base,
        branding,
    });
    next.run(request).await
}

/// Until when somebody who was let in stays who they were, as far as is known now: signed in with the same session, with the same role, in
/// the same workspace and client. None: not any more. For answers that go on for hours.
pub async fn stays_until(visitor: &Visitor) -> Result<Option<DateTime<Utc>>, AppError> {
    let was = visitor.viewer()?;
    let Some((session, id)) = visitor.session.as_ref().and_then(|session| Some((session, session.id()?))) else {
        return Ok(None);
    };
    let Some(ends) = super::session::session_ends(&visitor.db, &id, was.user_id).await? else { return Ok(None) };
    let Some((is, _)) = load_viewer(&visitor.db, was.user_id, support_of(session).await).await? else {
        return Ok(None);
    };
    let place = |viewer: &Viewer| {
        let workspace = viewer.workspace.as_ref().map(|home| home.id);
        (
            viewer.role,
            workspace,
            viewer.client.as_ref().map(|client| client.id),
            viewer.support.as_ref().map(|support| support.id),
        )
    };
    if place(&is) != place(was) || is.owes_second_factor != was.owes_second_factor {
        return Ok(None);
    }
    // A support session may be over sooner.
    let look_again = Utc::now() + TimeDelta::minutes(1);
    Ok(Some(if is.support.is_some() { ends.min(look_again) } else { ends }))
}

/// The scope of a program: that of its key's owner as they are now, narrowed by the key. None: the owner cannot sign in any more.
pub async fn scope_of_key(
    db: &Db,
    owner: UserId,
    key: KeyUse,
    ip: Option<String>,
    request_id: Option<String>,
) -> Result<Option<Scope>, AppError> {
    let known = load_viewer(db, owner, None).await?;
    // A rule about signing in does not stop programs: their keys were made by somebody who had signed in.
    let viewer = known.map(|(viewer, _)| Viewer { owes_second_factor: false, ..viewer });
    Ok(viewer.and_then(|viewer| Scope::of_key(db.clone(), viewer, key, ip, request_id)))
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The support session that this browser has opened, if any.
async fn support_of(session: &Session) -> Option<uuid::Uuid> {
    session.get::<uuid::Uuid>(SESSION_SUPPORT).await.ok().flatten()
}

/// Whether the person in this session proved lately who they are.
async fn has_proved(session: &Session) -> bool {
    let proved = session.get::<i64>(SESSION_PROVED).await.ok().flatten();
    proved.is_some_and(|at| chrono::Utc::now().timestamp() - at < PROOF_LASTS)
}

/// The person, and the branding that they see. `support`: a session of a platform admin over one workspace, which counts while it is open
/// and theirs.
async fn load_viewer(
    db: &Db,
    id: UserId,
    support: Option<uuid::Uuid>,
) -> Result<Option<(Viewer, Vec<serde_json::Value>)>, AppError> {
    let mut tx = SystemTx::open(db, "who is asking").await?;
    let row = sqlx::query!(
        r#"select u.name, u.email, u.role as "role: crate::Role", u.timezone, u.client_id,
                  w.id as "workspace_id?", w.name as "workspace_name?", w.timezone as "workspace_timezone?",
                  w.status::text as "workspace_status?", w.branding as "branding?",
                  coalesce((w.settings ->> 'sandbox')::boolean, true) as "sandbox!",
                  w.settings ->> 'second_factor' as second_factor, u.totp_secret is not null or u.has_passkey as "has_second_factor!",
                  s.id as "support_id?", s.reason as "support_reason?", s.expires_at as "support_until?", a.name as "support_admin?"
           from users u
           left join support_sessions own on own.id = $2 and own.admin_id = u.id and u.role = 'admin'
                     and own.ended_at is null and own.expires_at > now()
           left join workspaces w on w.id = coalesce(u.workspace_id, own.workspace_id)
           left join lateral (select x.id, x.reason, x.expires_at, x.admin_id from support_sessions x
                              where x.workspace_id = w.id and x.ended_at is null and x.expires_at > now()
                                and (own.id is null or x.id = own.id) order by x.expires_at desc limit 1) s on true
           left join users a on a.id = s.admin_id
           where u.id = $1 and u.status = 'active'"#,
        id.0,
        support
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let timezone = row.timezone.clone().or(row.workspace_timezone).unwrap_or_else(|| "UTC".into());
    let watch = match (row.support_id, row.support_admin, row.support_reason, row.support_until) {
        (Some(id), Some(admin), Some(reason), Some(until)) => {
            let until = until.with_timezone(&patchbay_shared::zone::zone(&timezone)).format("%H:%M").to_string();
            Some(SupportView { id: SupportSessionId(id), admin, reason, until })
        }
        _ => None,
    };
    let is_bound = match row.role {
        Role::Admin => db.services().requires_second_factor,
        role => row
            .second_factor
            .and_then(|rule| rule.parse::<SecondFactorRule>().ok())
            .is_some_and(|rule| rule.binds(role)),
    };
    let (support, watched_by) = if row.role == Role::Admin { (watch, None) } else { (None, watch) };
    let mut branding: Vec<serde_json::Value> = row.branding.into_iter().collect();
    let workspace = row.workspace_id.map(|workspace_id| ViewerWorkspace {
        id: WorkspaceId(workspace_id),
        name: row.workspace_name.unwrap_or_default(),
        product: String::new(),
        logo: None,
        suspended: row.workspace_status.as_deref() == Some("suspended"),
        sandbox: row.sandbox,
        // The agency's clients are told by the agency, if at all.
        watched_by: watched_by.filter(|_| row.role.is_agency()),
    });
    drop(tx);
    let mut viewer = Viewer {
        user_id: id,
        name: row.name,
        email: row.email,
        role: if support.is_some() { Role::AgencyMember } else { row.role },
        workspace,
        client: None,
        support,
        owes_second_factor: is_bound && !row.has_second_factor,
        has_proved: false,
        timezone_chosen: row.timezone.is_some(),
        timezone,
    };
    if let Some(client_id) = row.client_id {
        let Some((client, own)) = load_client(db, &viewer, ClientId(client_id)).await? else { return Ok(None) };
        branding.insert(0, own);
        viewer.client = Some(client);
    }
    Ok(Some((viewer, branding)))
}

/// The viewer's own client is a tenant's row, so it is read inside the tenant.
async fn load_client(
    db: &Db,
    viewer: &Viewer,
    id: ClientId,
) -> Result<Option<(ViewerClient, serde_json::Value)>, AppError> {
    let Some(home) = &viewer.workspace else { return Ok(None) };
    let scope = Scope { client_id: Some(id), ..Scope::of_machine(db.clone(), home.id, SIGN_IN) };
    let mut tx = super::ReadTx::open(&scope).await?;
    let row = sqlx::query!(
        r#"select name, shares_cost, shares_recordings, shares_steps, shares_prompts, branding,
                  admins_edit_contacts, admins_edit_campaigns, admins_run_batches, admins_invite_viewers
           from clients where workspace_id = $1 and id = $2 and status = 'active'"#,
        home.id.0,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| {
        let client = ViewerClient {
            id,
            name: row.name,
            shares_cost: row.shares_cost,
            shares_recordings: row.shares_recordings,
            shares_steps: row.shares_steps,
            shares_prompts: row.shares_prompts,
            admins: ClientAdminRights {
                edit_contacts: row.admins_edit_contacts,
                edit_campaigns: row.admins_edit_campaigns,
                run_batches: row.admins_run_batches,
                invite_viewers: row.admins_invite_viewers,
            },
        };
        (client, row.branding)
    }))
}
