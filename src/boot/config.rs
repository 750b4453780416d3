use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use patchbay_providers::smtp::{Smtp, SmtpError};
use patchbay_services::Bucket;
use patchbay_shared::{AppError, Reason};

/// Options of every command. A flag wins over the environment, the environment over `patchbay.toml`.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// PostgreSQL, as the application's role patchbay_app. Without it Patchbay runs its own private server.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// PostgreSQL, as the role that owns the tables: only `patchbay migrate` uses it.
    #[arg(long, env = "PATCHBAY_OWNER_DATABASE_URL", global = true, hide_env_values = true)]
    pub owner_database_url: Option<String>,
    /// Where files live: the private PostgreSQL, uploads, recordings, logos, knowledge, generated keys. Default: ./data
    #[arg(long, env = "PATCHBAY_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// A bucket for recordings, logos and files of knowledge, for example s3://bucket/folder, gs://bucket/folder or az://container/folder.
    /// Its keys come from the environment, as AWS_…, GOOGLE_… or AZURE_…. Default: folders in the data folder.
    #[arg(long, env = "PATCHBAY_FILES", global = true)]
    pub files: Option<String>,
    /// The same settings, in `patchbay.toml` alone.
    #[arg(skip)]
    pub files_settings: BTreeMap<String, String>,
    /// Address to listen on. Default: 127.0.0.1:3000
    #[arg(long, env = "PATCHBAY_LISTEN", global = true)]
    pub listen: Option<String>,
    /// The address people and providers use, for example https://voice.example.com. Default: http:// and the listen address, on this machine localhost.
    #[arg(long, env = "PATCHBAY_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Fernet keys that seal credentials, separated by commas: all decrypt, the first encrypts. Default: made once, in the data folder.
    #[arg(long, env = "PATCHBAY_KEYS", global = true, hide_env_values = true)]
    pub keys: Option<String>,
    /// The built pages and styles. Default: target/site, or `site` beside the program.
    #[arg(long, env = "LEPTOS_SITE_ROOT", global = true)]
    pub site_root: Option<PathBuf>,
    /// Most connections to PostgreSQL. Default: 20
    #[arg(long, env = "PATCHBAY_DB_CONNECTIONS", global = true)]
    pub db_connections: Option<u32>,
    /// text or json. Default: text on a terminal, json elsewhere.
    #[arg(long, env = "PATCHBAY_LOG_FORMAT", global = true)]
    pub log_format: Option<String>,
    /// The bearer token that /metrics asks for. Without it nobody may read them.
    #[arg(long, env = "PATCHBAY_METRICS_TOKEN", global = true, hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Addresses of the proxies in front, separated by commas. Only their X-Forwarded-For is believed. Default: none.
    #[arg(long, env = "PATCHBAY_TRUSTED_PROXIES", global = true)]
    pub trusted_proxies: Option<String>,
    /// required or optional. Required: platform admins have a second factor, and new agencies begin with that rule for owners and admins.
    /// Default: required.
    #[arg(long, env = "PATCHBAY_SECOND_FACTOR", global = true)]
    pub second_factor: Option<String>,
    /// The server that takes e-mail: smtps://user:password@host:465, or smtp://host:587?tls=required. Without it links are shown to whoever makes them.
    #[arg(long, env = "PATCHBAY_SMTP_URL", global = true, hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Who e-mail comes from, for example "Halden Voice <voice@halden.example>".
    #[arg(long, env = "PATCHBAY_MAIL_FROM", global = true)]
    pub mail_from: Option<String>,
    /// Where the sandbox providers answer, when this process does not run them itself.
    #[arg(long, env = "PATCHBAY_SANDBOX_URL", global = true)]
    pub sandbox_url: Option<String>,
    /// The name server that is asked for the proofs of agencies' host names, for example 9.9.9.9:53. Default: the machine's own.
    #[arg(long, env = "PATCHBAY_DNS", global = true)]
    pub dns: Option<String>,
    /// The program that reads uploaded files, each in a process of its own, when it is not this one: `patchbay` behind a wrapper that confines
    /// it further.
    #[arg(long, env = "PATCHBAY_EXTRACT_WITH", global = true)]
    pub extract_with: Option<PathBuf>,
    /// on or off. On: agencies may have jobs of teams run on this machine, and by Docker engines and clusters at private addresses. Right where
    /// everybody who has an agency here may run programs here. Default: off
    #[arg(long, env = "PATCHBAY_LOCAL_TARGETS", global = true)]
    pub local_targets: Option<String>,
    /// The program that starts jobs on this machine, each in processes of its own, when it is not this one.
    #[arg(long, env = "PATCHBAY_RUN_JOBS_WITH", global = true)]
    pub run_jobs_with: Option<PathBuf>,
    /// Seconds that a client may let pass while it sends a request's head, and between two pieces of a body; anything but an upload must be
    /// there in twice as long. Default: 30
    #[arg(long, env = "PATCHBAY_SLOW_CLIENT_SECONDS", global = true)]
    pub slow_client_seconds: Option<u64>,
}

/// The checked configuration.
#[derive(Clone)]
pub struct Config {
    pub database_url: Option<String>,
    pub owner_database_url: Option<String>,
    pub data_dir: PathBuf,
    pub bucket: Option<Bucket>,
    pub listen: SocketAddr,
    pub public_url: url::Url,
    pub keys: String,
    pub site_root: PathBuf,
    pub db_connections: u32,
    pub log_json: bool,
    pub metrics_token: Option<String>,
    pub trusted_proxies: Vec<IpAddr>,
    pub needs_second_factor: bool,
    pub smtp: Option<Smtp>,
    pub sandbox_url: Option<String>,
    pub dns: Option<SocketAddr>,
    pub extract_with: Option<PathBuf>,
    pub allows_local_targets: bool,
    pub run_jobs_with: Option<PathBuf>,
    pub slow_client_seconds: u64,
}

impl Options {
    /// Fills what is missing from `patchbay.toml`, then from defaults. Errors name the option and what it takes.
    pub fn resolve(self) -> Result<Config, AppError> {
        let file: Options = match std::fs::read_to_string("patchbay.toml") {
            Ok(text) => toml::from_str(&text).map_err(|error| refuse(&format!("patchbay.toml: {error}")))?,
            Err(_) => Options::default(),
        };
        let data_dir = self.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("data"));
        std::fs::create_dir_all(&data_dir)
            .map_err(|error| refuse(&format!("--data-dir: {} cannot be made: {error}", data_dir.display())))?;
        let data_dir = data_dir.canonicalize().map_err(|error| refuse(&format!("--data-dir: {error}")))?;
        let settings = if self.files_settings.is_empty() { file.files_settings } else { self.files_settings };
        let bucket = self.files.or(file.files).map(|text| bucket(&text, settings)).transpose()?;
        let listen = self.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:3000".into());
        let listen: SocketAddr = listen.parse().map_err(|_| {
            refuse(&format!("--listen: “{listen}” is not an address and port, for example 127.0.0.1:3000"))
        })?;
        let public = self.public_url.or(file.public_url).unwrap_or_else(|| match listen.ip().is_loopback() {
            // Passkeys belong to a name, and a number is none.
            true => format!("http://localhost:{}", listen.port()),
            false => format!("http://{listen}"),
        });
        let public_url = url::Url::parse(&public)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
            .ok_or_else(|| {
                refuse(&format!("--public-url: “{public}” is not an address, for example https://voice.example.com"))
            })?;
        let log_format = self.log_format.or(file.log_format);
        let log_json = match log_format.as_deref() {
            Some("json") => true,
            Some("text") => false,
            None => !std::io::IsTerminal::is_terminal(&std::io::stderr()),
            Some(other) => return Err(refuse(&format!("--log-format: “{other}” is neither text nor json"))),
        };
        let proxies = self.trusted_proxies.or(file.trusted_proxies).unwrap_or_default();
        let trusted_proxies = proxies
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| {
                text.parse().map_err(|_| {
                    refuse(&format!("--trusted-proxies: “{text}” is not an address, for example 10.0.0.1"))
                })
            })
            .collect::<Result<Vec<IpAddr>, AppError>>()?;
        let needs_second_factor = match self.second_factor.or(file.second_factor).as_deref() {
            None | Some("required") => true,
            Some("optional") => false,
            Some(other) => return Err(refuse(&format!("--second-factor: “{other}” is neither required nor optional"))),
        };
        let allows_local_targets = match self.local_targets.or(file.local_targets).as_deref() {
            None | Some("off") => false,
            Some("on") => true,
            Some(other) => return Err(refuse(&format!("--local-targets: “{other}” is neither on nor off"))),
        };
        let dns = self.dns.or(file.dns).filter(|text| !text.is_empty());
        let dns = dns.map(|text| name_server(&text)).transpose()?;
        let smtp = match (self.smtp_url.or(file.smtp_url), self.mail_from.or(file.mail_from)) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(refuse("--mail-from: say who e-mail comes from, for example voice@example.com"));
            }
            (Some(url), Some(from)) => Some(Smtp::new(&url, &from).map_err(|error| {
                let option = if error == SmtpError::BadFrom { "--mail-from" } else { "--smtp-url" };
                refuse(&format!("{option}: {error}"))
            })?),
        };
        let keys = match self.keys.or(file.keys) {
            Some(keys) => keys,
            None => own_keys(&data_dir)?,
        };
        Ok(Config {
            database_url: self.database_url.or(file.database_url),
            owner_database_url: self.owner_database_url.or(file.owner_database_url),
            bucket,
            listen,
            public_url,
            keys,
            site_root: self.site_root.or(file.site_root).unwrap_or_else(default_site_root),
            db_connections: self.db_connections.or(file.db_connections).unwrap_or(20).clamp(4, 500),
            log_json,
            metrics_token: self.metrics_token.or(file.metrics_token),
            trusted_proxies,
            needs_second_factor,
            smtp,
            sandbox_url: self.sandbox_url.or(file.sandbox_url),
            dns,
            extract_with: self.extract_with.or(file.extract_with),
            allows_local_targets,
            run_jobs_with: self.run_jobs_with.or(file.run_jobs_with),
            slow_client_seconds: self.slow_client_seconds.or(file.slow_client_seconds).unwrap_or(30).clamp(1, 3600),
            data_dir,
        })
    }
}

fn refuse(text: &str) -> AppError {
    AppError::Conflict(Reason::Configuration, text.to_owned())
}

/// What the environment says of buckets goes along. Errors: `Conflict` where the text is no address; whether it is one of a bucket is seen
/// when it is opened.
fn bucket(text: &str, options: BTreeMap<String, String>) -> Result<Bucket, AppError> {
    let url = url::Url::parse(text).ok().filter(|url| url.has_host());
    let url =
        url.ok_or_else(|| refuse(&format!("--files: “{text}” is not a bucket, for example s3://bucket/folder")))?;
    let lower = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?.to_ascii_lowercase(), value.into_string().ok()?)));
    let is_one = |key: &str| ["aws_", "google_", "azure_"].iter().any(|prefix| key.starts_with(prefix));
    let environment = lower.filter(|(key, _)| is_one(key)).collect();
    Ok(Bucket { url, environment, options })
}

/// An address, with or without a port.
fn name_server(text: &str) -> Result<SocketAddr, AppError> {
    let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
    address.map_err(|_| refuse(&format!("--dns: “{text}” is not an address, for example 9.9.9.9:53")))
}

fn default_site_root() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|dir| dir.join("site")));
    beside.filter(|dir| dir.is_dir()).unwrap_or_else(|| PathBuf::from("target/site"))
}

/// Reads the keys that this installation made for itself, or makes them. Only this user may read the file.
fn own_keys(data_dir: &Path) -> Result<String, AppError> {
    let path = data_dir.join("keys");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text.trim().to_owned());
    }
    let key = fernet::Fernet::generate_key();
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made.and_then(|mut file| file.write_all(key.as_bytes())) {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => own_keys(data_dir),
        Err(error) => Err(refuse(&format!("{} cannot be written: {error}", path.display()))),
    }
}
