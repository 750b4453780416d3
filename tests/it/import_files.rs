//! Files as they come from the field, and as an attacker makes them: each is read as it was meant, or refused with words that help.

use std::io::Write;

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::support::{Agency, Answer, owner_value, run};

const UPLOAD: &str = "/contacts/imports/upload";

async fn sent(agency: &Agency, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    agency.admin.upload(UPLOAD, &[("client", &agency.one.id)], name, bytes.into()).await
}

/// Uploads a file for client one. Gives the import's id.
async fn uploaded(agency: &Agency, name: &str, bytes: impl Into<Vec<u8>>) -> String {
    let answer = sent(agency, name, bytes).await;
    assert!(answer.location.as_deref().is_some_and(|to| to.ends_with("/mapping")), "{name}: {answer:?}");
    answer.id().expect("an import")
}

async fn view(agency: &Agency, id: &str) -> Value {
    agency.admin.done("get_import", &[("id", id)]).await.json()
}

/// Chooses how the file is read.
async fn reread(agency: &Agency, id: &str, fields: &[(&str, &str)]) -> Value {
    agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "reread_import", fields).await;
    view(agency, id).await
}

/// Takes what was guessed, checks and imports. Gives the import as it ended.
async fn brought(agency: &Agency, id: &str) -> Value {
    brought_as(agency, id, &[]).await
}

/// The same, with columns that a person chooses.
async fn brought_as(agency: &Agency, id: &str, columns: &[(&str, &str)]) -> Value {
    let fields = [&[("form[country]", "CH")], columns].concat();
    agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &fields).await;
    agency.drain().await;
    let checked = view(agency, id).await;
    assert_eq!(checked["status"], "checked", "{checked}");
    agency.admin.done("run_import", &[("id", id)]).await;
    agency.drain().await;
    let done = view(agency, id).await;
    assert_eq!(done["status"], "completed", "{done}");
    let sum: i64 = ["imported", "updated", "kept", "doubled", "rejected"].iter().map(|name| number(&done, name)).sum();
    assert_eq!(sum, number(&done, "rows"), "{done}");
    assert_eq!(done["rows"], checked["preview"]["check"]["rows"], "{done}");
    done
}

fn number(view: &Value, name: &str) -> i64 {
    view[name].as_i64().unwrap_or(-1)
}

/// The contact with a number, with its variables.
async fn contact(agency: &Agency, phone: &str) -> Value {
    let found = agency.admin.done("list_contacts", &[("query[q]", phone)]).await.json();
    let id = found["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("nobody has {phone}: {found}")).to_owned();
    agency.admin.done("get_contact", &[("id", &id)]).await.json()
}

/// The file's name, its bytes, and numbers in it with their names.
type Sent = (&'static str, Vec<u8>, &'static [(&'static str, &'static str)]);

fn in_encoding(label: &str, text: &str) -> Vec<u8> {
    encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding").encode(text).0.into_owned()
}

#[test]
fn files_from_the_field_are_read_as_they_were_meant() {
    run(|world| async move {
        let agency = Agency::new(world, "field").await;
        let commas = ",".repeat(300);
        let no_mark: Vec<u8> =
            "Имя\tТелефон\r\nОльга Белова\t+41792009010\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let files: [Sent; 13] = [
            (
                "bare.csv",
                "Ada,\u{202a}+41 79 200 90 01\u{202c}\nBea,\u{202a}+41 79 200 90 02\u{202c}\n".into(),
                &[("+41792009001", "Ada"), ("+41792009002", "Bea")],
            ),
            ("tab.csv", b"sep=\t\r\nName\tPhone\tCity\r\nAda T\t+41792009003\tBern\r\n".into(), &[("+41792009003", "Ada T")]),
            ("capitals.csv", b"SEP=;\r\nName;Phone\r\nBea C;+41792009004\r\n".into(), &[("+41792009004", "Bea C")]),
            ("quoted.csv", b"\"sep=;\"\r\nName;Phone\r\nCyd Q;+41792009005\r\n".into(), &[("+41792009005", "Cyd Q")]),
            (
                "marked.csv",
                "\u{feff}sep=^\r\nName^Phone\r\nDan M^+41792009006\r\n".into(),
                &[("+41792009006", "Dan M")],
            ),
            (
                "empty-columns.csv",
                format!("Name,Phone,City{commas}\nEve,+41792009007,Bern{commas}\n").into(),
                &[("+41792009007", "Eve")],
            ),
            (
                "cyrillic.csv",
                in_encoding("windows-1251", "Имя;Телефон\r\nАнна Белова;+41792009008\r\n"),
                &[("+41792009008", "Анна Белова")],
            ),
            ("mac.csv", b"Name;Telefon\rJ\x9frg M\x9fller;+41792009009\r".into(), &[("+41792009009", "Jürg Müller")]),
            ("no-mark.txt", no_mark, &[("+41792009010", "Ольга Белова")]),
            (
                "titles.csv",
                b"Customers of November;;\r\n\r\nName;Phone;Amount\r\nFay;+41792009011;1,50\r\n".into(),
                &[("+41792009011", "Fay")],
            ),
            (
                "line-ends.csv",
                b"name,phone\rGus,+41792009012\r\nHal,\"+41792009013\"\nIda,+41792009014\r".into(),
                &[("+41792009012", "Gus"), ("+41792009013", "Hal"), ("+41792009014", "Ida")],
            ),
            (
                "quotes.csv",
                b"name,phone\n\"Jo,+41792009015\n\"Kim \"\"K\"\"\",+41792009016\nLea \"L,+41792009017\n\"Mia,+41792009018".into(),
                &[("+41792009015", "\"Jo"), ("+41792009016", "Kim \"K\""), ("+41792009018", "\"Mia")],
            ),
            (
                "mostly-utf-8.csv",
                [&b"name,phone\n"[..], "Zoë Größle Müller,+41792009019\n".repeat(20).as_bytes(), b"No\xe9,+41792009020\n"]
                    .concat(),
                &[("+41792009019", "Zoë Größle Müller")],
            ),
        ];
        for (name, bytes, people) in files {
            let id = uploaded(&agency, name, bytes).await;
            // Where the columns have no names, a person says which words are names of people.
            let chosen: &[_] = if name == "bare.csv" { &[("form[columns][0]", "name")] } else { &[] };
            brought_as(&agency, &id, chosen).await;
            for (phone, wanted) in people {
                assert_eq!(contact(&agency, phone).await["name"], *wanted, "{name}");
            }
        }
    });
}

#[test]
fn what_is_no_list_is_refused_by_its_name() {
    run(|world| async move {
        let agency = Agency::new(world, "refused").await;
        let zip = |files: &[(&str, &[u8])]| packed(files);
        for (bytes, words) in [
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old".to_vec(), "old Excel workbook (.xls)"),
            (b"%PDF-1.7\n%\xe2\xe3".to_vec(), "This is a PDF"),
            (b"\n<html><body><table><tr><td>Ada".to_vec(), "This is a web page"),
            (b"BEGIN:VCARD\r\nVERSION:3.0\r\n".to_vec(), "vCards"),
            (zip(&[("people.csv", b"name,phone\n")]), "packed file"),
            (zip(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")]), "another format than Excel"),
            (
                zip(&[
                    ("[Content_Types].xml", b"<Types/>"),
                    ("xl/workbook.xml", b"<workbook/>"),
                    ("xl/worksheets/a.xml", &vec![b' '; 2 << 20]),
                ]),
                "cannot be read",
            ),
            (
                zip(&[
                    ("[Content_Types].xml", b"<Types/>"),
                    ("xl/workbook.xml", b"<workbook/>"),
                    ("xl/sharedStrings.xml", &[&b"<si>"[..], &[b'x'; 900_000], b"</si>"].concat().repeat(80)),
                ]),
                "unpacked 512 MB",
            ),
        ] {
            let answer = sent(&agency, "people.csv", bytes).await;
            let to = answer.location.clone().unwrap_or_default();
            assert!(to.contains("problem="), "{words}: {answer:?}");
            let page = agency.admin.get(&to).await.text;
            assert!(page.contains(words), "{words}: {to}");
        }
    });
}

/// Two kilobytes were enough to end the process: the reader makes room for as many shared texts as a part says it has, and copies a
/// long format into each of many styles.
#[test]
fn a_small_workbook_does_not_fill_the_memory() {
    run(|world| async move {
        let agency = Agency::new(world, "bombs").await;
        let texts = "<sst uniqueCount=\"100000000000\"><si><t>Ada</t></si></sst>".to_owned();
        let styles = format!(
            "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"{}\"/></numFmts><cellXfs>{}</cellXfs></styleSheet>",
            "0".repeat(1_000_000),
            "<xf numFmtId=\"200\"/>".repeat(50_000)
        );
        let relation = |kind: &str, target: &str| {
            format!(
                "<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" \
                 Target=\"{target}\"/></Relationships>"
            )
        };
        // In docProps stand properties, which nobody looked at.
        for folder in ["xl", "docProps"] {
            for (name, part) in [("sharedStrings.xml", &texts), ("styles.xml", &styles)] {
                let workbook = packed(&[
                    ("[Content_Types].xml", b"<Types/>"),
                    ("_rels/.rels", relation("officeDocument", &format!("{folder}/workbook.xml")).as_bytes()),
                    (
                        &format!("{folder}/workbook.xml"),
                        b"<workbook><sheets><sheet name=\"One\" r:id=\"rId1\"/></sheets></workbook>",
                    ),
                    (
                        &format!("{folder}/_rels/workbook.xml.rels"),
                        relation("worksheet", "worksheets/sheet1.xml").as_bytes(),
                    ),
                    (
                        &format!("{folder}/worksheets/sheet1.xml"),
                        b"<worksheet><sheetData><row><c><v>7</v></c></row></sheetData></worksheet>",
                    ),
                    (&format!("{folder}/{name}"), part.as_bytes()),
                ]);
                let answer = sent(&agency, "bomb.xlsx", workbook).await;
                let to = answer.location.as_deref().unwrap_or_default();
                assert!(to.contains("problem=workbook"), "{folder}/{name}: {answer:?}");
            }
        }
        // Nothing of them is left on the disk.
        let id: String =
            owner_value(world, &format!("select workspace_id::text from clients where id = '{}'", agency.one.id)).await;
        let left = std::fs::read_dir(world.db.services().uploads.join(id)).expect("a folder").count();
        assert_eq!(left, 0);
    });
}

#[test]
fn a_person_says_how_the_file_is_to_be_read() {
    run(|world| async move {
        let agency = Agency::new(world, "reread").await;
        // Too short to be sure of: one name of two letters.
        let bytes = in_encoding("koi8-u", "name;phone\nЮл;+41792009101\n");
        let id = uploaded(&agency, "short.csv", bytes).await;
        let seen = reread(&agency, &id, &[("form[encoding]", "windows-1252")]).await;
        assert_eq!(seen["preview"]["rows"][0][0], "àÌ", "{seen}");
        let seen = reread(&agency, &id, &[("form[encoding]", "koi8-u")]).await;
        assert_eq!(seen["preview"]["rows"][0][0], "Юл", "{seen}");
        // The page shows the rows as they will be read, without script.
        let page = agency.admin.get(&format!("/contacts/imports/{id}/mapping")).await.text;
        assert!(page.contains("Words with special letters") && page.contains("Юл"), "{page}");
        brought(&agency, &id).await;
        assert_eq!(contact(&agency, "+41792009101").await["name"], "Юл");
        // It has been imported as it was read: no other way any more.
        let late = agency
            .admin
            .rpc("reread_import", &[("id", &id), ("form[encoding]", "utf-8"), ("form[delimiter]", ",")])
            .await;
        assert_eq!(late.status, 409, "{late:?}");

        let id = uploaded(&agency, "report.csv", "1 December;Ada\nName;Phone\nBea;+41792009102\n").await;
        let seen = reread(&agency, &id, &[("form[above]", "1")]).await;
        assert_eq!(seen["preview"]["first"][1], "Phone", "{seen}");
        let wrong = agency
            .admin
            .rpc(
                "reread_import",
                &[("id", &id), ("form[encoding]", "rot13"), ("form[delimiter]", "xx"), ("form[above]", "-1")],
            )
            .await;
        assert_eq!(wrong.status, 422);
        for words in ["an encoding from the list", "a separator from the list", "from 0 to 50"] {
            assert!(wrong.text.contains(words), "{wrong:?}");
        }
        brought(&agency, &id).await;
        assert_eq!(contact(&agency, "+41792009102").await["name"], "Bea");
    });
}

#[test]
fn workbooks_are_read_as_the_person_sees_them() {
    run(|world| async move {
        let agency = Agency::new(world, "workbook").await;
        // s="1" is a date, s="2" shows ten digits.
        let people = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Name</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>Phone</t></is></c>\
             <c r=\"C1\" t=\"inlineStr\"><is><t>Since</t></is></c><c r=\"D1\" t=\"inlineStr\"><is><t>Amount</t></is></c></row>\
             <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>Ada, \"A\"\nLund</t></is></c><c r=\"B2\"><v>41792009201</v></c><c r=\"C2\" s=\"1\"><v>45000</v></c><c r=\"D2\"><v>0.30000000000000004</v></c></row>\
             <row r=\"4\"><c r=\"A4\" t=\"inlineStr\"><is><t>Bea</t></is></c><c r=\"B4\"><v>4.1792009202E10</v></c></row>\
             <row r=\"5\"><c r=\"A5\" t=\"s\"><v>0</v></c><c r=\"B5\" s=\"2\"><v>792009203</v></c><c r=\"ZZ5\"/></row>\
             <row r=\"6\"><c r=\"A6\" t=\"inlineStr\"><is><t>Dan</t></is></c><c r=\"B6\"><v>1234567</v></c></row>";
        let id = uploaded(&agency, "people.xlsx", workbook(&[("Notes", ""), ("People", people)])).await;
        let seen = view(&agency, &id).await;
        assert_eq!((&seen["preview"]["sheet"], &seen["preview"]["sheets"][1]), (&1.into(), &"People".into()), "{seen}");
        let done = brought(&agency, &id).await;
        assert_eq!((number(&done, "imported"), number(&done, "rejected")), (3, 1), "{done}");
        let ada = contact(&agency, "+41792009201").await;
        assert_eq!(
            (&ada["attributes"]["since"], &ada["attributes"]["amount"]),
            (&"2023-03-15".into(), &"0.3".into()),
            "{ada}"
        );
        assert_eq!(contact(&agency, "+41792009202").await["name"], "Bea");
        assert_eq!(contact(&agency, "+41792009203").await["name"], "Shared");
        // The row of the sheet, and what a number in a workbook cannot hold.
        assert_eq!(done["problems"][0]["line"], 6, "{done}");
        assert!(done["problems"][0]["reason"].as_str().is_some_and(|why| why.contains("zeros in front")), "{done}");

        // The other sheet, when a person chooses it.
        let row = |name: &str, phone: &str| {
            format!(
                "<row><c t=\"inlineStr\"><is><t>{name}</t></is></c><c t=\"inlineStr\"><is><t>{phone}</t></is></c></row>"
            )
        };
        let [one, two] =
            [row("Name", "Phone") + &row("Eve", "+41792009204"), row("Name", "Phone") + &row("Fay", "+41792009205")];
        let id = uploaded(&agency, "two.xlsx", workbook(&[("One", &one), ("Two", &two)])).await;
        let seen = reread(&agency, &id, &[("form[sheet]", "1")]).await;
        assert_eq!(seen["preview"]["rows"][0][0], "Fay", "{seen}");
        brought(&agency, &id).await;
        assert_eq!(contact(&agency, "+41792009205").await["name"], "Fay");
        let nobody = agency.admin.done("list_contacts", &[("query[q]", "+41792009204")]).await.json();
        assert_eq!(nobody["rows"].as_array().map(Vec::len), Some(0));
    });
}

#[test]
fn no_more_imports_run_or_wait_than_may() {
    run(|world| async move {
        let agency = Agency::new(world, "limits").await;
        let mut ids = Vec::new();
        for at in 0..9 {
            ids.push(uploaded(&agency, "few.csv", format!("name,phone\nAda,+4179200930{at}\n")).await);
        }
        // All at the same moment.
        let fields = |id: &str| {
            [
                ("id", id.to_owned()),
                ("form[columns][0]", "name".into()),
                ("form[columns][1]", "phone".into()),
                ("form[named]", "true".into()),
            ]
        };
        let tries = ids.iter().map(|id| {
            let (browser, fields) = (agency.admin.clone(), fields(id));
            async move {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                browser.rpc("check_import", &fields).await.status
            }
        });
        let statuses = futures::future::join_all(tries).await;
        let refused = statuses.iter().filter(|status| **status == 409).count();
        assert_eq!(refused, 4, "five of nine run: {statuses:?}");
        agency.drain().await;

        // As many wait as may, and not one more.
        for _ in ids.len()..25 {
            uploaded(&agency, "few.csv", "name,phone\nAda,+41792009300\n").await;
        }
        let answer = sent(&agency, "few.csv", "name,phone\nAda,+41792009300\n").await;
        assert!(answer.location.as_deref().is_some_and(|to| to.contains("problem=waiting")), "{answer:?}");
        // Another client of the agency has places of its own.
        let other = agency
            .admin
            .upload(UPLOAD, &[("client", &agency.two.id)], "few.csv", b"name,phone\nAda,+41792009300\n".to_vec())
            .await;
        assert!(other.location.as_deref().is_some_and(|to| to.ends_with("/mapping")), "{other:?}");
        // So does who finishes one. What they take on the disk counts as well.
        agency.admin.done("cancel_import", &[("id", &ids[8])]).await;
        let last = uploaded(&agency, "few.csv", "name,phone\nAda,+41792009300\n").await;
        agency.admin.done("cancel_import", &[("id", &last)]).await;
        let large = format!(
            "with large as (update contact_imports set file_bytes = 3221225470 where id = '{}' returning 1) select count(*) from large",
            ids[0]
        );
        assert_eq!(owner_value::<i64>(world, &large).await, 1);
        let answer = sent(&agency, "few.csv", "name,phone\nAda,+41792009300\n").await;
        assert!(answer.location.as_deref().is_some_and(|to| to.contains("problem=quota")), "{answer:?}");
        let page = agency.admin.get("/contacts/imports/new?problem=quota").await.text;
        assert!(page.contains("take all the room"), "{page}");
    });
}

#[test]
fn an_import_whose_rows_do_not_add_up_says_so() {
    run(|world| async move {
        let agency = Agency::new(world, "sums").await;
        let mut file = String::from("name,phone\n");
        (0..6_000).for_each(|row| file += &format!("Person {row},+4179777{row:04}\n"));
        let id = uploaded(&agency, "many.csv", file).await;
        agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &[]).await;
        agency.drain().await;
        // The disk loses the second half of what the check kept.
        let key: String = owner_value(world, &format!("select stage_key from contact_imports where id = '{id}'")).await;
        let path = world.db.services().uploads.join(key);
        let kept = std::fs::read(&path).expect("rows");
        // A piece is an array of seven, and the first of these one of its thousand people.
        let second = kept.windows(4).position(|bytes| bytes == [0x97, 0xdc, 0x03, 0xe8]).expect("a second piece");
        std::fs::write(&path, &kept[..second]).expect("a file");
        agency.admin.done("run_import", &[("id", &id)]).await;
        agency.drain().await;
        let done = view(&agency, &id).await;
        assert_eq!((&done["status"], &done["imported"]), (&"failed".into(), &5_000.into()), "{done}");
        assert!(
            done["error"].as_str().is_some_and(|error| error.contains("do not add up") && error.contains("6000")),
            "{done}"
        );
    });
}

#[test]
fn hostile_quotes_cost_no_more_than_other_files() {
    run(|world| async move {
        let agency = Agency::new(world, "quotes").await;
        // 240 kB in which every line opens a quote took 42 seconds; this is ten times as much.
        let file = format!("name,phone\n{}", "\"a,+41792009400\n".repeat(150_000));
        let id = uploaded(&agency, "quotes.csv", file).await;
        let done = brought(&agency, &id).await;
        assert_eq!((number(&done, "imported"), number(&done, "doubled"), number(&done, "rows")), (1, 149_999, 150_000));
    });
}

/// A workbook with these sheets, each with its rows as XML.
fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let rels = |body: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{body}</Relationships>"
        )
    };
    let list: String = sheets
        .iter()
        .enumerate()
        .map(|(at, (name, _))| format!("<sheet name=\"{name}\" sheetId=\"{0}\" r:id=\"rId{0}\"/>", at + 1))
        .collect();
    let targets: String = (1..=sheets.len())
        .map(|at| {
            format!("<Relationship Id=\"rId{at}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>")
        })
        .collect();
    let mut files = vec![
        (
            "[Content_Types].xml".to_owned(),
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
        ),
        (
            "_rels/.rels".into(),
            rels(&format!("<Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/>")),
        ),
        (
            "xl/workbook.xml".into(),
            format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{list}</sheets></workbook>"),
        ),
        (
            "xl/_rels/workbook.xml.rels".into(),
            rels(&format!(
                "{targets}<Relationship Id=\"rId98\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/>\
                 <Relationship Id=\"rId99\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/>"
            )),
        ),
        (
            "xl/styles.xml".into(),
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"0000000000\"/></numFmts>\
                 <cellXfs count=\"3\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
            ),
        ),
        ("xl/sharedStrings.xml".into(), format!("<sst xmlns=\"{MAIN}\"><si><t>Shared</t></si></sst>")),
    ];
    for (at, (_, rows)) in sheets.iter().enumerate() {
        let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>");
        files.push((format!("xl/worksheets/sheet{}.xml", at + 1), sheet));
    }
    packed(&files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect::<Vec<_>>())
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1));
        zip.start_file(*name, options).expect("a part");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a file").into_inner()
}
