//! Web pages: paragraphs below their headings, without what stands on every page of a site. There is no tree: however deep a page is
//! nested, the tags are only counted.

use html5gum::emitters::default::Token;
use html5gum::{DefaultEmitter, Tokenizer};

use super::{At, Block, Blocks, Refusal};

pub fn read(text: &str) -> Result<Blocks, Refusal> {
    let mut emitter = DefaultEmitter::default();
    // Scripts and styles are read as what they are.
    emitter.naively_switch_states(true);
    let mut page = Page::default();
    for token in Tokenizer::new_with_emitter(text, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => page.start(&tag.name, tag.self_closing)?,
            Token::EndTag(tag) => page.end(&tag.name)?,
            Token::String(text) => page.text(&String::from_utf8_lossy(&text))?,
            _ => {}
        }
    }
    page.flush()?;
    Ok(page.done())
}

/// What is no text of the page.
const UNSEEN: [&[u8]; 9] =
    [b"script", b"style", b"noscript", b"template", b"svg", b"head", b"select", b"iframe", b"object"];
/// What stands beside the text on every page of a site.
const BESIDE: [&[u8]; 4] = [b"nav", b"footer", b"aside", b"dialog"];
const MAIN: [&[u8]; 2] = [b"main", b"article"];
const HEADINGS: [&[u8]; 6] = [b"h1", b"h2", b"h3", b"h4", b"h5", b"h6"];
/// What does not end a paragraph.
const INLINE: [&[u8]; 22] = [
    b"a", b"abbr", b"b", b"bdi", b"cite", b"code", b"em", b"font", b"i", b"img", b"kbd", b"label", b"mark", b"q", b"s",
    b"small", b"span", b"strong", b"sub", b"sup", b"time", b"u",
];
/// The longest paragraph.
const MAX_PARAGRAPH: usize = 1024 * 1024;

#[derive(Default)]
struct Page {
    out: Blocks,
    /// Of each block: it stands in the main part, it stands beside the text.
    sides: Vec<(bool, bool)>,
    heading: String,
    paragraph: String,
    is_heading: bool,
    unseen: u32,
    beside: u32,
    main: u32,
    rows: u32,
}

impl Page {
    fn start(&mut self, name: &[u8], is_closed: bool) -> Result<(), Refusal> {
        if INLINE.contains(&name) {
            return Ok(());
        }
        if UNSEEN.contains(&name) && !is_closed {
            self.unseen += 1;
            return Ok(());
        }
        match name {
            b"br" | b"wbr" => self.paragraph.push(' '),
            // The cells of a row are one paragraph.
            b"td" | b"th" if self.rows > 0 => {
                if !self.paragraph.trim().is_empty() {
                    self.paragraph += " · ";
                }
            }
            b"p" | b"div" | b"ul" | b"li" if self.rows > 0 => self.paragraph.push(' '),
            _ => {
                // Authors may leave out the end of the head.
                if name == b"body" {
                    self.unseen = 0;
                }
                self.flush()?;
                let is = |names: &[&[u8]]| names.contains(&name);
                self.beside += u32::from(is(&BESIDE) && !is_closed);
                self.main += u32::from(is(&MAIN) && !is_closed);
                self.rows += u32::from(name == b"tr");
                self.is_heading = is(&HEADINGS);
            }
        }
        Ok(())
    }

    fn end(&mut self, name: &[u8]) -> Result<(), Refusal> {
        if INLINE.contains(&name) {
            return Ok(());
        }
        if UNSEEN.contains(&name) {
            self.unseen = self.unseen.saturating_sub(1);
            return Ok(());
        }
        if matches!(name, b"td" | b"th" | b"p" | b"div" | b"ul" | b"li") && self.rows > 0 {
            return Ok(());
        }
        self.flush()?;
        match name {
            b"tr" | b"table" => self.rows = 0,
            _ if BESIDE.contains(&name) => self.beside = self.beside.saturating_sub(1),
            _ if MAIN.contains(&name) => self.main = self.main.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        if self.unseen == 0 {
            self.paragraph += text;
        }
        if self.paragraph.len() > MAX_PARAGRAPH { Err(Refusal::TooMuchText) } else { Ok(()) }
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
        self.out.push(At::Heading(self.heading.clone()), &paragraph)?;
        self.sides.resize(self.out.blocks.len(), (self.main > 0, self.beside > 0));
        Ok(())
    }

    /// The main part if the page says which it is; else all that does not stand beside the text; else everything.
    fn done(mut self) -> Blocks {
        let sides = std::mem::take(&mut self.sides);
        let only = |wanted: fn(&(bool, bool)) -> bool| sides.iter().any(wanted).then_some(wanted);
        let wanted = only(|(main, beside)| *main && !beside).or_else(|| only(|(_, beside)| !beside));
        if let Some(wanted) = wanted {
            let blocks: Vec<Block> = std::mem::take(&mut self.out.blocks);
            let kept = blocks.into_iter().zip(&sides).filter(|(_, sides)| wanted(sides)).map(|(block, _)| block);
            self.out.blocks = kept.collect();
        }
        self.out
    }
}
