//! The few calls of a Kubernetes API server that jobs need, as plain HTTP.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::{Certificate, Method, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::KubernetesKeys;
use crate::{Reach, Trouble};
use patchbay_providers::Secret;
use patchbay_providers::public_address::PublicResolver;

/// Where a pod finds what it may use to speak with its own cluster.
const IN_CLUSTER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of an answer that are read.
const MOST: usize = 8 * 1024 * 1024;

/// An API server, and a namespace of it.
pub(super) struct Api {
    client: reqwest::Client,
    base: String,
    pub namespace: String,
    token: Option<Secret<String>>,
}

/// What it answered instead.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub message: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    message: String,
}

impl Api {
    /// An empty address: the cluster that this process runs in.
    pub fn open(address: &str, namespace: &str, keys: &KubernetesKeys, reach: Reach) -> Result<Self, Trouble> {
        let broken = |what: String| Trouble::target(format!("The cluster cannot be asked: {what}."));
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10));
        let (mut authority, mut token) = (keys.authority.clone(), keys.token.clone());
        let base = if address.is_empty() {
            if reach != Reach::Anywhere {
                return Err(broken("the cluster that Patchbay runs in is not to be used for targets".to_owned()));
            }
            let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            let found = of("KUBERNETES_SERVICE_HOST").zip(of("KUBERNETES_SERVICE_PORT"));
            let Some((host, port)) = found else {
                let said = "Patchbay does not run in a Kubernetes cluster, so the address of one has to be given";
                return Err(broken(said.to_owned()));
            };
            // Read each time: the token is renewed there.
            let read = |name: &str| std::fs::read_to_string(format!("{IN_CLUSTER}/{name}")).ok();
            authority = authority.or_else(|| read("ca.crt"));
            token = token.or_else(|| read("token").map(|token| Secret::new(token.trim().to_owned())));
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            format!("https://{host}:{port}")
        } else {
            address.trim_end_matches('/').to_owned()
        };
        if reach == Reach::Public {
            client = client.dns_resolver(PublicResolver::system()).https_only(true);
        }
        if let Some(authority) = &authority {
            let read = Certificate::from_pem_bundle(authority.as_bytes());
            let read = read.map_err(|error| broken(format!("its authority cannot be used: {error}")))?;
            client = client.tls_certs_only(read);
        }
        let client = client.build().map_err(|error| broken(error.to_string()))?;
        Ok(Self { client, base, namespace: namespace.to_owned(), token })
    }

    /// An address below a group of the API, in the namespace.
    pub fn at(&self, group: &str, rest: &str) -> String {
        format!("{}/{group}/namespaces/{}/{rest}", self.base, self.namespace)
    }

    pub fn outside_namespace(&self, rest: &str) -> String {
        format!("{}/{rest}", self.base)
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Result<Response, Refusal>, Trouble> {
        let answer = request.send().await.map_err(|error| self.down(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer));
        }
        let body = self.body(answer).await?;
        let said = serde_json::from_slice::<Status>(&body).map(|status| status.message).unwrap_or_default();
        let message: String = said.chars().filter(|letter| !letter.is_control()).take(500).collect();
        if status.as_u16() == 401 {
            return Err(Trouble::target(format!(
                "The cluster at {} does not know the token. Give a new one.",
                self.base
            )));
        }
        Ok(Err(Refusal { status: status.as_u16(), message }))
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.down(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                return Err(Trouble::target(format!("The cluster at {} answers with more than is read.", self.base)));
            }
        }
        Ok(body)
    }

    pub async fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        query: &[(&str, &str)],
    ) -> Result<Result<T, Refusal>, Trouble> {
        let request = self.request(Method::GET, url).query(query).timeout(PATIENCE);
        match self.send(request).await? {
            Ok(answer) => self.read(answer).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    pub async fn create(&self, url: &str, document: &Value) -> Result<Result<Value, Refusal>, Trouble> {
        match self.send(self.request(Method::POST, url).json(document).timeout(PATIENCE)).await? {
            Ok(answer) => self.read(answer).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// What is not there is deleted.
    pub async fn delete(&self, url: &str) -> Result<(), Trouble> {
        let request = self.request(Method::DELETE, url).query(&[("propagationPolicy", "Background")]);
        match self.send(request.timeout(PATIENCE)).await? {
            Ok(_) | Err(Refusal { status: 404, .. }) => Ok(()),
            Err(refusal) => Err(self.refused("delete it", &refusal)),
        }
    }

    /// The log of a pod, for as long as it is written. None: there is none yet.
    pub async fn log(
        &self,
        pod: &str,
        since: Option<&str>,
    ) -> Result<Option<BoxStream<'static, reqwest::Result<Bytes>>>, Trouble> {
        let url = self.at("api/v1", &format!("pods/{pod}/log"));
        let mut query = vec![("container", "main"), ("follow", "true"), ("timestamps", "true")];
        query.extend(since.map(|since| ("sinceTime", since)));
        // The log may take as long as the job, its beginning may not.
        let asked = self.send(self.request(Method::GET, &url).query(&query));
        let answer = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
            Err(Trouble::target(format!("The cluster at {} does not answer: no answer in time.", self.base)))
        });
        match answer? {
            Ok(answer) => Ok(Some(answer.bytes_stream().boxed())),
            // The container is starting, or the pod is gone.
            Err(Refusal { status: 400 | 404, .. }) => Ok(None),
            Err(refusal) => Err(self.refused("read logs of pods", &refusal)),
        }
    }

    async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T, Trouble> {
        let body = self.body(answer).await?;
        serde_json::from_slice(&body)
            .map_err(|_| Trouble::target(format!("What answers at {} is no Kubernetes API.", self.base)))
    }

    fn down(&self, error: &reqwest::Error) -> Trouble {
        let mut said: Vec<String> = Vec::new();
        let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
        while let Some(error) = cause {
            said.push(error.to_string());
            cause = error.source();
        }
        let why = if error.is_timeout() { "no answer in time".to_owned() } else { said.join(": ") };
        Trouble::target(format!("The cluster at {} does not answer: {why}.", self.base))
    }

    /// For people: what it refused, and what to do.
    pub fn refused(&self, what: &str, refusal: &Refusal) -> Trouble {
        let Refusal { status, message } = refusal;
        if *status == 403 {
            return Trouble::target(format!(
                "The token may not {what} in the namespace {}: {message}. Give its account the role of the documentation.",
                self.namespace
            ));
        }
        Trouble::target(format!("The cluster at {} would not {what} ({status}): {message}.", self.base))
    }
}
