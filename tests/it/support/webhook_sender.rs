use chrono::{SecondsFormat, Utc};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_connections::model::{ConnectionSettings, Mode, Provider};
use patchbay_connections::server::ops::{NewConnection, connect};
use patchbay_providers::Secret;
use patchbay_providers::signature::{ULTRAVOX_SIGNATURE, ULTRAVOX_TIMESTAMP, sign_ultravox};
use patchbay_services::SandboxAddresses;
use patchbay_shared::ids::WorkspaceId;

use super::{Agency, World, owner_value, unique};

const TEST: Machine = Machine { name: "test", actions: &[Action::ManageConnections] };

/// An agency whose voice account signs with a secret that the test knows.
pub struct WebhookSender {
    pub agency: Agency,
    pub secret: String,
    /// The account's key at the voice service.
    pub account: String,
    /// The address that the voice service delivers to.
    pub path: String,
    pub http: reqwest::Client,
}

impl WebhookSender {
    pub async fn new(world: &World, name: &str) -> Self {
        let agency = Agency::new(world, name).await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let (secret, key) = (unique("whsec"), format!("sandbox-{}", unique("")));
        let account = NewConnection {
            provider: Provider::Ultravox,
            mode: Mode::Sandbox,
            base_url: SandboxAddresses::at(&world.sandbox_base).ultravox,
            api_key: Secret::new(key.clone()),
            webhook_secrets: vec![Secret::new(secret.clone())],
            public_key: None,
            settings: ConnectionSettings::default(),
        };
        let id = connect(&Scope::of_operator(world.db.clone(), workspace, TEST), account).await.expect("a connection");
        let path = format!("{}/webhooks/ultravox/{workspace}/{id}", world.base);
        Self { agency, secret, account: key, path, http: reqwest::Client::new() }
    }

    /// The time and the signature of a delivery of this body that is made now.
    pub fn sign(&self, body: &[u8]) -> (String, String) {
        let stamp = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let signature = sign_ultravox(&self.secret, &stamp, body);
        (stamp, signature)
    }

    /// Delivers a body, rightly signed. Gives the status of the answer.
    pub async fn deliver(&self, body: &[u8]) -> u16 {
        let (stamp, signature) = self.sign(body);
        self.send(&self.path, body, Some(&stamp), Some(&signature)).await
    }

    /// Delivers with these headers.
    pub async fn send(&self, path: &str, body: &[u8], stamp: Option<&str>, signature: Option<&str>) -> u16 {
        let mut request = self.http.post(path).header("content-type", "application/json").body(body.to_vec());
        if let Some(stamp) = stamp {
            request = request.header(ULTRAVOX_TIMESTAMP, stamp);
        }
        if let Some(signature) = signature {
            request = request.header(ULTRAVOX_SIGNATURE, signature);
        }
        request.send().await.expect("an answer").status().as_u16()
    }

    /// How many events of this agency are stored.
    pub async fn stored(&self, world: &World) -> i64 {
        let sql = format!("select count(*) from webhook_queue where workspace_id = '{}'", self.agency.workspace_id);
        owner_value(world, &sql).await
    }

    /// Has every stored event worked on, until it is done or has failed for good.
    pub async fn settled(&self, world: &World) {
        self.agency.drain().await;
        let sql = format!(
            "select count(*) from webhook_queue where workspace_id = '{}' and status in ('pending', 'processing')",
            self.agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &sql).await, 0, "all events are processed");
    }
}
