//! Shell and router: one `<Route>` per page, nothing else.

mod frame;
mod lazy;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use patchbay_agents::page::{
    adopt_agent_page, adopt_agents_page, agent_detail_page, agent_edit_page, agent_template_page, agent_templates_page,
    agent_versions_page, agents_page, new_agent_page, new_agent_template_page,
};
use patchbay_api_keys::page::{api_keys_page, made_api_key_page, new_api_key_page};
use patchbay_audit::page::{audit_event_page, audit_page, platform_log_page};
use patchbay_batches::page::{batch_page, batches_page, new_batch_page};
use patchbay_brand::page::{brand_page, client_brand_page};
use patchbay_calls::page::{call_page, calls_page};
use patchbay_campaigns::page::{campaign_page, campaigns_page, new_campaign_page};
use patchbay_client_overview::page::client_page;
use patchbay_clients::page::{client_settings_page, clients_page, new_client_page};
use patchbay_connections::page::{connection_detail_page, new_model_account_page};
use patchbay_contacts::page::{
    contact_page, contacts_page, import_mapping_page, import_page, imports_page, new_contact_page, new_import_page,
    suppressed_page,
};
use patchbay_dialling::page::{call_back_page, call_backs_page, new_call_back_page};
use patchbay_evaluations::page::{
    compare_runs_page, new_test_case_page, run_again_page, suite_run_page, suite_runs_page, test_case_page,
    test_cases_page, test_grid_form_page, test_grid_page, test_grids_page,
};
use patchbay_execution::page::{
    approval_page, approvals_page, control_room_page, engine_page, engines_page, job_page, jobs_page, new_engine_page,
    new_job_page, new_target_page, target_page, targets_page,
};
use patchbay_history::page::{call_gaps_page, history_import_page, history_imports_page, history_page};
use patchbay_inbound_webhooks::page::inbound_webhook_page;
use patchbay_integrations::page::{
    contact_activities_page, failed_records_page, integration_deals_page, integration_mapping_page,
    integration_messages_page, integration_page, integration_preview_page, integration_secret_page,
    integration_settings_page, integration_setup_page, integration_sign_in_page, integration_sync_page,
    integration_syncs_page, integrations_page, new_integration_page,
};
use patchbay_knowledge::page::{edit_knowledge_page, knowledge_collection_page, knowledge_page, new_knowledge_page};
use patchbay_members::page::{
    accept_invitation_page, invitations_page, invite_page, links_page, member_page, members_page, profile_page,
};
use patchbay_models::page::{model_choice_page, model_prices_page, models_page, new_model_price_page};
use patchbay_numbers::page::{new_number_page, number_detail_page, numbers_page};
use patchbay_overview::page::overview_page;
use patchbay_platform::page::{new_links_page, new_workspace_page, platform_page, workspace_page};
use patchbay_prompts::page::{
    new_prompt_page, prompt_diff_page, prompt_editor_page, prompt_merge_page, prompt_moves_page, prompts_page,
};
use patchbay_queues::page::queues_page;
use patchbay_runs::page::{error_page, errors_page, run_page, runs_page};
use patchbay_schedules::page::{
    made_trigger_page, new_schedule_page, new_trigger_page, schedule_page, schedules_page, trigger_page, triggers_page,
};
use patchbay_settings::agency_page;
use patchbay_shared::AppError;
use patchbay_sign_in::page::{
    choose_password_page, forgot_page, passkey_sign_in_page, passkey_step_page, second_step_page, security_page,
    sign_in_page,
};
use patchbay_skills::page::{
    agent_skills_page, edit_skill_page, new_skill_import_page, new_skill_page, skill_file_page, skill_import_page,
    skill_page, skills_page,
};
use patchbay_teams::page::{
    compare_supervisor_runs_page, new_team_case_page, new_team_page, playground_page, supervisor_run_page,
    supervisor_runs_page, team_case_page, team_cases_page, team_limits_page, team_page, team_runs_page,
    team_versions_page, teams_page,
};
use patchbay_telephone::page::test_call_page;
use patchbay_text_messages::page::{new_text_rule_page, text_rule_page, text_rules_page, text_thread_page, texts_page};
use patchbay_tools::page::{new_tool_page, tool_page, tool_use_page, tool_uses_page, tools_page};
use patchbay_ui::Trouble;
use patchbay_usage::page::usage_page;
use patchbay_webhooks::page::{
    edit_webhook_page, made_webhook_page, new_webhook_page, verify_webhooks_page, webhooks_page,
};

use lazy::LazyPage;

/// The whole product in the browser and on the server.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=frame::NothingHere>
                <Route path=path!("/login") view={LazyPage::new(sign_in_page)} ssr=SsrMode::Async/>
                <Route path=path!("/login/passkey") view={LazyPage::new(passkey_sign_in_page)} ssr=SsrMode::Async/>
                <Route path=path!("/mfa") view={LazyPage::new(second_step_page)} ssr=SsrMode::Async/>
                <Route path=path!("/mfa/passkey") view={LazyPage::new(passkey_step_page)} ssr=SsrMode::Async/>
                <Route path=path!("/forgot") view={LazyPage::new(forgot_page)} ssr=SsrMode::Async/>
                <Route path=path!("/reset/:token") view={LazyPage::new(choose_password_page)} ssr=SsrMode::Async/>
                <Route path=path!("/invite/:token") view={LazyPage::new(accept_invitation_page)} ssr=SsrMode::Async/>
                <Signed/>
            </Routes>
        </Router>
    }
}

/// Pages for people who have signed in.
#[component(transparent)]
fn Signed() -> impl MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=frame::Frame ssr=SsrMode::Async>
            <Route path=path!("/dashboard") view={LazyPage::new(overview_page)} ssr=SsrMode::Async/>
            <Route path=path!("/calls") view={LazyPage::new(calls_page)} ssr=SsrMode::Async/>
            <Route path=path!("/calls/:id") view={LazyPage::new(call_page)} ssr=SsrMode::Async/>
            <Route path=path!("/batches") view={LazyPage::new(batches_page)} ssr=SsrMode::Async/>
            <Route path=path!("/batches/new") view={LazyPage::new(new_batch_page)} ssr=SsrMode::Async/>
            <Route path=path!("/batches/:id") view={LazyPage::new(batch_page)} ssr=SsrMode::Async/>
            <Route path=path!("/campaigns") view={LazyPage::new(campaigns_page)} ssr=SsrMode::Async/>
            <Route path=path!("/campaigns/new") view={LazyPage::new(new_campaign_page)} ssr=SsrMode::Async/>
            <Route path=path!("/campaigns/:id") view={LazyPage::new(campaign_page)} ssr=SsrMode::Async/>
            <Route path=path!("/messages") view={LazyPage::new(texts_page)} ssr=SsrMode::Async/>
            <Route path=path!("/messages/with/:contact") view={LazyPage::new(text_thread_page)} ssr=SsrMode::Async/>
            <Route path=path!("/messages/rules") view={LazyPage::new(text_rules_page)} ssr=SsrMode::Async/>
            <Route path=path!("/messages/rules/new") view={LazyPage::new(new_text_rule_page)} ssr=SsrMode::Async/>
            <Route path=path!("/messages/rules/:rule") view={LazyPage::new(text_rule_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts") view={LazyPage::new(contacts_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/new") view={LazyPage::new(new_contact_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/suppressed") view={LazyPage::new(suppressed_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports") view={LazyPage::new(imports_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports/new") view={LazyPage::new(new_import_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports/:id/mapping") view={LazyPage::new(import_mapping_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports/:id") view={LazyPage::new(import_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/:id") view={LazyPage::new(contact_page)} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/:id/activities") view={LazyPage::new(contact_activities_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents") view={LazyPage::new(agents_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/new") view={LazyPage::new(new_agent_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/adopt") view={LazyPage::new(adopt_agents_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/adopt/:id") view={LazyPage::new(adopt_agent_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/templates") view={LazyPage::new(agent_templates_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/templates/:id") view={LazyPage::new(agent_template_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id") view={LazyPage::new(agent_detail_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/template") view={LazyPage::new(new_agent_template_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/edit") view={LazyPage::new(agent_edit_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/versions") view={LazyPage::new(agent_versions_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tests") view={LazyPage::new(test_cases_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tests/new") view={LazyPage::new(new_test_case_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tests/runs") view={LazyPage::new(suite_runs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tests/grid") view={LazyPage::new(test_grid_form_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tests/grids") view={LazyPage::new(test_grids_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tests/:case") view={LazyPage::new(test_case_page)} ssr=SsrMode::Async/>
            <Route path=path!("/test-grids/:id") view={LazyPage::new(test_grid_page)} ssr=SsrMode::Async/>
            <Route path=path!("/test-runs/compare") view={LazyPage::new(compare_runs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/test-runs/:id") view={LazyPage::new(suite_run_page)} ssr=SsrMode::Async/>
            <Route path=path!("/knowledge") view={LazyPage::new(knowledge_page)} ssr=SsrMode::Async/>
            <Route path=path!("/knowledge/new") view={LazyPage::new(new_knowledge_page)} ssr=SsrMode::Async/>
            <Route path=path!("/knowledge/:id") view={LazyPage::new(knowledge_collection_page)} ssr=SsrMode::Async/>
            <Route path=path!("/knowledge/:id/edit") view={LazyPage::new(edit_knowledge_page)} ssr=SsrMode::Async/>
            <Route path=path!("/runs") view={LazyPage::new(runs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/runs/:id") view={LazyPage::new(run_page)} ssr=SsrMode::Async/>
            <Route path=path!("/runs/:id/again") view={LazyPage::new(run_again_page)} ssr=SsrMode::Async/>
            <Route path=path!("/errors") view={LazyPage::new(errors_page)} ssr=SsrMode::Async/>
            <Route path=path!("/errors/:id") view={LazyPage::new(error_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution") view={LazyPage::new(control_room_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/new") view={LazyPage::new(new_job_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/engines") view={LazyPage::new(engines_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/engines/new") view={LazyPage::new(new_engine_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/engines/:id") view={LazyPage::new(engine_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/targets") view={LazyPage::new(targets_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/targets/new") view={LazyPage::new(new_target_page)} ssr=SsrMode::Async/>
            <Route path=path!("/execution/targets/:id") view={LazyPage::new(target_page)} ssr=SsrMode::Async/>
            <Route path=path!("/jobs") view={LazyPage::new(jobs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/jobs/:id") view={LazyPage::new(job_page)} ssr=SsrMode::Async/>
            <Route path=path!("/approvals") view={LazyPage::new(approvals_page)} ssr=SsrMode::Async/>
            <Route path=path!("/approvals/:id") view={LazyPage::new(approval_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills") view={LazyPage::new(skills_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills/new") view={LazyPage::new(new_skill_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills/imports/new") view={LazyPage::new(new_skill_import_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills/imports/:id") view={LazyPage::new(skill_import_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills/:id") view={LazyPage::new(skill_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills/:id/edit") view={LazyPage::new(edit_skill_page)} ssr=SsrMode::Async/>
            <Route path=path!("/skills/:id/file") view={LazyPage::new(skill_file_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/skills") view={LazyPage::new(agent_skills_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/schedules") view={LazyPage::new(schedules_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/schedules/new") view={LazyPage::new(new_schedule_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/schedules/:schedule") view={LazyPage::new(schedule_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/triggers") view={LazyPage::new(triggers_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/triggers/new") view={LazyPage::new(new_trigger_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/triggers/made") view={LazyPage::new(made_trigger_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/triggers/:trigger") view={LazyPage::new(trigger_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tools") view={LazyPage::new(tools_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tools/new") view={LazyPage::new(new_tool_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tools/calls") view={LazyPage::new(tool_uses_page)} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/tools/:tool") view={LazyPage::new(tool_page)} ssr=SsrMode::Async/>
            <Route path=path!("/tool-calls/:id") view={LazyPage::new(tool_use_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams") view={LazyPage::new(teams_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/new") view={LazyPage::new(new_team_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id") view={LazyPage::new(team_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/limits") view={LazyPage::new(team_limits_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/playground") view={LazyPage::new(playground_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/cases") view={LazyPage::new(team_cases_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/cases/new") view={LazyPage::new(new_team_case_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/cases/:case") view={LazyPage::new(team_case_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/runs") view={LazyPage::new(team_runs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/teams/:id/versions") view={LazyPage::new(team_versions_page)} ssr=SsrMode::Async/>
            <Route path=path!("/supervisor-runs") view={LazyPage::new(supervisor_runs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/supervisor-runs/compare") view={LazyPage::new(compare_supervisor_runs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/supervisor-runs/:id") view={LazyPage::new(supervisor_run_page)} ssr=SsrMode::Async/>
            <Route path=path!("/prompts") view={LazyPage::new(prompts_page)} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/new") view={LazyPage::new(new_prompt_page)} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/:id") view={LazyPage::new(prompt_editor_page)} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/:id/diff") view={LazyPage::new(prompt_diff_page)} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/:id/moves") view={LazyPage::new(prompt_moves_page)} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/:id/merge") view={LazyPage::new(prompt_merge_page)} ssr=SsrMode::Async/>
            <Route path=path!("/numbers") view={LazyPage::new(numbers_page)} ssr=SsrMode::Async/>
            <Route path=path!("/numbers/new") view={LazyPage::new(new_number_page)} ssr=SsrMode::Async/>
            <Route path=path!("/numbers/:id") view={LazyPage::new(number_detail_page)} ssr=SsrMode::Async/>
            <Route path=path!("/test-call") view={LazyPage::new(test_call_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations") view={LazyPage::new(integrations_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/new/:kind") view={LazyPage::new(new_integration_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id") view={LazyPage::new(integration_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/setup") view={LazyPage::new(integration_setup_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/sign-in") view={LazyPage::new(integration_sign_in_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/mapping") view={LazyPage::new(integration_mapping_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/preview") view={LazyPage::new(integration_preview_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/syncs") view={LazyPage::new(integration_syncs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/syncs/:sync") view={LazyPage::new(integration_sync_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/deals") view={LazyPage::new(integration_deals_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/failed") view={LazyPage::new(failed_records_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/settings") view={LazyPage::new(integration_settings_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/secret") view={LazyPage::new(integration_secret_page)} ssr=SsrMode::Async/>
            <Route path=path!("/integrations/:id/messages") view={LazyPage::new(integration_messages_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/accounts/new") view={LazyPage::new(new_model_account_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/models") view={LazyPage::new(models_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/models/prices") view={LazyPage::new(model_prices_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/models/prices/new") view={LazyPage::new(new_model_price_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/models/:purpose") view={LazyPage::new(model_choice_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/:provider") view={LazyPage::new(connection_detail_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/:provider/history") view={LazyPage::new(history_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/:provider/history/imports") view={LazyPage::new(history_imports_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/:provider/history/imports/:id") view={LazyPage::new(history_import_page)} ssr=SsrMode::Async/>
            <Route path=path!("/connections/:provider/history/gaps") view={LazyPage::new(call_gaps_page)} ssr=SsrMode::Async/>
            <Route path=path!("/clients") view={LazyPage::new(clients_page)} ssr=SsrMode::Async/>
            <Route path=path!("/clients/new") view={LazyPage::new(new_client_page)} ssr=SsrMode::Async/>
            <Route path=path!("/clients/:id") view={LazyPage::new(client_page)} ssr=SsrMode::Async/>
            <Route path=path!("/clients/:id/settings") view={LazyPage::new(client_settings_page)} ssr=SsrMode::Async/>
            <Route path=path!("/clients/:id/brand") view={LazyPage::new(client_brand_page)} ssr=SsrMode::Async/>
            <Route path=path!("/usage") view={LazyPage::new(usage_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/profile") view={LazyPage::new(profile_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/agency") view={LazyPage::new(agency_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users") view={LazyPage::new(members_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/security") view={LazyPage::new(security_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users/new") view={LazyPage::new(invite_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users/links") view={LazyPage::new(links_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users/invitations") view={LazyPage::new(invitations_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users/:id") view={LazyPage::new(member_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/api-keys") view={LazyPage::new(api_keys_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/api-keys/new") view={LazyPage::new(new_api_key_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/api-keys/made") view={LazyPage::new(made_api_key_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/brand") view={LazyPage::new(brand_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks") view={LazyPage::new(webhooks_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks/new") view={LazyPage::new(new_webhook_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks/made") view={LazyPage::new(made_webhook_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks/verify") view={LazyPage::new(verify_webhooks_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks/:endpoint") view={LazyPage::new(webhooks_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks/:endpoint/edit") view={LazyPage::new(edit_webhook_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/webhooks/:endpoint/deliveries/:delivery") view={LazyPage::new(webhooks_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/audit") view={LazyPage::new(audit_page)} ssr=SsrMode::Async/>
            <Route path=path!("/settings/audit/:seq") view={LazyPage::new(audit_event_page)} ssr=SsrMode::Async/>
            <Route path=path!("/call-backs") view={LazyPage::new(call_backs_page)} ssr=SsrMode::Async/>
            <Route path=path!("/call-backs/new") view={LazyPage::new(new_call_back_page)} ssr=SsrMode::Async/>
            <Route path=path!("/call-backs/:id") view={LazyPage::new(call_back_page)} ssr=SsrMode::Async/>
            <Route path=path!("/queues") view={LazyPage::new(queues_page)} ssr=SsrMode::Async/>
            <Route path=path!("/webhooks/inbound/:id") view={LazyPage::new(inbound_webhook_page)} ssr=SsrMode::Async/>
            <Route path=path!("/platform") view={LazyPage::new(platform_page)} ssr=SsrMode::Async/>
            <Route path=path!("/platform/new") view={LazyPage::new(new_workspace_page)} ssr=SsrMode::Async/>
            <Route path=path!("/platform/log") view={LazyPage::new(platform_log_page)} ssr=SsrMode::Async/>
            <Route path=path!("/platform/links") view={LazyPage::new(new_links_page)} ssr=SsrMode::Async/>
            <Route path=path!("/platform/:id") view={LazyPage::new(workspace_page)} ssr=SsrMode::Async/>
            <Route path=path!("/dev/ui") view=Gallery ssr=SsrMode::Async/>
        </ParentRoute>
    }
    .into_inner()
}

/// The component gallery, in debug builds.
#[component]
fn Gallery() -> impl IntoView {
    if cfg!(debug_assertions) {
        view! { <patchbay_ui::gallery::Gallery/> }.into_any()
    } else {
        view! { <Trouble page=true error=AppError::NotFound/> }.into_any()
    }
}
