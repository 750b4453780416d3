//! [server] What boot builds once for the whole process and `Db` carries to every crate: keys, the way out, stores, mail, clock.
//! Owns no tables. There are no process-wide statics: two servers in one process (tests do that) share nothing.
//!
//! The surprising part: `state` keeps what one crate remembers in this process (a cache, a limit on work at once), and `hook` finds
//! the function that a lower crate calls and an upper crate has given to boot. Both are found by their type, so this crate knows
//! neither.

mod clock;
mod files;
pub mod live;
mod wake;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use object_store::ObjectStore;
use tokio::sync::broadcast;

use patchbay_providers::smtp::Smtp;
use patchbay_providers::{Breakers, HttpClient, KeyRing};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

pub use clock::Clock;
pub use files::{Bucket, files_error};
pub use live::{Notice, Topic};
pub use wake::Wakers;

/// What the process works with. Built by boot, then unchanged.
pub struct Services {
    /// Seals and opens stored secrets.
    pub ring: KeyRing,
    /// The one way out to outside services.
    pub http: HttpClient,
    /// Where people and services find us, without a slash at the end.
    pub public_url: String,
    /// Stops asking a service that is down.
    pub breakers: Breakers,
    /// The stand-ins' addresses, when they run.
    pub sandbox: Option<SandboxAddresses>,
    /// The folder in which uploaded contact files wait for their import.
    pub uploads: PathBuf,
    /// Where the sound of calls is kept.
    pub recordings: Arc<dyn ObjectStore>,
    /// Where logos are kept.
    pub logos: Arc<dyn ObjectStore>,
    /// Where files are kept that agents look things up in.
    pub knowledge: Arc<dyn ObjectStore>,
    /// Where files are kept that jobs gave back.
    pub artefacts: Arc<dyn ObjectStore>,
    /// The program that reads such a file in a process of its own: this one.
    pub program: PathBuf,
    /// The program that starts jobs on this machine: this one.
    pub job_program: PathBuf,
    /// The folder in which jobs on this machine have theirs.
    pub jobs: PathBuf,
    /// Agencies may have jobs run on this machine, and at addresses that only this machine reaches.
    pub allows_local_targets: bool,
    /// The server that takes e-mail. None: links are shown to whoever makes them.
    pub mail: Option<Smtp>,
    /// The name server that is asked for proofs of host names. None: the machine's own.
    pub dns: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Platform admins need a second factor, and new agencies begin with that rule.
    pub requires_second_factor: bool,
    pub clock: Clock,
    /// Live notices of this process and, through `jobs::live`, of every other.
    pub live: broadcast::Sender<Notice>,
    /// Wakes workers of this process when there is something to do, so that they need not poll fast.
    pub wakers: Wakers,
    pub hooks: Hooks,
    states: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// What boot takes from the configuration.
pub struct Settings {
    pub ring: KeyRing,
    pub http: HttpClient,
    pub public_url: String,
    pub sandbox: Option<SandboxAddresses>,
    /// Uploads lie in a folder below this one; recordings, logos and files of knowledge too, unless there is a bucket for them.
    pub data_dir: PathBuf,
    pub bucket: Option<Bucket>,
    /// The program that reads uploaded files. None: this one.
    pub extract_with: Option<PathBuf>,
    /// The program that starts jobs on this machine. None: this one.
    pub run_jobs_with: Option<PathBuf>,
    pub allows_local_targets: bool,
    pub mail: Option<Smtp>,
    pub dns: Option<SocketAddr>,
    pub trusted_proxies: Vec<IpAddr>,
    pub requires_second_factor: bool,
}

impl Services {
    /// Makes the folders and opens the stores. Errors: `Conflict` that names the option which cannot be used.
    pub fn new(settings: Settings, hooks: Hooks) -> Result<Self, AppError> {
        let (live, _) = broadcast::channel(1024);
        let stores = files::Stores::open(&settings.data_dir, settings.bucket.as_ref())?;
        Ok(Self {
            recordings: stores.recordings,
            logos: stores.logos,
            knowledge: stores.knowledge,
            artefacts: stores.artefacts,
            program: settings.extract_with.map_or_else(own_program, Ok)?,
            job_program: settings.run_jobs_with.map_or_else(own_program, Ok)?,
            jobs: settings.data_dir.join("jobs"),
            allows_local_targets: settings.allows_local_targets,
            uploads: settings.data_dir.join("imports"),
            ring: settings.ring,
            http: settings.http,
            public_url: settings.public_url.trim_end_matches('/').to_owned(),
            breakers: Breakers::default(),
            sandbox: settings.sandbox,
            mail: settings.mail,
            dns: settings.dns,
            trusted_proxies: settings.trusted_proxies,
            requires_second_factor: settings.requires_second_factor,
            clock: Clock::default(),
            live,
            wakers: Wakers::default(),
            hooks,
            states: RwLock::default(),
        })
    }

    /// Writes, reads and deletes a small object where recordings are kept. Errors: what the store says, for whoever runs the installation.
    pub async fn try_files(&self) -> Result<(), String> {
        files::tried(&*self.recordings).await.map_err(|error| error.to_string())
    }

    /// What a crate remembers in this process under the type `T`; made when it is first asked for. Another process remembers something
    /// else, so nothing that must be right may stand on it.
    pub fn state<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let key = TypeId::of::<T>();
        let known = self.states.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let state = known.unwrap_or_else(|| {
            let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
            states.entry(key).or_insert_with(|| Arc::new(T::default())).clone()
        });
        // The key is the type's own, so what lies there is one.
        state.downcast().unwrap_or_default()
    }
}

/// Functions that lower crates call and upper crates have given to boot, by the type that the lower crate defines for them.
#[derive(Default)]
pub struct Hooks {
    by_type: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Hooks {
    /// Boot: gives the function behind the hook `H`. A later one replaces the former.
    pub fn add<H: Send + Sync + 'static>(&mut self, hook: H) {
        self.by_type.insert(TypeId::of::<H>(), Box::new(hook));
    }

    /// The function behind `H`. Errors: `Internal` when boot has given none.
    pub fn get<H: 'static>(&self) -> Result<&H, AppError> {
        let hook = self.by_type.get(&TypeId::of::<H>()).and_then(|hook| hook.downcast_ref());
        hook.ok_or_else(|| internal(format!("boot gives no {}", std::any::type_name::<H>())))
    }
}

/// What a hook's function returns.
pub type HookFuture<'a, T = ()> = std::pin::Pin<Box<dyn Future<Output = Result<T, AppError>> + Send + 'a>>;

/// The stand-ins' addresses, each as the service's own base address would be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxAddresses {
    pub ultravox: String,
    pub telnyx: String,
    pub openrouter: String,
    /// What the tools of agents ask.
    pub tools: String,
    pub anthropic: String,
    /// Any server of OpenAI's form.
    pub openai: String,
    /// Slack, without `/api`.
    pub slack: String,
    pub hubspot: String,
    pub zoho: String,
    pub twilio: String,
    pub plivo: String,
    /// What outgoing webhooks are sent to.
    pub receiver: String,
}

impl SandboxAddresses {
    /// Below the sandbox's own address, for example `http://127.0.0.1:4010`.
    pub fn at(root: &str) -> Self {
        let root = root.trim_end_matches('/');
        Self {
            ultravox: format!("{root}/ultravox/api"),
            telnyx: format!("{root}/telnyx/v2"),
            openrouter: format!("{root}/openrouter/api/v1"),
            tools: format!("{root}/tools"),
            anthropic: format!("{root}/anthropic/v1"),
            openai: format!("{root}/openai/v1"),
            slack: format!("{root}/slack"),
            hubspot: format!("{root}/hubspot"),
            zoho: format!("{root}/zoho"),
            twilio: format!("{root}/twilio"),
            plivo: format!("{root}/plivo"),
            receiver: format!("{root}/receiver"),
        }
    }
}

fn own_program() -> Result<PathBuf, AppError> {
    std::env::current_exe().map_err(internal)
}
