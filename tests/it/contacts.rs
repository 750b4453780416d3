//! Lists of people come in as all sorts of files. None of them may harm, double or lose anybody.

use serde_json::Value;

use super::support::{Agency, Answer, run};

async fn upload(agency: &Agency, name: &str, bytes: &[u8]) -> Answer {
    agency.owner.upload("/contacts/imports/upload", &[("client", &agency.one.id)], name, bytes.to_vec()).await
}

async fn view(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_import", &[("id", id)]).await.json()
}

/// Uploads, maps the columns, checks, imports. Returns the import as it ended.
async fn bring(agency: &Agency, file: &[u8], columns: &[&str], duplicates: &str) -> Value {
    let answer = upload(agency, "people.csv", file).await;
    let id = answer.id().unwrap_or_else(|| panic!("an import: {answer:?}"));
    let mut fields: Vec<(String, &str)> =
        vec![("form[named]".into(), "true"), ("form[country]".into(), "US"), ("form[duplicates]".into(), duplicates)];
    fields.extend(columns.iter().enumerate().map(|(at, target)| (format!("form[columns][{at}]"), *target)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    agency.owner.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &fields).await;
    until(agency, &id, "checked").await;
    // By hand: the page offers it only when there is something to import.
    agency.owner.done("run_import", &[("id", &id)]).await;
    until(agency, &id, "completed").await;
    view(agency, &id).await
}

async fn until(agency: &Agency, id: &str, wanted: &str) {
    agency.drain().await;
    assert_eq!(view(agency, id).await["status"], wanted);
}

async fn names(agency: &Agency) -> Vec<String> {
    let list = agency.owner.done("list_contacts", &[]).await.json();
    let rows = list["rows"].as_array().expect("rows").clone();
    let mut names: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row["name"].as_str().unwrap_or(""), row["phone"].as_str().unwrap_or("")))
        .collect();
    names.sort();
    names
}

#[test]
fn files_of_all_sorts_become_contacts() {
    run(|world| async move {
        let agency = Agency::new(world, "files").await;
        let columns = ["name", "phone"];
        // A byte-order mark and semicolons; Windows-1252; quotes with line breaks; tabs and old line ends.
        bring(&agency, "\u{feff}Name;Telefon\r\nZoë Übel;+41 44 668 18 00\r\n".as_bytes(), &columns, "skip").await;
        bring(&agency, b"Name,Phone\nJos\xe9 Nu\xf1ez,+34 911 23 45 67\n", &columns, "skip").await;
        bring(&agency, b"Name,Phone\n\"Two\nLines, \"\"quoted\"\"\",202-555-0161\n", &columns, "skip").await;
        bring(&agency, b"Name\tPhone\nTabea\t+12025550162\n", &columns, "skip").await;
        let names = names(&agency).await.join("\n");
        for wanted in ["Zoë Übel +41446681800", "José Nuñez +34911234567", "+12025550161", "Tabea +12025550162"] {
            assert!(names.contains(wanted), "{wanted} is missing in\n{names}");
        }
        assert!(names.contains("quoted"), "{names}");
    });
}

#[test]
fn nobody_comes_in_twice_and_no_row_is_lost() {
    run(|world| async move {
        let agency = Agency::new(world, "twice").await;
        let rows = 3_000;
        let mut file = String::from("Name,Phone\n");
        for at in 0..rows {
            file += &format!("Person {at},+1202{:07}\n", 2_000_000 + at);
        }
        file += "Doubled,+12022000000\nNobody,\nShort,123\n";
        let first = bring(&agency, file.as_bytes(), &["name", "phone"], "skip").await;
        let counts = |view: &Value| {
            ["imported", "kept", "doubled", "rejected", "rows"].map(|name| view[name].as_i64().unwrap_or(-1))
        };
        assert_eq!(counts(&first), [rows, 0, 1, 2, rows + 3], "{first}");
        let again = bring(&agency, file.as_bytes(), &["name", "phone"], "skip").await;
        assert_eq!(counts(&again)[..2], [0, rows], "{again}");
        let total: i64 = super::support::owner_value(
            world,
            &format!("select count(*) from contacts where workspace_id = '{}'", agency.workspace_id),
        )
        .await;
        assert_eq!(total, rows);
    });
}

#[test]
fn files_that_are_no_lists_are_refused_with_a_reason() {
    run(|world| async move {
        let agency = Agency::new(world, "nolists").await;
        let cases: [(&str, &[u8], &str); 5] = [
            ("empty.csv", b"", "empty"),
            ("head.csv", b"Name,Phone\n", "rows"),
            ("book.xlsx", b"PK\x03\x04\x14\x00\x06\x00", "workbook"),
            ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00", "binary"),
            ("..\\..\\/etc/passwd", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x03\n\x00\x00,\x00\n", "binary"),
        ];
        for (name, bytes, problem) in cases {
            let answer = upload(&agency, name, bytes).await;
            let location = answer.location.clone().unwrap_or_default();
            assert!(location.contains(&format!("problem={problem}")), "{name}: {answer:?}");
            let page = agency.owner.get(&location).await;
            assert_eq!(page.status, 200, "{location}");
        }
        // Without a client, for a client that is not there, and for another agency's.
        let other = Agency::new(world, "nolists2").await;
        for client in ["", "nonsense", &uuid::Uuid::now_v7().to_string(), &other.one.id] {
            let file = b"Name,Phone\nA,+12025550163\n".to_vec();
            let answer =
                agency.owner.upload("/contacts/imports/upload", &[("client", client)], "people.csv", file).await;
            assert!(
                answer.id().is_none() || answer.location.as_deref().is_some_and(|to| to.contains("problem=")),
                "{client}: {answer:?}"
            );
        }
        assert!(!other.owner.done("list_imports", &[]).await.text.contains("people.csv"));
        for (browser, wanted) in [(&agency.member, 403), (&agency.one.viewer, 404)] {
            let file = b"Name,Phone\nA,+12025550163\n".to_vec();
            let answer =
                browser.upload("/contacts/imports/upload", &[("client", &agency.one.id)], "people.csv", file).await;
            assert_eq!(answer.status, wanted, "{answer:?}");
        }
        // A client's own admin may, and whatever client the form names, it is their own.
        let file = b"Name,Phone\nA,+12025550163\n".to_vec();
        let answer =
            agency.one.admin.upload("/contacts/imports/upload", &[("client", &agency.two.id)], "own.csv", file).await;
        assert!(answer.id().is_some(), "{answer:?}");
        assert!(!agency.two.admin.done("list_imports", &[]).await.text.contains("own.csv"));
    });
}

#[test]
fn people_who_asked_not_to_be_called_stay_so_through_an_import() {
    run(|world| async move {
        let agency = Agency::new(world, "donotcall").await;
        let id = agency.contact("+12025550164").await;
        let page = format!("/contacts/{id}");
        agency.owner.filled(&page, "suppress_contact", &[("reason", "Asked for it")]).await;
        bring(&agency, b"Name,Phone\nSomebody,+12025550164\n", &["name", "phone"], "update").await;
        let contact = agency.owner.done("get_contact", &[("id", &id)]).await.json();
        assert_eq!(
            (contact["do_not_call"].as_bool(), contact["name"].as_str()),
            (Some(true), Some("Somebody")),
            "{contact}"
        );
        agency.owner.filled(&page, "allow_contact", &[]).await;
        assert_eq!(agency.owner.done("get_contact", &[("id", &id)]).await.json()["do_not_call"], false);
    });
}

#[test]
fn exports_are_harmless_and_hold_what_was_asked_for() {
    run(|world| async move {
        let agency = Agency::new(world, "exports").await;
        let fields = [
            ("client", agency.one.id.as_str()),
            ("form[name]", "=HYPERLINK(\"http://evil\")"),
            ("form[phone]", "+12025550165"),
        ];
        agency.owner.filled("/contacts/new", "create_contact", &fields).await;
        agency.contact("+12025550166").await;
        let file = agency.owner.get("/contacts/export.csv").await;
        assert!(file.text.contains("'=HYPERLINK"), "{}", file.text);
        assert!(file.text.contains("2025550165") && file.text.contains("2025550166"), "{}", file.text);
        let none = agency.two.admin.get("/contacts/export.csv").await;
        assert!(none.status == 200 && !none.text.contains("202555"), "{}", none.text);
        // Broken and hostile filters find nothing, and break nothing.
        for filter in
            ["q=%25", "q=%27%20or%201=1", "cursor=oops", "cursor=o", "import=nonsense", "client=nonsense", "q=%00"]
        {
            let answer = agency.two.admin.get(&format!("/contacts/export.csv?{filter}")).await;
            assert!(answer.status < 500 && !answer.text.contains("202555"), "{filter}: {answer:?}");
        }
        for filter in ["query[q]", "query[cursor]", "query[client]", "query[import]"] {
            for value in ["%", "_", "\\", "'", "\"", "o%00", "zzzz", "\u{0}"] {
                let answer = agency.two.admin.rpc("list_contacts", &[(filter, value)]).await;
                assert!(answer.status < 500 && !answer.text.contains("202555"), "{filter}={value:?}: {answer:?}");
            }
        }
    });
}

#[test]
fn a_wrong_form_says_at_each_field_what_to_do() {
    run(|world| async move {
        let agency = Agency::new(world, "fields").await;
        let fields = [
            ("client", agency.one.id.as_str()),
            ("form[name]", "X"),
            ("form[phone]", "12"),
            ("form[email]", "nobody"),
            // No choice of the list, so it is sent by hand.
            ("form[timezone]", "Mars"),
        ];
        let answer = agency.owner.rpc("create_contact", &fields).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        for field in ["phone", "email", "timezone"] {
            let said = ["", "form."]
                .iter()
                .find_map(|prefix| answer.error_at(&format!("{prefix}{field}")))
                .or_else(|| answer.error_at(&format!("form[{field}]")));
            assert!(said.is_some_and(|sentence| sentence.len() > 10), "no message at {field}: {answer:?}");
        }
        agency.contact("+12025550167").await;
        let fields =
            [("client", agency.one.id.as_str()), ("form[name]", "Again"), ("form[phone]", "+1 (202) 555-0167")];
        let twice = agency.owner.fill("/contacts/new", "create_contact", &fields).await;
        assert_eq!(twice.status, 422, "{twice:?}");
    });
}
