use super::*;

#[test]
fn sizes_are_said_as_people_count() {
    let said = [0, 999, 1_000, 479_600, 1_249_000, 8_400_000_000].map(bytes_text);
    assert_eq!(said, ["0 B", "999 B", "1 kB", "480 kB", "1.2 MB", "8.4 GB"]);
}

#[test]
fn a_form_says_what_is_wrong_at_its_fields() {
    let form = CollectionForm { client: "nobody".into(), ..CollectionForm::default() };
    let Err(AppError::Invalid(errors)) = form.check() else { panic!("it is wrong") };
    assert!(errors.at("name").is_some() && errors.at("client").is_some());
    let form = CollectionForm { name: "ä".repeat(81), ..CollectionForm::default() };
    assert!(form.check().is_err());
    assert_eq!(CollectionForm { name: " Prices ".into(), ..CollectionForm::default() }.check().unwrap().name, "Prices");
}
