//! What the whole process works with, from the configuration, and the functions that lower crates call and upper crates have.

use super::config::Config;
use patchbay_access::server::{AppendEvent, AppendPlatformEvent};
use patchbay_agents as agents;
use patchbay_audit as audit;
use patchbay_audit::server::platform as platform_log;
use patchbay_batches as batches;
use patchbay_calls as calls;
use patchbay_calls::server::ended::CallEnded;
use patchbay_clients as clients;
use patchbay_connections::model::Provider;
use patchbay_connections::server::connect::AccountSaved;
use patchbay_connections::server::telephony::TelephonyReady;
use patchbay_connections::server::trunks::{NumberMoved, OpenTrunk};
use patchbay_contacts::server::SystemsOfContact;
use patchbay_dialling as dialling;
use patchbay_evaluations as evaluations;
use patchbay_execution::server::{JobEnded, LinkBase, RunMayGoOn, RunSpent};
use patchbay_history as history;
use patchbay_inbound_webhooks::server::jobs::TextReported;
use patchbay_knowledge::server::meaning::Embed;
use patchbay_members as members;
use patchbay_metering::server::budget::BudgetMoved;
use patchbay_numbers as numbers;
use patchbay_platform as platform;
use patchbay_prompts::server::ProductionGate;
use patchbay_prompts::server::ops::{AgentTools, PromptChanged, VersionOutcomes};
use patchbay_providers::sealed::KeyRing;
use patchbay_providers::{HttpClient, HttpSettings};
use patchbay_runs::server::KnowledgeUsed;
use patchbay_services::{Hooks, SandboxAddresses, Services, Settings};
use patchbay_shared::error::internal;
use patchbay_shared::{AppError, Reason};
use patchbay_sign_in::server::EndSupport;
use patchbay_skills::server::SkillsChanged;
use patchbay_teams::server as teams;
use patchbay_text_messages::server::{OpenTexts, TextAccount};
use patchbay_tools::server::contact_book::Contacts;
use patchbay_tools::server::{AskTeam, SendLetter, SendText, ToolsChanged, TransferCall};
use patchbay_webhooks::server::{EventsOut, SendOffMail};
use patchbay_workspaces::server::Reactivated;
use patchbay_workspaces::server::limits::Counters;
use patchbay_workspaces::server::rules::ZoneChanged;

/// Keys, the way out, stores, mail. Errors: `Conflict` that names the option.
pub fn services(config: &Config) -> Result<Services, AppError> {
    let ring = KeyRing::from_env_text(&config.keys)
        .map_err(|error| AppError::Conflict(Reason::Configuration, format!("--keys: {error}")))?;
    let settings = Settings {
        ring,
        http: HttpClient::new(HttpSettings::default()).map_err(internal)?,
        public_url: config.public_url.to_string(),
        sandbox: config.sandbox_url.as_deref().map(SandboxAddresses::at),
        data_dir: config.data_dir.clone(),
        bucket: config.bucket.clone(),
        extract_with: config.extract_with.clone(),
        run_jobs_with: config.run_jobs_with.clone(),
        allows_local_targets: config.allows_local_targets,
        mail: config.smtp.clone(),
        dns: config.dns,
        trusted_proxies: config.trusted_proxies.clone(),
        requires_second_factor: config.needs_second_factor,
    };
    Services::new(settings, hooks())
}

/// Lower crates define these; a crate that defines a hook adds its line here.
fn hooks() -> Hooks {
    let mut hooks = Hooks::default();
    hooks.add(AppendEvent(|tx, event| Box::pin(audit::server::append(tx, event))));
    hooks.add(AppendPlatformEvent(|conn, event, agency| Box::pin(platform_log::append(conn, event, agency))));
    hooks.add(Counters {
        people: |tx| Box::pin(members::server::count(tx)),
        members: |tx| Box::pin(members::server::active(tx)),
        clients: |tx| Box::pin(clients::server::count(tx)),
        agents: |tx| Box::pin(agents::server::count(tx)),
        lines: |tx| Box::pin(calls::server::lines_in_use(tx)),
    });
    hooks.add(AccountSaved(|tx, provider, is_other| {
        Box::pin(async move {
            match provider {
                Provider::Ultravox => {
                    agents::server::ops::voice_account_saved(tx, is_other).await?;
                    history::server::ops::account_saved(tx, is_other).await?;
                    patchbay_integrations::server::carriers::voice_account_saved(tx).await
                }
                Provider::Telnyx if is_other => numbers::server::ops::carrier_account_changed(tx).await,
                _ => Ok(()),
            }
        })
    }));
    hooks.add(TelephonyReady(|tx, application| {
        Box::pin(async move { numbers::server::ops::telephony_ready(tx, &application).await })
    }));
    hooks.add(PromptChanged(|tx, id| Box::pin(agents::server::ops::prompt_changed(tx, id))));
    hooks.add(VersionOutcomes(|tx, id| Box::pin(calls::server::by_version::outcomes(tx, id))));
    hooks.add(AgentTools(|tx, agent| {
        Box::pin(async move {
            let tools = patchbay_tools::server::for_agent(tx, agent).await?;
            Ok(tools.into_iter().map(|tool| tool.name).collect())
        })
    }));
    hooks.add(ProductionGate(|tx, id, version| Box::pin(evaluations::server::production_gate(tx, id, version))));
    hooks.add(SkillsChanged(|tx, agent| Box::pin(agents::server::ops::tools_changed(tx, agent))));
    hooks.add(Embed(|scope, asked| Box::pin(patchbay_models::server::embed(scope, asked))));
    hooks.add(KnowledgeUsed(|tx, run| Box::pin(patchbay_tools::server::knowledge_used(tx, run))));
    hooks.add(ToolsChanged(|tx, agent| Box::pin(agents::server::ops::tools_changed(tx, agent))));
    hooks.add(Contacts(Box::new(patchbay_contacts::server::OwnContacts)));
    hooks.add(SystemsOfContact(|tx, client, contact| {
        Box::pin(patchbay_integrations::server::of_contact(tx, client, contact))
    }));
    hooks.add(SendLetter(|tx, it| {
        Box::pin(async move { patchbay_mail::send_branded(tx, it.client, &it.to, it.subject, &it.text).await })
    }));
    hooks.add(SendText(|tx, text| Box::pin(patchbay_text_messages::server::from_agent(tx, text))));
    hooks.add(OpenTexts(|scope, id| {
        Box::pin(async move {
            let (carrier, auth_token, paused) =
                patchbay_integrations::server::carriers::text_account(scope, id).await?;
            Ok(TextAccount { carrier, auth_token, paused })
        })
    }));
    hooks.add(OpenTrunk(|scope, id| Box::pin(patchbay_integrations::server::carriers::trunk_account(scope, id))));
    hooks.add(NumberMoved(|tx, id| Box::pin(patchbay_text_messages::server::number_moved(tx, id))));
    hooks.add(TextReported(|tx, event| Box::pin(patchbay_text_messages::server::reported(tx, "telnyx", event))));
    hooks.add(LinkBase(|tx| Box::pin(patchbay_brand::server::hosts::link_base(tx))));
    hooks.add(TransferCall(|scope, wanted| Box::pin(calls::server::transfers::begin(scope, wanted))));
    hooks.add(JobEnded(|tx, ended| Box::pin(teams::hooks::job_ended(tx, ended))));
    hooks.add(RunMayGoOn(|tx, run| Box::pin(teams::hooks::may_go_on(tx, run))));
    hooks.add(RunSpent(|tx, run, spent| Box::pin(teams::hooks::spent(tx, run, spent))));
    hooks.add(AskTeam {
        choices: |tx, client| Box::pin(teams::asking::choices(tx, client)),
        ask: |scope, question| Box::pin(teams::asking::ask(scope, question)),
    });
    hooks.add(EventsOut(|tx, events| {
        Box::pin(async move {
            patchbay_integrations::server::events_out(tx, events).await?;
            patchbay_text_messages::server::events_out(tx, events).await
        })
    }));
    hooks.add(SendOffMail(|tx, mail| {
        Box::pin(async move {
            if !patchbay_mail::is_set_up(tx.services()) {
                return Ok(());
            }
            let base = patchbay_brand::server::hosts::link_base(tx.reading()).await?;
            let text = format!("{}{base}{}\n", mail.text, mail.path);
            patchbay_mail::send_branded(tx, None, &mail.to, mail.subject.clone(), &text).await
        })
    }));
    hooks.add(EndSupport(|visitor| Box::pin(platform::server::support::end(visitor))));
    hooks.add(ZoneChanged(|tx| Box::pin(patchbay_metering::server::days::touch_all_days(tx, None))));
    hooks.add(BudgetMoved(|tx, client| Box::pin(batches::server::ops::wake(tx, client))));
    hooks.add(Reactivated(|tx| {
        Box::pin(async move {
            patchbay_jobs::queue::look_now(tx).await?;
            patchbay_execution::server::look_now(tx).await?;
            calls::server::enrich::look_now(tx).await
        })
    }));
    hooks.add(CallEnded {
        ended: |tx, batch, calls| Box::pin(dialling::server::settle::settle(tx, batch, calls)),
        corrected: |tx, found| Box::pin(dialling::server::settle::correct(tx, found)),
        asked_back: |tx, asked| Box::pin(dialling::server::call_backs::ask(tx, asked)),
    });
    hooks
}
