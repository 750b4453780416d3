//! What the columns of a file probably are, from their names in several languages and from the values under them.

use super::import::{Mapping, Preview, Target};

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
const DO_NOT_CALL: &[&str] = &[
    "do not call",
    "do not contact",
    "dnc",
    "opt out",
    "optout",
    "opted out",
    "suppressed",
    "blocked",
    "unsubscribed",
    "blacklist",
    "nicht anrufen",
    "sperre",
    "gesperrt",
    "ne pas appeler",
    "opposition",
    "no llamar",
    "non chiamare",
    "niet bellen",
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
    for target in [
        Target::Name,
        Target::FirstName,
        Target::LastName,
        Target::Company,
        Target::Email,
        Target::TimeZone,
        Target::DoNotCall,
    ] {
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
    let lists: [(&[&str], Target); 9] = [
        (OWN, Target::Skip),
        (PHONE, Target::Phone),
        (FIRST, Target::FirstName),
        (LAST, Target::LastName),
        (NAME, Target::Name),
        (EMAIL, Target::Email),
        (COMPANY, Target::Company),
        (ZONE, Target::TimeZone),
        (DO_NOT_CALL, Target::DoNotCall),
    ];
    lists.iter().find(|(words, _)| words.contains(&name.as_str())).map_or(Target::Attribute, |(_, target)| *target)
}

/// Of several columns that could be the number, the one with the most numbers in it wins; without any, the values decide alone.
fn settle_phone(preview: &Preview, named: bool, columns: &mut [Target]) {
    let numbers = |column: usize| preview.samples(named, column).iter().filter(|cell| looks_like_phone(cell)).count();
    let by_name: Vec<usize> = (0..columns.len()).filter(|column| columns[*column] == Target::Phone).collect();
    let from: Vec<usize> = if by_name.is_empty() {
        (0..columns.len()).filter(|column| columns[*column] == Target::Attribute && numbers(*column) > 0).collect()
    } else {
        by_name.clone()
    };
    for column in by_name {
        columns[column] = Target::Attribute;
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
    let spaced: String = name
        .trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_punctuation() || c.is_whitespace() || c.is_control() { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Seven digits or more, and nothing that a number does not have.
pub fn looks_like_phone(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches('\'');
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    // A date has as many digits, but not in this shape.
    let date = cell.len() == 10 && cell.matches(['-', '.', '/']).count() == 2 && !cell.starts_with(['+', '0']);
    (7..=17).contains(&digits)
        && !date
        && cell.chars().all(|c| c.is_ascii_digit() || " +-()./\u{a0}\u{2011}\u{202f}".contains(c))
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
        assert_eq!(guess("Phone;Mobile", &[";+41791234567"]).columns, [Attribute, Phone]);
        assert_eq!(guess("A;B", &["Ada;+41791234567"]).columns, [Attribute, Phone]);
    }

    #[test]
    fn a_file_may_have_no_names() {
        let guessed = guess("Ada;+41791234567", &["Bea;+41791234568"]);
        assert!(!guessed.named);
        assert_eq!(guessed.columns, [Target::Attribute, Target::Phone]);
    }
}
