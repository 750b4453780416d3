use super::*;

fn form() -> CaseForm {
    CaseForm {
        name: "Books".to_owned(),
        kind: "message".to_owned(),
        input: "A check-up, please".to_owned(),
        matcher: "contains".to_owned(),
        expected: "Tuesday".to_owned(),
        ..CaseForm::default()
    }
}

#[test]
fn a_form_is_what_it_was_after_it_was_stored() {
    let typed = CaseForm {
        kind: "conversation".to_owned(),
        most_turns: "4".to_owned(),
        tool_checks: "book {\"day\":\"Tue\"}\nnot transfer".to_owned(),
        stubs: "book = Booked = yes".to_owned(),
        variables: "name = Ada".to_owned(),
        tags: "A, b".to_owned(),
        ..form()
    };
    let fields = typed.check().unwrap();
    assert_eq!(fields.stubs["book"], "Booked = yes");
    assert_eq!(fields.tool_checks[0].arguments, Some(serde_json::json!({"day": "Tue"})));
    assert_eq!(fields.form(String::new(), String::new()).check().unwrap(), fields);
}

#[test]
fn forms_say_what_to_do() {
    for (field, wrong) in [
        ("name", CaseForm { name: " ".into(), ..form() }),
        ("input", CaseForm { input: String::new(), ..form() }),
        ("matcher", CaseForm { matcher: "like".into(), ..form() }),
        ("expected", CaseForm { expected: String::new(), ..form() }),
        ("expected", CaseForm { matcher: "json_schema".into(), expected: "{}".into(), ..form() }),
        ("tool_checks", CaseForm { tool_checks: "book Tuesday".into(), ..form() }),
        ("tool_checks", CaseForm { tool_checks: "not book {\"a\": 1}".into(), ..form() }),
        ("tool_checks", CaseForm { tool_checks: r#"book {"a": "\u0000"}"#.into(), ..form() }),
        ("stubs", CaseForm { stubs: "book".into(), ..form() }),
        ("most_turns", CaseForm { kind: "conversation".into(), most_turns: "99".into(), ..form() }),
    ] {
        let Err(AppError::Invalid(errors)) = wrong.check() else { panic!("{field}: it was taken") };
        assert!(errors.at(field).is_some(), "{field}");
    }
    let only_tools = CaseForm { expected: String::new(), tool_checks: "book".into(), ..form() };
    assert!(only_tools.check().is_ok());
    let run = RunForm { budget: "0".into(), version: "x".into(), model: "m".into(), ..RunForm::default() };
    let Err(AppError::Invalid(errors)) = run.check() else { panic!("it was taken") };
    assert!(["budget", "version", "account"].iter().all(|field| errors.at(field).is_some()));
}

#[test]
fn costs_that_nobody_told_are_never_zero() {
    let money = |cents| Money(rust_decimal::Decimal::new(cents, 2));
    assert_eq!(cost_text(money(0), 1, 10), "Not priced yet");
    assert_eq!(cost_text(money(12), 0, 10), "$0.12");
    assert_eq!(cost_text(money(12), 2, 10), "$0.12 and more, not priced yet");
    assert_eq!(cost_text(money(0), 0, 10), "$0.00");
}
