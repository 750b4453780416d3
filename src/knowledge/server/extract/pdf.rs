//! PDF: the text of each page. The reader is not ours and stumbles over odd fonts; a page at which it does is left out, and what would
//! take this process down takes only this process down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, PlainTextOutput, output_doc_page};

use super::{At, Blocks, Refusal};

pub fn read(bytes: &[u8]) -> Result<Blocks, Refusal> {
    let mut document = caught(|| Document::load_mem(bytes).ok()).flatten().ok_or(Refusal::Damaged)?;
    // Many are protected against changes only, and opened by the empty password.
    if document.is_encrypted() && !caught(|| document.decrypt("").is_ok()).unwrap_or_default() {
        return Err(Refusal::Locked);
    }
    let pages: Vec<u32> = caught(|| document.get_pages().into_keys().collect()).ok_or(Refusal::Damaged)?;
    if pages.is_empty() {
        return Err(Refusal::Damaged);
    }
    let mut out = Blocks { units: u32::try_from(pages.len()).ok(), ..Blocks::default() };
    let mut read = 0;
    for number in pages {
        let page = caught(|| {
            let mut text = String::new();
            output_doc_page(&document, &mut PlainTextOutput::new(&mut text), number).is_ok().then_some(text)
        });
        if let Some(text) = page.flatten() {
            read += 1;
            for paragraph in paragraphs(&text) {
                out.push(At::Page(number), &paragraph)?;
            }
        }
    }
    if read == 0 { Err(Refusal::Damaged) } else { Ok(out) }
}

fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// What stands between empty lines, with words put together that a line's end had parted.
fn paragraphs(text: &str) -> Vec<String> {
    let (mut all, mut one) = (Vec::new(), String::new());
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            all.push(std::mem::take(&mut one));
            continue;
        }
        let goes_on = line.chars().next().is_some_and(char::is_lowercase);
        let is_parted = one.ends_with('-') && one.chars().rev().nth(1).is_some_and(char::is_alphabetic);
        if is_parted && goes_on {
            one.pop();
        } else if !one.is_empty() {
            one.push(' ');
        }
        one += line;
    }
    all.push(one);
    all
}
