//! Passages: what stands under one heading, on a page or in a row, in pieces that are long enough to say something and short enough to be
//! read to a model.

use super::{At, Block, Refusal};

/// Tokens that a passage aims at. Estimated: models count differently.
const AIM: usize = 320;
/// How much of the passage before begins the next one, when a text is cut in the middle.
const OVERLAP: usize = 40;
/// A passage with so much in it may end with its page.
const ENOUGH: usize = 120;
/// Tables with more rows than this have several rows in a passage.
const ROWS_ALONE: usize = 2_000;
pub const MAX_PASSAGES: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub place: String,
    pub body: String,
}

pub fn make(blocks: &[Block]) -> Result<Vec<Passage>, Refusal> {
    let rows_are_joined = blocks.len() > ROWS_ALONE;
    let mut out = Vec::new();
    let mut open = Open::default();
    for block in blocks {
        if let (Some(first), Some(last)) = (&open.first, &open.last)
            && ends(first, last, &block.at, open.tokens, rows_are_joined)
        {
            open.close(&mut out);
        }
        for part in parts(&block.text) {
            let size = tokens(part);
            if open.tokens > 0 && open.tokens + size > AIM {
                let tail = if matches!(block.at, At::Row(..)) { None } else { open.tail() };
                open.close(&mut out);
                if let Some(tail) = tail {
                    open.add(&block.at, &tail);
                }
            }
            open.add(&block.at, part);
        }
        if out.len() > MAX_PASSAGES {
            return Err(Refusal::TooManyPassages);
        }
    }
    open.close(&mut out);
    if out.len() > MAX_PASSAGES { Err(Refusal::TooManyPassages) } else { Ok(out) }
}

/// Whether a passage ends before a block, however short it is.
fn ends(first: &At, last: &At, next: &At, tokens: usize, rows_are_joined: bool) -> bool {
    match (last, next) {
        (At::Heading(one), At::Heading(other)) => one != other,
        (At::Row(one, _), At::Row(other, _)) => one != other || !rows_are_joined,
        (At::Page(_), At::Page(_)) => first != next && tokens >= ENOUGH,
        (At::Line(_), At::Line(_)) => false,
        _ => true,
    }
}

/// A passage that is being put together.
#[derive(Default)]
struct Open {
    first: Option<At>,
    last: Option<At>,
    body: String,
    tokens: usize,
}

impl Open {
    fn add(&mut self, at: &At, text: &str) {
        if self.first.is_none() {
            self.first = Some(at.clone());
        }
        self.last = Some(at.clone());
        if !self.body.is_empty() {
            self.body.push('\n');
        }
        self.body += text;
        self.tokens += tokens(text);
    }

    /// The last sentence, if it is short.
    fn tail(&self) -> Option<String> {
        let last = parts_of(&self.body, OVERLAP).pop()?;
        (tokens(last) <= OVERLAP && last.len() < self.body.len()).then(|| last.to_owned())
    }

    fn close(&mut self, out: &mut Vec<Passage>) {
        let open = std::mem::take(self);
        if let (Some(first), Some(last)) = (open.first, open.last) {
            out.push(Passage { place: place(&first, &last), body: open.body });
        }
    }
}

/// `page 4`, `pages 4–5`, `Hygiene`, `row 7`, `Prices, rows 7–12`.
fn place(first: &At, last: &At) -> String {
    let span = |one: &str, many: &str, from: &u32, to: &u32| {
        if from == to { format!("{one} {from}") } else { format!("{many} {from}–{to}") }
    };
    match (first, last) {
        (At::Page(from), At::Page(to)) => span("page", "pages", from, to),
        (At::Line(from), At::Line(to)) => span("line", "lines", from, to),
        (At::Row(sheet, from), At::Row(_, to)) if sheet.is_empty() => span("row", "rows", from, to),
        (At::Row(sheet, from), At::Row(_, to)) => format!("{sheet}, {}", span("row", "rows", from, to)),
        (At::Heading(heading), _) if heading.is_empty() => "beginning".to_owned(),
        (At::Heading(heading), _) => heading.clone(),
        _ => String::new(),
    }
}

/// How many tokens a text is, about: four letters each, and every letter of scripts without spaces.
pub fn tokens(text: &str) -> usize {
    let (mut dense, mut others) = (0, 0_usize);
    for letter in text.chars() {
        if letter as u32 >= 0x0e00 { dense += 1 } else { others += 1 }
    }
    dense + others.div_ceil(4)
}

/// A text in pieces of at most `AIM` tokens.
fn parts(text: &str) -> Vec<&str> {
    if tokens(text) <= AIM { vec![text] } else { parts_of(text, AIM) }
}

/// Sentences, put together as long as they stay below the size; a longer one is cut at a space, and one without a space anywhere.
fn parts_of(text: &str, most: usize) -> Vec<&str> {
    let (mut out, mut begins, mut good, mut size) = (Vec::new(), 0, 0, 0_f64);
    let mut space = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let after = at + letter.len_utf8();
        size += if letter as u32 >= 0x0e00 { 1.0 } else { 0.25 };
        let before_space = letters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if matches!(letter, '。' | '！' | '？' | '\n') || (matches!(letter, '.' | '!' | '?' | '…') && before_space)
        {
            good = after;
        } else if letter.is_whitespace() {
            space = after;
        }
        if size >= most as f64 {
            let cut = [good, space, after].into_iter().find(|cut| *cut > begins).unwrap_or(after);
            out.push(text[begins..cut].trim());
            begins = cut;
            size = tokens(&text[begins..after]) as f64;
        }
    }
    out.push(text[begins..].trim());
    out.retain(|part| !part.is_empty());
    out
}
