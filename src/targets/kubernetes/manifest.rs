//! What a piece of work is to a cluster: a Job, and a Secret with its files that goes when the Job does.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::archive::wrapped;
use crate::{Trouble, Work};

/// A Secret holds a mebibyte at most.
const MOST_FILES: usize = 700 * 1024;
/// Seconds that a job stays after its end when nobody takes it away.
const STAYS: u32 = 3600;

/// The Job.
pub(super) fn job(work: &Work, node_selector: &BTreeMap<String, String>) -> Result<Value, Trouble> {
    let Some(image) = &work.image else {
        return Err(Trouble::work("The engine names no image. Pods are made of one."));
    };
    let bytes = work.stdin.len() + work.files.iter().map(|(_, content)| content.len()).sum::<usize>();
    if bytes > MOST_FILES {
        return Err(Trouble::work(
            "The files of the job are too large for a Kubernetes Secret: at most 700 kB together.",
        ));
    }
    let labels = json!({
        "app.kubernetes.io/managed-by": "patchbay",
        "patchbay.dev/job": work.job.to_string(),
        "patchbay.dev/attempt": work.attempt.to_string(),
        // For the network policy of the namespace.
        "patchbay.dev/network": if work.has_network { "allowed" } else { "none" },
    });
    let files: Vec<Value> =
        (0..).zip(&work.files).map(|(at, (name, _))| item(&format!("f{at}"), &format!("in/{name}"))).collect();
    let items: Vec<Value> = files.into_iter().chain([item("stdin", "stdin"), item("mark", "in/.patchbay")]).collect();
    let environment: Vec<Value> =
        work.environment.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let (cpu, memory) = (format!("{}m", work.cpu_milli), format!("{}Mi", work.memory_mb));
    let disk = format!("{}Mi", work.disk_mb);
    // Logs count, too.
    let storage = format!("{}Mi", work.disk_mb + 192);
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": work.name(), "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": work.timeout.as_secs().max(1),
            "ttlSecondsAfterFinished": STAYS,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": 5,
                    "nodeSelector": node_selector,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "fsGroup": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [{
                        "name": "main",
                        "image": image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": wrapped(work),
                        "env": environment,
                        "resources": {
                            "requests": {"cpu": cpu, "memory": memory},
                            "limits": {"cpu": cpu, "memory": memory, "ephemeral-storage": storage},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [
                            {"name": "work", "mountPath": "/work"},
                            {"name": "tmp", "mountPath": "/tmp"},
                            {"name": "files", "mountPath": "/patchbay", "readOnly": true},
                        ],
                    }],
                    "volumes": [
                        {"name": "work", "emptyDir": {"sizeLimit": disk}},
                        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
                        {"name": "files", "secret": {"secretName": work.name(), "items": items, "defaultMode": 0o444}},
                    ],
                },
            },
        },
    }))
}

fn item(key: &str, path: &str) -> Value {
    json!({"key": key, "path": path})
}

/// The files. The pod waits for them; they go with the Job that owns them.
pub(super) fn files(work: &Work, job_uid: &str) -> Value {
    let of = |content: &[u8]| Value::from(STANDARD.encode(content));
    let files = (0..).zip(&work.files).map(|(at, (_, content))| (format!("f{at}"), of(content)));
    let data: serde_json::Map<String, Value> =
        files.chain([("stdin".to_owned(), of(&work.stdin)), ("mark".to_owned(), of(b""))]).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": work.name(),
            "labels": {"app.kubernetes.io/managed-by": "patchbay"},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": work.name(), "uid": job_uid}],
        },
        "type": "Opaque",
        "immutable": true,
        "data": data,
    })
}
