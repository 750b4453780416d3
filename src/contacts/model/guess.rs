//! What the columns of a file probably are, from their names in several languages and from the values under them.

use super::import::{Mapping, Preview, Target};
use patchbay_shared::plain::plain;

const PHONE: &[&str] = &[
    "phone",
    "phone number",
    "phonenumber",
    "telephone",
    "telephone number",
    "tel",
    "tel no",
    "telefon",
    "telefonnummer",
    "mobile",
    "mobile phone",
    "mobile phone number",
    "mobile number",
    "mobil",
    "mobiltelefon",
    "mobilnummer",
    "handy",
    "handynummer",
    "natel",
    "gsm",
    "cell",
    "cell phone",
    "cellphone",
    "numero",
    "numéro",
    "numéro de téléphone",
    "numero de telephone",
    "téléphone",
    "téléphone mobile",
    "portable",
    "numéro de portable",
    "telefono",
    "teléfono",
    "número",
    "número de teléfono",
    "numero de telefono",
    "móvil",
    "movil",
    "celular",
    "telefone",
    "telemóvel",
    "cellulare",
    "numero di telefono",
    "telefoonnummer",
    "telefoon",
    "mobiel",
    "number",
    "nummer",
    "rufnummer",
    "to",
    "to number",
    // Address books: Google, Outlook in four languages, cards as CSV, and CRMs.
    "business phone",
    "business phone 2",
    "home phone",
    "home phone 2",
    "primary phone",
    "other phone",
    "work phone",
    "company main phone",
    "phone 1",
    "phone 2",
    "phone mobile",
    "phone home",
    "phone work",
    "tel cell",
    "tel home",
    "tel work",
    "tel type cell",
    "tel type home",
    "tel type work",
    "person phone",
    "telefon geschäftlich",
    "telefon geschäftlich 2",
    "telefon privat",
    "telefon privat 2",
    "haupttelefon",
    "festnetz",
    "tél",
    "tél mobile",
    "téléphone bureau",
    "téléphone domicile",
    "telephone domicile",
    "teléfono móvil",
    "teléfono del trabajo",
    "teléfono particular",
    "telefone celular",
    "telefono cellulare",
    "telefono ufficio",
    "फ़ोन",
    "फोन",
    "फोन नंबर",
    "मोबाइल",
    "मोबाइल नंबर",
    "ફોન",
    "ફોન નંબર",
    "મોબાઇલ",
    "મોબાઇલ નંબર",
];
const NAME: &[&str] = &[
    "name",
    "full name",
    "fullname",
    "contact",
    "contact name",
    "customer",
    "customer name",
    "lead",
    "lead name",
    "person",
    "kunde",
    "kontakt",
    "ansprechpartner",
    "ansprechperson",
    "vollständiger name",
    "nom complet",
    "nom",
    "nombre",
    "nombre completo",
    "contacto",
    "nome",
    "nome completo",
    "naam",
    "नाम",
    "fn",
    "display name",
    "person name",
    "पूरा नाम",
    "નામ",
    "પૂરું નામ",
];
const FIRST: &[&str] = &[
    "first name",
    "firstname",
    "first",
    "given name",
    "forename",
    "fname",
    "vorname",
    "prénom",
    "prenom",
    "primer nombre",
    "voornaam",
    "पहला नाम",
    "પ્રથમ નામ",
];
const LAST: &[&str] = &[
    "last name",
    "lastname",
    "last",
    "surname",
    "family name",
    "lname",
    "nachname",
    "familienname",
    "nom de famille",
    "apellido",
    "apellidos",
    "cognome",
    "sobrenome",
    "achternaam",
    "उपनाम",
    "અટક",
];
const EMAIL: &[&str] = &[
    "email",
    "e mail",
    "mail",
    "email address",
    "e mail address",
    "e mail 1",
    "e mail 1 value",
    "email 1",
    "email 1 value",
    "primary email",
    "person email",
    "emailadresse",
    "e mail adresse",
    "courriel",
    "adresse e mail",
    "adresse email",
    "correo",
    "correo electrónico",
    "correo electronico",
    "posta elettronica",
    "ईमेल",
    "ઇમેઇલ",
];
const COMPANY: &[&str] = &[
    "company",
    "company name",
    "firm",
    "business",
    "business name",
    "organisation",
    "organization",
    "account",
    "account name",
    "employer",
    "org",
    "organization name",
    "organisation name",
    "organization 1 name",
    "firma",
    "firmenname",
    "unternehmen",
    "entreprise",
    "société",
    "societe",
    "empresa",
    "compañía",
    "azienda",
    "società",
    "bedrijf",
    "कंपनी",
    "કંપની",
];
const ZONE: &[&str] =
    &["time zone", "timezone", "tz", "zeitzone", "fuseau horaire", "fuseau", "zona horaria", "fuso orario", "tijdzone"];
/// Names of do-not-call columns that say so only as a whole.
const DO_NOT_CALL: &[&str] = &[
    "suppressed",
    "blocked",
    "unsubscribed",
    "blacklist",
    "blacklisted",
    "sperre",
    "gesperrt",
    "opposition",
    "bloctel",
    "robinson",
];
/// Names of do-not-call columns that say so wherever they stand, blanks left out: `Do Not Call (DNC)`, `DoNotCall`, `Nicht anrufen?`.
const DO_NOT_CALL_WITHIN: &[&str] = &[
    "donotcall",
    "dontcall",
    "donotphone",
    "donotcontact",
    "donotallowphone",
    "donotdial",
    "nichtanrufen",
    "nichtkontaktieren",
    "keineanrufe",
    "anrufsperre",
    "telefonsperre",
    "kontaktsperre",
    "nepasappeler",
    "nepascontacter",
    "nollamar",
    "nocontactar",
    "nonchiamare",
    "noncontattare",
    "nietbellen",
    "nãoligar",
    "naoligar",
    "कॉलनकरें",
];
/// The same, unless the name speaks of another channel: `Email Opt Out` says nothing about calls.
const OPT_OUT_WITHIN: &[&str] = &["optout", "optedout", "optsout"];
const OTHER_CHANNELS: &[&str] = &[
    "mail",
    "email",
    "mails",
    "emails",
    "sms",
    "text",
    "texts",
    "fax",
    "whatsapp",
    "newsletter",
    "marketing",
    "bulk",
    "post",
    "letter",
];
const CALL_WORDS: &[&str] =
    &["call", "calls", "calling", "phone", "phones", "telephone", "voice", "dialling", "dialing"];
/// Columns that say who may be called.
const MAY_CALL: &[&str] = &[
    "may call",
    "may be called",
    "can call",
    "can be called",
    "ok to call",
    "okay to call",
    "call allowed",
    "calls allowed",
    "call permission",
    "permission to call",
    "consent",
    "consent to call",
    "call consent",
    "calling consent",
    "phone consent",
    "voice consent",
    "opt in",
    "opted in",
    "optin",
    "call opt in",
    "phone opt in",
    "voice opt in",
    "einwilligung",
    "einwilligung telefon",
    "telefonische einwilligung",
    "anrufen erlaubt",
    "darf angerufen werden",
    "consentement",
    "accord d appel",
    "peut être appelé",
    "consentimiento",
    "se puede llamar",
    "consentimento",
    "pode ligar",
    "consenso",
    "consenso telefonico",
    "toestemming",
    "mag bellen",
    "सहमति",
];
/// Columns that our own file of rejected rows adds.
const OWN: &[&str] = &["line", "rejected because"];

/// Whether the first row holds names: no cell of it is a phone number, and not all are empty.
pub fn is_named(preview: &Preview) -> bool {
    !preview.first.iter().any(|cell| looks_like_phone(cell)) && preview.first.iter().any(|cell| !cell.trim().is_empty())
}

/// A first mapping. `known`: the column names of the client's last import and what they became.
pub fn mapping(preview: &Preview, known: &[(String, Target)]) -> Mapping {
    let named = is_named(preview);
    let header = preview.header(named);
    let mut columns: Vec<Target> = header
        .iter()
        .map(|name| {
            let before = known.iter().find(|(old, _)| normal(old) == normal(name)).map(|(_, target)| *target);
            before.unwrap_or_else(|| by_name(name))
        })
        .collect();
    settle_phone(preview, named, &mut columns);
    settle_names(&mut columns);
    // Every other field is taken once; the first column keeps it.
    for target in [Target::Name, Target::FirstName, Target::LastName, Target::Company, Target::Email, Target::TimeZone]
    {
        let mut seen = false;
        for column in columns.iter_mut().filter(|column| **column == target) {
            if std::mem::replace(&mut seen, true) {
                *column = Target::Attribute;
            }
        }
    }
    Mapping { named, columns }
}

fn by_name(name: &str) -> Target {
    let name = normal(name);
    let lists: [(&[&str], Target); 8] = [
        (OWN, Target::Skip),
        (PHONE, Target::Phone),
        (FIRST, Target::FirstName),
        (LAST, Target::LastName),
        (NAME, Target::Name),
        (EMAIL, Target::Email),
        (COMPANY, Target::Company),
        (ZONE, Target::TimeZone),
    ];
    // Programs write names as one word: `MobilePhone`.
    let whole = name.replace(' ', "");
    let is = |words: &[&str]| words.iter().any(|word| *word == name || word.replace(' ', "") == whole);
    // Google numbers them: `Phone 3 - Value`.
    if name
        .strip_prefix("phone ")
        .and_then(|rest| rest.strip_suffix(" value"))
        .is_some_and(|rest| rest.parse::<u8>().is_ok())
    {
        return Target::Phone;
    }
    if is(MAY_CALL) {
        return Target::MayCall;
    }
    if is(DO_NOT_CALL) || is_do_not_call(&name, &whole) {
        return Target::DoNotCall;
    }
    lists.iter().find(|(words, _)| is(words)).map_or(Target::Attribute, |(_, target)| *target)
}

fn is_do_not_call(name: &str, whole: &str) -> bool {
    let within = |words: &[&str]| words.iter().any(|word| whole.contains(word));
    let has = |words: &[&str]| name.split(' ').any(|part| words.contains(&part));
    // A name in one word has its words within: `HasOptedOutOfEmail`.
    let speaks = |words: &[&str]| has(words) || !name.contains(' ') && within(words);
    within(DO_NOT_CALL_WITHIN)
        || has(&["dnc"])
        || within(OPT_OUT_WITHIN) && (speaks(CALL_WORDS) || !speaks(OTHER_CHANNELS))
}

/// Of several columns that could be the number, the one with the most numbers in it wins, and the others stand in where it is empty;
/// without any, the values decide alone.
fn settle_phone(preview: &Preview, named: bool, columns: &mut [Target]) {
    let numbers = |column: usize| preview.samples(named, column).iter().filter(|cell| looks_like_phone(cell)).count();
    let by_name: Vec<usize> = (0..columns.len()).filter(|column| columns[*column] == Target::Phone).collect();
    let from: Vec<usize> = if by_name.is_empty() {
        (0..columns.len()).filter(|column| columns[*column] == Target::Attribute && numbers(*column) > 0).collect()
    } else {
        by_name.clone()
    };
    for column in by_name {
        columns[column] = Target::OtherPhone;
    }
    // `max_by_key` gives the last of equals; the first column is the better guess.
    if let Some(best) = from.into_iter().rev().max_by_key(|column| numbers(*column)) {
        columns[best] = Target::Phone;
    }
}

/// “Name” beside “Vorname” is the family name, beside “Apellidos” the first name.
fn settle_names(columns: &mut [Target]) {
    let has = |columns: &[Target], target| columns.contains(&target);
    let other = match (has(columns, Target::FirstName), has(columns, Target::LastName)) {
        (true, false) => Target::LastName,
        (false, true) => Target::FirstName,
        _ => return,
    };
    if let Some(column) = columns.iter_mut().find(|column| **column == Target::Name) {
        *column = other;
    }
}

/// Lower case, and everything but letters, marks and digits as one blank.
fn normal(name: &str) -> String {
    let spaced: String = plain(name)
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_punctuation() || c.is_whitespace() || c.is_control() { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Seven digits or more, and nothing that a number does not have but an extension or a second number behind it.
pub fn looks_like_phone(cell: &str) -> bool {
    if cell.len() > 400 {
        return false;
    }
    let cell = plain(cell).to_lowercase();
    let cell = cell.trim_start_matches(['=', '"', '\'', ' ', '\n']);
    let cell = cell.strip_prefix("tel:").unwrap_or(cell);
    let behind = ["x", " x", "ext", " ext", ", ext", "#", " #", ":::", ";", "\n"];
    let end = behind.iter().filter_map(|mark| cell.find(mark)).min().unwrap_or(cell.len());
    let number = cell[..end].trim_matches(['"', '\'', ' ']);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    // A date has as many digits, but not in this shape.
    let date = number.len() == 10 && number.matches(['-', '.', '/']).count() == 2 && !number.starts_with(['+', '0']);
    (7..=17).contains(&digits) && !date && number.chars().all(|c| c.is_ascii_digit() || " +-()./,".contains(c))
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            guess("NOM;Prénom;Numéro de téléphone", &["Roy;Zoé;0612345678"]).columns,
            [LastName, FirstName, Phone]
        );
        assert_eq!(guess("नाम;मोबाइल", &["आशा;+919812345678"]).columns, [Name, Phone]);
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
}
