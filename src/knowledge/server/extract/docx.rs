//! Word documents: paragraphs below their headings, and rows of tables. Read as the parts are unpacked; nothing but text is kept.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{At, Blocks, Refusal, unzip};

/// Deeper than anybody nests tables and text boxes.
const MAX_DEPTH: u32 = 400;
/// The longest paragraph or row.
const MAX_PARAGRAPH: usize = 1024 * 1024;
const MAX_STYLES: usize = 20_000;

pub fn read(bytes: &[u8]) -> Result<Blocks, Refusal> {
    let mut archive = unzip::open(bytes)?;
    let headings = match unzip::part(&mut archive, "word/styles.xml")? {
        // A document whose styles cannot be read still has text.
        Some(styles) => headings(styles).unwrap_or_default(),
        None => HashMap::new(),
    };
    let Some(document) = unzip::part(&mut archive, "word/document.xml")? else { return Err(Refusal::Damaged) };
    text(document, &headings)
}

/// The styles that are headings, by id: their names are English in every language of Word.
fn headings(source: impl BufRead) -> Result<HashMap<String, ()>, Refusal> {
    let mut xml = Reader::from_reader(source);
    xml.config_mut().expand_empty_elements = true;
    let (mut buffer, mut style, mut found) = (Vec::new(), None::<String>, HashMap::new());
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|error| unzip::refusal(&error))? {
            Event::Start(element) => match element.local_name().as_ref() {
                "style" => style = attribute(&element, "styleId"),
                "name" => {
                    let name = attribute(&element, "val").unwrap_or_default().to_lowercase();
                    if name.starts_with("heading ") || name == "title" {
                        if found.len() > MAX_STYLES {
                            return Err(Refusal::Damaged);
                        }
                        found.extend(style.clone().map(|id| (id, ())));
                    }
                }
                _ => {}
            },
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// What the reader is in.
#[derive(Default)]
struct Document {
    out: Blocks,
    heading: String,
    paragraph: String,
    is_heading: bool,
    /// Tables around, and the row of the outermost.
    tables: u32,
    row: String,
    /// Inside an element whose characters are text.
    is_text: bool,
}

fn text(source: impl BufRead, headings: &HashMap<String, ()>) -> Result<Blocks, Refusal> {
    let mut xml = Reader::from_reader(source);
    xml.config_mut().expand_empty_elements = true;
    let (mut buffer, mut depth, mut document) = (Vec::new(), 0_u32, Document::default());
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|error| unzip::refusal(&error))? {
            Event::Start(element) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Refusal::Damaged);
                }
                document.start(&element, headings);
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                document.end(element.local_name().as_ref())?;
            }
            Event::Text(text) if document.is_text => document.paragraph += &text.xml10_content(),
            Event::CData(text) if document.is_text => document.paragraph += &text.xml10_content(),
            // Entities of its own are never looked up: a file that explodes by them stays small.
            Event::GeneralRef(entity) if document.is_text => document.paragraph.extend(character(&entity)),
            Event::Eof => break,
            _ => {}
        }
        if document.paragraph.len() + document.row.len() > MAX_PARAGRAPH {
            return Err(Refusal::TooMuchText);
        }
    }
    document.flush()?;
    Ok(document.out)
}

impl Document {
    fn start(&mut self, element: &BytesStart<'_>, headings: &HashMap<String, ()>) {
        match element.local_name().as_ref() {
            "t" => self.is_text = true,
            "tab" | "br" | "cr" => self.paragraph.push(' '),
            "tbl" => self.tables += 1,
            "pStyle" => {
                let style = attribute(element, "val");
                self.is_heading = style.is_some_and(|style| headings.contains_key(&style)) && self.tables == 0;
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "t" => self.is_text = false,
            "p" if self.tables > 0 => self.paragraph.push(' '),
            "p" => self.flush()?,
            "tc" if self.tables == 1 => {
                let cell = super::tidy(&std::mem::take(&mut self.paragraph));
                if !cell.is_empty() {
                    if !self.row.is_empty() {
                        self.row += " · ";
                    }
                    self.row += &cell;
                }
            }
            "tr" if self.tables == 1 => {
                let row = std::mem::take(&mut self.row);
                self.out.push(At::Heading(self.heading.clone()), &row)?;
            }
            "tbl" => self.tables = self.tables.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Refusal> {
        let paragraph = std::mem::take(&mut self.paragraph);
        if std::mem::take(&mut self.is_heading) {
            let words = super::tidy(&paragraph);
            if !words.is_empty() {
                self.heading = words.chars().take(200).collect();
            }
            return Ok(());
        }
        self.out.push(At::Heading(self.heading.clone()), &paragraph)
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|one| one.key.local_name().as_ref() == name)?;
    Some(found.value.chars().take(200).collect())
}

/// The character behind `&amp;` or `&#228;`.
pub fn character(entity: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(letter)) = entity.resolve_char_ref() {
        return Some(letter);
    }
    match &*entity.xml10_content() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
