use std::collections::BTreeMap;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::{CallingWindow, Campaign, CampaignType};
use patchbay_shared::ids::{AgentId, NumberId};
use patchbay_shared::variables::parse_variables;
use patchbay_shared::variables::variables_text;
use patchbay_shared::window::clock;
use patchbay_shared::{AppError, FieldErrors};

/// What a person enters for a campaign. Times as `HH:MM`, variables as `name = value` lines, days as check boxes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CampaignForm {
    pub name: String,
    pub kind: String,
    pub agent: String,
    pub number: String,
    #[serde(default)]
    pub goal: String,
    #[serde(default)]
    pub variables: String,
    pub start: String,
    pub end: String,
    #[serde(default)]
    pub mon: Option<String>,
    #[serde(default)]
    pub tue: Option<String>,
    #[serde(default)]
    pub wed: Option<String>,
    #[serde(default)]
    pub thu: Option<String>,
    #[serde(default)]
    pub fri: Option<String>,
    #[serde(default)]
    pub sat: Option<String>,
    #[serde(default)]
    pub sun: Option<String>,
    pub max_attempts: String,
    pub retry_minutes: String,
}

/// The form, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignTerms {
    pub name: String,
    pub kind: CampaignType,
    pub agent_id: AgentId,
    pub number_id: NumberId,
    pub goal: String,
    pub variables: BTreeMap<String, String>,
    pub calling_window: CallingWindow,
    pub max_attempts: i32,
    pub retry_minutes: i32,
}

impl CampaignForm {
    /// The form of an existing campaign.
    pub fn of(campaign: &Campaign) -> Self {
        let on = |day: u8| campaign.calling_window.days.contains(&day).then(|| "on".to_owned());
        Self {
            name: campaign.name.clone(),
            kind: campaign.kind.as_str().into(),
            agent: campaign.agent_id.to_string(),
            number: campaign.number_id.to_string(),
            goal: campaign.goal.clone(),
            variables: variables_text(&campaign.variables),
            start: campaign.calling_window.start.format("%H:%M").to_string(),
            end: campaign.calling_window.end.format("%H:%M").to_string(),
            mon: on(1),
            tue: on(2),
            wed: on(3),
            thu: on(4),
            fri: on(5),
            sat: on(6),
            sun: on(7),
            max_attempts: campaign.max_attempts.to_string(),
            retry_minutes: campaign.retry_minutes.to_string(),
        }
    }

    /// The ticked days, Monday is 1.
    pub fn days(&self) -> Vec<u8> {
        let boxes = [&self.mon, &self.tue, &self.wed, &self.thu, &self.fri, &self.sat, &self.sun];
        (1..=7).zip(boxes).filter(|(_, ticked)| ticked.is_some()).map(|(day, _)| day).collect()
    }

    /// Errors: `Invalid`, with a message at each field.
    pub fn check(&self) -> Result<CampaignTerms, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 120 {
            errors.add("name", "Give the campaign a name of 1 to 120 characters.");
        }
        let kind = self.kind.parse().unwrap_or_else(|_| {
            errors.add("kind", "Choose what the campaign is for.");
            CampaignType::Sdr
        });
        let agent_id = self.agent.parse().unwrap_or_else(|_| {
            errors.add("agent", "Choose the agent that makes the calls.");
            AgentId(uuid::Uuid::nil())
        });
        let number_id = self.number.parse().unwrap_or_else(|_| {
            errors.add("number", "Choose the number to call from.");
            NumberId(uuid::Uuid::nil())
        });
        let goal = self.goal.trim().to_owned();
        if goal.chars().count() > 2000 {
            errors.add("goal", "The goal is longer than 2,000 characters.");
        }
        let variables = parse_variables(&self.variables).unwrap_or_else(|message| {
            errors.add("variables", message);
            BTreeMap::new()
        });
        let mut time = |field: &str, text: &str| {
            clock(text).unwrap_or_else(|| {
                errors.add(field, "Write a time like 09:00.");
                NaiveTime::MIN
            })
        };
        let (start, end) = (time("start", &self.start), time("end", &self.end));
        if errors.at("start").is_none() && errors.at("end").is_none() && start >= end && end != NaiveTime::MIN {
            errors.add("end", "The last time must be later than the first.");
        }
        let days = self.days();
        if days.is_empty() {
            errors.add("mon", "Tick at least one day.");
        }
        let max_attempts =
            self.max_attempts.trim().parse().ok().filter(|tries| (1..=10).contains(tries)).unwrap_or_else(|| {
                errors.add("max_attempts", "Between 1 and 10 calls to one contact.");
                1
            });
        let retry_minutes =
            self.retry_minutes.trim().parse().ok().filter(|wait| (1..=10_080).contains(wait)).unwrap_or_else(|| {
                errors.add("retry_minutes", "Between 1 minute and 10,080 minutes (a week).");
                60
            });
        errors.check()?;
        let calling_window = CallingWindow { start, end, days };
        Ok(CampaignTerms {
            name,
            kind,
            agent_id,
            number_id,
            goal,
            variables,
            calling_window,
            max_attempts,
            retry_minutes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_lines() {
        let read = parse_variables(" a = 1 \n\n{{b}} = x = y\n").unwrap();
        assert_eq!(variables_text(&read), "a = 1\nb = x = y");
        assert!(parse_variables("a").unwrap_err().contains("Line 1"));
        assert!(parse_variables("a=1\na=2").unwrap_err().contains("twice"));
        assert!(parse_variables("first name = x").is_err());
    }

    #[test]
    fn the_form_says_all_that_is_wrong_at_once() {
        let AppError::Invalid(errors) = CampaignForm::default().check().unwrap_err() else { panic!("not refused") };
        for field in ["name", "kind", "agent", "number", "start", "end", "mon", "max_attempts", "retry_minutes"] {
            assert!(errors.at(field).is_some(), "{field}");
        }
    }
}
