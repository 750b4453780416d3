use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook of which any part may be made otherwise.
struct Made {
    parts: Vec<(String, String)>,
    /// Parts with the bytes of the last one.
    copies: usize,
}

impl Made {
    /// With one cell, and all parts in a folder.
    fn new(folder: &str) -> Self {
        let relation = |kind: &str, id: &str, target: &str| {
            format!(
                "<Relationships><Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/></Relationships>"
            )
        };
        let parts = [
            ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
            ("_rels/.rels".into(), relation("officeDocument", "rId1", &format!("{folder}/workbook.xml"))),
            (
                format!("{folder}/workbook.xml"),
                "<workbook><sheets><sheet name=\"One\" r:id=\"rId1\"/></sheets></workbook>".into(),
            ),
            (format!("{folder}/_rels/workbook.xml.rels"), relation("worksheet", "rId1", "worksheets/sheet1.xml")),
            (format!("{folder}/worksheets/sheet1.xml"), sheet("<row><c><v>7</v></c></row>")),
        ];
        Self { parts: parts.into(), copies: 0 }
    }

    fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.parts.retain(|(known, _)| known != name);
        self.parts.push((name.into(), text.into()));
        self
    }

    /// What is read of it.
    fn read(&self) -> Result<String, UploadProblem> {
        let from = self.saved();
        let to = from.with_extension("csv");
        let written = write(&from, &to, None).unwrap();
        let text = std::fs::read_to_string(&to).unwrap_or_default();
        for path in [from, to] {
            let _ = std::fs::remove_file(path);
        }
        written.map(|_| text)
    }

    fn saved(&self) -> std::path::PathBuf {
        let from = std::env::temp_dir().join(format!("sheet-{}.xlsx", uuid::Uuid::now_v7()));
        let mut zip = ZipWriter::new(File::create(&from).unwrap());
        for (name, text) in &self.parts {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        for copy in 0..self.copies {
            zip.shallow_copy_file(&self.parts.last().unwrap().0, &format!("xl/copy{copy}.xml")).unwrap();
        }
        zip.finish().unwrap();
        from
    }
}

fn sheet(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

#[test]
fn a_workbook_may_lie_in_any_folder_that_is_read() {
    assert_eq!(Made::new("xl").read().as_deref(), Ok("7\n"));
    assert_eq!(Made::new("elsewhere/deep").read().as_deref(), Ok("7\n"));
    // There nothing is looked at, because nothing of a workbook stands there.
    for folder in ["docProps", "customXml", "xl/worksheets"] {
        assert_eq!(Made::new(folder).read(), Err(UploadProblem::BrokenWorkbook), "{folder}");
    }
    let hidden = Made::new("xl")
        .with("xl/media/sheet.bin", sheet("<row><c><v>7</v></c></row>"))
        .with(
            "xl/_rels/workbook.xml.rels",
            format!("<Relationships><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"media/sheet.bin\"/></Relationships>"),
        );
    assert_eq!(hidden.read(), Err(UploadProblem::BrokenWorkbook));
    let encoded = Made::new("docProps").with(
        "_rels/.rels",
        format!("<Relationships><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"doc&#80;rops/workbook.xml\"/></Relationships>"),
    );
    assert_eq!(encoded.read(), Err(UploadProblem::BrokenWorkbook));
}

/// The process would end: memory that is not there cannot be asked for.
#[test]
fn what_a_workbook_says_of_its_shared_texts_is_not_believed() {
    for folder in ["xl", "docProps", "elsewhere"] {
        for start in [
            "<sst uniqueCount=\"100000000000\">",
            "<sst\u{c}uniqueCount = '00100000000000'>",
            "<x:sst uniqueCount=\"99999999999999999999\">",
        ] {
            let texts = format!("{}{start}<si><t>Ada</t></si></sst>", "<a/>".repeat(20_000));
            let made = Made::new(folder).with(&format!("{folder}/sharedStrings.xml"), texts);
            assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook), "{folder}: {start}");
        }
    }
    let honest = "<sst count=\"9\" uniqueCount=\"1\"><si><t>Ada</t></si></sst>";
    let made = Made::new("xl")
        .with("xl/sharedStrings.xml", honest)
        .with("xl/worksheets/sheet1.xml", sheet("<row><c t=\"s\"><v>0</v></c></row>"));
    assert_eq!(made.read().as_deref(), Ok("Ada\n"));
}

#[test]
fn nothing_long_is_repeated_often() {
    let styles = |code: usize, font: usize, count: usize| {
        format!(
            "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"{}\"/></numFmts><fonts><font><name val=\"{}\"/></font></fonts>\
             <cellXfs>{}</cellXfs></styleSheet>",
            "0".repeat(code),
            "x".repeat(font),
            "<xf numFmtId=\"200\" fontId=\"0\"/>".repeat(count)
        )
    };
    // The most that Excel writes.
    assert_eq!(Made::new("xl").with("xl/styles.xml", styles(255, 31, 65_490)).read().as_deref(), Ok("7\n"));
    for (code, font) in [(60_000, 10), (10, 60_000)] {
        let made = Made::new("xl").with("xl/styles.xml", styles(code, font, 10_000));
        assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook), "{code} {font}");
    }
    // A long name that holds the beginnings of many elements.
    let made = Made::new("xl").with("xl/styles.xml", styles(10, 10, 10).replace("xxxxxxxxxx", &"<x".repeat(700_000)));
    assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook));
    // Each sheet has a copy of its address.
    let sheets = "<sheet name=\"One\" r:id=\"rId1\"/>".repeat(5_000);
    let made = Made::new("xl").with("xl/workbook.xml", format!("<workbook><sheets>{sheets}</sheets></workbook>"));
    assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook));
}

#[test]
fn a_cell_is_no_longer_than_excel_writes() {
    let piece = "x".repeat(900_000);
    let rich = |pieces: usize| {
        format!("<row><c t=\"inlineStr\"><is>{}</is></c></row>", format!("<r><t>{piece}</t></r>").repeat(pieces))
    };
    let parted = |pieces: usize| {
        format!("<row><c t=\"inlineStr\"><is><t>{}</t></is></c></row>", format!("{piece}<b/></c><c>").repeat(pieces))
    };
    for rows in [rich(1), rich(19), parted(19), piece.repeat(2), "<a>".repeat(200)] {
        let made = Made::new("xl").with("xl/worksheets/sheet1.xml", sheet(&rows));
        assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook), "{:.60}", rows);
    }
    // Nor do rows without anything in them fill the disk.
    for place in ["A4294967295", "A1048577", "XFE1"] {
        let made = Made::new("xl")
            .with("xl/worksheets/sheet1.xml", sheet(&format!("<row><c r=\"{place}\"><v>7</v></c></row>")));
        assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook), "{place}");
    }
    let made = Made::new("xl")
        .with("xl/worksheets/sheet1.xml", sheet("<row><c r=\"C2\"><v>7</v></c><c r=\"E2\"><v>8</v></c></row>"));
    assert_eq!(made.read().as_deref(), Ok("\n,,7,,8\n"));
}

#[test]
fn nothing_is_unpacked_over_and_over() {
    // Parts that share their bytes.
    let mut made = Made::new("xl").with("xl/more.xml", "<a/>".repeat(10_000));
    assert!(made.read().is_ok());
    made.copies = 3;
    assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook));
    // One empty sheet under two hundred names. Chance cannot be packed, so its size is what counts.
    let rows: String = (0..6_000).map(|_| format!("<row a=\"{}\"/>", uuid::Uuid::now_v7().simple())).collect();
    let sheets = "<sheet name=\"One\" r:id=\"rId1\"/>".repeat(200);
    let made = Made::new("xl")
        .with("xl/workbook.xml", format!("<workbook><sheets>{sheets}</sheets></workbook>"))
        .with("xl/worksheets/sheet1.xml", sheet(&rows));
    assert_eq!(made.read(), Err(UploadProblem::BrokenWorkbook));
    assert_eq!(Made::new("xl").with("xl/worksheets/sheet1.xml", sheet(&rows)).read(), Err(UploadProblem::Empty));
}

#[test]
fn reading_takes_no_longer_than_the_elements_of_a_large_list() {
    let made = Made::new("xl").with("xl/worksheets/sheet1.xml", sheet(&"<row/>".repeat(1_000))).saved();
    // Those of the other parts count as well.
    assert_eq!(measure::measure(&made, 1_000), Err(UploadProblem::LargeWorkbook));
    assert_eq!(measure::measure(&made, 1_100), Ok(()));
    std::fs::remove_file(made).unwrap();
}
