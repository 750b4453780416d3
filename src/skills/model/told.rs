//! What an agent is told of its skills. The form is fixed: it stands in the help, and tests compare it.

use super::SkillText;

const HEAD: &str = "# Skills\n\nYou have the skills below. Each says when to use it. When a conversation comes to that point, follow its \
    instructions; otherwise leave it aside. Its references are for looking things up. Its scripts are for reading: you cannot run them.";

/// The skills of an agent in their order, as text behind its prompt. None: it has none.
pub fn told<'a>(skills: impl IntoIterator<Item = &'a SkillText>) -> Option<String> {
    let parts: Vec<String> = skills.into_iter().map(one).collect();
    (!parts.is_empty()).then(|| format!("{HEAD}\n\n{}", parts.join("\n\n")))
}

/// How long one skill is there, in characters.
pub fn characters(skill: &SkillText) -> usize {
    one(skill).chars().count()
}

fn one(skill: &SkillText) -> String {
    let mut text = format!("## Skill: {}\n\nWhen to use it: {}", skill.name, skill.description);
    if !skill.allowed_tools.is_empty() {
        text += &format!("\n\nTools for it: {}", skill.allowed_tools.join(", "));
    }
    text += &format!("\n\n{}", skill.instructions);
    for file in &skill.references {
        text += &format!("\n\n### Reference: {}\n\n{}", file.name, file.content.trim_end());
    }
    for file in &skill.scripts {
        text += &format!("\n\n### Script, for reading only: {}\n\n{}", file.name, file.content.trim_end());
    }
    plain(&text)
}

/// Prompts have variables in double braces, skills have none: a space keeps theirs from being read as such.
fn plain(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut before = ' ';
    for letter in text.chars() {
        if matches!(letter, '{' | '}') && letter == before {
            told.push(' ');
        }
        told.push(letter);
        before = letter;
    }
    told
}
