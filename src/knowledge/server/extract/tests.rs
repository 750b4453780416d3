use std::io::{Cursor, Write};

use super::passages::{Passage, make};
use super::*;

fn blocks(bytes: &[u8], name: &str) -> Vec<Passage> {
    let (_, blocks) = read(bytes, name).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
    make(&blocks.blocks).unwrap()
}

fn refused(bytes: &[u8], name: &str) -> Refusal {
    match read(bytes, name).and_then(|(_, blocks)| make(&blocks.blocks)) {
        Ok(passages) => panic!("{name} is read: {} passages", passages.len()),
        Err(refusal) => refusal,
    }
}

fn places(passages: &[Passage]) -> Vec<&str> {
    passages.iter().map(|passage| passage.place.as_str()).collect()
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn docx(document: &str) -> Vec<u8> {
    let styles =
        r#"<w:styles xmlns:w="w"><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>"#;
    archive(&[("word/styles.xml", styles.as_bytes()), ("word/document.xml", document.as_bytes())])
}

#[test]
fn a_word_document_has_headings_paragraphs_and_rows() {
    let file = docx(
        r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>
        <w:p><w:r><w:t>Before &amp; after &#228;</w:t></w:r></w:p>
        <w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>Preise</w:t></w:r></w:p>
        <w:p><w:r><w:t>Dental</w:t></w:r><w:r><w:tab/><w:t>hygiene</w:t></w:r><w:r><w:delText>gone</w:delText></w:r></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Cleaning</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>168</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        </w:body></w:document>"#,
    );
    let passages = blocks(&file, "prices.docx");
    assert_eq!(places(&passages), ["beginning", "Preise"]);
    assert_eq!(passages[0].body, "Before & after ä");
    assert_eq!(passages[1].body, "Dental hygiene\nCleaning · 168");
}

#[test]
fn entities_of_a_document_are_never_expanded() {
    let file = docx(
        r#"<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>
        <w:document xmlns:w="w"><w:p><w:r><w:t>Text &b;&x; end</w:t></w:r></w:p></w:document>"#,
    );
    assert_eq!(blocks(&file, "bomb.docx")[0].body, "Text end");
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    // A thousand times its size.
    let dense = vec![b' '; 16 * 1024 * 1024];
    let file = archive(&[("word/document.xml", &[b"<w:document>".as_slice(), &dense].concat())]);
    assert_eq!(refused(&file, "dense.docx"), Refusal::Unpacks);
    let deep = format!("<w:document>{}", "<w:p>".repeat(100_000));
    assert_eq!(refused(&docx(&deep), "deep.docx"), Refusal::Damaged);
    assert_eq!(refused(&archive(&[("other/thing.xml", b"<a/>")]), "odd.docx"), Refusal::Kind);
    assert_eq!(refused(b"PK\x03\x04 broken", "broken.docx"), Refusal::Damaged);
}

#[test]
fn a_page_is_its_main_part() {
    let page = r#"<!doctype html><html><head><title>Costs</title><style>p { }</style></head><body>
        <nav><a href="/">Home</a></nav><script>let a = "<p>no</p>";</script>
        <main><h1>Costs</h1><p>A cleaning costs <b>140</b> francs&nbsp;&amp; more.</p><h2>Hygiene</h2>
        <table><tr><th>What</th><th>Price</th></tr><tr><td><p>Cleaning</p></td><td>168</td></tr></table></main>
        <footer>Imprint</footer></body></html>"#;
    let passages = blocks(page.as_bytes(), "costs");
    assert_eq!(places(&passages), ["Costs", "Hygiene"]);
    assert_eq!(passages[0].body, "A cleaning costs 140 francs & more.");
    assert_eq!(passages[1].body, "What · Price\nCleaning · 168");
    // Without a main part, all but what stands beside the text; if there is nothing else, that.
    assert_eq!(blocks(b"<html><body><nav>Home</nav><p>Text</p>", "a.html")[0].body, "Text");
    assert_eq!(blocks(b"<html><body><nav>Home</nav>", "a.html")[0].body, "Home");
    let deep = format!("<html><body>{}deep", "<div>".repeat(300_000));
    assert_eq!(blocks(deep.as_bytes(), "deep.html")[0].body, "deep");
}

#[test]
fn a_table_stays_with_its_heading() {
    let text = "# One\n\n| problem | measure |\n| --- | :-: |\n| leak | mend |\n\n# Two\n\n| problem | measure |\n| --- | --- |\n| rust | paint |\n";
    let passages = blocks(text.as_bytes(), "tables.md");
    assert_eq!(places(&passages), ["One", "Two"]);
    assert_eq!(passages[1].body, "| problem | measure | | rust | paint |");
}

#[test]
fn markdown_and_text_have_their_places() {
    let passages = blocks(b"Intro\n\n# Prices\n\n- Cleaning\n- Check-up\n\n```\n# no heading\n```\n", "a.md");
    assert_eq!(places(&passages), ["beginning", "Prices"]);
    assert_eq!(passages[1].body, "Cleaning Check-up\n# no heading");
    assert_eq!(places(&blocks(b"One\ntwo\n\n\nthree", "a.txt")), ["lines 1–5"]);
    let latin: Vec<u8> = "Grüezi, schöne Zähne und eine gründliche Reinigung".chars().map(|c| c as u32 as u8).collect();
    assert!(blocks(&latin, "a.txt")[0].body.starts_with("Grüezi"));
    let wide: Vec<u8> = "\u{feff}Zähne".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(blocks(&wide, "a.txt")[0].body, "Zähne");
}

#[test]
fn each_row_of_a_table_is_a_passage_with_the_names_of_its_columns() {
    let passages = blocks("Insurer;Pays\nHelvia;\"75%; twice a year\"\n\nAxa;50%\n".as_bytes(), "insurers.csv");
    assert_eq!(places(&passages), ["row 2", "row 3"]);
    assert_eq!(passages[0].body, "Insurer: Helvia · Pays: 75%; twice a year");
    let many: String = (0..5_000).map(|row| format!("{row},a\n")).collect();
    assert!(blocks(format!("n,b\n{many}").as_bytes(), "many.csv").len() < 500);
}

#[test]
fn long_texts_are_cut_between_sentences_and_overlap() {
    let text = "This sentence is one of very many that are all alike. ".repeat(200);
    let passages = blocks(text.as_bytes(), "long.txt");
    assert!(passages.len() > 5);
    for passage in &passages {
        assert!(passages::tokens(&passage.body) <= 380, "{}", passage.body.len());
        assert!(passage.body.ends_with("alike."), "{}", passage.body);
    }
    // Without sentences and without spaces.
    assert!(blocks("x".repeat(100_000).as_bytes(), "x.txt").len() > 50);
    assert!(blocks("一".repeat(10_000).as_bytes(), "zh.txt").len() > 20);
    let huge = "word ".repeat(6 * 1024 * 1024);
    assert_eq!(refused(huge.as_bytes(), "huge.txt"), Refusal::TooMuchText);
    let rows: String = (0..21_000).map(|row| format!("a paragraph {row} {}\n\n", "x".repeat(1_100))).collect();
    assert!(matches!(refused(rows.as_bytes(), "rows.txt"), Refusal::TooManyPassages | Refusal::TooMuchText));
}

#[test]
fn what_cannot_be_stored_or_would_mislead_is_left_out() {
    assert_eq!(tidy(" a\0b\u{202e}c\u{e000}\u{fffd}\u{ffff}\td\n"), "a bc d");
}

#[test]
fn languages_are_recognised_from_enough_words() {
    let of = |text: &str| language::of(std::iter::once(text));
    let german = "Eine gründliche Reinigung der Zähne dauert ungefähr fünfundvierzig Minuten und kostet einhundertachtundsechzig Franken, \
        die am selben Tag bezahlt werden, wenn keine Versicherung besteht.";
    assert_eq!(of(german), Some(("de", Some("german"))));
    assert_eq!(of("Zu kurz"), None);
    assert_eq!(
        of("牙齿清洁需要四十五分钟，费用为一百六十八法郎，如果没有保险，当天支付。").map(|(code, _)| code),
        Some("zh")
    );
    assert_eq!(spoken("de"), Some("German"));
    assert_eq!(searchable("牙齿清 a"), " 牙齿  齿清  清  a");
}

#[test]
fn what_is_no_document_is_refused() {
    assert_eq!(refused(b"", "empty.txt"), Refusal::Kind);
    assert_eq!(refused(b" \n ", "blank.txt"), Refusal::Nothing);
    assert_eq!(refused(b"%PDF-1.7\nnothing", "a.pdf"), Refusal::Damaged);
    assert_eq!(refused(b"\x7fELF\0\0", "a.pdf"), Refusal::Kind);
}

/// A PDF of one page for each text.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    let mut object = |out: &mut Vec<u8>, body: String| {
        places.push(out.len());
        let number = places.len();
        out.extend(format!("{number} 0 obj\n{body}\nendobj\n").bytes());
    };
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + page * 2)).collect();
    object(&mut out, "<< /Type /Catalog /Pages 2 0 R >>".into());
    object(
        &mut out,
        format!("<< /Type /Pages /Kids [{}] /Count {} /MediaBox [0 0 595 842] >>", kids.join(" "), pages.len()),
    );
    object(&mut out, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".into());
    for (at, text) in pages.iter().enumerate() {
        object(
            &mut out,
            format!(
                "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
                5 + at * 2
            ),
        );
        let content = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
        object(&mut out, format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    out.extend(format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", places.len() + 1).bytes());
    out
}

#[test]
fn a_pdf_has_pages() {
    let long = "A cleaning of 45 minutes costs 168 francs and is paid on the day. ".repeat(10);
    let file = pdf(&[&long, "Emergencies cost ninety francs more."]);
    let passages = blocks(&file, "prices.pdf");
    assert_eq!(places(&passages), ["page 1", "page 2"]);
    assert!(passages[0].body.starts_with("A cleaning of 45 minutes"), "{}", passages[0].body);
    assert_eq!(refused(&pdf(&[""]), "scan.pdf"), Refusal::Pictures);
    // The reader panics at pages without a size, as it does at odd fonts.
    let sizeless = String::from_utf8_lossy(&file).replace("/MediaBox [0 0 595 842]", "/MediaBux [0 0 595 842]");
    assert_eq!(refused(sizeless.as_bytes(), "sizeless.pdf"), Refusal::Damaged);
}
