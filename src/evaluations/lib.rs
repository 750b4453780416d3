//! Evaluations: tests of agents. A case is a message or a simulated caller with what is expected; the cases of an agent are its suite,
//! which is run against a version of the prompt with a model, and may have to pass before that version goes to production.
//! Owns the tables test_cases, test_suites, test_grids, suite_runs and test_runs.
//! Reads the tables agent_runs, agents, call_messages, calls, clients, contacts, prompt_versions, prompts, provider_connections, run_logs and users.
//!
//! The surprising parts: tools are answered for by the case, and used for real only where it says so; a result counts for the case as it
//! was (`edition`), so a changed case has to pass again; and a run's spend is counted with each answer, in the transaction that records it,
//! so that the budget stops a run in the middle of a conversation. A grid is several such runs with one purse: what an answer may cost at most
//! is set aside before it is asked for.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
