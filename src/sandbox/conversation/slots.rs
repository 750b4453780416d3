//! The words a conversation is filled with: from the call's template context and the agent's prompt where they say something,
//! otherwise from the language's own names.

use serde_json::{Map, Value};

use super::language::LanguageFacts;
use crate::rng::Rng;

#[derive(Debug, Clone)]
pub struct Slots {
    pub agent: String,
    pub agency: String,
    pub name: String,
    pub company: String,
    pub product: String,
    pub email: String,
    pub day: String,
    pub time: String,
    pub day2: String,
    pub time2: String,
    pub count: usize,
    pub number: String,
    pub ticket: String,
    pub high: usize,
    pub low: usize,
}

impl Slots {
    pub fn fill(language: &LanguageFacts, prompt: &str, context: &Map<String, Value>, rng: &mut Rng) -> Slots {
        let day = rng.below(language.days.len());
        let day2 = (day + 1 + rng.below(language.days.len() - 1)) % language.days.len();
        let time = rng.below(language.times.len());
        let time2 = (time + 1 + rng.below(language.times.len() - 1)) % language.times.len();
        // Every slot is drawn even when the context gives it, so that a changed context leaves the rest as it was.
        let drawn_name = (*rng.pick(language.people)).to_owned();
        let drawn_company = (*rng.pick(language.companies)).to_owned();
        let drawn_agent = (*rng.pick(language.agents)).to_owned();
        let drawn_agency = (*rng.pick(language.agencies)).to_owned();
        let drawn_product = (*rng.pick(language.products)).to_owned();
        let name =
            find(context, &["full_name", "name", "customer_name", "contact_name", "first_name"]).unwrap_or(drawn_name);
        let email = find(context, &["email", "mail"]).unwrap_or_else(|| mail_address(&name, rng));
        Slots {
            agent: agent_name(prompt).unwrap_or(drawn_agent),
            agency: labelled(prompt, &["agency", "business", "our company", "brand"])
                .or_else(|| find(context, &["agency", "agency_name", "client_name", "business_name"]))
                .unwrap_or(drawn_agency),
            company: find(context, &["company", "company_name", "organization", "organisation", "employer"])
                .unwrap_or(drawn_company),
            product: labelled(prompt, &["product", "service", "offer", "we sell", "we offer", "we provide"])
                .or_else(|| find(context, &["product", "offer", "service"]))
                .unwrap_or(drawn_product),
            email,
            name,
            day: language.days[day].to_owned(),
            time: language.times[time].to_owned(),
            day2: language.days[day2].to_owned(),
            time2: language.times[time2].to_owned(),
            count: 4 + rng.below(56),
            number: format!("{}", 20_000 + rng.below(70_000)),
            ticket: format!("{}", 4_000 + rng.below(5_900)),
            high: 4 + rng.below(2),
            low: 1 + rng.below(2),
        }
    }

    /// Puts the words into a line and starts it with a capital delivery.
    pub fn render(&self, line: &str) -> String {
        let mut out = String::with_capacity(line.len() + 32);
        let mut rest = line;
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            let Some(close) = rest[open..].find('}') else {
                break;
            };
            out.push_str(&self.word(&rest[open + 1..open + close]));
            rest = &rest[open + close + 1..];
        }
        out.push_str(rest);
        capitalised(&out)
    }

    fn word(&self, slot: &str) -> String {
        match slot {
            "agent" => self.agent.clone(),
            "agency" => self.agency.clone(),
            "name" => self.name.clone(),
            "first" => self.name.split_whitespace().next().unwrap_or("").to_owned(),
            "company" => self.company.clone(),
            "product" => self.product.clone(),
            "email" => self.email.clone(),
            "day" => self.day.clone(),
            "time" => self.time.clone(),
            "day2" => self.day2.clone(),
            "time2" => self.time2.clone(),
            "count" => self.count.to_string(),
            "number" => self.number.clone(),
            "ticket" => self.ticket.clone(),
            "high" => self.high.to_string(),
            "low" => self.low.to_string(),
            _ => String::new(),
        }
    }
}

/// Looks for a text under one of the keys, at the top first and then one level down (`customer.name`).
fn find(context: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let normal = |key: &str| key.to_lowercase().replace(['-', ' ', '_'], "");
    let own = |map: &Map<String, Value>| {
        keys.iter().find_map(|wanted| {
            map.iter().find_map(|(key, value)| {
                let text = value.as_str()?.trim();
                (normal(key) == normal(wanted) && !text.is_empty()).then(|| text.to_owned())
            })
        })
    };
    own(context).or_else(|| context.values().filter_map(Value::as_object).find_map(own))
}

/// The name in `You are Sam` or `Your name is Sam`, unless a word such as "a" follows.
fn agent_name(prompt: &str) -> Option<String> {
    ["Your name is ", "You are ", "Du bist ", "Eres ", "Tu es ", "Vous êtes "].iter().find_map(|lead| {
        let at = prompt.find(lead)? + lead.len();
        let word: String = prompt[at..].chars().take_while(|c| c.is_alphabetic()).collect();
        (word.chars().count() > 1 && word.starts_with(char::is_uppercase)).then_some(word)
    })
}

/// The words after a label, as in `Product: solar check`, up to the end of the clause.
fn labelled(prompt: &str, labels: &[&str]) -> Option<String> {
    prompt.lines().find_map(|line| {
        let line = line.trim().trim_start_matches(['-', '*', '#', ' ']);
        labels.iter().find_map(|label| {
            let head = line.get(..label.len())?;
            if !head.eq_ignore_ascii_case(label) {
                return None;
            }
            let rest = line[label.len()..].trim_start_matches(['*', ':', ' ']);
            let words = rest.split(['.', ',', ';', '(']).next()?.trim();
            ((3..=48).contains(&words.len()) && !words.contains('{')).then(|| words.to_owned())
        })
    })
}

fn mail_address(name: &str, rng: &mut Rng) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c
            } else if c == ' ' {
                '.'
            } else {
                '_'
            }
        })
        .collect();
    // Names in other scripts leave no letters to build an address from.
    if plain.chars().any(|c| c.is_ascii_alphanumeric()) && !plain.contains("__") {
        format!("{}@example.com", plain.replace('_', ""))
    } else {
        format!("contact{}@example.com", 100 + rng.below(900))
    }
}

fn capitalised(text: &str) -> String {
    match text.char_indices().find(|(_, c)| c.is_alphabetic()) {
        Some((at, first)) if at < 4 => {
            format!("{}{}{}", &text[..at], first.to_uppercase(), &text[at + first.len_utf8()..])
        }
        _ => text.to_owned(),
    }
}
