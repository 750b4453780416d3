use serde_json::json;

use super::*;

const SCHEMA: &str =
    r#"{"type":"object","properties":{"id":{"type":"string"},"day":{"type":"string"}},"required":["id"]}"#;

fn form(changes: &[(&str, &str)]) -> Values {
    let mut values: Values = [
        ("method", "POST"),
        ("address", "https://api.example.com/customers/{id}"),
        ("schema", SCHEMA),
        ("secret_headers", "Authorization: Bearer abc"),
        ("timeout_seconds", "5"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    values.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    values
}

fn wrong(changes: &[(&str, &str)]) -> Vec<String> {
    let mut errors = FieldErrors::default();
    Http::read(&form(changes), &mut errors);
    errors.0.into_iter().map(|(field, _)| field).collect()
}

#[test]
fn a_form_that_is_right_reads_as_it_was_written() {
    let mut errors = FieldErrors::default();
    let read = Http::read(&form(&[]), &mut errors);
    assert_eq!(errors, FieldErrors::default());
    assert_eq!(read.secret_headers, ["Authorization"]);
    let again: Values = read.values().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert!(!format!("{again:?}").contains("Bearer"), "{again:?}");
    assert_eq!(Http::read(&again, &mut errors), read);
    assert_eq!(Http::secrets(&again, &mut errors), [("Authorization".to_owned(), None)]);
    let sent = Http::secrets(&form(&[]), &mut errors);
    assert_eq!(sent, [("Authorization".to_owned(), Some("Bearer abc".to_owned()))]);
}

#[test]
fn what_is_wrong_is_said_at_its_field() {
    for address in [
        "",
        "ftp://api.example.com/{id}",
        "api.example.com",
        "https://{id}.example.com/",
        "https://user:pass@api.example.com/{id}",
        "https://api.example.com/{nothing}",
        "https://api.example.com/{day}",
        "https://api.example.com/{id",
        "https://api.example.com/id}",
        "https://api.example.com/a b/{id}",
        "https://api.example.com/{id}#top",
    ] {
        assert_eq!(wrong(&[("address", address)]), ["address"], "{address}");
    }
    assert_eq!(wrong(&[("method", "HEAD")]), ["method"]);
    assert_eq!(wrong(&[("timeout_seconds", "41")]), ["timeout_seconds"]);
    assert_eq!(wrong(&[("retries", "-1")]), ["retries"]);
    for headers in ["Host: x", "no colon", "A b: c", "A: 1\nA: 2", "A: é", "A:"] {
        assert_eq!(wrong(&[("headers", headers)]), ["headers"], "{headers}");
        assert_eq!(wrong(&[("secret_headers", headers)]), ["secret_headers"], "{headers}");
    }
    assert_eq!(wrong(&[("headers", "authorization: x")]), ["secret_headers"]);
}

#[test]
fn no_value_leaves_its_place_in_the_address() {
    let arguments = json!({ "id": "north/42?x=1#é", "day": "mon" });
    let (address, left) = filled_address("https://a.example/c/{id}?q={id}", arguments.as_object().expect("an object"))
        .expect("an address");
    assert_eq!(address, "https://a.example/c/north%2F42%3Fx%3D1%23%C3%A9?q=north%2F42%3Fx%3D1%23%C3%A9");
    assert_eq!(left, *json!({ "day": "mon" }).as_object().expect("an object"));
    for bad in [
        json!({ "id": ".." }),
        json!({ "id": "../../admin" }),
        json!({ "id": "." }),
        json!({ "id": "" }),
        json!({ "id": null }),
        json!({}),
    ] {
        assert!(filled_address("https://a.example/c/{id}/d", bad.as_object().expect("an object")).is_err(), "{bad}");
    }
}
