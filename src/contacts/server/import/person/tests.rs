use super::super::records::Records;
use super::*;

fn plan() -> Plan {
    let preview = Preview {
        first: ["Name", "Phone", "Mail", "TZ", "DNC", "Plan b", "Phone b"].map(str::to_owned).to_vec(),
        ..Preview::default()
    };
    use Target::*;
    let mapping =
        Mapping { named: true, columns: vec![Name, Phone, Email, TimeZone, DoNotCall, Attribute, OtherPhone] };
    Plan::new(&preview, &mapping, Some("CH".into()))
}

fn read(row: &str) -> Result<Person, Refusal> {
    let mut records = Records::new(row.as_bytes(), b';');
    plan().read(&records.read().unwrap().unwrap())
}

fn attribute(person: &Person, key: &str) -> Option<String> {
    person.attributes(plan().keys()).find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
}

#[test]
fn a_good_row() {
    let person = read("Ada Vogt;079 123 45 67;ada@x.ch;Europe/Zurich;ja;gold").unwrap();
    assert_eq!(person.phone.as_str(), "+41791234567");
    assert_eq!(person.do_not_call, Some(DoNotCall::Said));
    assert_eq!(attribute(&person, "plan_b").unwrap(), "gold");
    assert_eq!(read("Ada;'+41791234567").unwrap().phone.as_str(), "+41791234567");
    assert_eq!(read("'=SUM(1);+41791234567").unwrap().name, "=SUM(1)");
    assert_eq!(attribute(&read("Ada;+41791234567;n/a").unwrap(), "email_as_written").unwrap(), "n/a");
}

#[test]
fn bad_rows_say_why() {
    let kind = |row: &str| read(row).unwrap_err().kind;
    assert_eq!(kind(";;;"), "Empty row");
    assert_eq!(kind("Ada;"), "No number");
    assert_eq!(kind("Ada;123"), "Wrong number");
    assert!(read("Ada;4.17912E+10").unwrap_err().reason.contains("spreadsheet"));
    assert_eq!(kind("Ada;+41791234567;;;;;;;x"), "Too many columns");
    assert!(read("Ada;+41791234567;;;;;;;;").is_ok());
    assert_eq!(kind("A\0da;+41791234567"), "Unreadable");
    assert_eq!(kind("Ada;+41791234567;;Mars/Base"), "Unknown time zone");
}

#[test]
fn a_row_that_is_refused_still_keeps_from_calling() {
    let refused = read("Ada;+41791234567;;Mars/Base;yes").unwrap_err();
    assert_eq!(refused.do_not_call.unwrap().0, [phone("+41791234567")]);
    assert_eq!(read("Ada;+41791234567;;Mars/Base;no").unwrap_err().do_not_call, None);
    let unreadable = read("Ada;+41791234567;;;may\0be").unwrap_err();
    assert_eq!(unreadable.do_not_call.unwrap().1, DoNotCall::Unclear("maybe".into(), "DNC".into()));
    let unclear = read("Ada;+41791234567;;;maybe").unwrap().do_not_call.unwrap();
    assert_eq!(unclear.reason("a.csv"), "“maybe” in the column DNC of the file a.csv is neither a yes nor a no");
    assert_eq!(read("Ada;079 123 45 67 (nicht anrufen);;;no").unwrap().do_not_call, Some(DoNotCall::Said));
}

/// However the row is broken, and whichever of its numbers the client has: who must not be called is not.
#[test]
fn a_no_counts_for_every_number_of_the_row() {
    let both = [phone("+41791234567"), phone("+41445556001")];
    let refused = |row: &str| read(row).unwrap_err().do_not_call.unwrap().0;
    assert_eq!(refused("Ada;+41791234567;;;yes;;;one cell more"), both[..1]);
    assert_eq!(refused("Ada;+41791234567;;Mars/Base;yes;;044 555 60 01"), both);
    assert_eq!(refused("Ada;12;;;yes;;044 555 60 01"), both[1..]);
    let person = read("Ada;079 123 45 67 / 044 555 60 01;;;yes;;044 555 60 01").unwrap();
    assert_eq!((&person.phone, &person.other_phones[..]), (&both[0], &both[1..]));
    let person = read("Ada;079 123 45 67;;;no;;044 555 60 01 (DNC)").unwrap();
    assert_eq!((person.do_not_call, &person.other_phones[..]), (Some(DoNotCall::Said), &both[1..]));
    // Nothing is kept of the others where nothing is said.
    assert_eq!(read("Ada;079 123 45 67;;;no;;044 555 60 01").unwrap().other_phones, []);
}

fn phone(text: &str) -> Phone {
    Phone::parse(text, None).unwrap()
}

#[test]
fn what_is_cut_off_is_kept_as_a_variable() {
    let person = read("Ada;079 123 45 67 ext 9 / 044 555 60 01;a@x.ch ::: b@x.ch").unwrap();
    assert_eq!((person.phone.as_str(), person.email.as_deref()), ("+41791234567", Some("a@x.ch")));
    let kept = |key: &str| attribute(&person, key);
    assert_eq!(kept("phone_2"), Some("+41445556001".into()));
    assert_eq!(kept("phone_as_written"), Some("079 123 45 67 ext 9 / 044 555 60 01".into()));
    assert_eq!(kept("email_as_written"), Some("a@x.ch ::: b@x.ch".into()));
    assert_eq!(read("Ada;+41791234567;Ada <ada@x.ch>").unwrap().email.as_deref(), Some("ada@x.ch"));
}
