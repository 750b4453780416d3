//! The head of SKILL.md: a small mapping in YAML between two lines of `---`. It is read as events, so that nothing grows that the text
//! does not hold itself: anchors and references to them are refused.

use std::fmt::Write as _;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

use crate::model::SkillText;

/// The longest head, in bytes.
const LONGEST: usize = 32 * 1024;
const DEEPEST: usize = 8;
/// Words of a mapping: real heads have a dozen.
const MOST_WORDS: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, Value)>),
    /// Lists of lists and the like: nobody here reads them.
    Other,
}

pub(super) type Head = Vec<(String, Value)>;

/// The head, and what comes after it. None: the file does not begin with one.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != "---" {
        return None;
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

/// Errors: the line that cannot be read.
pub(super) fn read(text: &str) -> Result<Head, usize> {
    if text.len() > LONGEST {
        return Err(0);
    }
    events(text).or_else(|line| events(&with_quotes(text)).map_err(|_| line))
}

/// Many write `description: Use it when: …`, which some programs read and YAML does not. Such a line is put into quotes; what already is in
/// some, or is no plain text, stays. A head that can be read as it is never comes here.
fn with_quotes(text: &str) -> String {
    let mended = text.lines().map(|line| match line.split_once(": ") {
        Some((key, value))
            if key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
                && (value.contains(": ") || value.ends_with(':'))
                && !value.contains(" #")
                && !value
                    .trim_start()
                    .starts_with(['"', '\'', '[', '{', '|', '>', '&', '*', '!', '#', '%', '@', '`']) =>
        {
            format!("{key}: {}", serde_json::Value::from(value.trim()))
        }
        _ => line.to_owned(),
    });
    mended.collect::<Vec<_>>().join("\n")
}

fn events(text: &str) -> Result<Head, usize> {
    let mut reader = Reader { parser: Parser::new_from_str(text), line: 0 };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => {
                let Value::Map(head) = reader.value(event, 0)? else { return Err(reader.line) };
                // One document, and nothing after it.
                return match (reader.next()?, reader.next()?) {
                    (Event::DocumentEnd, Event::StreamEnd) => Ok(head),
                    _ => Err(reader.line),
                };
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    line: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, usize> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(error.marker().line()),
            None => Err(self.line),
        }
    }

    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, usize> {
        if depth > DEEPEST {
            return Err(self.line);
        }
        match event {
            // Nothing behind a key.
            Event::Scalar(text, ScalarStyle::Plain, 0, _) if text == "~" => Ok(Value::Text(String::new())),
            Event::Scalar(text, _, 0, _) => Ok(Value::Text(text.into_owned())),
            Event::SequenceStart(0, _) => {
                let (mut list, mut is_plain) = (Vec::new(), true);
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => match self.value(event, depth + 1)? {
                            Value::Text(text) => list.push(text),
                            _ => is_plain = false,
                        },
                    }
                }
                Ok(if is_plain { Value::List(list) } else { Value::Other })
            }
            Event::MappingStart(0, _) => {
                let mut map: Head = Vec::new();
                loop {
                    let key = match self.next()? {
                        Event::MappingEnd => break,
                        event => self.value(event, depth + 1)?,
                    };
                    let Value::Text(key) = key else { return Err(self.line) };
                    if map.len() >= MOST_WORDS || map.iter().any(|(known, _)| *known == key) {
                        return Err(self.line);
                    }
                    let event = self.next()?;
                    map.push((key, self.value(event, depth + 1)?));
                }
                Ok(Value::Map(map))
            }
            // An anchor, or what refers to one.
            _ => Err(self.line),
        }
    }
}

/// A whole SKILL.md. Every text is in double quotes, as JSON writes it, which is YAML too.
pub(super) fn write(skill: &SkillText) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut head = format!("---\nname: {}\ndescription: {}\n", skill.name, quoted(&skill.description));
    if !skill.license.is_empty() {
        let _ = writeln!(head, "license: {}", quoted(&skill.license));
    }
    if !skill.allowed_tools.is_empty() {
        let _ = writeln!(head, "allowed-tools: {}", quoted(&skill.allowed_tools.join(" ")));
    }
    let mut words: Vec<(String, String)> = Vec::new();
    if !skill.category.is_empty() {
        words.push(("category".to_owned(), quoted(&skill.category)));
    }
    if !skill.tags.is_empty() {
        words.push(("tags".to_owned(), quoted(&skill.tags.join(", "))));
    }
    words.extend(skill.metadata.iter().map(|(key, value)| (quoted(key), quoted(value))));
    if !words.is_empty() {
        head += "metadata:\n";
    }
    for (key, value) in words {
        let _ = writeln!(head, "  {key}: {value}");
    }
    format!("{head}---\n\n{}\n", skill.instructions)
}
