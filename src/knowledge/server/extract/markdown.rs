//! Markdown: headings, and paragraphs between them. What stands in a paragraph stays as it was typed, but for the marks of lists.

use super::{At, Blocks, Refusal};

pub fn read(text: &str) -> Result<Blocks, Refusal> {
    let mut out = Blocks::default();
    let (mut heading, mut paragraph, mut fence) = (String::new(), String::new(), None::<&str>);
    for line in text.lines() {
        let trimmed = line.trim();
        let fenced = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, fenced) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            (Some(_), _) => {
                paragraph += line;
                paragraph.push('\n');
            }
            (None, None) => {
                if let Some(words) = heading_of(trimmed) {
                    out.push(At::Heading(heading.clone()), &paragraph)?;
                    paragraph.clear();
                    heading = super::tidy(words).chars().take(200).collect();
                } else if trimmed.is_empty() {
                    out.push(At::Heading(heading.clone()), &paragraph)?;
                    paragraph.clear();
                } else if !is_rule(trimmed) {
                    paragraph += without_mark(trimmed);
                    paragraph.push('\n');
                }
            }
        }
    }
    out.push(At::Heading(heading), &paragraph)?;
    Ok(out)
}

/// The words of `## Prices`.
fn heading_of(line: &str) -> Option<&str> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    ((1..=6).contains(&level) && (words.is_empty() || words.starts_with([' ', '\t'])))
        .then(|| words.trim().trim_end_matches('#').trim_end())
}

/// A line across the page, or the one below the head of a table.
fn is_rule(line: &str) -> bool {
    line.len() >= 3 && line.chars().all(|letter| matches!(letter, '-' | '=' | '*' | '_' | '|' | ':' | ' '))
}

fn without_mark(line: &str) -> &str {
    let rest = line.trim_start_matches(['>', ' ']);
    ["- ", "* ", "+ "].into_iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(rest)
}
