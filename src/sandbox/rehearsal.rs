//! Models in tests of agents: an agent that does what its prompt says word for word, a caller with a goal, and a judge with a rubric. What
//! they say depends on what they are asked alone.

use serde_json::{Value, json};

/// Words that say nothing about what a sentence is about.
const COMMON: [&str; 34] = [
    "about",
    "after",
    "agent",
    "always",
    "answer",
    "answers",
    "asked",
    "asks",
    "before",
    "caller",
    "calls",
    "conversation",
    "every",
    "from",
    "have",
    "into",
    "must",
    "never",
    "nothing",
    "offer",
    "only",
    "other",
    "says",
    "should",
    "tells",
    "that",
    "their",
    "them",
    "then",
    "there",
    "they",
    "this",
    "what",
    "with",
];

/// What a caller or a judge answers. None: the schema is neither's.
pub(crate) fn played(schema: &Value, system: &str, messages: &[Value], last: &str) -> Option<String> {
    let has = |name: &str| schema.pointer(&format!("/properties/{name}")).is_some();
    if has("says") && has("hangs_up") {
        return Some(caller(system, messages).to_string());
    }
    if has("passes") && has("reason") {
        return Some(judge(last).to_string());
    }
    None
}

/// The caller says first what they want, then what they know, and hangs up once they have been told something.
fn caller(system: &str, messages: &[Value]) -> Value {
    let line = |name: &str| {
        let lines = system.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(str::trim).next().unwrap_or_default().to_owned()
    };
    let (goal, mood) = (goal_of(system), line("Mood:"));
    let said = messages.iter().filter(|message| message["role"] == "assistant").count();
    let lines: Vec<&str> = goal.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
    // A goal of several lines says what the caller says, one after the other.
    let (says, is_last) = match (lines.get(said), lines.is_empty()) {
        (Some(text), _) => ((*text).to_owned(), said + 1 == lines.len()),
        (None, false) => ("Thank you, goodbye.".to_owned(), true),
        (None, true) => match said {
            0 if mood.contains("hurry") => (format!("I have no time, so quickly: {goal}"), false),
            0 if mood.contains("angry") => (format!("I have waited long enough. {goal}"), false),
            0 => (format!("Hello. {goal}"), false),
            1 => ("Yes, please. That suits me.".to_owned(), false),
            _ => ("Thank you, that is all. Goodbye.".to_owned(), true),
        },
    };
    json!({"says": says, "hangs_up": is_last})
}

/// What stands between the goal's and the mood's line.
fn goal_of(system: &str) -> String {
    let rest = system.split_once("Goal:").map_or("", |(_, rest)| rest);
    rest.split_once("\nMood:").map_or(rest, |(goal, _)| goal).trim().to_owned()
}

/// Every word between quotes in the rubric must have been said by the agent; a rubric without quotes is met when the agent spoke of what
/// it is about.
fn judge(asked: &str) -> Value {
    let (rubric, talk) = asked.split_once("\n\nConversation:\n").unwrap_or((asked, ""));
    let rubric = rubric.strip_prefix("Rubric:").unwrap_or(rubric).trim();
    let lines = talk.lines().filter(|line| line.contains("] agent:") || line.contains("] tool "));
    let said = lines.collect::<Vec<_>>().join("\n").to_lowercase();
    let quotes = quoted(rubric);
    let missing = quotes.iter().find(|quote| !said.contains(&quote.to_lowercase()));
    if let Some(missing) = missing {
        return json!({"reason": format!("The agent never says “{missing}”, which the rubric asks for."), "passes": false});
    }
    if let Some(first) = quotes.first() {
        return json!({"reason": format!("The agent says “{first}”, as the rubric asks."), "passes": true});
    }
    let about: Vec<String> = words(rubric);
    let heard: Vec<&String> = about.iter().filter(|word| said.contains(word.as_str())).collect();
    let passes = !said.trim().is_empty() && (about.is_empty() || heard.len() * 4 >= about.len());
    let reason = match (passes, heard.first()) {
        (true, Some(word)) => format!("The agent speaks of “{word}”, and every rule of the rubric holds."),
        (true, None) => "Every rule of the rubric holds.".to_owned(),
        (false, _) => {
            let missing = about.first().map_or_else(|| "it".to_owned(), |word| format!("“{word}”"));
            format!("The rubric is about {missing}, and the agent says nothing of it.")
        }
    };
    json!({"reason": reason, "passes": passes})
}

/// What the agent says because its prompt has the words for it, or because a tool has answered.
pub(crate) fn obeyed(system: &str, messages: &[Value], last: &str) -> Option<String> {
    let is_answer = messages.last().is_some_and(|message| message["role"] == "tool");
    if is_answer {
        let told: String = last.trim().chars().take(300).collect();
        return (!told.is_empty()).then(|| format!("I have looked: {told}"));
    }
    let heard = last.to_lowercase();
    // “If somebody asks about the price, say "It is 120 francs."”: what stands before the quotes is when.
    system.lines().find_map(|line| {
        let quote = quoted(line).into_iter().next()?;
        let when = line.split(['"', '“']).next().unwrap_or_default();
        let lower = line.to_lowercase();
        let is_told = lower.contains("say") || lower.contains("sag:");
        let is_meant = is_told && words(when).iter().any(|word| heard.contains(word.as_str()));
        is_meant.then_some(quote)
    })
}

fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '“']) {
        let open = rest[at..].chars().next().map_or(1, char::len_utf8);
        let inner = &rest[at + open..];
        let Some(end) = inner.find(['"', '”']) else { break };
        found.push(inner[..end].trim().to_owned());
        let close = inner[end..].chars().next().map_or(1, char::len_utf8);
        rest = &inner[end + close..];
    }
    found.retain(|quote| !quote.is_empty());
    found
}

/// The words that a text is about.
fn words(text: &str) -> Vec<String> {
    let all = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
    all.filter(|word| word.chars().count() >= 4 && !COMMON.contains(&word.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_obeyed_and_a_rubric_is_gone_by() {
        let prompt = "Be brief.\nIf somebody asks about the price, say “It is 120 francs.”";
        let talk = [json!({"role": "user", "content": "What is the price?"})];
        assert_eq!(obeyed(prompt, &talk, "What is the price?").as_deref(), Some("It is 120 francs."));
        assert_eq!(obeyed(prompt, &talk, "Where are you?"), None);
        let answered = [json!({"role": "tool", "content": "Free at 9:30"})];
        assert_eq!(obeyed(prompt, &answered, "Free at 9:30").as_deref(), Some("I have looked: Free at 9:30"));
        let asked = |rubric: &str| {
            judge(&format!("Rubric:\n{rubric}\n\nConversation:\n[0] caller: 120 francs?\n[1] agent: It is 90 francs."))
        };
        assert_eq!(asked("Says “120 francs”.")["passes"], false, "what the caller says does not count");
        assert_eq!(asked("Says “90 francs”.")["passes"], true);
        assert_eq!(asked("Mentions parking.")["passes"], false);
        let system = "Goal: I need a check-up.\nMood: in a hurry\nLanguage: English";
        let first = caller(system, &[]);
        assert_eq!(first["says"], "I have no time, so quickly: I need a check-up.");
        let said = |times: usize| vec![json!({"role": "assistant", "content": ""}); times];
        assert_eq!(
            (caller(system, &said(1))["hangs_up"].clone(), caller(system, &said(2))["hangs_up"].clone()),
            (false.into(), true.into())
        );
        let several = "Goal: You say:\nHello there\nBye\nMood: calm";
        assert_eq!(caller(several, &said(1)), json!({"says": "Bye", "hangs_up": true}));
    }
}
