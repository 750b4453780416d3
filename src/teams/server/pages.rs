//! What pages about teams show, put together.

use std::collections::HashMap;

use super::store::cases as kept;
use super::store::views::{self as store, cases, choices, runs, tree};
use super::words::{self, Names};
use crate::model::TeamSnapshot;
use crate::model::form::{CaseForm, TeamForm, messages_text};
use crate::model::rules::RuleForm;
use crate::model::views::{
    LimitsPage, MembersPage, NewTeamPage, PlaygroundHead, PlaygroundPage, RunView, SupervisorComparePage,
    SupervisorRunList, SupervisorRunPage, SupervisorRunQuery, TeamCasePage, TeamCaseQuery, TeamCasesPage, TeamHead,
    TeamList, TeamQuery, TeamVersionQuery, TeamVersionsPage,
};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_connections::server::models as accounts;
use patchbay_shared::AppError;
use patchbay_shared::ids::{SessionId, SupervisorRunId, TeamCaseId, TeamId};

/// Rows on a page of a list.
const ROWS: usize = 50;
/// Runs that another one can be compared with.
const OTHERS: usize = 30;
const SESSIONS: i64 = 12;
/// Runs of a session whose trees are shown.
const WITH_TREES: usize = 3;

/// The list with what its filter bar needs.
pub(crate) async fn list(tx: &mut ReadTx, query: &TeamQuery) -> Result<TeamList, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    Ok(TeamList { page, clients: choices::clients(tx, None).await? })
}

pub(crate) async fn new_page(tx: &mut ReadTx) -> Result<NewTeamPage, AppError> {
    Ok(NewTeamPage { clients: choices::clients(tx, None).await? })
}

/// A team's members. Errors: `NotFound`.
pub(crate) async fn members(tx: &mut ReadTx, id: TeamId) -> Result<MembersPage, AppError> {
    let head = store::head(tx, id).await?;
    let client = head.client.as_ref().map(|(id, _)| *id);
    let others = if head.may_edit { choices::agents(tx, id, client).await? } else { Vec::new() };
    Ok(MembersPage { members: store::members(tx, id).await?, others, head })
}

/// A team's settings, and what they are chosen from. Errors: `NotFound`.
pub(crate) async fn limits(tx: &mut ReadTx, id: TeamId) -> Result<LimitsPage, AppError> {
    let head = store::head(tx, id).await?;
    let fields = store::fields(tx, id).await?;
    let members = store::members(tx, id).await?;
    let client = fields.client;
    let settings = &fields.settings;
    let accounts = accounts::list(tx).await?.into_iter();
    let accounts = accounts.filter(|account| account.is_on || settings.account == Some(account.id));
    let snapshot = TeamSnapshot {
        name: fields.name.clone(),
        description: fields.description.clone(),
        mode: fields.mode,
        settings: settings.clone(),
        members: Vec::new(),
    };
    let names = names(tx, &[&snapshot]).await?;
    let told = ["Name", "What it is for", "Members"];
    let facts = words::facts(&snapshot, &names).into_iter().filter(|(what, _)| !told.contains(&what.as_str()));
    Ok(LimitsPage {
        form: TeamForm::of(id, head.revision, &fields),
        rules: settings.rules.iter().map(RuleForm::of).collect(),
        clients: choices::clients(tx, client).await?,
        accounts: accounts.map(|account| (account.id.to_string(), account.name)).collect(),
        engines: choices::engines(tx, settings.engine.map(|id| id.0)).await?,
        targets: choices::targets(tx, settings.target.map(|id| id.0)).await?,
        collections: choices::collections(tx, client).await?,
        skills: choices::skills(tx).await?,
        workers: members.into_iter().map(|member| (member.agent.to_string(), member.name)).collect(),
        tools: choices::tools(tx, id).await?,
        facts: facts.collect(),
        head,
    })
}

async fn names(tx: &mut ReadTx, snapshots: &[&TeamSnapshot]) -> Result<Names, AppError> {
    let mut ids: Vec<_> = snapshots.iter().flat_map(|snapshot| words::ids(snapshot)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut names: Names = choices::names(tx, &ids).await?.into_iter().collect::<HashMap<_, _>>();
    let named = accounts::list(tx).await?.into_iter().map(|account| (account.id.0, account.name));
    names.extend(named);
    Ok(names)
}

/// A team's versions, and two of them beside each other. Errors: `NotFound`.
pub(crate) async fn versions(
    tx: &mut ReadTx,
    id: TeamId,
    query: &TeamVersionQuery,
) -> Result<TeamVersionsPage, AppError> {
    let head = store::head(tx, id).await?;
    let page = store::versions(tx, id, query, ROWS).await?;
    let number = |text: &Option<String>| {
        text.as_deref().map(|text| text.parse::<i32>().map_err(|_| AppError::NotFound)).transpose()
    };
    let compared = match number(&query.from)? {
        None => None,
        Some(from) => {
            let to = number(&query.to)?.unwrap_or(head.revision);
            let (before, after) = (store::snapshot(tx, id, from).await?, store::snapshot(tx, id, to).await?);
            let names = names(tx, &[&before, &after]).await?;
            Some((from, to, words::changes(&before, &after, &names)))
        }
    };
    Ok(TeamVersionsPage { head, page, compared })
}

/// What stands around the playground. Errors: `NotFound`.
pub(crate) async fn playground_head(
    tx: &mut ReadTx,
    id: TeamId,
    session: Option<SessionId>,
) -> Result<PlaygroundHead, AppError> {
    let head = store::head(tx, id).await?;
    if let Some(session) = session {
        runs::of_session(tx, id, session).await?;
    }
    Ok(PlaygroundHead { head, session, key: SupervisorRunId::new() })
}

/// The playground of a team, with one of its sessions or a new one. Errors: `NotFound`.
pub(crate) async fn playground(
    tx: &mut ReadTx,
    id: TeamId,
    session: Option<SessionId>,
) -> Result<PlaygroundPage, AppError> {
    let head = store::head(tx, id).await?;
    let (mut shown, mut case) = (Vec::new(), None);
    if let Some(session) = session {
        let ids = runs::of_session(tx, id, session).await?;
        let older = ids.len().saturating_sub(WITH_TREES);
        for (place, run) in ids.into_iter().enumerate() {
            shown.push(tree::shown(tx, run, place >= older).await?);
        }
        case = cases::of_session(tx, id, session).await?;
    }
    let spent = match session {
        Some(session) => tree::spent_in(tx, session).await?,
        None => Vec::new(),
    };
    let settings = store::fields(tx, id).await?.settings;
    let members = store::members(tx, id).await?;
    Ok(PlaygroundPage {
        session,
        spent,
        runs: shown,
        sessions: runs::sessions(tx, id, SESSIONS).await?,
        allowed: tree::allowed(&settings),
        members: members.into_iter().map(|member| member.name).collect(),
        may_decide: tx.scope().may(Action::DecideApprovals),
        case,
        head,
    })
}

/// Runs of all teams, or of one on its own page. Errors: `NotFound`.
pub(crate) async fn run_list(
    tx: &mut ReadTx,
    team: Option<TeamId>,
    query: &SupervisorRunQuery,
) -> Result<SupervisorRunList, AppError> {
    let head = match team {
        Some(team) => Some(store::head(tx, team).await?),
        None => None,
    };
    let query = match team {
        Some(team) => SupervisorRunQuery { team: Some(team.to_string()), ..query.clone() },
        None => query.clone(),
    };
    let page = runs::list(tx, &query, ROWS).await?;
    let engines = choices::engine_names(tx).await?;
    let engines = engines.into_iter().map(|name| (name.clone(), name)).collect();
    let teams = if head.is_none() { choices::teams(tx).await? } else { Vec::new() };
    Ok(SupervisorRunList { head, page, teams, engines })
}

/// One run. Errors: `NotFound`.
pub(crate) async fn run(tx: &mut ReadTx, id: SupervisorRunId) -> Result<SupervisorRunPage, AppError> {
    let (head, run) = one(tx, id).await?;
    Ok(SupervisorRunPage {
        engines: choices::engines(tx, None).await?,
        others: runs::others(tx, head.id, id, OTHERS).await?,
        again: runs::repeats(tx, id).await?,
        may_decide: tx.scope().may(Action::DecideApprovals),
        run,
        head,
    })
}

async fn one(tx: &mut ReadTx, id: SupervisorRunId) -> Result<(TeamHead, RunView), AppError> {
    let team = runs::team_of(tx, id).await?;
    Ok((store::head(tx, team).await?, tree::view(tx, id).await?))
}

/// Two runs of one team. Errors: `NotFound`, also for runs of two teams.
pub(crate) async fn compare(
    tx: &mut ReadTx,
    a: SupervisorRunId,
    b: Option<SupervisorRunId>,
) -> Result<SupervisorComparePage, AppError> {
    let (head, first) = one(tx, a).await?;
    let second = match b {
        Some(b) if runs::team_of(tx, b).await? == head.id => Some(tree::view(tx, b).await?),
        Some(_) => return Err(AppError::NotFound),
        None => None,
    };
    Ok(SupervisorComparePage { others: runs::others(tx, head.id, a, OTHERS).await?, head, a: first, b: second })
}

/// Cases of a team. Errors: `NotFound`.
pub(crate) async fn cases(tx: &mut ReadTx, id: TeamId, query: &TeamCaseQuery) -> Result<TeamCasesPage, AppError> {
    Ok(TeamCasesPage { head: store::head(tx, id).await?, page: cases::list(tx, id, query, ROWS).await? })
}

/// One case, or what a new one begins with: that of a run has what was asked and what came of it. Errors: `NotFound`.
pub(crate) async fn case(
    tx: &mut ReadTx,
    team: TeamId,
    id: Option<TeamCaseId>,
    run: Option<SupervisorRunId>,
) -> Result<TeamCasePage, AppError> {
    let head = store::head(tx, team).await?;
    let members = store::members(tx, team).await?;
    let (form, row) = match (id, run) {
        (Some(id), _) => {
            let fields = kept::get(tx, id).await?;
            if fields.team != team {
                return Err(AppError::NotFound);
            }
            let form = CaseForm {
                team: team.to_string(),
                id: id.to_string(),
                name: fields.name,
                messages: messages_text(&fields.messages),
                worker: fields.expects.worker.map(|id| id.to_string()).unwrap_or_default(),
                asks_approval: fields.expects.asks_approval.then(|| "true".to_owned()),
                output_contains: fields.expects.output_contains.unwrap_or_default(),
                from_run: fields.from_run.map(|id| id.to_string()).unwrap_or_default(),
            };
            (form, Some(cases::row(tx, team, id).await?))
        }
        (None, Some(run)) => {
            if runs::team_of(tx, run).await? != team {
                return Err(AppError::NotFound);
            }
            let view = tree::view(tx, run).await?;
            let worker = members.iter().find(|member| Some(&member.name) == view.worker.as_ref());
            let asked = view.jobs().iter().any(|job| !job.approvals.is_empty());
            let form = CaseForm {
                team: team.to_string(),
                name: view.message.chars().take(60).collect::<String>().replace('\n', " "),
                messages: messages_text(&runs::messages(tx, view.session, run).await?),
                worker: worker.map(|member| member.agent.to_string()).unwrap_or_default(),
                asks_approval: asked.then(|| "true".to_owned()),
                from_run: run.to_string(),
                ..CaseForm::default()
            };
            (form, None)
        }
        (None, None) => (CaseForm { team: team.to_string(), ..CaseForm::default() }, None),
    };
    let workers = members.into_iter().map(|member| (member.agent.to_string(), member.name)).collect();
    Ok(TeamCasePage { head, form, workers, row })
}
