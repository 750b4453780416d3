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

fn grid() -> GridForm {
    GridForm {
        version_1: "1".into(),
        version_3: "3".into(),
        account_2: "0199a0b0-0000-7000-8000-000000000001".into(),
        model_2: " gpt-5 ".into(),
        tag: " Money".into(),
        budget: "$4".into(),
        ..GridForm::default()
    }
}

#[test]
fn a_grid_closes_gaps_and_keeps_to_its_size() {
    let new = grid().check().unwrap();
    assert_eq!((new.cells(), new.versions[1], new.repeats), (2, (3, 3), 1));
    let pairs = new.pairs();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let account = ("account_1", "0199a0b0-0000-7000-8000-000000000001");
    let expected = [
        ("version_1", "1"),
        ("version_2", "3"),
        account,
        ("model_1", "gpt-5"),
        ("tag", "money"),
        ("repeats", "1"),
        ("budget", "4.00"),
    ];
    assert_eq!(pairs, expected);
    let often = NewGrid { repeats: 5, ..new };
    assert!(often.check_size(100).is_ok());
    let Err(AppError::Invalid(errors)) = often.check_size(101) else { panic!("it was taken") };
    assert!(errors.at("repeats").is_some_and(|why| why.contains("1010 tests, 505 in each cell")), "{errors:?}");
    let Err(AppError::Invalid(errors)) = GridForm::default().check() else { panic!("it was taken") };
    assert!(errors.at("version_1").is_some() && errors.at("account_1").is_some());
}

#[test]
fn a_case_differs_when_it_passes_here_and_not_there() {
    let counts = |passed, failed| Counts { all: 2, passed, failed, ..Counts::default() };
    let case = |cells: &[Counts]| GridCase {
        case: TestCaseId(serde_json::from_str("\"0199a0b0-0000-7000-8000-000000000001\"").unwrap()),
        name: String::new(),
        matcher: Matcher::Exact,
        cells: cells.iter().map(|counts| Some(CaseInCell { counts: *counts, median_ms: None })).collect(),
    };
    assert!(case(&[counts(2, 0), counts(1, 1)]).differs());
    assert!(!case(&[counts(2, 0), counts(0, 0)]).differs(), "nobody knows yet");
    assert!(!case(&[counts(0, 2), counts(1, 1)]).differs());
    let sum = |passed, failed| CaseSum {
        counts: counts(passed, failed),
        median_ms: None,
        cost: Money::default(),
        each: None,
        unpriced: 0,
        tokens: 0,
    };
    for (a, b, expected) in [
        (Some(sum(1, 1)), Some(sum(2, 0)), Change::NowPasses),
        (Some(sum(2, 0)), Some(sum(1, 1)), Change::NowFails),
        (Some(sum(0, 2)), Some(sum(1, 1)), Change::Same),
        (Some(sum(2, 0)), Some(sum(0, 0)), Change::OnlyOne),
        (None, Some(sum(2, 0)), Change::OnlyOne),
        (None, Some(sum(0, 0)), Change::Same),
    ] {
        assert_eq!(compare::change(a.as_ref(), b.as_ref()), expected, "{a:?} {b:?}");
    }
}
