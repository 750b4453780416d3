//! Models that supervise teams: the member whose role has the message's words gets the task, a message without any is asked back, and what
//! members have answered is put together. What they say depends on what they are asked alone.

use serde_json::{Value, json};

/// Words that say nothing about what a message is about.
const COMMON: [&str; 40] = [
    "about",
    "after",
    "also",
    "agent",
    "agents",
    "answer",
    "answers",
    "because",
    "before",
    "could",
    "does",
    "from",
    "give",
    "have",
    "help",
    "into",
    "know",
    "make",
    "need",
    "needs",
    "person",
    "please",
    "should",
    "some",
    "something",
    "tell",
    "that",
    "their",
    "them",
    "then",
    "there",
    "they",
    "this",
    "want",
    "wants",
    "what",
    "when",
    "with",
    "would",
    "your",
];
/// Letters in which a word of the message and one of a role must agree: refund, refunds, refunded.
const STEM: usize = 5;

/// A member as the supervisor is told of it.
struct Member<'a> {
    word: &'a str,
    name: &'a str,
    about: Vec<String>,
}

/// What a member has done.
struct Done<'a> {
    word: &'a str,
    /// None: it failed.
    answer: Option<&'a str>,
}

/// What a supervisor answers. None: the schema is none of its own.
pub(crate) fn supervised(schema: &Value, system: &str, last: &str, user: &str) -> Option<String> {
    let has = |name: &str| schema.pointer(&format!("/properties/{name}")).is_some();
    // Asked once more for the form: what there is to decide about stands in what was said before.
    let asked = if last.contains("Work so far:") { last } else { user };
    if has("next") && has("fits") && has("says") {
        return Some(decided(system, asked).to_string());
    }
    has("composed").then(|| json!({"composed": together(&done(asked))}).to_string())
}

fn decided(system: &str, asked: &str) -> Value {
    let (members, done) = (members(system), done(asked));
    let message = between(asked, "Message:\n", "\n\nWork so far:");
    let earlier = between(asked, "Earlier in the conversation:\n", "\n\nMessage:");
    let mut wanted = words(message);
    if members.iter().all(|member| score(member, &wanted) == 0) {
        // What it is about was said before.
        let said = earlier.lines().filter_map(|line| line.strip_prefix("Person: "));
        wanted.extend(said.flat_map(words));
    }
    let scores: Vec<usize> = members.iter().map(|member| score(member, &wanted)).collect();
    let confidence = |score: usize| match score {
        0 => 0.42,
        1 => 0.78,
        2 => 0.88,
        _ => 0.94,
    };
    let fits: Vec<Value> = members
        .iter()
        .zip(&scores)
        .map(|(member, score)| json!({"worker": member.word, "fit": if *score == 0 { 0.04 } else { confidence(*score) }}))
        .collect();
    let is_free = |member: &Member| done.iter().all(|one| one.word != member.word);
    let best = (0..members.len()).filter(|place| is_free(&members[*place])).max_by_key(|place| {
        // Of two that fit as well, the first one.
        (scores[*place], members.len() - place)
    });
    let failed = done.last().is_some_and(|one| one.answer.is_none());
    let says = |next: &str, confidence: f64, reason: String, says: String| json!({"reason": reason, "next": next, "worker": "none", "task": "", "confidence": confidence, "fits": fits, "says": says});
    match best {
        Some(place) if scores[place] > 0 && !failed => {
            let (member, score) = (&members[place], scores[place]);
            let about = common(member, &wanted);
            let reason = format!("The message is about {about}, and that is what {} is for.", member.name);
            json!({
                "reason": reason, "next": "work", "worker": member.word, "task": message.trim(), "confidence": confidence(score),
                "fits": fits, "says": "",
            })
        }
        // Nothing fits, and nothing was done: whoever may guess is not sure.
        Some(place) if done.is_empty() => {
            let reason = "The message does not say what it is about.".to_owned();
            let names: Vec<&str> = members.iter().map(|member| member.name).collect();
            let question = format!("I can help with that. What is it about: {}?", names.join(", "));
            let mut back = says("work", 0.48, reason, question);
            back["worker"] = json!(members[place].word);
            back["task"] = json!(message.trim());
            back
        }
        _ if done.is_empty() => {
            says("ask_back", 0.3, "Nobody is there for it.".to_owned(), "What is it about?".to_owned())
        }
        _ => says("done", 0.97, "All that was asked for has been answered.".to_owned(), together(&done)),
    }
}

/// `- w1 Refunds: pays money back`.
fn members(system: &str) -> Vec<Member<'_>> {
    let list = system.split_once("\nMembers:\n").map_or("", |(_, rest)| rest);
    let lines = list.split("\n\n").next().unwrap_or_default().lines();
    lines
        .filter_map(|line| {
            let (word, rest) = line.strip_prefix("- ")?.split_once(' ')?;
            let (name, role) = rest.split_once(": ")?;
            let about = words(role).into_iter().chain(words(name)).collect();
            Some(Member { word, name, about })
        })
        .collect()
}

/// `[1] w1 Refunds answered: …`, on as many lines as it takes.
fn done(asked: &str) -> Vec<Done<'_>> {
    let list = asked.rsplit_once("Work so far:\n").map_or("", |(_, rest)| rest);
    let mut starts: Vec<usize> = Vec::new();
    for number in 1.. {
        let mark = format!("[{number}] ");
        let from = starts.last().map_or(0, |last| last + 1);
        let found = list.get(from..).and_then(|rest| {
            let at = rest.find(&mark)? + from;
            let follows = &list[at + mark.len()..];
            let is_member = follows.starts_with('w') || follows.starts_with("none ");
            (is_member && (at == 0 || list[..at].ends_with('\n'))).then_some(at)
        });
        match found {
            Some(at) => starts.push(at),
            None => break,
        }
    }
    let ends = starts.iter().skip(1).copied().chain([list.len()]);
    let parts = starts.iter().zip(ends).filter_map(|(start, end)| {
        let (_, line) = list[*start..end].split_once("] ")?;
        let (word, rest) = line.split_once(' ')?;
        let answer = rest.split_once(" answered: ").map(|(_, answer)| answer.trim());
        Some(Done { word, answer })
    });
    parts.collect()
}

/// One answer of all that were given.
fn together(done: &[Done<'_>]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for answer in done.iter().filter_map(|one| one.answer) {
        // Further lines of an answer stand a little to the right.
        let answer = answer.replace("\n    ", "\n");
        if !parts.contains(&answer) {
            parts.push(answer);
        }
    }
    if parts.is_empty() {
        return "I could not get this done. A colleague will look at it.".to_owned();
    }
    parts.join("\n\n")
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or(rest, |(inner, _)| inner)
}

fn stem(word: &str) -> String {
    word.chars().take(STEM).collect()
}

fn score(member: &Member<'_>, wanted: &[String]) -> usize {
    let mut stems: Vec<String> = wanted.iter().map(|word| stem(word)).collect();
    stems.sort();
    stems.dedup();
    stems.iter().filter(|one| member.about.iter().any(|word| stem(word) == **one)).count()
}

/// The first word that both have.
fn common(member: &Member<'_>, wanted: &[String]) -> String {
    let found = wanted.iter().find(|word| member.about.iter().any(|about| stem(about) == stem(word)));
    found.map_or_else(|| "it".to_owned(), |word| format!("“{word}”"))
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
    fn members_are_chosen_by_their_roles_and_their_answers_put_together() {
        let system = "You supervise.\n\nMembers:\n- w1 Policies: changes cover and policies\n- w2 Refunds: pays money back\n\nInstructions of the agency:\nBe kind.";
        let schema = json!({"properties": {"next": {}, "fits": {}, "says": {}}});
        let ask = |message: &str, done: &str| -> Value {
            let told = format!("Message:\n{message}\n\nWork so far:\n{done}");
            serde_json::from_str(&supervised(&schema, system, &told, &told).expect("an answer")).expect("a document")
        };
        let first = ask("Pay my money back, please", "nothing");
        assert_eq!(
            (&first["next"], &first["worker"], &first["confidence"]),
            (&json!("work"), &json!("w2"), &json!(0.88)),
            "{first}"
        );
        let vague = ask("Something is wrong", "nothing");
        assert!(
            vague["confidence"].as_f64() < Some(0.7) && vague["says"].as_str().is_some_and(|text| text.ends_with('?')),
            "{vague}"
        );
        let both = ask("Change my cover and refund me", "[1] w1 Policies answered: Changed.\nFrom today.");
        assert_eq!(both["worker"], "w2", "{both}");
        let all = "[1] w1 Policies answered: Changed.\n[2] w2 Refunds answered: Paid.";
        let last = ask("Change my cover and refund me", all);
        assert_eq!((&last["next"], &last["says"]), (&json!("done"), &json!("Changed.\n\nPaid.")), "{last}");
        let failed = ask("Refund me", "[1] w2 Refunds failed: Rejected by Mara.");
        assert!(
            failed["next"] == "done" && failed["says"].as_str().is_some_and(|text| text.contains("could not")),
            "{failed}"
        );
    }
}
