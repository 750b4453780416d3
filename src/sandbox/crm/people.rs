//! Who stands in a CRM at first: people of an insurance agency's book, drawn from the account's name, and deals of some of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, TimeDelta, Utc};

use super::CrmKind;
use super::book::{Object, Record};
use crate::rng::Rng;

/// So many people stand in a fresh account.
pub const PEOPLE: usize = 240;
/// Every so-manieth has a deal.
const DEAL_EVERY: usize = 4;

const GERMAN_FIRST: [&str; 24] = [
    "Anna",
    "Lukas",
    "Sabine",
    "Jonas",
    "Miriam",
    "Felix",
    "Katrin",
    "Stefan",
    "Lea",
    "Matthias",
    "Ursula",
    "Tobias",
    "Elif",
    "Markus",
    "Johanna",
    "Henning",
    "Petra",
    "Emre",
    "Franziska",
    "Uwe",
    "Nadine",
    "Kilian",
    "Birgit",
    "Sven",
];
const GERMAN_LAST: [&str; 26] = [
    "Becker",
    "Schäfer",
    "Kowalski",
    "Brüning",
    "Yılmaz",
    "Hartmann",
    "Lindner",
    "Oberhuber",
    "Krüger",
    "Weiß",
    "Petersen",
    "Zimmermann",
    "Böhm",
    "Grau",
    "Sommer",
    "Öztürk",
    "Vogel",
    "Kessler",
    "Reuter",
    "Sauer",
    "Thiele",
    "Amsler",
    "Frei",
    "Widmer",
    "Bachmann",
    "Egger",
];
const ENGLISH_FIRST: [&str; 22] = [
    "Harriet", "Owen", "Priya", "Callum", "Denise", "Marcus", "Fiona", "Theo", "Yvonne", "Gareth", "Amara", "Simon",
    "Imogen", "Declan", "Rosalind", "Kwame", "Judith", "Elliot", "Niamh", "Douglas", "Beatrix", "Samuel",
];
const ENGLISH_LAST: [&str; 24] = [
    "Whitfield",
    "O’Connor",
    "Sharma",
    "Pritchard",
    "Okafor",
    "Baines",
    "Thornton",
    "McAllister",
    "Lowe",
    "Castellano",
    "Hughes",
    "Abara",
    "Fletcher",
    "Ravenscroft",
    "Mensah",
    "Doyle",
    "Kaplan",
    "Sutcliffe",
    "Nguyen",
    "Ferris",
    "Bramwell",
    "Stokes",
    "de la Cruz",
    "Underhill",
];
const COMPANIES: [&str; 12] = [
    "Nordlicht Bau",
    "Weber & Töchter",
    "Harbour Street Dental",
    "Kaffeewerk",
    "Lowe Carpentry",
    "Seeblick Hotel",
    "Mill Lane Garage",
    "Atelier Frei",
    "Ravenscroft Legal",
    "Grünhof",
    "Castle View Nursery",
    "Pfister Elektro",
];
const CITIES: [(&str, usize); 8] = [
    ("Berlin", 0),
    ("Potsdam", 0),
    ("Berlin", 0),
    ("Zürich", 1),
    ("Winterthur", 1),
    ("Chicago", 2),
    ("Evanston", 2),
    ("Leeds", 3),
];
const AREAS: [&str; 8] = ["312", "212", "415", "512", "617", "206", "303", "305"];
const STAGES: [&str; 4] = ["lead", "opportunity", "customer", "customer"];

/// Somebody whom everybody who tries the product meets.
struct Known {
    name: (&'static str, &'static str),
    phone: &'static str,
    city: &'static str,
    policy: &'static str,
}

const KNOWN: [Known; 6] = [
    Known { name: ("Hanna", "Vogt"), phone: "+49 30 23125 117", city: "Berlin", policy: "HH-2207-118" },
    Known { name: ("Grace", "Holloway"), phone: "+44 113 496 0917", city: "Leeds", policy: "LV-1180-204" },
    // Too short to be rung, in any country.
    Known { name: ("Peter", "Brandt"), phone: "061 55", city: "Basel", policy: "HH-2210-007" },
    Known { name: ("Tom", "Adeyemi"), phone: "+1 (312) 555-0184", city: "Chicago", policy: "AU-3301-552" },
    Known { name: ("Oskar", "Blum"), phone: "+41 44 555 20 84", city: "Zürich", policy: "HH-2219-310" },
    Known { name: ("Aisha", "Bello"), phone: "+1 312 555 0176", city: "Chicago", policy: "AU-3307-129" },
];

/// What is the same in both services.
struct Person {
    first: String,
    last: String,
    email: Option<String>,
    phone: String,
    mobile: Option<String>,
    company: Option<&'static str>,
    city: &'static str,
    policy: String,
    renewal: String,
    stage: &'static str,
    do_not_call: bool,
}

/// The records of a fresh account, contacts first.
pub(super) fn drawn(kind: CrmKind, account: &str, now: DateTime<Utc>) -> Vec<Record> {
    let mut rng = Rng::new(7, account);
    let (first_contact, first_deal) = kind.first_ids();
    let mut all = Vec::new();
    for at in 0..PEOPLE {
        let person = person(at, now, &mut rng);
        let created = now - TimeDelta::hours(24 * (20 + rng.below(380) as i64)) - TimeDelta::seconds(at as i64);
        let changed = created + TimeDelta::hours(rng.below(24 * 18) as i64);
        all.push(Record::new(first_contact + at as u64, Object::Contact, properties(kind, &person), created, changed));
    }
    for (index, at) in (0..PEOPLE).step_by(DEAL_EVERY).enumerate() {
        let created = all[at].changed;
        let name = &all[at].properties[kind.last_name()];
        let values = deal(kind, name, index, now, &mut rng);
        let mut record = Record::new(first_deal + index as u64, Object::Deal, values, created, created);
        record.links = vec![all[at].id];
        all.push(record);
    }
    all
}

fn person(at: usize, now: DateTime<Utc>, rng: &mut Rng) -> Person {
    let renewal = now.date_naive() + Days::new(rng.below(360) as u64);
    let stage = STAGES[rng.below(STAGES.len())];
    let (has_company, company) = (rng.chance(0.35), COMPANIES[rng.below(COMPANIES.len())]);
    let (city, country) = CITIES[rng.below(CITIES.len())];
    let do_not_call = rng.chance(0.04);
    let (has_email, has_mobile, is_local) = (rng.chance(0.93), rng.chance(0.3), rng.chance(0.35));
    let is_german = country < 2;
    let (first, last) = match is_german {
        true => (GERMAN_FIRST[rng.below(GERMAN_FIRST.len())], GERMAN_LAST[rng.below(GERMAN_LAST.len())]),
        false => (ENGLISH_FIRST[rng.below(ENGLISH_FIRST.len())], ENGLISH_LAST[rng.below(ENGLISH_LAST.len())]),
    };
    let policy = format!("{}-{}-{:03}", ["HH", "AU", "LV"][rng.below(3)], 2200 + at, rng.below(1000));
    let drawn = Person {
        first: first.to_owned(),
        last: last.to_owned(),
        email: has_email.then(|| email(first, last, Some(at))),
        phone: number(country, at, false, is_local),
        mobile: has_mobile.then(|| number(country, at, true, false)),
        company: has_company.then_some(company),
        city,
        policy,
        renewal: renewal.to_string(),
        stage,
        do_not_call,
    };
    match KNOWN.get(at) {
        Some(known) => Person {
            first: known.name.0.to_owned(),
            last: known.name.1.to_owned(),
            email: Some(email(known.name.0, known.name.1, None)),
            phone: known.phone.to_owned(),
            mobile: None,
            city: known.city,
            policy: known.policy.to_owned(),
            do_not_call: false,
            ..drawn
        },
        None => drawn,
    }
}

/// A number in a range that is kept for examples, as people type it or as programs write it. No two are the same.
fn number(country: usize, at: usize, is_mobile: bool, is_local: bool) -> String {
    let tail = if is_mobile { 500 + at } else { 200 + at };
    let (area, last) = (AREAS[at % AREAS.len()], at / AREAS.len() + if is_mobile { 40 } else { 0 });
    match (country, is_local) {
        (0, true) => format!("+49 30 23125 {tail}"),
        (0, false) => format!("+493023125{tail}"),
        (1, true) => format!("+41 44 555 {} {:02}", 21 + tail / 100, tail % 100),
        (1, false) => format!("+4144555{}{:02}", 21 + tail / 100, tail % 100),
        (2, true) => format!("+1 ({area}) 555-01{last:02}"),
        (2, false) => format!("+1{area}55501{last:02}"),
        (_, true) => format!("+44 113 496 0{tail}"),
        (_, false) => format!("+441134960{tail}"),
    }
}

fn email(first: &str, last: &str, at: Option<usize>) -> String {
    let plain = |text: &str| -> String {
        text.to_lowercase()
            .chars()
            .filter_map(|c| match c {
                'ä' => Some('a'),
                'ö' => Some('o'),
                'ü' => Some('u'),
                'ß' => Some('s'),
                'ı' => Some('i'),
                c => c.is_ascii_alphanumeric().then_some(c),
            })
            .collect()
    };
    let number = at.map(|at| at.to_string()).unwrap_or_default();
    format!("{}.{}{number}@example.com", plain(first), plain(last))
}

fn properties(kind: CrmKind, person: &Person) -> BTreeMap<String, String> {
    let names: [&str; 11] = match kind {
        CrmKind::Hubspot => [
            "firstname",
            "lastname",
            "email",
            "phone",
            "mobilephone",
            "company",
            "city",
            "policy_number",
            "renewal_date",
            "lifecyclestage",
            "do_not_call",
        ],
        CrmKind::Zoho => [
            "First_Name",
            "Last_Name",
            "Email",
            "Phone",
            "Mobile",
            "Company_Name",
            "Mailing_City",
            "Policy_Number",
            "Renewal_Date",
            "Stage",
            "Do_Not_Call",
        ],
    };
    let values = [
        Some(person.first.clone()),
        Some(person.last.clone()),
        person.email.clone(),
        Some(person.phone.clone()),
        person.mobile.clone(),
        person.company.map(str::to_owned),
        Some(person.city.to_owned()),
        Some(person.policy.clone()),
        Some(person.renewal.clone()),
        Some(person.stage.to_owned()),
        Some(person.do_not_call.to_string()),
    ];
    names.into_iter().zip(values).filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn deal(kind: CrmKind, name: &str, index: usize, now: DateTime<Utc>, rng: &mut Rng) -> BTreeMap<String, String> {
    let what = ["Household cover", "Car cover", "Life cover"][index % 3];
    let amount = (180 + 20 * rng.below(60)).to_string();
    let closes = (now.date_naive() + Days::new(rng.below(90) as u64)).to_string();
    let names = match kind {
        CrmKind::Hubspot => ["dealname", "amount", "dealstage", "closedate", "pipeline"],
        CrmKind::Zoho => ["Deal_Name", "Amount", "Stage", "Closing_Date", "Pipeline"],
    };
    let stage = match kind {
        CrmKind::Hubspot => ["appointmentscheduled", "contractsent", "closedwon"][rng.below(3)],
        CrmKind::Zoho => ["Qualification", "Proposal/Price Quote", "Closed Won"][rng.below(3)],
    };
    let values = [format!("{what}, {name}"), amount, stage.to_owned(), closes, "default".to_owned()];
    let currency = (kind == CrmKind::Hubspot).then(|| ("deal_currency_code".to_owned(), "EUR".to_owned()));
    names.into_iter().map(str::to_owned).zip(values).chain(currency).collect()
}
