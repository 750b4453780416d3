use std::sync::{Arc, RwLock};

use crate::providers::{Breakers, HttpClient, HttpSettings, KeyRing};
use crate::shared::AppError;
use crate::shared::error::internal;

/// What boot sets up once per process: the key ring, the way out, and where services find us.
pub struct Installed {
    pub ring: KeyRing,
    pub http: HttpClient,
    /// Without a slash at the end.
    pub public_url: String,
    pub breakers: Breakers,
}

/// The stand-ins' addresses, each as the service's own base address would be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxAddresses {
    pub ultravox: String,
    pub telnyx: String,
    pub openrouter: String,
}

impl SandboxAddresses {
    /// Below the sandbox's own address, for example `http://127.0.0.1:4010`.
    pub fn at(root: &str) -> Self {
        let root = root.trim_end_matches('/');
        Self {
            ultravox: format!("{root}/ultravox/api"),
            telnyx: format!("{root}/telnyx/v2"),
            openrouter: format!("{root}/openrouter/api/v1"),
        }
    }
}

static INSTALLED: RwLock<Option<Arc<Installed>>> = RwLock::new(None);
static SANDBOX: RwLock<Option<SandboxAddresses>> = RwLock::new(None);

/// Sets the key ring and the address that services reach us at. A later call replaces the former (tests start several servers).
pub fn install(ring: KeyRing, public_url: url::Url) {
    let http = match HttpClient::new(HttpSettings::default()) {
        Ok(http) => http,
        Err(error) => {
            tracing::error!(cause = %error, "outside services cannot be reached");
            return;
        }
    };
    let public_url = public_url.as_str().trim_end_matches('/').to_owned();
    let installed = Installed { ring, http, public_url, breakers: Breakers::default() };
    *INSTALLED.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Arc::new(installed));
}

/// Says where the stand-ins answer, so that a workspace can be connected to them.
pub fn install_sandbox(addresses: SandboxAddresses) {
    *SANDBOX.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(addresses);
}

/// What was installed. Errors: `Internal` before boot has done it.
pub fn installed() -> Result<Arc<Installed>, AppError> {
    let installed = INSTALLED.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    installed.ok_or_else(|| internal("the key ring is not installed"))
}

/// The stand-ins' addresses when they run.
pub fn sandbox() -> Option<SandboxAddresses> {
    SANDBOX.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}
