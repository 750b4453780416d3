//! Knowledge: files from outside are read by a worker with limits, found by their words, and gone when they are deleted.

use std::io::Write;

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::support::{Agency, Answer, Browser, owner_value, run};

/// A collection of client one.
pub(super) async fn collection(agency: &Agency, name: &str) -> String {
    let fields = [("name", name), ("description", "What callers ask"), ("client", agency.one.id.as_str())];
    agency.admin.made_on("/knowledge/new", "save_knowledge", &fields).await
}

/// A collection of the agency with one file that is indexed. Gives the ids of both.
pub async fn filled(agency: &Agency) -> (String, String) {
    let id = collection(agency, &format!("{} knowledge", agency.secret)).await;
    added(agency, &id, "Handbook.md", HANDBOOK).await;
    agency.drain().await;
    let row = file(agency, &id, "Handbook.md").await;
    assert_eq!(row["status"], "indexed", "{row}");
    (id, row["id"].as_str().expect("an id").to_owned())
}

async fn upload(agency: &Agency, collection: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    agency.admin.upload(&format!("/knowledge/{collection}/files"), &[], name, bytes.into()).await
}

/// Uploads a file that must be taken.
pub(super) async fn added(agency: &Agency, collection: &str, name: &str, bytes: impl Into<Vec<u8>>) {
    let answer = upload(agency, collection, name, bytes).await;
    assert!(answer.location.as_deref().is_some_and(|to| to.contains("added=1")), "{name}: {answer:?}");
}

async fn page(browser: &Browser, collection: &str) -> Value {
    browser.done("get_knowledge", &[("id", collection)]).await.json()
}

/// The row of a file.
pub(super) async fn file(agency: &Agency, collection: &str, name: &str) -> Value {
    let page = page(&agency.admin, collection).await;
    let rows = page["page"]["rows"].as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no file {name}: {page}"))
}

pub(super) async fn asked(agency: &Agency, collection: &str, question: &str) -> Vec<Value> {
    let fields = [("id", collection), ("question", question)];
    let answer = agency.member.done("ask_knowledge", &fields).await.json();
    answer["hits"].as_array().cloned().unwrap_or_default()
}

pub(super) fn body(hit: &Value) -> String {
    let pieces = hit["pieces"].as_array().cloned().unwrap_or_default();
    pieces.iter().filter_map(|piece| piece["text"].as_str()).collect()
}

fn marked(hit: &Value) -> Vec<String> {
    let pieces = hit["pieces"].as_array().cloned().unwrap_or_default();
    let marked = pieces.iter().filter(|piece| piece["is_marked"] == true);
    marked.filter_map(|piece| piece["text"].as_str().map(str::to_owned)).collect()
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a part");
        writer.write_all(bytes).expect("its bytes");
    }
    writer.finish().expect("an archive").into_inner()
}

pub(super) const HANDBOOK: &str = "# Prices\n\nDental cleaning, 45 minutes: the cost is 168 francs. Without insurance it is paid on the day; with \
    cover the practice bills the insurer. Children under twelve pay half of that.\n\n# Opening hours\n\nThe practice is open from Monday \
    to Friday, from eight in the morning until six in the evening. On Saturdays it opens at nine and closes at noon.\n";

#[test]
fn a_file_is_uploaded_indexed_found_replaced_and_deleted() {
    run(|world| async move {
        let agency = Agency::new(world, "knowledge").await;
        let id = collection(&agency, "Prices and insurance").await;
        added(&agency, &id, "Handbook.md", HANDBOOK).await;
        assert_eq!(file(&agency, &id, "Handbook.md").await["status"], "pending");
        agency.drain().await;
        let row = file(&agency, &id, "Handbook.md").await;
        assert_eq!(row["status"], "indexed", "{row}");
        assert_eq!((row["passages"].as_i64(), row["language"].as_str()), (Some(2), Some("English")), "{row}");

        let hits = asked(&agency, &id, "What does a cleaning cost without insurance?").await;
        assert_eq!(hits[0]["place"], "Prices", "{hits:?}");
        assert!(body(&hits[0]).contains("168 francs"), "{hits:?}");
        // The rules of the language: “costs” and “cleanings” are the same words.
        let hits = asked(&agency, &id, "cleanings costs").await;
        assert_eq!(marked(&hits[0]), ["cleaning", "cost"], "{hits:?}");
        assert!(asked(&agency, &id, "zeppelin").await.is_empty());
        assert!(asked(&agency, &id, "'; drop | & ! :* <-> \\ ").await.is_empty());

        // Another file in its place: the old one is found until the new one is indexed.
        let entry = row["id"].as_str().expect("an id").to_owned();
        let path = format!("/knowledge/{id}/files/{entry}");
        let answer = agency
            .admin
            .upload(&path, &[], "Handbook 2027.md", b"# Prices\n\nA cleaning costs 175 francs.".to_vec())
            .await;
        assert!(answer.location.is_some_and(|to| to.contains("added=1")));
        assert!(body(&asked(&agency, &id, "cleaning").await[0]).contains("168"));
        agency.drain().await;
        let hits = asked(&agency, &id, "cleaning").await;
        assert_eq!((hits.len(), body(&hits[0]).contains("175")), (1, true), "{hits:?}");
        let chunks: i64 =
            owner_value(world, &format!("select count(*) from knowledge_chunks where entry_id = '{entry}'")).await;
        assert_eq!(chunks, 1, "passages of the old file are gone");

        // It can be saved as it was uploaded, and is never shown.
        let saved = agency.member.get(&path).await;
        assert_eq!((saved.status, saved.text.as_str()), (200, "# Prices\n\nA cleaning costs 175 francs."));

        agency.admin.done("reindex_knowledge_file", &[("id", &entry)]).await;
        assert_eq!(file(&agency, &id, "Handbook 2027.md").await["status"], "pending");
        agency.drain().await;
        assert_eq!(asked(&agency, &id, "cleaning").await.len(), 1);

        agency.admin.done("delete_knowledge_file", &[("id", &entry)]).await;
        agency.drain().await;
        assert!(asked(&agency, &id, "cleaning").await.is_empty());
        assert_eq!(agency.member.get(&path).await.status, 404);
        assert_eq!(agency.admin.rpc("delete_knowledge_file", &[("id", &entry)]).await.status, 404);
    });
}

#[test]
fn each_kind_of_file_has_its_places() {
    run(|world| async move {
        let agency = Agency::new(world, "kinds").await;
        let id = collection(&agency, "Kinds").await;
        let docx = archive(&[(
            "word/document.xml",
            b"<w:document xmlns:w='w'><w:p><w:r><w:t>The alpha word stands in a document.</w:t></w:r></w:p></w:document>",
        )]);
        let page = "<!doctype html><html><body><nav>Menu</nav><h1>Costs</h1><p>The gamma word stands on a page.</p></body></html>";
        added(&agency, &id, "Word.docx", docx).await;
        added(&agency, &id, "table.csv", "Insurer;Pays\nHelvia;beta percent\n").await;
        added(&agency, &id, "page.html", page).await;
        added(&agency, &id, "Prices.pdf", pdf(&["The delta word stands on a sheet.", "The epsilon word comes later."]))
            .await;
        added(
            &agency,
            &id,
            "deutsch.txt",
            "Die gründlichen Reinigungen der Zähne dauern ungefähr fünfundvierzig Minuten und kosten \
            einhundertachtundsechzig Franken, die am selben Tag bezahlt werden, wenn keine Versicherung besteht.",
        )
        .await;
        agency.drain().await;
        for (word, kind, place) in [
            ("alpha", "DOCX", "beginning"),
            ("beta", "CSV", "row 2"),
            ("gamma", "HTML", "Costs"),
            ("epsilon", "PDF", "page 2"),
        ] {
            let hits = asked(&agency, &id, word).await;
            assert_eq!(hits.len(), 1, "{word}: {hits:?}");
            let _ = kind;
            // A page of few words goes on with the next one.
            let found = hits[0]["place"].as_str().unwrap_or_default();
            assert!(found == place || found == "pages 1–2", "{word}: {found}");
        }
        assert_eq!(file(&agency, &id, "deutsch.txt").await["language"], "German");
        assert_eq!(asked(&agency, &id, "Was kostet eine Reinigung?").await.len(), 1);
        assert_eq!(file(&agency, &id, "Prices.pdf").await["units"], 2);
        // The list as a file, with its filters.
        let csv = agency.member.get(&format!("/knowledge/{id}/export.csv?kind=text%2Fcsv")).await;
        assert!(csv.text.contains("table.csv") && !csv.text.contains("Word.docx"), "{}", csv.text);
    });
}

#[test]
fn hostile_files_are_refused_with_words_that_help() {
    run(|world| async move {
        let agency = Agency::new(world, "hostile").await;
        let id = collection(&agency, "Hostile").await;
        // What the first bytes tell.
        for (name, bytes, problem) in [
            ("empty.pdf", Vec::new(), "empty"),
            ("tool.pdf", b"\x7fELF\x02\x01\x01\0\0".to_vec(), "kind"),
            ("picture.md", b"\x89PNG\r\n\x1a\n\0\0\0".to_vec(), "kind"),
            ("old.doc", vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1], "old_office"),
            ("archive.zip", archive(&[("a.txt", b"a")]), "kind"),
        ] {
            let answer = upload(&agency, &id, name, bytes).await;
            assert!(
                answer.location.as_deref().is_some_and(|to| to.contains(&format!("problem={problem}"))),
                "{name}: {answer:?}"
            );
        }
        assert_eq!(page(&agency.admin, &id).await["page"]["rows"].as_array().map(Vec::len), Some(0));
        // What only a worker finds.
        let spaces = vec![b' '; 40 * 1024 * 1024];
        let bomb = archive(&[("word/document.xml", &[b"<w:document>".as_slice(), &spaces].concat())]);
        added(&agency, &id, "bomb.docx", bomb).await;
        added(&agency, &id, "scan.pdf", pdf(&[""])).await;
        added(&agency, &id, "broken.pdf", "%PDF-1.7 and then nothing").await;
        added(&agency, &id, "blank.txt", " \n \n").await;
        added(&agency, &id, "good.txt", "The rest is read all the same.").await;
        agency.drain().await;
        for (name, words) in [
            ("bomb.docx", "unpacks to far more"),
            ("scan.pdf", "pages are pictures"),
            ("broken.pdf", "damaged"),
            ("blank.txt", "no text"),
        ] {
            let row = file(&agency, &id, name).await;
            let error = row["error"].as_str().unwrap_or_default();
            assert!(row["status"] == "failed" && error.contains(words), "{name}: {row}");
        }
        assert_eq!(file(&agency, &id, "good.txt").await["status"], "indexed");
        // Names are text and nothing else.
        let name = "<img src=x onerror=alert(1)>\u{202e}.txt";
        added(&agency, &id, name, "Name").await;
        let shown = agency.member.get(&format!("/knowledge/{id}")).await;
        assert!(shown.status == 200 && !shown.text.contains("<img src=x"), "{}", shown.status);
    });
}

#[test]
fn a_file_whose_worker_dies_is_tried_three_times() {
    run(|world| async move {
        let agency = Agency::new(world, "dying").await;
        let id = collection(&agency, "Dying").await;
        // A page that is its own parent: whoever looks for its size there runs out of stack.
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 3 0 R /Contents 4 0 R >>",
            "<< /Length 0 >>\nstream\n\nendstream",
        ];
        added(&agency, &id, "loop.pdf", of_objects(&objects.map(|text| text.as_bytes().to_vec()))).await;
        // Nested far too deeply, which the reader sees.
        let deep = format!("<< /Type /Catalog /Pages 2 0 R /Deep {}{} >>", "[".repeat(400_000), "]".repeat(400_000));
        let none = b"<< /Type /Pages /Kids [] /Count 0 >>".to_vec();
        added(&agency, &id, "deep.pdf", of_objects(&[deep.into_bytes(), none])).await;
        for _ in 0..4 {
            agency.drain().await;
        }
        for name in ["loop.pdf", "deep.pdf"] {
            let row = file(&agency, &id, name).await;
            assert_eq!(row["status"], "failed", "{row}");
            assert!(row["error"].as_str().is_some_and(|error| error.contains("replace the file")), "{row}");
        }
        let dead = file(&agency, &id, "loop.pdf").await;
        assert!(dead["error"].as_str().is_some_and(|error| error.contains("three times")), "{dead}");
        let tries: i32 = owner_value(
            world,
            &format!("select attempts from knowledge_entries where id = '{}'", dead["id"].as_str().unwrap_or_default()),
        )
        .await;
        assert_eq!(tries, 3);
    });
}

#[test]
fn pages_by_address_go_through_the_guard() {
    run(|world| async move {
        let agency = Agency::new(world, "pages").await;
        let id = collection(&agency, "Pages").await;
        for address in [
            "",
            "no address",
            "http://example.com/",
            "https://127.0.0.1/",
            "https://localhost/",
            "https://169.254.169.254/latest",
            "ftp://example.com/a",
            "https://[::1]/",
            "file:///etc/passwd",
        ] {
            let fields = [("id", id.as_str()), ("address", address)];
            let answer = agency.admin.rpc("add_knowledge_page", &fields).await;
            assert!(answer.status == 422 && answer.error_at("address").is_some(), "{address}: {answer:?}");
        }
        let page = format!("{}/tools/pages/hours", world.sandbox_base);
        agency.admin.filled(&format!("/knowledge/{id}"), "add_knowledge_page", &[("address", &page)]).await;
        agency.drain().await;
        let hits = asked(&agency, &id, "When is the practice open on Saturday?").await;
        assert!(!hits.is_empty(), "{:?}", self::page(&agency.admin, &id).await);
    });
}

#[test]
fn collections_belong_to_their_agency_and_go_with_all_that_is_in_them() {
    run(|world| async move {
        let agency = Agency::new(world, "owners").await;
        let stranger = Agency::new(world, "strangers").await;
        let id = collection(&agency, "Ours").await;
        let twice = agency
            .admin
            .fill("/knowledge/new", "save_knowledge", &[("name", "ours"), ("client", &agency.one.id)])
            .await;
        assert!(twice.error_at("name").is_some(), "{twice:?}");
        let foreign = [("name", "Theirs"), ("client", stranger.one.id.as_str())];
        assert!(agency.admin.rpc("save_knowledge", &foreign).await.error_at("client").is_some());
        added(&agency, &id, "a.txt", "Something that only we know.").await;
        agency.drain().await;
        // The member reads and changes nothing.
        assert_eq!(agency.member.rpc("delete_knowledge", &[("id", &id)]).await.status, 403);
        let tried = agency.member.upload(&format!("/knowledge/{id}/files"), &[], "b.txt", b"b".to_vec()).await;
        assert_eq!(tried.status, 403, "{tried:?}");
        // Nobody else learns that it exists.
        for browser in [&stranger.owner, &agency.one.admin] {
            for (name, fields) in [
                ("get_knowledge", vec![("id", id.as_str())]),
                ("ask_knowledge", vec![("id", id.as_str()), ("question", "something")]),
                ("delete_knowledge", vec![("id", id.as_str())]),
                ("add_knowledge_page", vec![("id", id.as_str()), ("address", "https://example.com/")]),
            ] {
                assert_eq!(browser.rpc(name, &fields).await.status, 404, "{name}");
            }
            let tried = browser.upload(&format!("/knowledge/{id}/files"), &[], "b.txt", b"b".to_vec()).await;
            assert_eq!(tried.status, 404, "{tried:?}");
        }
        let key: String =
            owner_value(world, &format!("select gcs_path from knowledge_entries where collection_id = '{id}'")).await;
        agency.admin.filled(&format!("/knowledge/{id}/edit"), "delete_knowledge", &[]).await;
        assert_eq!(agency.admin.rpc("get_knowledge", &[("id", &id)]).await.status, 404);
        agency.drain().await;
        let left: i64 =
            owner_value(world, &format!("select count(*) from knowledge_collections where id = '{id}'")).await;
        assert_eq!(left, 0);
        let folder = world.db.services().uploads.with_file_name("knowledge");
        assert!(folder.is_dir() && !folder.join(key).exists(), "the stored file is gone, too");
        // Its name is free again.
        collection(&agency, "Ours").await;
    });
}

#[test]
fn nothing_is_read_for_a_suspended_agency_or_added_for_an_archived_client() {
    run(|world| async move {
        let agency = Agency::new(world, "archived").await;
        let id = collection(&agency, "Archived").await;
        agency.owner.done("set_client_status", &[("id", &agency.one.id), ("status", "archived")]).await;
        let answer = upload(&agency, &id, "a.txt", "a").await;
        assert!(answer.location.as_deref().is_some_and(|to| to.contains("problem=archived")), "{answer:?}");
    });
}

/// A PDF of one page for each text.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + page * 2)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} /MediaBox [0 0 595 842] >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (at, text) in pages.iter().enumerate() {
        let content = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + at * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    of_objects(&objects.into_iter().map(String::into_bytes).collect::<Vec<_>>())
}

fn of_objects(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    out.extend(format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", places.len() + 1).bytes());
    out
}
