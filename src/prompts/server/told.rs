//! Which version of a prompt somebody was told, from the words themselves.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store::{self, Template};
use crate::model::is_filling_of;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;

/// Words that were said to come from a prompt, and when they were used.
pub struct Told<'a> {
    pub prompt: Uuid,
    pub words: &'a str,
    pub at: DateTime<Utc>,
}

/// The version of each. None: no version has these words, or several have them and the time does not tell which.
pub async fn versions_told(tx: &mut ReadTx, told: &[Told<'_>]) -> Result<Vec<Option<i32>>, AppError> {
    let prompts: BTreeSet<Uuid> = told.iter().map(|told| told.prompt).collect();
    let all = store::templates(tx, &prompts.into_iter().collect::<Vec<_>>()).await?;
    Ok(told.iter().map(|told| version_of(told, &all)).collect())
}

fn version_of(told: &Told<'_>, all: &[Template]) -> Option<i32> {
    let fits =
        |template: &&Template| template.prompt_id == told.prompt && is_filling_of(told.words, &template.template);
    let fitting: Vec<&Template> = all.iter().filter(fits).collect();
    // An older version that was restored has the words twice. One that was saved after the call was not meant.
    let before: Vec<&Template> = fitting.iter().filter(|template| template.created_at <= told.at).copied().collect();
    match (fitting.as_slice(), before.as_slice()) {
        ([one], _) | (_, [one]) => Some(one.version),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 20, hour, 0, 0).single().expect("a moment")
    }

    fn version(version: i32, template: &str, hour: u32) -> Template {
        Template { prompt_id: Uuid::nil(), version, template: template.to_owned(), created_at: at(hour) }
    }

    #[test]
    fn a_version_is_named_only_where_no_other_can_be_meant() {
        let all = [version(1, "Be brief.", 8), version(2, "Ask {{name}}.", 9), version(3, "Be brief.", 10)];
        let named = |words, hour| version_of(&Told { prompt: Uuid::nil(), words, at: at(hour) }, &all);
        assert_eq!(named("Ask Rosa.", 7), Some(2), "its words say so, also of a call before it was saved here");
        assert_eq!(named("Be brief.", 9), Some(1), "the third was saved after the call");
        assert_eq!(named("Be brief.", 11), None, "the first or the third");
        assert_eq!(named("Be polite.", 11), None);
        let other = Told { prompt: Uuid::from_u128(7), words: "Be brief.", at: at(9) };
        assert_eq!(version_of(&other, &all), None);
    }
}
