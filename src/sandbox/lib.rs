//! Local stand-ins for the outside services: the demo and the tests call these instead of the real ones.
//!
//! One HTTP server speaks several wire formats and has a control surface:
//!
//! | path | speaks as | key |
//! |---|---|---|
//! | `/ultravox/api/…` | the voice provider: agents, calls, transcripts, recordings, webhooks | `X-API-Key` |
//! | `/telnyx/v2/…` | the carrier: numbers, orders, call legs, signed events | `Authorization: Bearer` |
//! | `/openrouter/api/v1/…` | the language models: chat completions with any JSON schema | `Authorization: Bearer` |
//! | `/anthropic/v1/…` | Claude without anybody between: messages, as strict as the real one | `x-api-key` |
//! | `/openai/v1/…` | any server of OpenAI's form: chat completions, and embeddings by words | `Authorization: Bearer` |
//! | `/twilio/2010-04-01/…`, `/plivo/v1/…` | carriers at which an agency has accounts: see `carriers.rs` | basic |
//! | `/tools/…` | somebody's own system, for tools of agents: customers, an echo, and all that goes wrong | none |
//! | `/tools/mcp/…` | a server of functions (MCP): see `mcp.rs` | none |
//! | `/tools/calcom/v2/…` | a calendar at Cal.com | `Authorization: Bearer cal_…` |
//! | `/slack/…` | Slack: bots, incoming webhooks, the sign-in; see `slack.rs` | `Authorization: Bearer` |
//! | `/receiver/{name}` | somebody's own system that is told of events: see `receiver.rs` | none |
//! | `/hubspot/…` | HubSpot: sign-in, contacts, deals, calls, tasks | `Authorization: Bearer`, by sign-in |
//! | `/zoho/…` | Zoho CRM, in version 8: the same | `Authorization: Zoho-oauthtoken`, by sign-in |
//! | `/sandbox/…` | nobody: log, settings, incoming calls, public keys | none |
//!
//! `POST /sandbox/ring` with `{"to", "from"}` rings a number as the carrier would, with `{"carrier": "twilio", "key"}` one at Twilio: see
//! `telephone.rs`.
//!
//! Any key that begins with `sandbox-` is taken and has an account of its own; other keys get 401 in the provider's own form.
//! Nobody's telephone rings and nothing leaves the machine, except webhooks to the addresses that were registered.
//!
//! **A call's life.** Created, rings, is joined or not, is spoken, ends, is billed: a small task per call waits for each moment
//! and sends the signed webhooks. `speed` makes sandbox seconds pass faster than real ones; `clock.rs` says which times the
//! payloads then carry. Metadata of the create request can steer one call: `patchbay.sandbox_at` (an ISO instant, so that history
//! lies in the past), `patchbay.sandbox_speed`, `patchbay.sandbox_seed` (same words for the same seed),
//! `patchbay.sandbox_outcome` (`busy`, `no_answer`, `voicemail`, `declined_call`, `invalid_number`, `dropped`, `answered`, or how
//! the conversation ends: `booked`, `escalated` …) and `campaign_type` (`sdr` or `cs`).
//!
//! **Numbers that force an outcome**, by their last four digits:
//!
//! | digits | outcome | digits | outcome |
//! |---|---|---|---|
//! | 0001 | busy | 0010 | the carrier doesn't know the number |
//! | 0002 | no answer | 0011 | the line breaks in the middle |
//! | 0003 | voicemail | 0012 | 500, although the call was placed |
//! | 0004 | declined | 0013 | answered for certain |
//! | 0005 | 500, nothing placed | 0015 | 500 the first time, then fine |
//! | 0006 | placed, the answer never comes | 0017 | 429 the first time, then fine |
//! | 0007 | 429 with `Retry-After` | 0020–0026 | booked, interested, callback, declined, not qualified, wrong person, do not call |
//! | 0008 | placed, the answer is HTML | 0030–0034 | confirmed, rescheduled, solved, escalated, survey |
//! | 0009 | 400, not a number | | |
//!
//! **What services do in the field** is off and can be switched on with `quirks` in the settings, for all accounts or one: half an emoji,
//! fields of another type, bills that are refunded, recordings that come late or are none, models that answer in their own way.
//!
//! **Tools.** An agent whose template has tools with an HTTP address uses them on its calls, by the requests that the real service makes:
//! see `tool_use.rs`.
//!
//! **The past.** `Sandbox::set_past` gives an account calls from before the sandbox began, drawn from a seed: weekdays, hours, both
//! directions, every outcome. They are listed, read, summed up and deleted like others, and never had a webhook. `reveal_calls` shows some
//! that nobody has seen before, as a service does that is late. `quirks.pages_…` limit lists of calls, let them grow while they are read,
//! or never end. `loss_rate` 1 is the outage in which no webhook arrives. `go_on_ringing` lets the people of the past ring on.
//!
//! **CRMs.** One signs in at a page with one button, and gets tokens that end; an account has 240 people from the beginning, some of them with
//! deals, one whose number is too short. `Sandbox::crm_book` changes what is in it, ends sign-ins and makes pages repeat, answers get lost and
//! limits be met; `POST /sandbox/crm/…` does it from outside: see `crm/mod.rs`.
//!
//! **The surprising part:** transcripts aren't kept. They follow from the seed and the call, so they are written anew whenever
//! somebody asks; two hundred thousand calls fit into memory that way. After a restart agents, webhooks, numbers, the past
//! and the newest calls that were over come back if `state_file` is set.

mod analysis;
mod anthropic;
mod calcom;
mod call;
mod carriers;
mod clock;
mod control;
mod conversation;
mod crm;
mod delivery;
mod gate;
mod hubspot;
mod keep;
mod life;
mod mcp;
mod openai;
mod openrouter;
mod pages;
mod past;
mod receiver;
mod rehearsal;
mod rng;
mod schema;
mod settings;
mod slack;
mod state;
mod supervising;
mod telephone;
mod telnyx;
#[cfg(test)]
mod tests;
pub mod texts;
mod tool_use;
mod tools;
mod ultravox;
mod voice;
mod zoho;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crm::CrmKind;
pub use crm::book::{CrmBook, CrmEntry, CrmFaults};
pub use crm::telling::HubSpotRequest;
pub use past::{PastOfAgent, PastPerson};
pub use receiver::{Received, ReceiverManner};
pub use settings::{FaultRates, NoSound, OddAnswer, OddUsage, OutcomeRates, Quirks, SandboxSettings};
pub use slack::SlackPost;
pub use state::{DeliveryEntry, LogEntry, Sandbox};
pub use telephone::{Rang, Ring};

const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// Everything on one router.
pub fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .nest("/ultravox/api", ultravox::routes())
        .nest("/telnyx/v2", telnyx::routes().merge(texts::telnyx::routes()))
        .nest("/openrouter/api/v1", openrouter::routes())
        .nest("/anthropic/v1", anthropic::routes())
        .nest("/openai/v1", openai::routes())
        .nest("/hubspot", hubspot::routes(sandbox.clone()))
        .nest("/zoho", zoho::routes(sandbox.clone()))
        .nest("/slack", slack::routes())
        .nest("/twilio", carriers::twilio::routes().merge(texts::twilio::routes()))
        .nest("/plivo", carriers::plivo::routes().merge(texts::plivo::routes()))
        .nest("/tools", tools::routes().nest("/mcp", mcp::routes()).nest("/calcom/v2", calcom::routes()))
        .nest("/receiver", receiver::routes())
        .nest(
            "/sandbox",
            control::routes().merge(telephone::routes()).merge(crm::control::routes()).merge(receiver::control()),
        )
        .layer(axum::middleware::from_fn_with_state(sandbox.clone(), gate::gate))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(sandbox)
}

/// Serves a new sandbox until `shutdown`.
pub async fn serve(
    listener: TcpListener,
    settings: SandboxSettings,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    serve_this(listener, Sandbox::new(settings), shutdown).await
}

/// Serves a sandbox that the caller keeps a hand on: its settings and its log.
pub async fn serve_this(
    listener: TcpListener,
    sandbox: Arc<Sandbox>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let stop = {
        let sandbox = sandbox.clone();
        async move {
            shutdown.cancelled().await;
            sandbox.shutdown.cancel();
        }
    };
    axum::serve(listener, router(sandbox)).with_graceful_shutdown(stop).await
}

/// Starts a sandbox on a free port of the loopback address. It stops when the token is cancelled.
pub async fn start(settings: SandboxSettings) -> std::io::Result<(SocketAddr, Arc<Sandbox>, CancellationToken)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let sandbox = Sandbox::new(settings);
    let shutdown = CancellationToken::new();
    let (served, stop) = (sandbox.clone(), shutdown.clone());
    tokio::spawn(async move {
        if let Err(error) = serve_this(listener, served, stop).await {
            tracing::error!(%error, "the sandbox stopped");
        }
    });
    Ok((address, sandbox, shutdown))
}

impl Sandbox {
    /// Numbers of people who were rung so that a call is given to them, in order.
    pub fn rung(&self, key: &str) -> Vec<String> {
        self.with_account(key, |account| account.rung.clone())
    }

    /// What agents of an account were told while they talked, in order.
    pub fn told(&self, key: &str) -> Vec<String> {
        self.with_account(key, |account| account.told.clone())
    }

    /// Where an account's carrier events go; `None` for nowhere.
    pub fn set_carrier_url(&self, key: &str, url: Option<String>) {
        self.with_account(key, |account| account.carrier_url = url);
        self.keep();
    }

    /// What an account's carrier events are signed with.
    pub fn carrier_seed(&self, key: &str) -> [u8; 32] {
        telnyx::carrier::signing_seed(self, key)
    }

    /// The key that checks an account's carrier events: base64 of 32 bytes.
    pub fn carrier_public_key(&self, key: &str) -> String {
        patchbay_providers::signature::telnyx_public_key(&telnyx::carrier::signing_seed(self, key))
    }
}
