use super::*;

fn skill() -> SkillText {
    SkillText {
        name: "booking-visits".to_owned(),
        description: "Books a visit. Use it when a caller wants an appointment.".to_owned(),
        instructions: "Ask for the day, then {{book}} it.".to_owned(),
        allowed_tools: vec!["book".to_owned()],
        references: vec![SkillFile { name: "hours.md".to_owned(), content: "Nine to five.\n".to_owned() }],
        scripts: vec![SkillFile { name: "check.py".to_owned(), content: "print({{{}}})".to_owned() }],
        ..SkillText::default()
    }
}

#[test]
fn an_agent_is_told_its_skills_in_the_fixed_form() {
    let told = told([&skill()]).unwrap();
    let (_, body) = told.split_once("you cannot run them.\n\n").unwrap();
    assert_eq!(
        body,
        "## Skill: booking-visits\n\nWhen to use it: Books a visit. Use it when a caller wants an appointment.\n\nTools for it: book\n\n\
         Ask for the day, then { {book} } it.\n\n### Reference: hours.md\n\nNine to five.\n\n\
         ### Script, for reading only: check.py\n\nprint({ { {} } })"
    );
    assert_eq!(characters(&skill()), body.chars().count());
    assert_eq!(super::told([]), None);
}

#[test]
fn tools_are_split_where_the_common_form_splits_them() {
    assert_eq!(split_tools("Bash(git add *), Read  Read\nWrite"), ["Bash(git add *)", "Read", "Write"]);
    assert_eq!(split_tools("Bash(git add"), ["Bash(git add"]);
    assert!(split_tools(" , ").is_empty());
}

#[test]
fn names_that_lead_elsewhere_are_none() {
    for good in ["prices.md", "eu/prices 2027.md", "Größen.md", "a_b-c.txt"] {
        assert!(check_file_name(good).is_ok(), "{good}");
    }
    for bad in ["", "../a", "a//b", "/a", "a\\b", ".env", "a/.git/x", "a.", "a\nb", "C:x", "a\u{202e}b", "x/..", "…"]
    {
        assert!(check_file_name(bad).is_err(), "{bad}");
    }
    assert!(is_name("a-1") && !is_name("a--b") && !is_name("-a") && !is_name("A") && !is_name("") && !is_name("é"));
}

#[test]
fn what_is_too_long_or_there_twice_is_refused_at_its_field() {
    assert!(skill().check().is_ok());
    let mut long = skill();
    long.references[0].content = "x".repeat(LONGEST_FILE);
    long.scripts[0].content = "y".repeat(LONGEST_FILE);
    let Err(AppError::Invalid(errors)) = long.check() else { panic!("too long") };
    assert!(errors.at("content").is_some_and(|text| text.contains("40000")), "{errors:?}");
    let mut twice = skill();
    twice.references.push(SkillFile { name: "HOURS.md".to_owned(), content: "x".to_owned() });
    let Err(AppError::Invalid(errors)) = twice.check() else { panic!("twice") };
    assert!(errors.at("file_name").is_some(), "{errors:?}");
}
