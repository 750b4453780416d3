use serde::{Deserialize, Serialize};

use super::Pick;
use patchbay_shared::ids::{CampaignId, ClientId, ImportId};
use patchbay_shared::{AppError, FieldErrors, Stamp};

patchbay_shared::words! {
    /// How far an import has come.
    pub ImportStatus: "import_status" {
        Uploaded = "uploaded", "Choose columns", Info;
        Checking = "checking", "Checking", Info;
        Checked = "checked", "Ready to import", Info;
        Importing = "importing", "Importing", Live;
        Completed = "completed", "Completed", Ok;
        Failed = "failed", "Failed", Bad;
        Cancelled = "cancelled", "Cancelled", Warn;
    }
    /// What happens with a row whose number the client already has.
    pub DuplicateRule: "duplicate_rule" {
        Skip = "skip", "Keep the contact as it is", Mute;
        Update = "update", "Update the contact from the file", Mute;
    }
    /// What a column of the file becomes.
    pub Target: "text" {
        Phone = "phone", "Phone number", Mute;
        OtherPhone = "other_phone", "Phone number if the first is empty", Mute;
        Name = "name", "Name", Mute;
        FirstName = "first_name", "First name", Mute;
        LastName = "last_name", "Last name", Mute;
        Company = "company", "Company", Mute;
        Email = "email", "E-mail", Mute;
        TimeZone = "time_zone", "Time zone", Mute;
        DoNotCall = "do_not_call", "Do not call", Mute;
        MayCall = "may_call", "May be called (consent)", Mute;
        Attribute = "attribute", "Variable of this name", Mute;
        Skip = "skip", "Do not import", Mute;
    }
    /// Why a file was not taken. The words stand in the address of the first step.
    pub UploadProblem: "text" {
        NoClient = "client", "Choose the client that these people belong to.", Bad;
        NoFile = "file", "Choose a file first.", Bad;
        Empty = "empty", "The file is empty. Check that you chose the right one.", Bad;
        NoRows = "rows", "The file has a first line and no rows under it. Nothing to import.", Bad;
        OldWorkbook = "xls", "This is an old Excel workbook (.xls) or one with a password. In Excel, choose Save as, then Excel Workbook (.xlsx) without a password or CSV UTF-8, and upload that.", Bad;
        BrokenWorkbook = "workbook", "This Excel workbook cannot be read. Open it in Excel, save it again as .xlsx or as CSV UTF-8, and upload that.", Bad;
        LargeWorkbook = "large-workbook", "An Excel workbook may have 25 MB, and unpacked 512 MB. Save the sheet as CSV UTF-8, which may have 1 GB, and upload that.", Bad;
        OtherWorkbook = "other-workbook", "This is a spreadsheet in another format than Excel’s. Save it as .xlsx or as CSV, and upload that.", Bad;
        Packed = "packed", "This is a packed file (ZIP or the like). Unpack it and upload the list that is in it.", Bad;
        Pdf = "pdf", "This is a PDF. Export the list as CSV or .xlsx from the program that made it, and upload that.", Bad;
        Html = "html", "This is a web page, which some programs save under the name of a table. Open it in Excel, save it as .xlsx or CSV UTF-8, and upload that.", Bad;
        Xml = "xml", "This is an XML or JSON file. Export the list as CSV or .xlsx and upload that.", Bad;
        Cards = "vcard", "This is an address book of vCards. Export the contacts as CSV and upload that.", Bad;
        Binary = "binary", "This is not a text file: its first lines hold bytes that no text has. Export the list as CSV and upload that.", Bad;
        TooLarge = "large", "The file is larger than 1 GB. Split it and import the parts one after the other.", Bad;
        TooWide = "wide", "The first line has more than 200 columns. Remove those that you do not need, and check that the file is a list.", Bad;
        LongLine = "long", "Line 1 is longer than 256 kB, so this is not a list with one person per line.", Bad;
        TooMany = "busy", "Five imports are already running here. Wait until one has finished, then upload again.", Bad;
        Uploads = "uploads", "Five files are being uploaded here already. Wait until one has arrived, then upload again.", Bad;
        Waiting = "waiting", "Too many uploaded files wait for their import. Finish or cancel some under Contacts, Imports, then upload again.", Bad;
        Quota = "quota", "The uploaded files that wait for their import take all the room there is for them. Finish or cancel some under Contacts, Imports, then upload again.", Bad;
        LongField = "long-field", "What came before the file is longer than anything that this form sends. Fill in the form here and send it again.", Bad;
        Broken = "broken", "The upload broke off. Check the connection and try again.", Bad;
    }
}

impl Target {
    /// Whether several columns may become this. Of columns about consent each counts: one that says no is enough.
    pub(crate) fn may_repeat(self) -> bool {
        matches!(self, Self::OtherPhone | Self::DoNotCall | Self::MayCall | Self::Attribute | Self::Skip)
    }
}

/// The largest file, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024 * 1024;
/// The largest Excel workbook, in bytes. What is in it may be many times that.
pub const MAX_WORKBOOK: u64 = 25 * 1024 * 1024;
/// The most columns.
pub const MAX_COLUMNS: usize = 200;
/// The most rows of one file: their numbers are held in memory while it is checked, to find those that stand in it twice.
pub const MAX_ROWS: i64 = 20_000_000;
/// Files of one client that wait for their import, or are being imported.
pub const MAX_WAITING_OF_CLIENT: i64 = 25;
/// The same of one agency.
pub const MAX_WAITING: i64 = 200;
/// Bytes of these files, of one client.
pub const MAX_KEPT_OF_CLIENT: i64 = 3 * 1024 * 1024 * 1024;
/// The same of one agency.
pub const MAX_KEPT: i64 = 10 * 1024 * 1024 * 1024;

/// What the file looks like: its first rows as they came, and what the check found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The first row, which holds the column names or already a person.
    #[serde(default)]
    pub first: Vec<String>,
    /// The rows after it, at most five.
    #[serde(default)]
    pub rows: Vec<Vec<String>>,
    /// Rows before the first that are no people: spreadsheets write `sep=;` on top, reports a title.
    #[serde(default)]
    pub above: u32,
    /// Cells with letters beyond ASCII, at most five: whether the encoding is right shows in these.
    #[serde(default)]
    pub letters: Vec<String>,
    /// The sheets of an Excel workbook; empty for a text file.
    #[serde(default)]
    pub sheets: Vec<String>,
    /// Which of them is read.
    #[serde(default)]
    pub sheet: usize,
    #[serde(default)]
    pub check: Option<CheckResult>,
}

impl Preview {
    /// The columns' names: from the first row, or counted.
    pub fn header(&self, named: bool) -> Vec<String> {
        let counted = |index: usize| format!("Column {}", index + 1);
        if named {
            let first = self.first.iter().enumerate();
            return first
                .map(|(index, name)| if name.trim().is_empty() { counted(index) } else { name.trim().to_owned() })
                .collect();
        }
        let width = self.rows.iter().map(Vec::len).chain([self.first.len()]).max().unwrap_or_default();
        (0..width).map(counted).collect()
    }

    /// Sample values of one column, the empty ones left out.
    pub fn samples(&self, named: bool, column: usize) -> Vec<String> {
        let first = (!named).then_some(&self.first);
        let cells = first.into_iter().chain(&self.rows).filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
            .take(5)
            .map(|cell| cell.chars().take(60).collect())
            .collect()
    }
}

/// What becomes of each column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// The first row holds the columns' names.
    #[serde(default)]
    pub named: bool,
    /// One per column of the file.
    #[serde(default)]
    pub columns: Vec<Target>,
}

/// What the check found, before anything is imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    pub rows: i64,
    /// Would become new contacts.
    pub fresh: i64,
    /// The client already has the number.
    pub known: i64,
    /// Of the known ones: on the do-not-call list.
    pub suppressed: i64,
    /// The number stands in the file twice.
    pub doubled: i64,
    pub rejected: i64,
    /// People whom the file marks as not to be called, rows that are not imported among them.
    #[serde(default)]
    pub do_not_call: i64,
    /// Words in columns about consent that are neither a yes nor a no, and how many people they kept from being called; the first
    /// ten. Among `do_not_call`.
    #[serde(default)]
    pub unclear: Vec<(String, i64)>,
    /// Lines without anything in them, which are no rows.
    #[serde(default)]
    pub blank: i64,
    /// How often each kind of trouble came up, most frequent first.
    pub reasons: Vec<(String, i64)>,
    /// The first fifty.
    pub problems: Vec<Problem>,
}

/// A row that cannot become a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The line of the file where the row begins, from 1.
    pub line: i64,
    pub reason: String,
    /// The row as it stands in the file, shortened.
    pub raw: String,
}

/// The second step's form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MappingForm {
    #[serde(default)]
    pub named: Option<String>,
    /// A target's word per column.
    #[serde(default)]
    pub columns: Vec<String>,
    #[serde(default)]
    pub country: String,
    #[serde(default)]
    pub duplicates: String,
    #[serde(default)]
    pub campaign: String,
}

/// The form, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportTerms {
    pub mapping: Mapping,
    /// ISO 3166, two letters: completes national numbers.
    pub country: Option<String>,
    pub duplicates: DuplicateRule,
    pub campaign_id: Option<CampaignId>,
}

impl MappingForm {
    /// `width`: the columns of the file. Errors: `Invalid` at `columns`, `country`, `duplicates`.
    pub fn check(&self, width: usize) -> Result<ImportTerms, AppError> {
        let mut errors = FieldErrors::default();
        let mut columns: Vec<Target> = self.columns.iter().map(|word| word.parse().unwrap_or(Target::Skip)).collect();
        columns.resize(width, Target::Skip);
        if !columns.contains(&Target::Phone) {
            errors.add("columns", "No column is the phone number. Choose “Phone number” at the column that holds it.");
        }
        for target in Target::ALL {
            let once = !target.may_repeat();
            if once && columns.iter().filter(|column| *column == target).count() > 1 {
                errors.add(
                    "columns",
                    format!("Two columns are “{}”. Keep one, and make the other a variable.", target.label()),
                );
            }
        }
        let country = Some(self.country.trim().to_ascii_uppercase()).filter(|code| !code.is_empty());
        if country.as_ref().is_some_and(|code| super::countries::name(code).is_none()) {
            errors.add("country", "Choose a country from the list.");
        }
        let duplicates = self.duplicates.parse().unwrap_or(DuplicateRule::Skip);
        let campaign_id = Some(self.campaign.as_str()).filter(|id| !id.is_empty()).map(str::parse).transpose()?;
        errors.check()?;
        Ok(ImportTerms { mapping: Mapping { named: self.named.is_some(), columns }, country, duplicates, campaign_id })
    }
}

/// The names under which the columns' values are kept with the contact, each once: two columns `Notes` are `notes` and `notes_2`.
pub fn attribute_keys(header: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(header.len());
    for (column, name) in header.iter().enumerate() {
        let key = attribute_key(name, column);
        let numbered = (2..).map(|count| format!("{key}_{count}"));
        let free = std::iter::once(key.clone()).chain(numbered).find(|key| !keys.contains(key));
        keys.push(free.unwrap_or(key));
    }
    keys
}

/// The name under which a column's value is kept with the contact, and with which a prompt asks for it: `Contract type` becomes
/// `contract_type`. `column` counts from 0, for headers that have no letter a prompt could use.
fn attribute_key(header: &str, column: usize) -> String {
    let mut key = String::new();
    for letter in header.trim().chars().flat_map(char::to_lowercase) {
        let plain = match letter {
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' => "a",
            'ä' | 'æ' => "ae",
            'ç' | 'č' => "c",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ñ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ø' => "o",
            'ö' | 'œ' => "oe",
            'ù' | 'ú' | 'û' => "u",
            'ü' => "ue",
            'ß' => "ss",
            'š' => "s",
            'ž' => "z",
            _ => "",
        };
        if letter.is_ascii_alphanumeric() {
            key.push(letter);
        } else if !plain.is_empty() {
            key.push_str(plain);
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key: String = key.trim_end_matches('_').chars().take(60).collect();
    match key.chars().next() {
        None => format!("column_{}", column + 1),
        Some(first) if first.is_ascii_digit() => format!("_{key}"),
        Some(_) => key,
    }
}

/// A line in the list of imports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRow {
    pub id: ImportId,
    pub file_name: String,
    pub client_name: String,
    pub status: ImportStatus,
    pub imported: i64,
    pub updated: i64,
    pub rejected: i64,
    pub started_by: Option<String>,
    pub created: Stamp,
}

/// An import's page, in each of its states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportView {
    pub id: ImportId,
    pub client_id: ClientId,
    pub client_name: String,
    pub campaign: Option<(CampaignId, String)>,
    pub file_name: String,
    pub file_bytes: i64,
    pub encoding: String,
    /// The character.
    pub delimiter: String,
    pub status: ImportStatus,
    pub duplicates: DuplicateRule,
    pub country: Option<String>,
    pub preview: Preview,
    pub mapping: Mapping,
    pub bytes_done: i64,
    /// The import itself has begun: the counts are its own, not the check's.
    pub has_begun: bool,
    /// Rows read so far, by the check or by the import.
    pub rows: i64,
    pub imported: i64,
    pub updated: i64,
    /// The client already had the number, and the contact stayed as it was.
    pub kept: i64,
    pub doubled: i64,
    pub rejected: i64,
    pub cancel_requested: bool,
    pub error: Option<String>,
    pub started_by: Option<String>,
    pub created: Stamp,
    pub completed: Option<Stamp>,
    /// While importing, and of the whole import afterwards.
    pub rows_per_second: Option<i64>,
    /// The first fifty rows that were not imported.
    pub problems: Vec<Problem>,
    pub may_manage: bool,
}

impl ImportView {
    /// 0 to 100.
    pub fn percent(&self) -> i64 {
        if self.file_bytes <= 0 { 0 } else { (self.bytes_done * 100 / self.file_bytes).clamp(0, 100) }
    }

    /// The work is over, one way or another.
    pub fn is_over(&self) -> bool {
        matches!(self.status, ImportStatus::Completed | ImportStatus::Failed | ImportStatus::Cancelled)
    }
}

/// What the first two steps offer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportChoices {
    /// Empty for a client's own people.
    pub clients: Vec<Pick>,
    /// Campaigns of the client that contacts may join; empty for client roles.
    pub campaigns: Vec<Pick>,
}
