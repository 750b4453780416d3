//! Engines and targets as people set them up: what lists and pages show, and the forms with what can be wrong in them.

use serde::{Deserialize, Serialize};

use super::{Capacity, EngineConfig, EngineType, ModelEngine, ProcessEngine, TargetConfig, TargetType};
use patchbay_shared::ids::{EngineId, TargetId};
use patchbay_shared::variables::{parse_variables, variables_text};
use patchbay_shared::{FieldErrors, Page, Stamp};

/// Engines that an agency has at most, and targets.
pub const MOST_ENGINES: i64 = 50;
pub const MOST_TARGETS: i64 = 50;
/// Characters of a certificate, a token or a key.
const LONGEST_PEM: usize = 20_000;

/// What a list of engines or targets is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetupQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `inactive` or `all`; else those that are in use.
    pub state: Option<String>,
    /// `-name`: from Z to A.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One engine, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineRow {
    pub id: EngineId,
    pub name: String,
    pub kind: EngineType,
    pub description: String,
    /// Its model or its interpreter, and what it may take.
    pub about: String,
    /// Minutes and seconds of one try.
    pub limit: String,
    pub is_default: bool,
    pub is_active: bool,
    /// Jobs that wait for it or run with it.
    pub open_jobs: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnginesPage {
    pub page: Page<EngineRow>,
    pub may_edit: bool,
    /// There is none at all yet.
    pub is_first: bool,
}

/// An engine's page, or the form of a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnginePage {
    pub form: EngineForm,
    /// None: it is not saved yet.
    pub row: Option<EngineRow>,
    /// Accounts of models: id and name.
    pub accounts: Vec<(String, String)>,
    pub may_edit: bool,
}

/// One target, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetRow {
    pub id: TargetId,
    pub name: String,
    pub kind: TargetType,
    /// Where it is.
    pub address: String,
    pub pool: String,
    pub capacity: Capacity,
    /// Jobs that run on it now, and jobs that wait for it.
    pub running: i64,
    pub waiting: i64,
    pub is_active: bool,
    pub held: Option<Stamp>,
    /// Who holds it.
    pub held_by: Option<String>,
    pub checked: Option<Stamp>,
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetsPage {
    pub page: Page<TargetRow>,
    pub may_edit: bool,
    pub is_first: bool,
    /// This installation lets agencies have jobs run on its own machine.
    pub allows_local: bool,
}

/// A target's page, or the form of a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetPage {
    pub form: TargetForm,
    pub row: Option<TargetRow>,
    /// What the last check found: what it is, and what should be known.
    pub found: Vec<String>,
    pub has_secret: bool,
    pub may_edit: bool,
    pub may_seal: bool,
    pub allows_local: bool,
}

/// The form of an engine, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineForm {
    /// Empty: a new one.
    pub id: String,
    pub kind: String,
    pub name: String,
    pub description: String,
    pub account: String,
    pub model: String,
    pub most_steps: String,
    pub most_tokens: String,
    pub timeout_seconds: String,
    pub interpreter: String,
    pub image: String,
    pub network: Option<String>,
    pub memory_mb: String,
    pub cpu_milli: String,
    pub disk_mb: String,
    pub most_processes: String,
}

/// The form of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetForm {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub address: String,
    pub namespace: String,
    pub authority: String,
    pub certificate: String,
    /// `name = value`, one a line.
    pub node_selector: String,
    pub pool: String,
    pub slots: String,
    pub memory_mb: String,
    pub cpu_milli: String,
}

/// What an engine is.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineFields {
    pub name: String,
    pub description: String,
    pub config: EngineConfig,
}

/// What a target is.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFields {
    pub name: String,
    pub config: TargetConfig,
    pub capacity: Capacity,
    pub pool: String,
}

impl EngineConfig {
    pub fn kind(&self) -> EngineType {
        match self {
            EngineConfig::Model(_) => EngineType::Model,
            EngineConfig::Process(_) => EngineType::Process,
        }
    }
}

impl EngineConfig {
    /// What it works with, and how long one try may take. `provider`: the kind of account.
    pub fn about(&self, provider: &str) -> (String, String) {
        let (about, seconds) = match self {
            EngineConfig::Model(ModelEngine { model: Some(model), timeout_seconds, .. }) => {
                (format!("{model} ({provider})"), timeout_seconds)
            }
            EngineConfig::Model(model) => ("The model of the agent’s runs".to_owned(), &model.timeout_seconds),
            EngineConfig::Process(process) => {
                let network = if process.has_network { ", network" } else { "" };
                (
                    format!("{}, {} MB{network}", process.interpreter.join(" "), process.memory_mb),
                    &process.timeout_seconds,
                )
            }
        };
        let limit = if *seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) };
        (about, limit)
    }
}

impl TargetConfig {
    pub fn kind(&self) -> TargetType {
        match self {
            TargetConfig::Local => TargetType::Local,
            TargetConfig::Docker { .. } => TargetType::Docker,
            TargetConfig::Kubernetes { .. } => TargetType::Kubernetes,
        }
    }

    /// Where it is. Empty: here.
    pub fn address(&self) -> &str {
        match self {
            TargetConfig::Local => "",
            TargetConfig::Docker { address, .. } | TargetConfig::Kubernetes { address, .. } => address,
        }
    }
}

impl EngineForm {
    /// What was typed, and what is wrong with it. Whether the account is there is looked at by the server.
    pub fn read(&self) -> (EngineFields, FieldErrors) {
        let mut errors = FieldErrors::default();
        let name = name(&self.name, "Give the engine a name of at most 80 characters.", &mut errors);
        let description = self.description.trim().replace("\r\n", "\n");
        if description.chars().count() > 500 {
            errors.add("description", "At most 500 characters.");
        }
        let mut number = |field, text: &str, least, most| number(field, text, least, most, &mut errors);
        let config = if self.kind == EngineType::Process.as_str() {
            EngineConfig::Process(ProcessEngine {
                interpreter: self.interpreter.split_whitespace().map(str::to_owned).collect(),
                image: Some(self.image.trim().to_owned()).filter(|image| !image.is_empty()),
                has_network: self.network.is_some(),
                memory_mb: number("memory_mb", &self.memory_mb, 16, 1_048_576),
                cpu_milli: number("cpu_milli", &self.cpu_milli, 50, 256_000),
                disk_mb: number("disk_mb", &self.disk_mb, 1, 102_400),
                most_processes: number("most_processes", &self.most_processes, 1, 10_000),
                timeout_seconds: number("timeout_seconds", &self.timeout_seconds, 1, 86_400),
            })
        } else {
            let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            let account = typed(&self.account);
            EngineConfig::Model(ModelEngine {
                account: account.and_then(|account| account.parse().ok()),
                model: typed(&self.model),
                most_steps: number("most_steps", &self.most_steps, 1, 200),
                most_tokens: number("most_tokens", &self.most_tokens, 50, 100_000),
                timeout_seconds: number("timeout_seconds", &self.timeout_seconds, 10, 86_400),
            })
        };
        if self.kind.parse::<EngineType>().is_err() {
            errors.add("kind", "Choose what the engine works with.");
        }
        match &config {
            EngineConfig::Process(process) => {
                let words = &process.interpreter;
                if words.is_empty() || words.len() > 10 || words.iter().any(|word| word.len() > 200) {
                    errors
                        .add("interpreter", "Name the program that reads the script, for example: sh -e, or python3.");
                }
                if process.image.as_ref().is_some_and(|image| image.len() > 300 || image.contains(char::is_whitespace))
                {
                    errors.add("image", "An image has no spaces in it, for example: python:3.13-slim.");
                }
            }
            EngineConfig::Model(model) => {
                if !self.account.trim().is_empty() && model.account.is_none() {
                    errors.add("account", "Choose one of the accounts.");
                }
                if model.account.is_some() != model.model.is_some() {
                    let field = if model.model.is_some() { "account" } else { "model" };
                    errors.add(
                        field,
                        "An account and a model belong together. Leave both empty for what the agent’s runs use.",
                    );
                }
                if model.model.as_ref().is_some_and(|model| model.chars().count() > 200) {
                    errors.add("model", "At most 200 characters.");
                }
            }
        }
        (EngineFields { name, description, config }, errors)
    }
}

impl EngineFields {
    pub fn form(&self, id: String) -> EngineForm {
        let mut form = EngineForm {
            id,
            kind: self.config.kind().to_string(),
            name: self.name.clone(),
            description: self.description.clone(),
            ..EngineForm::default()
        };
        match &self.config {
            EngineConfig::Model(model) => {
                form.account = model.account.map(|account| account.to_string()).unwrap_or_default();
                form.model = model.model.clone().unwrap_or_default();
                form.most_steps = model.most_steps.to_string();
                form.most_tokens = model.most_tokens.to_string();
                form.timeout_seconds = model.timeout_seconds.to_string();
            }
            EngineConfig::Process(process) => {
                form.interpreter = process.interpreter.join(" ");
                form.image = process.image.clone().unwrap_or_default();
                form.network = process.has_network.then(|| "true".to_owned());
                form.memory_mb = process.memory_mb.to_string();
                form.cpu_milli = process.cpu_milli.to_string();
                form.disk_mb = process.disk_mb.to_string();
                form.most_processes = process.most_processes.to_string();
                form.timeout_seconds = process.timeout_seconds.to_string();
            }
        }
        form
    }
}

impl TargetForm {
    /// What was typed, and what is wrong with it. Which addresses may be asked is looked at by the server.
    pub fn read(&self) -> (TargetFields, FieldErrors) {
        let mut errors = FieldErrors::default();
        let name = name(&self.name, "Give the target a name of at most 80 characters.", &mut errors);
        let pool = if self.pool.trim().is_empty() { "default" } else { self.pool.trim() };
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if pool.len() > 40 || !pool.chars().all(is_plain) || pool.starts_with('-') {
            errors.add("pool", "Small letters, digits and hyphens, at most 40: as in patchbay work --pool NAME.");
        }
        let authority = pem("authority", &self.authority, &mut errors);
        let certificate = pem("certificate", &self.certificate, &mut errors);
        let mut number = |field, text: &str, least, most| number(field, text, least, most, &mut errors);
        let capacity = Capacity {
            slots: number("slots", &self.slots, 1, 1000),
            memory_mb: number("memory_mb", &self.memory_mb, 16, 16_777_216),
            cpu_milli: number("cpu_milli", &self.cpu_milli, 50, 4_096_000),
        };
        let address = self.address.trim().to_owned();
        if address.len() > 300 {
            errors.add("address", "At most 300 characters.");
        }
        let config = match self.kind.parse() {
            Ok(TargetType::Docker) => TargetConfig::Docker { address, authority, certificate },
            Ok(TargetType::Kubernetes) => {
                let namespace = self.namespace.trim().to_owned();
                if namespace.is_empty() || namespace.len() > 63 || !namespace.chars().all(is_plain) {
                    errors.add("namespace", "Name the namespace: small letters, digits and hyphens, at most 63.");
                }
                let node_selector = parse_variables(&self.node_selector).unwrap_or_else(|why| {
                    errors.add("node_selector", why);
                    Default::default()
                });
                TargetConfig::Kubernetes { address, namespace, authority, node_selector }
            }
            Ok(TargetType::Local) => TargetConfig::Local,
            Err(_) => {
                errors.add("kind", "Choose where jobs run.");
                TargetConfig::Local
            }
        };
        (TargetFields { name, config, capacity, pool: pool.to_owned() }, errors)
    }
}

impl TargetFields {
    pub fn form(&self, id: String) -> TargetForm {
        let mut form = TargetForm {
            id,
            kind: self.config.kind().to_string(),
            name: self.name.clone(),
            address: self.config.address().to_owned(),
            pool: self.pool.clone(),
            slots: self.capacity.slots.to_string(),
            memory_mb: self.capacity.memory_mb.to_string(),
            cpu_milli: self.capacity.cpu_milli.to_string(),
            ..TargetForm::default()
        };
        match &self.config {
            TargetConfig::Local => {}
            TargetConfig::Docker { authority, certificate, .. } => {
                form.authority = authority.clone().unwrap_or_default();
                form.certificate = certificate.clone().unwrap_or_default();
            }
            TargetConfig::Kubernetes { namespace, authority, node_selector, .. } => {
                form.namespace = namespace.clone();
                form.authority = authority.clone().unwrap_or_default();
                form.node_selector = variables_text(node_selector);
            }
        }
        form
    }
}

fn name(typed: &str, wrong: &str, errors: &mut FieldErrors) -> String {
    let name = typed.trim();
    if name.is_empty() || name.chars().count() > 80 {
        errors.add("name", wrong);
    }
    name.to_owned()
}

fn number(field: &str, text: &str, least: u32, most: u32, errors: &mut FieldErrors) -> u32 {
    match text.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => number,
        _ => {
            errors.add(field, format!("A whole number from {least} to {most}."));
            least
        }
    }
}

fn pem(field: &str, text: &str, errors: &mut FieldErrors) -> Option<String> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() {
        return None;
    }
    let is_one = text.starts_with("-----BEGIN CERTIFICATE-----") && text.ends_with("-----END CERTIFICATE-----");
    if !is_one || text.len() > LONGEST_PEM {
        errors.add(field, "Paste a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----.");
    }
    Some(text)
}
