//! What a cluster says of a Job and its pod, and what it means.

use serde::Deserialize;

use crate::How;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct List<T> {
    pub items: Vec<T>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(rename = "deletionTimestamp")]
    pub deleted: Option<String>,
    pub name: String,
    pub uid: String,
    pub labels: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Job {
    pub metadata: Metadata,
    pub status: JobStatus,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct JobStatus {
    pub conditions: Vec<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Pod {
    pub metadata: Metadata,
    pub spec: PodSpec,
    pub status: PodStatus,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec {
    pub node_name: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodStatus {
    pub reason: String,
    pub message: String,
    pub conditions: Vec<Condition>,
    pub container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ContainerStatus {
    pub state: State,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct State {
    pub waiting: Option<Waiting>,
    pub running: Option<serde_json::Value>,
    pub terminated: Option<Terminated>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Waiting {
    pub reason: String,
    pub message: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated {
    pub reason: String,
    pub message: String,
    pub exit_code: i32,
}

/// Why a container does not begin.
pub(super) enum Waits {
    /// It may still.
    Yet(String),
    /// It never will: its image or its settings.
    Never(String),
    /// No node has room for it.
    Full(String),
}

impl Job {
    fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind && condition.status == "True")
    }

    pub fn is_over(&self) -> bool {
        self.condition("Complete").is_some() || self.condition("Failed").is_some()
    }
}

impl Pod {
    fn state(&self) -> Option<&State> {
        self.status.container_statuses.first().map(|status| &status.state)
    }

    /// By a drain of its node, or for something more important.
    fn is_taken_away(&self) -> bool {
        let is_so = |condition: &Condition| condition.kind == "DisruptionTarget" && condition.status == "True";
        self.metadata.deleted.is_some() || self.status.conditions.iter().any(is_so)
    }

    pub fn has_begun(&self) -> bool {
        self.state().is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    }

    pub fn has_ended(&self) -> bool {
        self.state().is_some_and(|state| state.terminated.is_some())
    }

    pub fn waits(&self) -> Waits {
        if let Some(waiting) = self.state().and_then(|state| state.waiting.as_ref()) {
            let said = format!("{}: {}", waiting.reason, waiting.message);
            return match waiting.reason.as_str() {
                "ErrImagePull"
                | "ImagePullBackOff"
                | "InvalidImageName"
                | "ErrImageNeverPull"
                | "CreateContainerConfigError"
                | "CreateContainerError"
                | "RunContainerError" => Waits::Never(said),
                _ => Waits::Yet(said),
            };
        }
        let scheduled = self.status.conditions.iter().find(|condition| condition.kind == "PodScheduled");
        match scheduled {
            Some(condition) if condition.reason == "Unschedulable" => Waits::Full(condition.message.clone()),
            _ => Waits::Yet("the pod has not begun".to_owned()),
        }
    }
}

/// How it ended. None: it has not. `memory_mb`: its limit.
pub(super) fn how(job: &Job, pod: Option<&Pod>, memory_mb: u32) -> Option<How> {
    if job.condition("Failed").is_some_and(|condition| condition.reason == "DeadlineExceeded") {
        return Some(How::TimedOut);
    }
    if let Some(pod) = pod {
        match pod.status.reason.as_str() {
            "DeadlineExceeded" => return Some(How::TimedOut),
            "Evicted" => {
                return Some(How::Lost(format!("The cluster took its place away: {}", pod.status.message)));
            }
            _ => {}
        }
        if let Some(ended) = pod.state().and_then(|state| state.terminated.as_ref()) {
            return Some(match ended.reason.as_str() {
                // Also where the command said that all was well: a part of it was ended, and what it made is not whole.
                "OOMKilled" => How::OutOfMemory(format!("The cluster says OOMKilled, at its limit of {memory_mb} MB.")),
                "ContainerCannotRun" | "StartError" => How::Lost(format!("It could not be run: {}", ended.message)),
                _ if ended.exit_code == 137 && pod.is_taken_away() => {
                    How::Lost("The cluster took its place away: its node was wanted for something else.".to_owned())
                }
                // The program was ended, and the wrapper around it was not: only a part of it had wanted too much.
                _ if ended.exit_code == 137 => How::OutOfMemory(format!(
                    "It was ended by force (code 137), and not by Patchbay: at its limit of {memory_mb} MB, as far as can be told."
                )),
                _ => How::Exited(ended.exit_code),
            });
        }
    }
    if let Some(failed) = job.condition("Failed") {
        return Some(How::Lost(format!("The cluster ended it: {} {}", failed.reason, failed.message)));
    }
    job.condition("Complete").map(|_| How::Exited(0))
}
