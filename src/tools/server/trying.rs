//! A person's try of a tool: it is really used, once, and what came of it is shown.

use serde_json::{Value, json};

use super::contact_book::{ContactQuestion, Contacts};
use super::invoke::{Begun, Invocation, MOST_ARGUMENTS, begin, perform};
use super::{ops, store};
use crate::model::{Origin, TryForm, schema};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope};
use patchbay_shared::ids::{AgentToolId, ClientId, ToolInvocationId};
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// Uses the tool and gives the use. Errors: `Invalid` at the field; `Conflict` while the agency is suspended.
pub(crate) async fn try_it(scope: &Scope, form: &TryForm) -> Result<ToolInvocationId, AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let agent = store::agent(tx.reading(), form.agent.parse()?).await?;
    let id: AgentToolId = form.id.parse()?;
    let tool = ops::function(tx.reading(), agent.id, id, &form.function).await?;
    if workspaces::is_suspended(tx.reading()).await? {
        let text = "The agency’s account is suspended: nothing outside is asked until it is active again.";
        return Err(AppError::Conflict(Reason::Suspended, text.to_owned()));
    }
    let arguments = schema::try_arguments(&tool.parameters, &form.arguments, &form.values)
        .map_err(|(field, message)| AppError::invalid(&field, message))?;
    let arguments = Value::Object(arguments);
    if arguments.to_string().len() > MOST_ARGUMENTS {
        return Err(AppError::invalid("arguments", "The values are longer than 64 kB. Shorten them."));
    }
    if let Err(why) = schema::validate(&tool.parameters, &arguments) {
        return Err(AppError::invalid("arguments", why));
    }
    let client = match (agent.client_id, form.client.trim()) {
        (Some(own), _) => Some(own),
        (None, "") => None,
        (None, chosen) => {
            let chosen: ClientId = chosen.parse().map_err(|_| AppError::invalid("client", "Choose a client."))?;
            if !store::is_client_active(tx.reading(), chosen).await? {
                return Err(AppError::invalid("client", "Choose a client of the agency."));
            }
            Some(chosen)
        }
    };
    // A row even when it fails: who set it off, and when.
    let facts = json!({ "agent": agent.id, "name": tool.name });
    ops::record(&mut tx, "tried", id, Fields::Happened(facts)).await?;
    tx.commit().await?;
    let contact = match (client, form.phone.trim()) {
        (_, "") => None,
        (None, _) => return Err(AppError::invalid("client", "Choose the client whose contact this is.")),
        (Some(client), phone) => {
            let book = scope.services().hooks.get::<Contacts>()?;
            let question = ContactQuestion::Phone(phone.to_owned());
            let found = book.0.find(scope, client, &question, 1).await?.into_iter().next();
            let missing = || AppError::invalid("phone", "The client has no contact with this number.");
            Some(found.ok_or_else(missing)?.id)
        }
    };
    let invocation = Invocation { origin: Origin::Try, call: None, run: None, client, contact, phone: None };
    match begin(scope, &tool, &arguments, &invocation, "").await? {
        Begun::New(invoked) => {
            // In a task of its own: a browser that goes away must not stop half-way what was begun.
            let scope = scope.clone();
            let task = async move { perform(&scope, &tool, &arguments, &invocation, invoked).await };
            if let Err(broken) = tokio::spawn(task).await {
                tracing::error!(cause = %broken, "a try of a tool broke");
            }
            Ok(invoked)
        }
        Begun::Former(_) => Err(AppError::NotFound),
    }
}
