use super::*;

fn guess(first: &str, rows: &[&str]) -> Mapping {
    let cells = |line: &str| line.split(';').map(str::to_owned).collect::<Vec<_>>();
    let preview =
        Preview { first: cells(first), rows: rows.iter().map(|row| cells(row)).collect(), ..Preview::default() };
    mapping(&preview, &[])
}

#[test]
fn names_in_several_languages() {
    use Target::*;
    assert_eq!(
        guess("Vorname;Name;Firma;Handy", &["Ada;Vogt;ACME;079 123 45 67"]).columns,
        [FirstName, LastName, Company, Phone]
    );
    assert_eq!(guess("Nombre;Apellidos;Móvil", &["Rosa;Gil;+34600111222"]).columns, [FirstName, LastName, Phone]);
    assert_eq!(guess("NOM;Prénom;Numéro de téléphone", &["Roy;Zoé;0612345678"]).columns, [LastName, FirstName, Phone]);
    assert_eq!(guess("नाम;मोबाइल", &["आशा;+919812345678"]).columns, [Name, Phone]);
    assert_eq!(guess("Имя;Телефон", &["Анна Белова;+41792009008"]).columns, [Name, Phone]);
    assert_eq!(
        guess("Фамилия;Имя;Мобильный телефон;Не звонить", &["Белова;Анна;+41792009008;да"]).columns,
        [LastName, FirstName, Phone, DoNotCall]
    );
    assert_eq!(
        guess("Line;Rejected because;E-Mail;Tel.", &["4;x;a@b.ch;0791234567"]).columns,
        [Skip, Skip, Email, Phone]
    );
}

#[test]
fn the_column_with_numbers_in_it_is_the_number() {
    use Target::*;
    assert_eq!(guess("Phone;Mobile", &[";+41791234567"]).columns, [OtherPhone, Phone]);
    assert_eq!(guess("A;B", &["Ada;+41791234567"]).columns, [Attribute, Phone]);
}

#[test]
fn a_file_may_have_no_names() {
    let guessed = guess("Ada;+41791234567", &["Bea;+41791234568"]);
    assert!(!guessed.named);
    assert_eq!(guessed.columns, [Target::Attribute, Target::Phone]);
}

#[test]
fn a_first_row_with_marks_or_an_extension_is_a_person() {
    for cell in [
        "\u{202a}+41 79 200 11 01\u{202c}",
        "415-555-0148 x2",
        "०९८१२३४५६७०",
        "=\"0791234567\"",
        "+41 79 200 60 01 ::: +41 44 555 60 01",
    ] {
        assert!(looks_like_phone(cell), "{cell}");
        assert!(!guess(&format!("Ada;{cell}"), &[]).named, "{cell}");
    }
    for cell in ["2024-03-01", "2024-03-01 10:11:12", "12345678 Main St", "Phone 2", "x", "ext", ""] {
        assert!(!looks_like_phone(cell), "{cell}");
    }
}

#[test]
fn address_books_are_recognised() {
    use Target::*;
    let google = "First Name;Last Name;Organization Name;E-mail 1 - Label;E-mail 1 - Value;Phone 1 - Label;Phone 1 - Value;Phone 2 - Label;Phone 2 - Value";
    let row = "Ada;Lund;Acme;Work;a@x.org;Mobile;+41 79 200 60 01 ::: +41 44 555 60 01;Work;";
    let right = [FirstName, LastName, Company, Attribute, Email, Attribute, Phone, Attribute, OtherPhone];
    assert_eq!(guess(google, &[row]).columns, right);
    let old = "Name;Given Name;Family Name;E-mail 1 - Type;E-mail 1 - Value;Phone 1 - Type;Phone 1 - Value;Organization 1 - Name";
    assert_eq!(
        guess(old, &["Ada Lund;Ada;Lund;*;a@x.org;Mobile;+41792006001;Acme"]).columns,
        [Name, FirstName, LastName, Attribute, Email, Attribute, Phone, Company]
    );
    let outlook = "First Name;Last Name;Company;Business Phone;Home Phone;Mobile Phone;Business Fax;E-mail Address";
    assert_eq!(
        guess(outlook, &["Ada;Lund;Acme;;;+41792006001;+41445556009;a@x.org"]).columns,
        [FirstName, LastName, Company, OtherPhone, OtherPhone, Phone, Attribute, Email]
    );
    assert_eq!(
        guess("FN;ORG;BusinessPhone;CELL;EMAIL", &["Ada;Acme;+41792006001;;a@x.org"]).columns,
        [Name, Company, Phone, OtherPhone, Email]
    );
    assert_eq!(
        guess("FirstName;MobilePhone;DoNotCall;HasOptedOutOfEmail", &["Ada;+41792006001;0;1"]).columns,
        [FirstName, Phone, DoNotCall, Attribute]
    );
}

#[test]
fn columns_about_consent_are_recognised() {
    for name in [
        "Do not call",
        "Do-Not-Call (DNC)",
        "DoNotCall",
        "DNC?",
        "Phone opt-out",
        "opt_out",
        "Has opted out of calls",
        "Do not allow Phone Calls",
        "Nicht anrufen",
        "Ne pas appeler",
        "No llamar",
        "Não ligar",
        "Do not call or e-mail",
    ] {
        assert_eq!(by_name(name), Target::DoNotCall, "{name}");
    }
    for name in ["Consent", "Opt-in", "OK to call", "Einwilligung", "Call consent", "consent_to_call"] {
        assert_eq!(by_name(name), Target::MayCall, "{name}");
    }
    for name in ["Email Opt Out", "SMS opt-out", "E-mail consent", "Called", "Cabin"] {
        assert_eq!(by_name(name), Target::Attribute, "{name}");
    }
    // One of two columns may hold the only no.
    assert_eq!(
        guess("Phone;DNC;Opt out", &["+41792006001;no;yes"]).columns[1..],
        [Target::DoNotCall, Target::DoNotCall]
    );
}
