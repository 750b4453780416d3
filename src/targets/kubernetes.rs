//! A Kubernetes cluster: each piece of work is a Job of one pod. How to write down what is asked is in `kubernetes/manifest.rs`, how to
//! read what is said in `kubernetes/read.rs`. Jobs stay for an hour after their end, so another worker finds them by their name.

mod api;
mod manifest;
mod read;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::archive::{self, Unwrapper};
use crate::lines::Lines;
use crate::{Artefact, Checked, Ended, Handle, Heard, How, Reach, Target, Trouble, TroubleKind, Work, clear_former};
use api::{Api, Refusal};
use patchbay_providers::Secret;
use read::{Job, List, Pod, Waits};

/// A pod that has not begun by then is taken away again.
const START: Duration = Duration::from_secs(60);
/// Between two looks at a Job.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct KubernetesKeys {
    /// PEM. None: one that browsers know, or that of the pod.
    pub authority: Option<String>,
    /// None: that of the pod.
    pub token: Option<Secret<String>>,
}

pub struct KubernetesTarget {
    address: String,
    namespace: String,
    node_selector: BTreeMap<String, String>,
    keys: KubernetesKeys,
    reach: Reach,
    look: Duration,
    start: Duration,
    archives: Mutex<HashMap<String, Vec<u8>>>,
    stopped: Mutex<HashSet<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Version {
    git_version: String,
}

impl KubernetesTarget {
    pub fn new(
        address: String,
        namespace: String,
        node_selector: BTreeMap<String, String>,
        keys: KubernetesKeys,
        reach: Reach,
    ) -> Self {
        let (archives, stopped) = (Mutex::default(), Mutex::default());
        Self { address, namespace, node_selector, keys, reach, look: LOOK, start: START, archives, stopped }
    }

    /// Looks more often than once in two seconds.
    pub fn looking_every(self, look: Duration) -> Self {
        Self { look, ..self }
    }

    /// Waits for the beginning of a pod no longer than this.
    pub fn beginning_within(self, start: Duration) -> Self {
        Self { start, ..self }
    }

    fn api(&self) -> Result<Api, Trouble> {
        Api::open(&self.address, &self.namespace, &self.keys, self.reach)
    }

    async fn job(&self, api: &Api, name: &str) -> Result<Option<Job>, Trouble> {
        match api.get(&api.at("apis/batch/v1", &format!("jobs/{name}")), &[]).await? {
            Ok(job) => Ok(Some(job)),
            Err(Refusal { status: 404 | 410, .. }) => Ok(None),
            Err(refusal) => Err(api.refused("get jobs", &refusal)),
        }
    }

    async fn pod(&self, api: &Api, name: &str) -> Result<Option<Pod>, Trouble> {
        let selector = format!("job-name={name}");
        match api.get::<List<Pod>>(&api.at("api/v1", "pods"), &[("labelSelector", &selector)]).await? {
            // The newest is the last; a cluster may start a second one.
            Ok(mut list) => Ok(list.items.pop()),
            // What was asked for is too old: it is asked again.
            Err(Refusal { status: 410, .. }) => Ok(None),
            Err(refusal) => Err(api.refused("list pods", &refusal)),
        }
    }

    /// `is_made`: whether the Job is of this call. One that was there may be at work.
    async fn create(&self, api: &Api, work: &Work, is_made: &mut bool) -> Result<(), Trouble> {
        let document = manifest::job(work, &self.node_selector)?;
        clear_former(self, work).await?;
        let made: Value = match api.create(&api.at("apis/batch/v1", "jobs"), &document).await? {
            Ok(made) => {
                *is_made = true;
                made
            }
            Err(Refusal { status: 409, .. }) => match api.get(&self.place(api, &work.name()), &[]).await? {
                Ok(found) => found,
                Err(refusal) => return Err(api.refused("get jobs", &refusal)),
            },
            Err(Refusal { status: 422, message } | Refusal { status: 400, message }) => {
                return Err(Trouble::work(format!("The cluster does not take this job: {message}.")));
            }
            Err(refusal) if refusal.message.contains("exceeded quota") => return Err(Trouble::full(refusal.message)),
            Err(refusal) => return Err(api.refused("create jobs", &refusal)),
        };
        let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
        match api.create(&api.at("api/v1", "secrets"), &manifest::files(work, uid)).await? {
            Ok(_) | Err(Refusal { status: 409, .. }) => Ok(()),
            Err(refusal) => Err(api.refused("create secrets", &refusal)),
        }
    }

    fn place(&self, api: &Api, name: &str) -> String {
        api.at("apis/batch/v1", &format!("jobs/{name}"))
    }

    /// Waits until its container runs, or cannot.
    async fn begun(&self, api: &Api, work: &Work) -> Result<Handle, Trouble> {
        let until = Instant::now() + self.start;
        loop {
            let pod = self.pod(api, &work.name()).await?;
            if let Some(pod) = pod.as_ref().filter(|pod| pod.has_begun()) {
                return Ok(Handle { id: work.name(), host: pod.spec.node_name.clone() });
            }
            if self.job(api, &work.name()).await?.is_some_and(|job| job.is_over()) {
                return Ok(Handle { id: work.name(), host: self.address.clone() });
            }
            let waits = pod.as_ref().map_or_else(|| Waits::Yet("it has no pod".to_owned()), Pod::waits);
            let image = work.image.as_deref().unwrap_or_default();
            match waits {
                Waits::Never(said) => {
                    return Err(Trouble::work(format!("The cluster cannot run the image {image}: {said}.")));
                }
                Waits::Full(said) if Instant::now() > until => {
                    return Err(Trouble::full(format!("No node has room for it: {said}.")));
                }
                Waits::Yet(said) if Instant::now() > until => {
                    let most = self.start.as_secs();
                    return Err(Trouble::target(format!("The pod did not begin within {most} seconds: {said}.")));
                }
                _ => tokio::time::sleep(self.look).await,
            }
        }
    }
}

#[async_trait]
impl Target for KubernetesTarget {
    async fn check(&self) -> Result<Checked, Trouble> {
        let api = self.api()?;
        let version = match api.get::<Version>(&api.outside_namespace("version"), &[]).await? {
            Ok(version) => version.git_version,
            Err(refusal) => return Err(api.refused("say its version", &refusal)),
        };
        let ours = [("labelSelector", "app.kubernetes.io/managed-by=patchbay"), ("limit", "1")];
        for (what, url) in [("list jobs", api.at("apis/batch/v1", "jobs")), ("list pods", api.at("api/v1", "pods"))] {
            if let Err(refusal) = api.get::<List<Pod>>(&url, &ours).await? {
                return Err(api.refused(what, &refusal));
            }
        }
        // Asked without doing it: a token that may only look is found out here, and not by the first job.
        let dry = work_for_check();
        let url = format!("{}?dryRun=All", api.at("apis/batch/v1", "jobs"));
        if let Err(refusal) = api.create(&url, &manifest::job(&dry, &self.node_selector)?).await? {
            return Err(api.refused("create jobs", &refusal));
        }
        let url = format!("{}?dryRun=All", api.at("api/v1", "secrets"));
        if let Err(refusal) = api.create(&url, &manifest::files(&dry, &dry.job.to_string())).await? {
            return Err(api.refused("create secrets", &refusal));
        }
        let remarks = vec![
            "How much memory a job used is not known: a cluster says only when it was too much.".to_owned(),
            "Whether jobs reach the network is decided by the network policies of the namespace.".to_owned(),
        ];
        Ok(Checked { about: format!("Kubernetes {version}, namespace {}", api.namespace), remarks })
    }

    async fn start(&self, work: &Work) -> Result<Handle, Trouble> {
        let api = self.api()?;
        let mut is_made = false;
        let begin = async {
            self.create(&api, work, &mut is_made).await?;
            self.begun(&api, work).await
        };
        let begun = begin.await;
        if let Err(trouble) = &begun
            && (is_made || trouble.kind == TroubleKind::Work)
        {
            let _ = api.delete(&self.place(&api, &work.name())).await;
        }
        begun
    }

    async fn follow(
        &self,
        work: &Work,
        handle: &Handle,
        heard: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<Ended, Trouble> {
        let api = self.api()?;
        let mut log = Log { lines: Lines::default(), unwrapper: Unwrapper::new(work), last: None };
        let how = loop {
            let Some(job) = self.job(&api, &handle.id).await? else {
                let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).contains(&handle.id);
                let gone = "Its Job is not there any more, and nobody knows how it ended.";
                break if stopped { How::Stopped } else { How::Lost(gone.to_owned()) };
            };
            let pod = self.pod(&api, &handle.id).await?;
            let over = read::how(&job, pod.as_ref(), work.memory_mb);
            // Read before anything is said of its end: the rest of the log is there by then.
            if let Some(pod) = pod.filter(|pod| pod.has_begun()) {
                self.read_log(&api, &pod, &mut log, over.is_some(), heard).await?;
            }
            if let Some(how) = over {
                break how;
            }
            tokio::time::sleep(self.look).await;
        };
        self.archives.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.id.clone(), log.unwrapper.archive());
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).contains(&handle.id);
        Ok(Ended { how: if stopped { How::Stopped } else { how }, peak_memory_mb: None })
    }

    async fn end(&self, handle: &Handle) -> Result<(), Trouble> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.id.clone());
        let api = self.api()?;
        api.delete(&self.place(&api, &handle.id)).await
    }

    async fn collect(
        &self,
        handle: &Handle,
        most_bytes: u64,
        most_files: usize,
    ) -> Result<(Vec<Artefact>, Vec<String>), Trouble> {
        let archive = self.archives.lock().unwrap_or_else(PoisonError::into_inner).get(&handle.id).cloned();
        Ok(archive::read(archive.unwrap_or_default().as_slice(), most_bytes, most_files))
    }

    async fn remove(&self, handle: &Handle) -> Result<(), Trouble> {
        let api = self.api()?;
        self.archives.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle.id);
        api.delete(&self.place(&api, &handle.id)).await?;
        api.delete(&api.at("api/v1", &format!("secrets/{}", handle.id))).await
    }

    async fn ours(&self) -> Result<Vec<(uuid::Uuid, i32, Handle)>, Trouble> {
        let api = self.api()?;
        let selector = [("labelSelector", "app.kubernetes.io/managed-by=patchbay")];
        let found = api.get::<List<Job>>(&api.at("apis/batch/v1", "jobs"), &selector).await?;
        let jobs = found.map_err(|refusal| api.refused("list jobs", &refusal))?.items;
        let ours = jobs.into_iter().filter_map(|job| {
            let label = |name: &str| job.metadata.labels.get(name).cloned();
            let (id, attempt) =
                (label("patchbay.dev/job")?.parse().ok()?, label("patchbay.dev/attempt")?.parse().ok()?);
            Some((id, attempt, Handle { id: job.metadata.name, host: self.address.clone() }))
        });
        Ok(ours.collect())
    }
}

impl KubernetesTarget {
    /// Reads on in the log until it has nothing more to say, or the pod may have ended.
    async fn read_log(
        &self,
        api: &Api,
        pod: &Pod,
        log: &mut Log,
        is_over: bool,
        heard: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<(), Trouble> {
        let since = log.last.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let Some(mut pieces) = api.log(&pod.metadata.name, since.as_deref()).await? else { return Ok(()) };
        let mut skip = log.last;
        // A pod that has ended writes no more, and a line that is awaited would never come.
        let quiet = if is_over || pod.has_ended() { Duration::from_secs(5) } else { self.look };
        while let Ok(Some(Ok(piece))) = tokio::time::timeout(quiet, pieces.next()).await {
            log.piece(&piece, &mut skip, heard);
        }
        if is_over {
            // The last line may have no end.
            log.piece(b"\n", &mut skip, heard);
        } else {
            // It is read again, whole.
            log.lines.rest();
        }
        Ok(())
    }
}

fn work_for_check() -> Work {
    Work {
        job: uuid::Uuid::now_v7(),
        attempt: 1,
        command: vec!["true".to_owned()],
        environment: Vec::new(),
        files: Vec::new(),
        stdin: Vec::new(),
        memory_mb: 64,
        cpu_milli: 100,
        has_network: false,
        image: Some("busybox".to_owned()),
        timeout: Duration::from_secs(60),
        disk_mb: 16,
        most_processes: 16,
    }
}

/// The log of a pod: each line with its time in front, both streams in one.
struct Log {
    lines: Lines,
    unwrapper: Unwrapper,
    last: Option<DateTime<Utc>>,
}

impl Log {
    /// `skip`: up to this moment everything was heard already.
    fn piece(&mut self, piece: &[u8], skip: &mut Option<DateTime<Utc>>, heard: &mut (dyn FnMut(Heard) + Send)) {
        let (unwrapper, last) = (&mut self.unwrapper, &mut self.last);
        self.lines.take(piece, |line| {
            let parts = line.split_once(' ').unwrap_or((&line, ""));
            let (at, text) = match DateTime::parse_from_rfc3339(parts.0) {
                Ok(at) => (at.with_timezone(&Utc), parts.1),
                Err(_) => (last.unwrap_or_else(Utc::now), line.as_str()),
            };
            if skip.is_some_and(|heard| at <= heard) {
                return;
            }
            *last = (*last).max(Some(at));
            if let Some(text) = unwrapper.line(text.to_owned()) {
                heard(Heard::Out(at, text));
            }
        });
    }
}
