/// Countries whose national numbers can be completed: ISO 3166 code and name, by name.
pub const COUNTRIES: [(&str, &str); 84] = [
    ("AR", "Argentina"), ("AU", "Australia"), ("AT", "Austria"), ("BH", "Bahrain"), ("BD", "Bangladesh"), ("BE", "Belgium"),
    ("BO", "Bolivia"), ("BR", "Brazil"), ("BG", "Bulgaria"), ("CA", "Canada"), ("CL", "Chile"), ("CN", "China"), ("CO", "Colombia"),
    ("CR", "Costa Rica"), ("HR", "Croatia"), ("CY", "Cyprus"), ("CZ", "Czechia"), ("DK", "Denmark"), ("DO", "Dominican Republic"),
    ("EC", "Ecuador"), ("EG", "Egypt"), ("SV", "El Salvador"), ("EE", "Estonia"), ("FI", "Finland"), ("FR", "France"),
    ("GE", "Georgia"), ("DE", "Germany"), ("GH", "Ghana"), ("GR", "Greece"), ("GT", "Guatemala"), ("HK", "Hong Kong"),
    ("HU", "Hungary"), ("IS", "Iceland"), ("IN", "India"), ("ID", "Indonesia"), ("IE", "Ireland"), ("IL", "Israel"), ("IT", "Italy"),
    ("JP", "Japan"), ("JO", "Jordan"), ("KZ", "Kazakhstan"), ("KE", "Kenya"), ("KW", "Kuwait"), ("LV", "Latvia"),
    ("LI", "Liechtenstein"), ("LT", "Lithuania"), ("LU", "Luxembourg"), ("MY", "Malaysia"), ("MT", "Malta"), ("MX", "Mexico"),
    ("MA", "Morocco"), ("NP", "Nepal"), ("NL", "Netherlands"), ("NZ", "New Zealand"), ("NG", "Nigeria"), ("NO", "Norway"),
    ("OM", "Oman"), ("PK", "Pakistan"), ("PA", "Panama"), ("PY", "Paraguay"), ("PE", "Peru"), ("PH", "Philippines"), ("PL", "Poland"),
    ("PT", "Portugal"), ("QA", "Qatar"), ("RO", "Romania"), ("SA", "Saudi Arabia"), ("RS", "Serbia"), ("SG", "Singapore"),
    ("SK", "Slovakia"), ("SI", "Slovenia"), ("ZA", "South Africa"), ("KR", "South Korea"), ("ES", "Spain"), ("LK", "Sri Lanka"),
    ("SE", "Sweden"), ("CH", "Switzerland"), ("TH", "Thailand"), ("TR", "Türkiye"), ("UA", "Ukraine"),
    ("AE", "United Arab Emirates"), ("GB", "United Kingdom"), ("US", "United States"), ("UY", "Uruguay"),
];

/// The country's name by its code.
pub fn name(code: &str) -> Option<&'static str> {
    COUNTRIES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// The likely country of a client by its time zone, as a first choice in the form.
pub fn of_timezone(timezone: &str) -> Option<&'static str> {
    Some(match timezone {
        "Europe/Zurich" => "CH",
        "Europe/Berlin" | "Europe/Busingen" => "DE",
        "Europe/Vienna" => "AT",
        "Europe/Paris" => "FR",
        "Europe/Madrid" | "Atlantic/Canary" => "ES",
        "Europe/Rome" => "IT",
        "Europe/London" => "GB",
        "Europe/Dublin" => "IE",
        "Europe/Lisbon" => "PT",
        "Europe/Amsterdam" => "NL",
        "Europe/Brussels" => "BE",
        "Europe/Luxembourg" => "LU",
        "Europe/Warsaw" => "PL",
        "Europe/Prague" => "CZ",
        "Europe/Stockholm" => "SE",
        "Europe/Copenhagen" => "DK",
        "Europe/Oslo" => "NO",
        "Europe/Helsinki" => "FI",
        "Europe/Athens" => "GR",
        "Asia/Kolkata" | "Asia/Calcutta" => "IN",
        "Asia/Dubai" => "AE",
        "Asia/Singapore" => "SG",
        "Asia/Tokyo" => "JP",
        "Australia/Sydney" | "Australia/Melbourne" | "Australia/Brisbane" | "Australia/Perth" => "AU",
        "Pacific/Auckland" => "NZ",
        "America/Mexico_City" => "MX",
        "America/Sao_Paulo" => "BR",
        "America/Argentina/Buenos_Aires" => "AR",
        "America/Bogota" => "CO",
        "America/Lima" => "PE",
        "America/Santiago" => "CL",
        "America/Toronto" | "America/Vancouver" | "America/Montreal" => "CA",
        "America/New_York" | "America/Chicago" | "America/Denver" | "America/Los_Angeles" | "America/Phoenix" => "US",
        "Africa/Johannesburg" => "ZA",
        "Africa/Lagos" => "NG",
        "Africa/Nairobi" => "KE",
        _ => return None,
    })
}
