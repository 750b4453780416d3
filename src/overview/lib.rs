//! The dashboard: the figures of today or of some days, who is on the line, what needs a person. Owns no table; it reads other crates' figures.
//! Reads the tables agency_phone_numbers, agent_mappings, agents, call_analyses, call_backs, call_batches, calls, campaign_contacts,
//! campaigns, clients, contact_imports, contacts, enrichment_queue, execution_approvals, execution_circuits, execution_engines,
//! execution_jobs, execution_targets, integration_pending, integrations, jobs, provider_connections, webhook_endpoints and webhook_queue.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
