use super::*;

fn e164(text: &str, country: &str) -> Result<String, String> {
    let country = Some(country).filter(|code| !code.is_empty());
    let shown = |reading: Reading| {
        let all = std::iter::once(reading.phone).chain(reading.others).map(|phone| phone.to_string());
        [all.collect::<Vec<_>>().join(" "), reading.left_out].join("|").trim_end_matches('|').to_owned()
    };
    Phone::read(text, country).map(shown)
}

/// 3,000 numbers of all regions in six spellings, read by Google's libphonenumber.
#[test]
fn every_number_is_what_googles_rules_make_of_it() {
    let table = include_str!("../../../../tests/fixtures/phones.tsv");
    let mut rows = 0;
    for line in table.lines() {
        let [country, text, right] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(e164(text, country).as_deref(), Ok(right), "{line}");
        rows += 1;
    }
    assert_eq!(rows, 3_000);
}

#[test]
fn what_stands_beside_the_number_is_never_dialled() {
    for (country, text, right) in [
        ("DE", "030 901820 (abends)", "+4930901820|abends"),
        ("DE", "030 901820 Mia", "+4930901820|Mia"),
        ("DE", "089 1234567 privat", "+49891234567|privat"),
        ("DE", "089 1234567 PRIVAT", "+49891234567|PRIVAT"),
        ("DE", "030/901820", "+4930901820"),
        ("DE", "0171/2345678", "+491712345678"),
        ("DE", "+49 (0)30 901820-21", "+493090182021"),
        ("DE", "030 901820 Durchwahl 21", "+4930901820|Durchwahl 21"),
        ("DE", "030 901820 ab 18 Uhr", "+4930901820|ab 18 Uhr"),
        ("US", "415-555-0148 x2", "+14155550148|x2"),
        ("US", "(617) 555-0148, ext. 3", "+16175550148|ext. 3"),
        ("US", "415-555-0148x2", "+14155550148|x2"),
        ("US", "415 555 0148 #12", "+14155550148|#12"),
        ("US", "415 555 0148,,2#", "+14155550148|2#"),
        ("US", "tel:+1-415-555-0148;ext=7", "+14155550148|ext=7"),
        ("", "+1 415 555 0150 ext 7", "+14155550150|ext 7"),
        ("US", "415-555-0148 M", "+14155550148|M"),
        ("US", "p:+14155550148", "+14155550148"),
        ("US", "Tel.: (415) 555-0148", "+14155550148"),
        ("US", "=\"4155550148\"", "+14155550148"),
        ("CH", "\u{202a}+41 79 200 10 01\u{202c}", "+41792001001"),
        ("CH", "079\u{200b}200\u{200b}10\u{200b}03", "+41792001003"),
        ("IN", "०९८१२३४५६७०", "+919812345670"),
        ("", "+૯૧ ૯૮૧૨૩ ૪૫૬૭૦", "+919812345670"),
        ("", "+٩٦٦٥٠١٢٣٤٥٦٧", "+966501234567"),
        ("", "＋８１９０１２３４５６７８", "+819012345678"),
        ("CH", "41795551234.0", "+41795551234"),
        ("", "41795551234.0", "+41795551234"),
        ("", "41795551234,0", "+41795551234"),
        ("", "41795551234", "+41795551234"),
        ("FR", "774768867", "+33774768867"),
        ("AU", "0044 20 7946 0021", "+442079460021"),
    ] {
        assert_eq!(e164(text, country).as_deref(), Ok(right), "{text} in {country}");
    }
}

#[test]
fn several_numbers_in_one_cell_are_told_apart() {
    for (country, text, right) in [
        ("", "+41 79 200 60 01 ::: +41 44 555 60 01", "+41792006001 +41445556001"),
        ("CH", "079 200 60 01; 044 555 60 01", "+41792006001 +41445556001"),
        ("CH", "079 200 60 01 / 044 555 60 01", "+41792006001 +41445556001"),
        ("CH", "079 200 60 01\n044 555 60 01", "+41792006001 +41445556001"),
        ("CH", "079 200 60 01, 044 555 60 01", "+41792006001 +41445556001"),
        ("CH", "+41 79 200 60 01+41 44 555 60 01", "+41792006001 +41445556001"),
        ("CH", "079 200 60 01 (M) oder 044 555 60 01", "+41792006001 +41445556001|M) oder"),
        ("CH", "044 555 60 01/02", "+41445556001|02"),
        ("DE", "030/901820, 0171/2345678", "+4930901820 +491712345678"),
    ] {
        assert_eq!(e164(text, country).as_deref(), Ok(right), "{text} in {country}");
    }
}

#[test]
fn what_is_not_certainly_the_number_is_refused_with_the_reason() {
    for (country, text, reason) in [
        ("", "415-555-0148 x2", "no country code"),
        ("", "(617) 555-0148, ext. 3", "no country code"),
        ("US", "1-800-FLOWERS", "letters"),
        ("US", "1800 FLOWERS", "letters"),
        ("DE", "030 90182 TAXI", "letters"),
        ("DE", "030 90182o", "letters"),
        ("DE", "030 90182 O 3", "letters"),
        ("CH", "O79 200 10 01", "letters"),
        ("DE", "030 901820/21", "can be read as +4930901820 or as +493090182021"),
        ("DE", "+49 30 901,820", "can be read as"),
        ("DE", "0309018.20", "can be read as"),
        ("CH", "4.17912E+10", "spreadsheet"),
        ("CH", "4.1795551234E10", "spreadsheet"),
        ("CH", "4,1795551234e10", "spreadsheet"),
        ("CH", "41,795,551,234", "not a phone number"),
        ("CH", "Fax 044 555 60 01", "fax"),
        ("CH", "044 555 60 01 (wrong)", "wrong"),
        ("CH", "12", "too few digits"),
        ("CH", "n/a", "not a phone number"),
        ("CH", "ada@example.org", "not a phone number"),
        ("CH", "CHE-123.456.789", "can be dialled in CH"),
        ("CH", "DE89 3704 0044 0532 0130 00", "letters"),
        ("US", "tel:555-0148;phone-context=+1-415", "not a phone number"),
        ("CH", "079 200 60 01 044 555 60 01", "too many digits"),
        ("CH", "\u{200b}", "empty"),
    ] {
        let said = e164(text, country).expect_err(text);
        assert!(said.contains(reason), "{text} in {country}: {said}");
    }
    let long = e164(&"0".repeat(1_000_000), "CH").unwrap_err();
    assert!(long.contains("longer than 250"), "{long}");
}

#[test]
fn a_field_takes_the_number_alone() {
    assert_eq!(Phone::parse("079 200 60 01", Some("ch")).unwrap().as_str(), "+41792006001");
    assert!(Phone::parse("079 200 60 01 x2", Some("CH")).unwrap_err().contains("without “x2”"));
    assert!(Phone::parse("079 200 60 01; 044 555 60 01", Some("CH")).unwrap_err().contains("two numbers"));
}

/// Whatever stands in a cell: nothing panics, what comes out is a number whose digits stand in the cell in that order (but for the
/// country code), and reading it again gives the same.
#[test]
fn any_text_gives_a_number_that_stands_in_it_or_none() {
    const PIECES: [&str; 44] = [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "00",
        "079",
        "200 60 01",
        "030",
        "901820",
        "(415)",
        "555-0148",
        "+41",
        "+1",
        "+49 ",
        "+",
        "(",
        ")",
        " ",
        " ",
        "-",
        ".",
        "/",
        ",",
        ";",
        " ::: ",
        "x",
        " ext ",
        "e+10",
        "Mia",
        "TAXI",
        "O",
        "\u{202a}",
        "\u{200b}",
        "०",
        "９",
        "٣",
        "\n",
        "#",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        // xorshift64
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let mut read = 0;
    for _ in 0..10_000 {
        let text: String = (0..next(14)).map(|_| PIECES[next(PIECES.len())]).collect();
        for country in [None, Some("CH"), Some("DE"), Some("US"), Some("IN")] {
            let Ok(reading) = Phone::read(&text, country) else { continue };
            read += 1;
            let written: String = plain(&text).chars().filter(char::is_ascii_digit).collect();
            for phone in std::iter::once(&reading.phone).chain(&reading.others) {
                assert_eq!(Phone::read(phone.as_str(), country).unwrap().phone, *phone, "{text:?}");
                // One to three digits of the code may be the country's.
                let digits = &phone.as_str()[1..];
                assert!((0..=3).any(|code| written.contains(&digits[code..])), "{text:?} in {country:?}: {phone}");
            }
        }
    }
    assert!(read > 500, "{read} of the texts were numbers");
}

#[test]
fn strange_letters_of_any_kind_do_no_harm() {
    for code in (0..0x3100_u32).chain(0xfe00..=0xffff).filter_map(char::from_u32) {
        let text = format!("079 200 60 01{code}2");
        if let Ok(reading) = Phone::read(&text, Some("CH")) {
            assert_eq!(reading.phone.as_str(), "+41792006001", "{text:?}");
        }
    }
}
