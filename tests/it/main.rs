//! Tests through the front door, on a real PostgreSQL with the sandbox providers. One binary, one server; every test has
//! agencies of its own, so tests run side by side and see each other as strangers.

mod provider_failures;
mod provider_openrouter;
mod provider_signatures;
mod provider_stub;
mod provider_telnyx;
mod provider_ultravox;

mod support;

mod access_matrix;
mod access_table;
mod agency_rules;
mod agents;
mod api_keys;
mod audit;
mod brand;
mod budgets;
mod client_page;
mod contact_imports;
mod contacts;
mod coverage;
mod crates;
mod dialling_times;
mod exports;
mod guessing;
mod hang_ups;
mod hostile_names;
mod import_files;
mod invitations;
mod killed;
mod mail;
mod main_job;
mod owners;
mod passkeys;
mod passwords;
mod policy;
mod powers;
mod schema;
mod second_factor;
mod sharing;
mod sign_in;
mod sql;
mod statements;
mod support_sessions;
mod tenancy;
mod uploads;
mod webhooks;
