//! A Docker engine, or what speaks as one. Containers stay when they have ended until they are removed, so another worker finds them again
//! by their name and follows them on.

mod connect;
mod log;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerState, HostConfig, HostConfigLogConfig, Mount, MountType, RestartPolicy,
    RestartPolicyNameEnum, SystemVersion,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StatsOptionsBuilder, StopContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use chrono::{DateTime, Utc};
use futures::StreamExt;
use patchbay_providers::Secret;

use crate::archive::{self, wrapped};
use crate::{Artefact, Checked, Ended, Handle, Heard, How, Target, Trouble, TroubleKind, Work, clear_former};
use log::Log;

const MB: i64 = 1024 * 1024;
/// A container that has not begun by then never will.
const START: Duration = Duration::from_secs(60);
/// For a whole answer; stopping a container takes a while.
const PATIENCE: Duration = Duration::from_secs(30);
const SAMPLE: Duration = Duration::from_secs(1);

/// Which addresses may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Sockets and private addresses, too.
    Anywhere,
    /// Those of the public internet.
    Public,
}

/// PEM.
#[derive(Default)]
pub struct DockerKeys {
    pub authority: Option<String>,
    pub certificate: Option<String>,
    pub key: Option<Secret<String>>,
}

pub struct DockerTarget {
    address: String,
    keys: DockerKeys,
    reach: Reach,
    /// What came back in the log, by container.
    archives: Mutex<HashMap<String, Vec<u8>>>,
    /// Containers that were ended here.
    stopped: Mutex<HashSet<String>>,
}

impl DockerTarget {
    pub fn new(address: String, keys: DockerKeys, reach: Reach) -> Self {
        Self { address, keys, reach, archives: Mutex::default(), stopped: Mutex::default() }
    }

    /// Speaks the version that the engine does.
    async fn open(&self) -> Result<Docker, Trouble> {
        let docker = connect::connect(&self.address, &self.keys, self.reach)?;
        soon(docker.negotiate_version()).await.map_err(|error| self.down(&error))
    }

    fn down(&self, error: &Error) -> Trouble {
        let at = self.address.trim_start_matches("unix://");
        Trouble::target(match error {
            Error::DockerResponseServerError { status_code, message } => {
                format!("The Docker engine at {at} answered {status_code}: {message}.")
            }
            Error::RequestTimeoutError => format!("The Docker engine at {at} did not answer in time."),
            other => format!("The Docker engine at {at} does not answer: {}.", chain(other)),
        })
    }

    /// `is_made`: whether the container is of this call. One that was there may be at work.
    async fn create(&self, docker: &Docker, work: &Work, is_made: &mut bool) -> Result<(), Trouble> {
        let Some(image) = &work.image else {
            return Err(Trouble::work("The engine names no image. Containers are made of one."));
        };
        let options = CreateContainerOptionsBuilder::default().name(&work.name()).build();
        let version = soon(docker.version()).await.map_err(|error| self.down(&error))?;
        match soon(docker.create_container(Some(options), container(work, image, is_podman(&version)))).await {
            Ok(_) => *is_made = true,
            Err(Error::DockerResponseServerError { status_code: 409, .. }) => {}
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
                let said = format!("There is no image {image} at the Docker engine {}. Pull it there.", self.address);
                return Err(Trouble::work(said));
            }
            Err(Error::DockerResponseServerError { status_code: 400, message }) => {
                return Err(Trouble::work(format!("The Docker engine does not take this job: {message}.")));
            }
            Err(error) => return Err(self.down(&error)),
        }
        let options = UploadToContainerOptionsBuilder::default().path("/patchbay").build();
        let files = bollard::body_full(files(work).map_err(|error| Trouble::work(error.to_string()))?.into());
        soon(docker.upload_to_container(&work.name(), Some(options), files)).await.map_err(|error| self.down(&error))
    }

    async fn state(&self, docker: &Docker, id: &str) -> Result<Option<ContainerState>, Trouble> {
        match soon(docker.inspect_container(id, None)).await {
            Ok(found) => Ok(found.state),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.down(&error)),
        }
    }

    async fn usage_mb(docker: &Docker, id: &str) -> Option<u32> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut stats = docker.stats(id, Some(options)).boxed();
        let stats = tokio::time::timeout(PATIENCE, stats.next()).await.ok()??.ok()?;
        let bytes = stats.memory_stats?.usage?;
        u32::try_from(bytes.div_ceil(MB.unsigned_abs())).ok()
    }

    async fn stop(&self, id: &str) -> Result<(), Trouble> {
        let docker = self.open().await?;
        let options = StopContainerOptionsBuilder::default().t(5).build();
        match soon(docker.stop_container(id, Some(options))).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 304 | 404 | 409, .. }) => Ok(()),
            Err(error) => Err(self.down(&error)),
        }
    }
}

#[async_trait]
impl Target for DockerTarget {
    async fn check(&self) -> Result<Checked, Trouble> {
        let docker = self.open().await?;
        let version = soon(docker.version()).await.map_err(|error| self.down(&error))?;
        let info = soon(docker.info()).await.map_err(|error| self.down(&error))?;
        if info.memory_limit == Some(false) || info.pids_limit == Some(false) {
            let said = "This Docker engine cannot limit memory and processes of a container. Switch on the control groups memory and pids \
                        of its machine.";
            return Err(Trouble::target(said));
        }
        let is_podman = is_podman(&version);
        let about = format!(
            "{} {}, API {}, processors: {}, {} MB of memory",
            if is_podman { "Podman" } else { "Docker" },
            version.version.unwrap_or_default(),
            version.api_version.unwrap_or_default(),
            info.ncpu.unwrap_or(0),
            info.mem_total.unwrap_or(0) / MB,
        );
        let remarks = vec!["Images are not pulled by Patchbay: those that engines name have to be there.".to_owned()];
        Ok(Checked { about, remarks })
    }

    async fn start(&self, work: &Work) -> Result<Handle, Trouble> {
        let docker = self.open().await?;
        let (name, mut is_made) = (work.name(), false);
        let begin = async {
            let known = self.state(&docker, &name).await?;
            let began =
                known.and_then(|state| state.started_at).is_some_and(|at| !at.is_empty() && !at.starts_with("0001"));
            if !began {
                clear_former(self, work).await?;
                self.create(&docker, work, &mut is_made).await?;
                match soon(docker.start_container(&name, None)).await {
                    Ok(()) | Err(Error::DockerResponseServerError { status_code: 304, .. }) => {}
                    Err(Error::DockerResponseServerError { message, .. }) if is_of_work(&message) => {
                        let said =
                            format!("The image {} cannot run the job: {message}.", work.image.as_deref().unwrap_or(""));
                        return Err(Trouble::work(said));
                    }
                    Err(error) => return Err(self.down(&error)),
                }
            }
            let id = soon(docker.inspect_container(&name, None)).await.ok().and_then(|found| found.id);
            let host = soon(docker.info()).await.ok().and_then(|info| info.name);
            Ok(Handle { id: id.unwrap_or_else(|| name.clone()), host: host.unwrap_or_else(|| self.address.clone()) })
        };
        let begun = tokio::time::timeout(START, begin).await.unwrap_or_else(|_| {
            Err(Trouble::target(format!("The container did not start within {} seconds.", START.as_secs())))
        });
        if let Err(trouble) = &begun
            && (is_made || trouble.kind == TroubleKind::Work)
        {
            // What was made and never ran would only be in the way.
            let _ = self.remove(&Handle { id: name, host: String::new() }).await;
        }
        begun
    }

    async fn follow(
        &self,
        work: &Work,
        handle: &Handle,
        heard: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<Ended, Trouble> {
        let docker = self.open().await?;
        let Some(state) = self.state(&docker, &handle.id).await? else { return Ok(lost()) };
        let began = moment(state.started_at).unwrap_or_else(Utc::now);
        // By the engine's own clock, which may be another one.
        let now = soon(docker.info()).await.ok().and_then(|info| moment(info.system_time));
        let left = work.timeout.saturating_sub((now.unwrap_or_else(Utc::now) - began).to_std().unwrap_or_default());
        let until = tokio::time::Instant::now() + left;
        let mut log = Log::new(work);
        let (mut peak, mut is_late, mut said) = (None, false, Vec::new());
        let mut heard = |one: Heard| {
            if let Heard::Out(_, line) | Heard::Err(_, line) = &one
                && said.len() < 2
            {
                said.push(line.clone());
            }
            heard(one);
        };
        let mut samples = tokio::time::interval(SAMPLE);
        samples.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let end = loop {
            let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).timestamps(true);
            let since = log.again();
            let mut lines = docker.logs(&handle.id, Some(options.since(since).build())).boxed();
            loop {
                tokio::select! {
                    frame = lines.next() => match frame {
                        Some(Ok(frame)) => log.frame(&frame, &mut heard),
                        Some(Err(_)) | None => break,
                    },
                    _ = samples.tick() => {
                        if let Some(mb) = Self::usage_mb(&docker, &handle.id).await.filter(|mb| *mb > 0) {
                            peak = peak.max(Some(mb));
                            heard(Heard::Memory(mb));
                        }
                    }
                    () = tokio::time::sleep_until(until), if !is_late => {
                        is_late = true;
                        self.stop(&handle.id).await?;
                    }
                }
            }
            match self.state(&docker, &handle.id).await? {
                None => return Ok(lost()),
                Some(state) if state.running != Some(true) => break state,
                // The connection was lost, or the engine is about to say that it has ended.
                Some(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        log.rest(&mut heard);
        self.archives.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.id.clone(), log.archive());
        let is_stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).contains(&handle.id);
        let code = i32::try_from(end.exit_code.unwrap_or(0)).unwrap_or(-1);
        if let [line] = said.as_slice()
            && code != 0
            && is_of_init(line)
        {
            let image = work.image.as_deref().unwrap_or_default();
            return Err(Trouble::work(format!(
                "The image {image} cannot run the job: {line}. It needs at least a shell."
            )));
        }
        let how = match code {
            _ if is_late => How::TimedOut,
            _ if is_stopped => How::Stopped,
            // Also where the command said that all was well: a part of it was ended, and what it made is not whole.
            _ if end.oom_killed == Some(true) => {
                How::OutOfMemory(format!("The Docker engine says that its limit of {} MB was reached.", work.memory_mb))
            }
            137 => How::OutOfMemory(format!(
                "It was ended by force (code 137), and not by Patchbay: at its limit of {} MB, as far as can be told.",
                work.memory_mb
            )),
            code => How::Exited(code),
        };
        Ok(Ended { how, peak_memory_mb: peak })
    }

    async fn end(&self, handle: &Handle) -> Result<(), Trouble> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).insert(handle.id.clone());
        self.stop(&handle.id).await
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
        let docker = self.open().await?;
        self.archives.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle.id);
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match soon(docker.remove_container(&handle.id, Some(options))).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(error) => Err(self.down(&error)),
        }
    }

    async fn ours(&self) -> Result<Vec<(uuid::Uuid, i32, Handle)>, Trouble> {
        let docker = self.open().await?;
        let filters = HashMap::from([("label", vec!["patchbay.job"])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = soon(docker.list_containers(Some(options))).await.map_err(|error| self.down(&error))?;
        let ours = found.into_iter().filter_map(|container| {
            let labels = container.labels?;
            let job = labels.get("patchbay.job")?.parse().ok()?;
            let attempt = labels.get("patchbay.attempt")?.parse().ok()?;
            Some((job, attempt, Handle { id: container.id?, host: self.address.clone() }))
        });
        Ok(ours.collect())
    }
}

/// An answer that goes on and on is none.
async fn soon<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or(Err(Error::RequestTimeoutError))
}

fn moment(text: Option<String>) -> Option<DateTime<Utc>> {
    text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok()).map(Into::into)
}

fn lost() -> Ended {
    let how = How::Lost("Its container is not there any more, and nobody knows how it ended.".to_owned());
    Ended { how, peak_memory_mb: None }
}

fn is_podman(version: &SystemVersion) -> bool {
    version.components.iter().flatten().any(|part| part.name.contains("Podman"))
}

fn container(work: &Work, image: &str, is_podman: bool) -> ContainerCreateBody {
    let memory = i64::from(work.memory_mb) * MB;
    let host = HostConfig {
        memory: Some(memory),
        // Together with swap: none.
        memory_swap: Some(memory),
        nano_cpus: Some(i64::from(work.cpu_milli) * 1_000_000),
        pids_limit: Some(i64::from(work.most_processes) + 3),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([
            ("/work".to_owned(), format!("rw,exec,nosuid,nodev,size={}m,mode=1777", work.disk_mb)),
            ("/tmp".to_owned(), "rw,nosuid,nodev,size=64m,mode=1777".to_owned()),
        ])),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        network_mode: (!work.has_network).then(|| "none".to_owned()),
        // The files of the job are put where it may not write. Docker’s volume is root’s, and takes no files when it is for reading; Podman
        // gives it to the container’s user, and puts files into one that is for reading.
        mounts: is_podman.then(|| {
            let typ = Some(MountType::VOLUME);
            vec![Mount { typ, target: Some("/patchbay".to_owned()), read_only: Some(true), ..Mount::default() }]
        }),
        auto_remove: Some(false),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        init: Some(true),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([
                ("max-size".to_owned(), "64m".to_owned()),
                ("max-file".to_owned(), "1".to_owned()),
            ])),
        }),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(Vec::new()),
        cmd: Some(wrapped(work)),
        env: Some(work.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        user: Some("65532:65532".to_owned()),
        volumes: (!is_podman).then(|| vec!["/patchbay".to_owned()]),
        labels: Some(HashMap::from([
            ("patchbay.job".to_owned(), work.job.to_string()),
            ("patchbay.attempt".to_owned(), work.attempt.to_string()),
        ])),
        stop_timeout: Some(5),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

/// What lies below `/patchbay`.
fn files(work: &Work) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut folder = tar::Header::new_gnu();
    folder.set_entry_type(tar::EntryType::Directory);
    folder.set_size(0);
    folder.set_mode(0o755);
    archive.append_data(&mut folder, "in/", std::io::empty())?;
    let files = work.files.iter().map(|(name, content)| (format!("in/{name}"), content.as_slice()));
    for (name, content) in files.chain([("stdin".to_owned(), work.stdin.as_slice())]) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content)?;
    }
    archive.into_inner()
}

/// Whether the engine refused to start it for what the image lacks.
fn is_of_work(message: &str) -> bool {
    let message = message.to_lowercase();
    ["executable file", "no such file", "not found", "permission denied", "exec format"]
        .iter()
        .any(|part| message.contains(part))
}

/// Whether the first process of the container says that there is nothing to run: Docker's is tini, Podman's is catatonit.
fn is_of_init(line: &str) -> bool {
    ["[FATAL tini (", "ERROR (catatonit:"].iter().any(|start| line.starts_with(start))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}
