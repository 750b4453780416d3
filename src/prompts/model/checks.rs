//! What a text asks for, and whether it is there: variables, tools, tokens.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::is_variable;
use patchbay_shared::ids::{AgentId, CampaignId};
use patchbay_shared::variables::{CALLER_NUMBER, FILLED_BY_CONTACT};

/// The most tools that a text can name.
const MOST_TOOLS: usize = 40;

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// Every call with a contact has it.
    Contact,
    /// Calls of campaigns have it.
    Campaign,
    /// Calls that come in have it.
    Incoming,
    /// Contacts have it as a field of their own.
    Field,
    /// Campaigns give it, but for these.
    Campaigns { lacking: Vec<CampaignUse> },
    /// Nothing fills it. The nearest name that something fills.
    Unknown { nearest: Option<String> },
}

/// A campaign in which an agent says the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignUse {
    pub id: CampaignId,
    pub name: String,
}

/// A variable of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableCheck {
    pub name: String,
    /// Lines on which it stands, counted from one.
    pub lines: Vec<usize>,
    pub source: Source,
}

/// A campaign with the names that it gives values for.
#[derive(Debug, Clone)]
pub struct CampaignNames {
    pub campaign: CampaignUse,
    pub names: BTreeSet<String>,
}

/// An agent that uses the prompt and lacks tools that the text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LacksTools {
    pub id: AgentId,
    pub name: String,
    pub missing: Vec<String>,
}

/// Each variable of a template with where its value comes from. `fields`: names of the contacts' own fields.
pub fn check_variables(template: &str, fields: &BTreeSet<String>, campaigns: &[CampaignNames]) -> Vec<VariableCheck> {
    let mut checks: Vec<VariableCheck> = Vec::new();
    let mut known: BTreeSet<&str> = FILLED_BY_CONTACT.into_iter().chain([CALLER_NUMBER]).collect();
    known.extend(fields.iter().map(String::as_str));
    known.extend(campaigns.iter().flat_map(|campaign| campaign.names.iter().map(String::as_str)));
    for (name, line) in places(template) {
        if let Some(check) = checks.iter_mut().find(|check| check.name == name) {
            if check.lines.last() != Some(&line) {
                check.lines.push(line);
            }
            continue;
        }
        let source = match name {
            "client_name" | "goal" => Source::Campaign,
            CALLER_NUMBER => Source::Incoming,
            name if FILLED_BY_CONTACT.contains(&name) => Source::Contact,
            name if fields.contains(name) => Source::Field,
            name if campaigns.iter().any(|campaign| campaign.names.contains(name)) => Source::Campaigns {
                lacking: campaigns
                    .iter()
                    .filter(|campaign| !campaign.names.contains(name))
                    .map(|campaign| campaign.campaign.clone())
                    .collect(),
            },
            name => Source::Unknown { nearest: nearest(name, &known) },
        };
        checks.push(VariableCheck { name: name.to_owned(), lines: vec![line], source });
    }
    checks
}

/// Every variable with its line, in order of appearance.
fn places(template: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut line = 1;
    template.split("{{").enumerate().filter_map(move |(index, piece)| {
        let place = line;
        line += piece.matches('\n').count();
        let (name, _) = piece.split_once("}}").filter(|_| index > 0)?;
        Some((name.trim(), place)).filter(|(name, _)| is_variable(name))
    })
}

/// The known name that differs least, if it is not a wholly other word.
fn nearest(name: &str, known: &BTreeSet<&str>) -> Option<String> {
    let near = known.iter().map(|other| (distance(name, other), *other)).min()?;
    (near.0 <= (name.len() / 3).max(1)).then(|| near.1.to_owned())
}

/// How many letters have to be changed, added or taken away. Names are at most 80 letters long.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, against) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != *against);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// About how many tokens a model reads in a text. Models count differently: Latin letters are about four to a token, other scripts fewer.
pub fn estimated_tokens(text: &str) -> usize {
    let (mut quarters, mut last_space) = (0, false);
    for letter in text.chars() {
        let is_space = letter.is_whitespace();
        quarters += match letter {
            // A run of spaces is one token with the word after it.
            _ if is_space => usize::from(!last_space),
            _ if letter.is_ascii_alphanumeric() => 1,
            // Marks stand for themselves more often than letters do.
            _ if letter.is_ascii() => 2,
            '\u{80}'..='\u{24f}' => 2,
            '\u{250}'..='\u{2fff}' => 2,
            _ => 4,
        };
        last_space = is_space;
    }
    quarters.div_ceil(4)
}

/// Names of tools separated by commas or spaces, each once. Errors: a sentence for the field.
pub fn parse_tools(text: &str) -> Result<Vec<String>, String> {
    let mut tools: Vec<String> = Vec::new();
    for tool in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|tool| !tool.is_empty()) {
        if tool.len() > 64 || !tool.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            let shown: String = tool.chars().take(40).collect();
            return Err(format!(
                "“{shown}” is no name of a tool: they are made of letters, digits, _ and -. Separate names with commas."
            ));
        }
        if !tools.iter().any(|known| known == tool) {
            tools.push(tool.to_owned());
        }
    }
    if tools.len() > MOST_TOOLS { Err(format!("At most {MOST_TOOLS} tools.")) } else { Ok(tools) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_variable_says_where_it_comes_from() {
        let campaign = |name: &str, names: &[&str]| CampaignNames {
            campaign: CampaignUse { id: CampaignId::new(), name: name.to_owned() },
            names: set(names),
        };
        let campaigns = [campaign("Spring", &["offer"]), campaign("Autumn", &[])];
        let text = "Hi {{first_name}} of {{client_name}}.\n{{ insurance_no }} {{offer}}\n\n{{insurance_nr}} {{first_name}} {{xyz}}\n{{caller_number}}";
        let found = check_variables(text, &set(&["insurance_no"]), &campaigns);
        let of = |name: &str| found.iter().find(|check| check.name == name).expect(name);
        assert_eq!((&of("first_name").source, &of("first_name").lines[..]), (&Source::Contact, &[1, 4][..]));
        assert_eq!(of("client_name").source, Source::Campaign);
        assert_eq!(of("insurance_no").source, Source::Field);
        assert_eq!(of("caller_number").source, Source::Incoming);
        let Source::Campaigns { lacking } = &of("offer").source else { panic!("{found:?}") };
        assert_eq!(lacking[0].name, "Autumn");
        assert_eq!(of("insurance_nr").source, Source::Unknown { nearest: Some("insurance_no".into()) });
        assert_eq!((&of("insurance_nr").lines[..], &of("xyz").source), (&[4][..], &Source::Unknown { nearest: None }));
    }

    #[test]
    fn letters_are_counted() {
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("insurance_nr", "insurance_no")), (3, 0, 1));
        assert_eq!(distance("first_name", "frist_name"), 2);
    }

    #[test]
    fn an_estimate_is_near_what_models_count() {
        assert_eq!(estimated_tokens(""), 0);
        let english =
            "You answer the phone for a dental practice. Say two sentences at most, then let the caller talk.";
        assert!((18..=27).contains(&estimated_tokens(english)), "{}", estimated_tokens(english));
        assert!(estimated_tokens("予約の電話に出てください。") >= 10);
    }

    #[test]
    fn tools_are_names() {
        assert_eq!(parse_tools("cal_booking, leave-note\ncal_booking").unwrap(), ["cal_booking", "leave-note"]);
        assert!(parse_tools("<script>").unwrap_err().contains("“<script>”"));
    }
}
