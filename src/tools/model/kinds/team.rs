use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::number;
use super::{FieldSpec, Input, KindConfig, Source, Values, value};
use patchbay_shared::FieldErrors;
use patchbay_shared::ids::TeamId;

const USUAL: u32 = 20;

/// Hands work to a team of agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    pub team: TeamId,
    /// How long its answer is waited for; afterwards it goes on by itself.
    pub wait_seconds: u32,
}

impl Team {
    /// What a new one begins with.
    pub fn usual() -> Values {
        [("wait_seconds".to_owned(), USUAL.to_string())].into_iter().collect()
    }
}

impl KindConfig for Team {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "team",
                "Team",
                Input::One(Source::Teams),
                "Teams of the agent’s client, and of the agency. A team of another client is never asked.",
            )
            .required(),
            FieldSpec::new(
                "wait_seconds",
                "Seconds to wait",
                Input::Line,
                "5 to 60. When the answer takes longer, the agent says that it is being worked on, and the team goes on.",
            ),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let team = value(values, "team").parse().unwrap_or_else(|_| {
            errors.add("team", "Choose a team.");
            TeamId(Default::default())
        });
        Self { team, wait_seconds: number(values, "wait_seconds", 5, 60, USUAL, errors) }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        vec![("team", self.team.to_string()), ("wait_seconds", self.wait_seconds.to_string())]
    }

    fn summary(&self) -> String {
        format!("Waits up to {} seconds", self.wait_seconds)
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "request": {
                    "type": "string",
                    "description": "What the team should do, with all that it needs to know: names, numbers, dates.",
                },
            },
            "required": ["request"]
        })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn seconds(&self) -> u32 {
        self.wait_seconds + 3
    }
}
