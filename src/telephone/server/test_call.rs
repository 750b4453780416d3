//! A call to one's own phone: an agent calls it now, outside any campaign.

use chrono::Utc;
use serde_json::json;

use super::jobs::{AFTER, SettleCall};
use super::voice::{self, Asked};
use crate::model::{TestCallChoices, TestCallForm};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope};
use patchbay_agents::server as agents;
use patchbay_calls::server::dialled::{self, NewTestCall};
use patchbay_calls::server::earlier;
use patchbay_clients::model::ClientStatus;
use patchbay_connections::server::{ops as connections, trunks};
use patchbay_contacts::server::caller;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_numbers::server::answering;
use patchbay_providers::voice::NewVoiceCall;
use patchbay_shared::ids::{AgentId, CallId, ClientId, ContactId};
use patchbay_shared::{AppError, FieldErrors, Phone, Reason};

pub(crate) async fn choices(scope: &Scope) -> Result<TestCallChoices, AppError> {
    let mut tx = scope.read(Action::ManageAgents).await?;
    Ok(TestCallChoices {
        agents: answering::agents(&mut tx).await?,
        clients: agents::clients(&mut tx).await?,
        call: CallId::new(),
    })
}

/// Makes the call. The same form sent twice makes one call.
pub(crate) async fn make(scope: &Scope, form: &TestCallForm) -> Result<CallId, AppError> {
    let mut errors = FieldErrors::default();
    let to = Phone::parse(&form.to, None);
    if let Err(message) = &to {
        errors.add("to", message.clone());
    }
    let agent = form.agent_id.trim().parse::<AgentId>();
    if agent.is_err() {
        errors.add("agent_id", "Choose an agent.");
    }
    let wanted = match form.client_id.trim() {
        "" => None,
        id => id.parse::<ClientId>().map(Some).unwrap_or_else(|_| {
            errors.add("client_id", "Choose a client.");
            None
        }),
    };
    // Checked with what stands in the form first, for the errors at its fields.
    drop(scope.write(Action::ManageAgents).await?);
    errors.check()?;
    let to = to.map_err(|message| AppError::invalid("to", message))?;
    let (agent, id) = (agent?, form.call.trim().parse::<CallId>().unwrap_or_else(|_| CallId::new()));

    let mut tx = scope.read(Action::ManageAgents).await?;
    let own = answering::client_of(&mut tx, agent).await?;
    let Some(client) = own.or(wanted) else {
        return Err(AppError::invalid("client_id", "Choose for whom it calls: the agent works for all clients."));
    };
    if own.is_some() && wanted.is_some_and(|wanted| Some(wanted) != own) {
        return Err(AppError::invalid("client_id", "This agent works for another client."));
    }
    let facts = patchbay_clients::server::get(&mut tx, client)
        .await
        .map_err(|error| error.at_choice("client_id", "Choose a client of the agency."))?;
    if facts.status != ClientStatus::Active {
        return Err(AppError::invalid("client_id", "This client is archived. Choose another one."));
    }
    let callable = agents::ops::ready_to_call(&mut tx, agent, client)
        .await
        .map_err(|error| error.at_choice("agent_id", "Choose an agent of the agency."))?;
    let person = refuse_do_not_call(&mut tx, client, &to).await?;
    let told = earlier::with(&mut tx, client, person, callable.memory()).await?;
    let Some((from, account)) = answering::number_to_call_from(&mut tx, Some(client)).await? else {
        return Err(AppError::Conflict(
            Reason::NotReady,
            "There is no active phone number to call from. Add one under Phone numbers.".into(),
        ));
    };
    drop(tx);
    if !super::answer::has_budget(scope, client).await? {
        return Err(AppError::Conflict(
            Reason::WrongState,
            format!("The budget of {} for this month is spent, so nothing is dialled for it.", facts.name),
        ));
    }
    // Also says whether the workspace is suspended.
    let service = connections::voice(scope).await?;

    let mut tx = scope.write(Action::ManageAgents).await?;
    let has_line = super::answer::has_line(&mut tx).await?;
    refuse_do_not_call(tx.reading(), client, &to).await?;
    let new = NewTestCall {
        id,
        client_id: client,
        agent_id: agent,
        from: from.clone(),
        to: to.as_str().to_owned(),
        prompt_id: callable.prompt_id,
        prompt_version: callable.prompt_version,
    };
    let Some(fence) = dialled::insert_test_call(&mut tx, &new).await? else { return Ok(id) };
    if !has_line {
        return Err(AppError::Conflict(
            Reason::LimitReached,
            "All lines of the agency’s plan are in use. Wait until a call has ended, and try again.".into(),
        ));
    }
    tx.audit(Change {
        action: "test_called",
        entity: "call",
        entity_id: Some(id.0),
        client_id: Some(client),
        fields: Fields::Created(json!({"agent": agent, "to": to, "from": from})),
    })
    .await?;
    enqueue(&mut tx, &SettleCall { call: id }, NewJob { run_at: Some(Utc::now() + AFTER) }).await?;
    for topic in [Topic::list("calls"), Topic::list("dashboard")] {
        tx.notify(topic, Some(client));
    }
    tx.commit().await?;

    let numbers = (to.as_str().to_owned(), from);
    let (line, leg_news_url) = trunks::line(scope, id, numbers, account.as_ref(), callable.leg_news_url.clone());
    let mut variables = json!({"client_name": facts.name});
    earlier::put(&mut variables, told);
    let request = NewVoiceCall { leg_news_url, ..voice::request(scope, id, &callable, line, variables) };
    let asked = voice::ask(&service, request).await;
    let mut tx = scope.write(Action::ManageAgents).await?;
    match asked {
        Asked::Made(made) => dialled::mark_placed(&mut tx, id, &made.id).await?,
        // The page says that it is being checked; the job asks.
        Asked::Unknown(why) => dialled::mark_unknown(&mut tx, id, fence, &why).await?,
        Asked::Refused(error) => {
            dialled::mark_refused(&mut tx, id, fence, &error.sentence()).await?;
        }
    }
    tx.notify(Topic::one("call", id), Some(client));
    tx.commit().await?;
    Ok(id)
}

/// Who has this number, as far as the client knows. Errors: `Invalid` at `to` for somebody who asked this client not to be called.
async fn refuse_do_not_call(tx: &mut ReadTx, client: ClientId, to: &Phone) -> Result<Option<ContactId>, AppError> {
    match caller(tx, client, to.as_str()).await? {
        Some(contact) if contact.do_not_call => {
            Err(AppError::invalid("to", "This number is on the client's do-not-call list. Use a phone of your own."))
        }
        known => Ok(known.map(|contact| contact.id)),
    }
}
