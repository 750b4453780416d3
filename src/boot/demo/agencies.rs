//! Who the demo's agencies are: their people, their clients, and what their agents say.

pub const PASSWORD: &str = "patchbay-demo";
pub(crate) const PLATFORM_ADMIN: &str = "pat@patchbay.test";

/// Name and e-mail address.
pub(crate) type Person = (&'static str, &'static str);

pub struct Agency {
    pub name: &'static str,
    pub key: &'static str,
    pub timezone: &'static str,
    /// The brand's colour; empty: the product's own.
    pub accent: &'static str,
    pub owner: Person,
    pub admin: Person,
    pub member: Person,
    pub clients: &'static [Client],
}

pub struct Client {
    pub name: &'static str,
    pub timezone: &'static str,
    pub budget: &'static str,
    /// The budget is set a little above what was spent this month.
    pub is_near_budget: bool,
    pub shares_cost: bool,
    /// A name and a colour of its own.
    pub brand: Option<(&'static str, &'static str)>,
    pub admin: Person,
    pub viewer: Person,
    /// Who calls.
    pub agent: &'static str,
    pub language: &'static str,
    pub prompt: &'static str,
    /// What the second version of the prompt adds, and the note that it is saved with.
    pub better: (&'static str, &'static str),
    /// Who answers the number, and what it is told.
    pub desk: (&'static str, &'static str),
    /// What an hour outside the office sounds like.
    pub closed: &'static str,
    pub campaign: &'static str,
    /// sdr or cs.
    pub kind: &'static str,
    pub goal: &'static str,
    pub country: &'static str,
    /// Beginning of the callees' numbers, as people in that country write them, and in international form; four digits follow.
    pub numbers: &'static [(&'static str, &'static str)],
    pub first: &'static [&'static str],
    pub last: &'static [&'static str],
    pub contacts: usize,
    /// Latin-1 with semicolons, as spreadsheets of that country save it; else UTF-8 with commas.
    pub old_spreadsheet: bool,
    /// Contacts in the batch that is over when the demo is complete, and in the one that then goes on for some minutes.
    pub waves: [&'static str; 2],
    /// Calls on an ordinary working day: out, and in.
    pub per_day: [f64; 2],
    /// What is spoken, with its share of the calls.
    pub speaks: &'static [(&'static str, f64)],
}

impl Client {
    /// Name and number of the contact at a place in the list.
    pub fn person(&self, index: usize) -> (String, String) {
        let (first, last) = self.names(index);
        let number = format!("{}{:04}", self.numbers[index % self.numbers.len()].1, number_tail(index));
        (format!("{first} {last}"), number)
    }

    pub fn names(&self, index: usize) -> (&'static str, &'static str) {
        let first = self.first[index % self.first.len()];
        (first, self.last[(index * 5 + index / self.first.len()) % self.last.len()])
    }

    /// The number of that contact as people in its country write it.
    pub fn national(&self, index: usize) -> String {
        format!("{}{:04}", self.numbers[index % self.numbers.len()].0, number_tail(index))
    }
}

/// Even, and above the last four digits by which the sandbox forces an outcome.
fn number_tail(index: usize) -> usize {
    100 + index * 2
}

pub(crate) const AGENCIES: &[Agency] = &[
    Agency {
        name: "Halden Voice",
        key: "sandbox-halden-voice",
        timezone: "Europe/Zurich",
        accent: "#0f6459",
        owner: ("Mara Velez", "mara@halden.test"),
        admin: ("Ines Roth", "ines@halden.test"),
        member: ("Tom Adeyemi", "tom@halden.test"),
        clients: &[ALPENRAD, NORTHBEAM, COSTA_CLARA, SABARMATI],
    },
    Agency {
        name: "Kestrel Calls",
        key: "sandbox-kestrel-calls",
        timezone: "Europe/London",
        accent: "",
        owner: ("Owen Clarke", "owen@kestrel.test"),
        admin: ("Bea Sutton", "bea@kestrel.test"),
        member: ("Noor Khan", "noor@kestrel.test"),
        clients: &[HARROW],
    },
];

const ALPENRAD: Client = Client {
    name: "Alpenrad Dental",
    timezone: "Europe/Zurich",
    budget: "900",
    is_near_budget: false,
    shares_cost: false,
    brand: None,
    admin: ("Lena Frei", "lena@alpenrad.test"),
    viewer: ("Jan Brandt", "jan@alpenrad.test"),
    agent: "Recall",
    language: "de",
    prompt: "Du bist Nora, die freundliche Assistenz der Zahnarztpraxis Alpenrad.\n\
             Business: Alpenrad Dental\n\
             Du rufst {{contact_name}} an, weil die halbjährliche Kontrolle ansteht. Beantworte Fragen kurz. \
             Wenn jemand sich beschwert oder Schmerzen hat, verbinde mit der Praxis.",
    better: (
        "Biete immer zwei Termine an. Stelle eine Frage nach der anderen.",
        "Two dates to choose from, one question after the other",
    ),
    desk: (
        "Praxis-Empfang",
        "Du bist Emil und nimmst die Anrufe der Zahnarztpraxis Alpenrad an.\n\
         Business: Alpenrad Dental\n\
         Hilf bei Terminen und Rechnungen. Biete zwei Termine an. Bei Schmerzen oder Beschwerden ruft die Praxis zurück.",
    ),
    closed: "Die Praxis ist geschlossen. Bitte rufen Sie morgen ab acht Uhr wieder an.",
    campaign: "November recall",
    kind: "cs",
    goal: "A check-up appointment is booked or confirmed.",
    country: "CH",
    numbers: &[("044 555 ", "+4144555"), ("031 555 ", "+4131555"), ("061 555 ", "+4161555"), ("071 555 ", "+4171555")],
    first: &[
        "Nadia", "Oskar", "Ilse", "Felix", "Greta", "Hugo", "Léa", "Emil", "Beat", "Sara", "Reto", "Carla", "Urs",
        "Vera", "Jürg",
    ],
    last: &[
        "Kern", "Blum", "Baum", "Roth", "Wyss", "Frei", "Maurer", "Graf", "Kunz", "Hofer", "Amann", "Zehnder", "Müller",
    ],
    contacts: 120,
    old_spreadsheet: true,
    waves: ["30", "60"],
    per_day: [24.0, 14.0],
    speaks: &[("de", 0.88), ("fr", 0.12)],
};

const NORTHBEAM: Client = Client {
    name: "Northbeam Solar",
    timezone: "America/Los_Angeles",
    budget: "1500",
    is_near_budget: true,
    shares_cost: true,
    brand: Some(("Northbeam Calls", "#a34312")),
    admin: ("Dana Whitfield", "dana@northbeam.test"),
    viewer: ("Luis Ferreira", "luis@northbeam.test"),
    agent: "Lead qualifier",
    language: "en",
    prompt: "You are Sam from Northbeam Solar.\n\
             Business: Northbeam Solar\n\
             Product: rooftop solar\n\
             You call {{contact_name}}, who asked about rooftop solar. Find out whether they own the roof, what they pay for electricity, \
             and when they want to decide. Offer a free site visit and book it. Be brief and polite; if they do not want to be called, \
             apologise and end the call.",
    better: (
        "Offer two times for the visit, and ask one question at a time.",
        "Two times to choose from, one question at a time",
    ),
    desk: (
        "Customer line",
        "You are Robin, and answer the calls of Northbeam Solar, which builds rooftop solar.\n\
         Business: Northbeam Solar\n\
         Book free site visits, look into faults of systems, and pass complaints on to the service crew.",
    ),
    closed: "Our office opens at eight. Please call again then, or leave your number on our site.",
    campaign: "Solar leads, Bay Area",
    kind: "sdr",
    goal: "A site visit is booked.",
    country: "US",
    numbers: &[("(415) 555-", "+1415555"), ("(510) 555-", "+1510555"), ("(628) 555-", "+1628555")],
    first: &[
        "Rosa", "Priya", "Daniel", "Aisha", "Peter", "Sofia", "Erik", "Chloe", "Grace", "Marcus", "Yusuf", "Hannah",
    ],
    last: &[
        "Imhof",
        "Raman",
        "Osei",
        "Bello",
        "Arden",
        "Marchetti",
        "Solberg",
        "Martin",
        "Holloway",
        "Lindqvist",
        "Demir",
        "Vogt",
    ],
    contacts: 140,
    old_spreadsheet: false,
    waves: ["30", "60"],
    per_day: [30.0, 6.0],
    speaks: &[("en", 1.0)],
};

const COSTA_CLARA: Client = Client {
    name: "Hotel Costa Clara",
    timezone: "Atlantic/Canary",
    budget: "400",
    is_near_budget: false,
    shares_cost: false,
    brand: None,
    admin: ("Inés Cabrera", "ines@costaclara.test"),
    viewer: ("Hugo Sosa", "hugo@costaclara.test"),
    agent: "Guest caller",
    language: "es",
    prompt: "Eres Lucía, del Hotel Costa Clara.\n\
             Business: Hotel Costa Clara\n\
             Product: una escapada al mar\n\
             Llamas a {{contact_name}}, que estuvo en el hotel en verano, para ofrecerle la tarifa de otoño. Sé breve y amable.",
    better: ("Ofrece siempre dos fechas. Haz una pregunta cada vez.", "Two dates, one question at a time"),
    desk: (
        "Reservas",
        "Eres Diego y atiendes las llamadas del Hotel Costa Clara.\n\
         Business: Hotel Costa Clara\n\
         Ayuda con reservas y facturas. Ofrece dos fechas. Las quejas pasan a la dirección.",
    ),
    closed: "Reservas abre a las ocho. Llame mañana, por favor.",
    campaign: "Autumn returns",
    kind: "sdr",
    goal: "A room is booked.",
    country: "ES",
    numbers: &[("911 00 ", "+3491100"), ("922 00 ", "+3492200")],
    first: &["Marta", "Javier", "Lucía", "Álvaro", "Elena", "Sergio", "Carmen", "Pablo", "Nuria", "Iván"],
    last: &["Herrera", "Medina", "Ortiz", "Campos", "Salas", "Rivera", "Peña", "Navarro", "Vidal"],
    contacts: 90,
    old_spreadsheet: false,
    waves: ["10", "30"],
    per_day: [14.0, 20.0],
    speaks: &[("es", 0.82), ("en", 0.18)],
};

const SABARMATI: Client = Client {
    name: "Sabarmati Insurance",
    timezone: "Asia/Kolkata",
    budget: "350",
    is_near_budget: false,
    shares_cost: true,
    brand: None,
    admin: ("Anita Desai", "anita@sabarmati.test"),
    viewer: ("Rahul Joshi", "rahul@sabarmati.test"),
    agent: "Renewals",
    language: "hi",
    prompt: "You are Kavya from Sabarmati Insurance, and speak Hindi or Gujarati, as the customer does.\n\
             Business: Sabarmati Insurance\n\
             You call {{contact_name}}, whose policy has to be renewed this month. Agree an appointment with an advisor. Be polite and brief.",
    better: ("Offer two times, and ask one question at a time.", "Two times to choose from, one question at a time"),
    desk: (
        "Policy desk",
        "You are Meera, and answer the calls of Sabarmati Insurance in Hindi or Gujarati.\n\
         Business: Sabarmati Insurance\n\
         Help with policies and claims, and arrange appointments with advisors.",
    ),
    closed: "Our office opens at ten. Please call again then.",
    campaign: "Policy renewals",
    kind: "cs",
    goal: "An appointment about the renewal is agreed.",
    country: "IN",
    numbers: &[("079 5550 ", "+91795550")],
    first: &["Anita", "Rahul", "Priya", "Vikas", "Neha", "Amit", "Kiran", "Dhara", "Jignesh", "Mina"],
    last: &["Sharma", "Verma", "Mehta", "Gupta", "Patel", "Shah", "Trivedi", "Desai", "Joshi"],
    contacts: 90,
    old_spreadsheet: false,
    waves: ["10", "30"],
    per_day: [18.0, 8.0],
    speaks: &[("hi", 0.74), ("gu", 0.26)],
};

const HARROW: Client = Client {
    name: "Harrow & Pike",
    timezone: "Europe/London",
    budget: "600",
    is_near_budget: false,
    shares_cost: true,
    brand: None,
    admin: ("Grace Pike", "grace@harrowpike.test"),
    viewer: ("Ben Harrow", "ben@harrowpike.test"),
    agent: "Repairs caller",
    language: "en",
    prompt: "You are Alice from Harrow & Pike, a property manager.\n\
             Business: Harrow & Pike\n\
             You call {{contact_name}} about the repair that was reported. Ask whether it is solved, note what is missing, arrange an \
             appointment if needed, and ask how satisfied they are from one to five.",
    better: ("Offer two times, and ask one question at a time.", "Two times to choose from, one question at a time"),
    desk: (
        "Front desk",
        "You are Oliver, and answer the calls of Harrow & Pike, a property manager.\n\
         Business: Harrow & Pike\n\
         Take reports of repairs, arrange visits, and pass complaints on to the manager.",
    ),
    closed: "Our office opens at nine. For water or gas in the flat, please ring the emergency number in your contract.",
    campaign: "Repairs follow-up",
    kind: "cs",
    goal: "The repair is confirmed as solved.",
    country: "GB",
    numbers: &[("020 7946 ", "+44207946"), ("0161 496 ", "+44161496")],
    first: &["Amelia", "Oliver", "Isla", "George", "Ava", "Noah", "Freya", "Arthur", "Maya", "Leo"],
    last: &["Bennett", "Shah", "Evans", "Murray", "Okafor", "Walsh", "Doyle", "Fraser"],
    contacts: 110,
    old_spreadsheet: false,
    waves: ["30", "60"],
    per_day: [16.0, 14.0],
    speaks: &[("en", 1.0)],
};
