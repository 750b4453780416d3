//! What a row of a file means: which of its signs are the number, which zone somebody lives in, and whether they may be called.

use serde_json::{Value, json};

use super::contact_imports::{all, checked, found, imported, numbers, uploaded};
use super::support::{Agency, run};

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/imports/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The contact with this number.
async fn contact(agency: &Agency, number: &str) -> Value {
    let rows = found(&agency.admin, number).await;
    assert_eq!(rows.len(), 1, "{number}: {rows:?}");
    agency.admin.done("get_contact", &[("id", rows[0]["id"].as_str().expect("an id"))]).await.json()
}

fn reasons(view: &Value) -> String {
    view["problems"].to_string()
}

#[test]
fn only_what_is_certainly_the_number_is_taken() {
    run(|world| async move {
        let agency = Agency::new(world, "certain").await;
        let counts = ["imported", "doubled", "rejected"];

        // An extension is no part of a number, and completes none.
        let done = all(&agency, "extension.csv", file("us-extension"), &[("form[country]", "")]).await;
        assert_eq!(numbers(&done, &counts), [1, 0, 2], "{done}");
        assert!(reasons(&done).contains("has no country code"), "{done}");
        let al = contact(&agency, "+14155550150").await;
        assert_eq!(al["attributes"]["phone_as_written"], "+1 415 555 0150 ext 7");

        // Remarks are cut off; what can be one number or two is refused.
        let done = all(&agency, "remark.csv", file("number-with-remark"), &[("form[country]", "DE")]).await;
        assert_eq!(numbers(&done, &counts), [2, 1, 1], "{done}");
        assert!(reasons(&done).contains("can be read as +4930901820 or as +493090182021"), "{done}");
        assert_eq!(contact(&agency, "+49891234567").await["name"], "Tom Abt");

        let done = all(&agency, "digits.csv", file("native-digits"), &[("form[country]", "IN")]).await;
        assert_eq!(numbers(&done, &counts), [5, 0, 0], "{done}");
        assert_eq!(contact(&agency, "+966501234567").await["name"], "سلمى");

        let done = all(&agency, "headed.csv", file("invisible-marks-headed"), &[("form[country]", "CH")]).await;
        assert_eq!(numbers(&done, &counts), [4, 1, 0], "{done}");
        let done = all(&agency, "bare.csv", file("invisible-marks-bare"), &[]).await;
        assert_eq!((numbers(&done, &counts), &done["mapping"]["named"]), (vec![2, 0, 0], &json!(false)), "{done}");

        let odd = "name,phone\nA,41792002001.0\nB,4.1792002002E10\nC,1-800-FLOWERS\nD,\"079 200 20 04, 044 555 20 04\"\nE,\"=\"\"0792002005\"\"\"\n";
        let done = all(&agency, "odd.csv", odd, &[("form[country]", "CH")]).await;
        assert_eq!(numbers(&done, &counts), [3, 0, 2], "{done}");
        assert_eq!(contact(&agency, "+41792002004").await["attributes"]["phone_2"], "+41445552004");
        let rejected = reasons(&done);
        assert!(
            rejected.contains("A spreadsheet shortened") && rejected.contains("has letters in the number"),
            "{done}"
        );
    });
}

#[test]
fn a_number_typed_by_hand_stands_alone() {
    run(|world| async move {
        let agency = Agency::new(world, "by-hand").await;
        for (typed, said) in [
            ("079 200 30 01 x2", "without “x2”"),
            ("079 200 30 01 / 044 555 30 01", "two numbers"),
            ("1-800-FLOWERS", "letters"),
            ("7920030E4", "spreadsheet"),
        ] {
            let fields = [("client", agency.one.id.as_str()), ("form[phone]", typed), ("form[country]", "CH")];
            let answer = agency.admin.rpc("create_contact", &fields).await;
            assert_eq!(answer.status, 422, "{typed}: {answer:?}");
            let error = answer.error_at("phone").unwrap_or_default();
            assert!(error.contains(said), "{typed}: {error}");
        }
    });
}

#[test]
fn zones_are_taken_as_crms_write_them() {
    run(|world| async move {
        let agency = Agency::new(world, "zones").await;
        let done = all(&agency, "zones.csv", file("zone-words"), &[]).await;
        assert_eq!(numbers(&done, &["imported", "rejected"]), [6, 0], "{done}");
        for (number, zone) in [
            ("+12125550141", "America/New_York"),
            ("+13035550142", "America/Denver"),
            ("+12135550143", "America/Los_Angeles"),
            ("+12125550144", "America/New_York"),
            ("+12135550145", "America/Los_Angeles"),
            ("+12125550146", "America/New_York"),
        ] {
            assert_eq!(contact(&agency, number).await["timezone"], zone, "{number}");
        }
        let odd =
            "name,phone,time zone\nA,+41792004001,EST\nB,+12125550147,UTC-5\nC,+41792004003,CET\nD,+16025550141,MST\n";
        let done = all(&agency, "odd.csv", odd, &[]).await;
        assert_eq!(numbers(&done, &["imported", "rejected"]), [2, 2], "{done}");
        assert!(reasons(&done).contains("none of them fits a number like +41792004001"), "{done}");
        assert!(reasons(&done).contains("an offset, which knows no summer time"), "{done}");
        assert_eq!(contact(&agency, "+16025550141").await["timezone"], "America/Phoenix");
        // The same rule in a form, and for the agency's own zone.
        let fields = [("client", agency.one.id.as_str()), ("form[phone]", "+41792004009"), ("form[timezone]", "EST")];
        let answer = agency.admin.rpc("create_contact", &fields).await;
        assert!(answer.error_at("timezone").is_some_and(|error| error.contains("none of them fits")), "{answer:?}");
    });
}

#[test]
fn address_books_and_equal_columns_lose_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "address-books").await;
        let done = all(&agency, "google.csv", file("google-contacts"), &[("form[country]", "")]).await;
        assert_eq!(numbers(&done, &["imported", "rejected"]), [3, 0], "{done}");
        let ada = contact(&agency, "+41792006001").await;
        assert_eq!((&ada["company"], &ada["email"]), (&"Acme".into(), &"ada@example.org".into()), "{ada}");
        assert_eq!(ada["attributes"]["phone_2"], "+41445556001");
        // The first number is missing, the second is there.
        let bea = contact(&agency, "+41445556002").await;
        assert_eq!(
            (&bea["email"], &bea["attributes"]["email_as_written"]),
            (&"bea@example.org".into(), &"bea@example.org ::: b@example.org".into())
        );
        let done = all(&agency, "twice.csv", file("same-header-twice"), &[]).await;
        assert_eq!(numbers(&done, &["imported", "rejected"]), [1, 0], "{done}");
        assert_eq!(
            contact(&agency, "+41792003001").await["attributes"],
            json!({ "notes": "calls back at nine", "notes_2": "prefers e-mail", "plan_b": "gold", "plan_b_2": "silver" })
        );
    });
}

#[test]
fn whoever_a_file_does_not_clear_is_not_called() {
    run(|world| async move {
        let agency = Agency::new(world, "consent").await;
        let rows = "name,phone,do not call,opt-in,time zone\n\
                    Ada,+41792007001,maybe,yes,\nBea,+41792007002,no,yes,\nCyd,+41792007003,,,\nDan,+41792007004,nein,2024-03-01,\n\
                    Eve,+41792007005,2024-03-01,yes,\nFay,079 200 70 06 (DNC),no,yes,\nGus,+41792007007,no,ja,\nBea,+41792007002,ja,yes,\n\
                    Gus,+41792007008,yes,yes,Mars\nHal,+41792007009,no\0t sure,yes,\n";
        let id = uploaded(&agency, "consent.csv", rows).await;
        let seen = checked(&agency, &id, &[("form[country]", "CH")]).await;
        let check = &seen["preview"]["check"];
        // Ada, Cyd, Eve, Fay; Bea's second row, Gus' bad one and Hal's unreadable one, which aren't imported.
        assert_eq!(
            (&check["do_not_call"], &check["unclear"]),
            (&json!(7), &json!([["maybe", 1], ["not sure", 1]])),
            "{check}"
        );
        let page = agency.admin.get(&format!("/contacts/imports/{id}")).await.text;
        assert!(page.contains("Marked as do not call by the file: 7.") && page.contains("“maybe” (1)"), "{page}");
        imported(&agency, &id).await;
        let callable = async || {
            let rows = agency.admin.done("list_contacts", &[("query[suppressed]", "no")]).await.json();
            let rows = rows["rows"].as_array().expect("rows").iter();
            let mut numbers: Vec<String> =
                rows.map(|row| row["phone"].as_str().unwrap_or_default().to_owned()).collect();
            numbers.sort();
            numbers
        };
        assert_eq!(callable().await, ["+41792007004", "+41792007007"]);
        let reason = contact(&agency, "+41792007001").await["do_not_call_reason"].clone();
        assert_eq!(reason, "“maybe” in the column do not call of the file consent.csv is neither a yes nor a no");
        let reason = contact(&agency, "+41792007003").await["do_not_call_reason"].clone();
        assert_eq!(reason, "No consent in the column opt-in of the file consent.csv");
        // A row that cannot be imported still speaks for a contact who is there, and no file makes anybody callable again.
        let again =
            "name,phone,do not call,opt-in,time zone\nAda,+41792007001,no,yes,\nGus,+41792007007,yes,yes,Mars\n";
        all(&agency, "again.csv", again, &[("form[duplicates]", "update")]).await;
        assert_eq!(callable().await, ["+41792007004"]);

        // Nor is it the number that the client happens to have which decides: a no is one for all numbers of its row, and also in a row
        // with a cell too many.
        let known = "name,phone\nIda,+41792007010\nJoe,+41792007011\nKim,+41792007012\nLea,+41792007013\n";
        all(&agency, "known.csv", known, &[]).await;
        let again = "name,phone,do not call,other phone\nIda,+41792007010,yes,,one cell more\n\
                     Joe,+41792007020 / +41792007011,yes,\nKim,+41792007021,yes,+41792007012\nLea,12,yes,+41792007013\n";
        let id = uploaded(&agency, "twice.csv", again).await;
        checked(&agency, &id, &[("form[columns][3]", "other_phone")]).await;
        imported(&agency, &id).await;
        assert_eq!(callable().await, ["+41792007004"]);
    });
}
