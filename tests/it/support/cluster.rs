use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What was asked: method, path with query, token, document.
pub type Asked = (String, String, String, Value);

/// What becomes of a Job, by its document, and by how often it was looked at: its status and that of its pod.
pub type Plan = fn(&Value, usize) -> (Value, Value);

/// An API server that notes what it is asked, and says of every Job what the test tells it to.
pub struct Cluster {
    pub address: String,
    pub state: Arc<Script>,
}

#[derive(Default)]
pub struct Script {
    pub asked: Mutex<Vec<Asked>>,
    /// Status of the Job and of its pod, one after the other; the last one stays.
    pub told: Mutex<Vec<(Value, Value)>>,
    pub log: Mutex<String>,
    /// The answer to requests whose method and path begin so.
    pub refuses: Mutex<Vec<(&'static str, u16, &'static str)>>,
    pub is_gone: Mutex<bool>,
    /// In place of what is told: Jobs that are made, looked at and deleted each for itself. Each has its own log.
    pub plan: Option<Plan>,
    jobs: Mutex<Vec<Made>>,
}

/// A Job that was made: its name, its document, the looks at it so far.
struct Made(String, Value, usize);

impl Cluster {
    pub async fn start(told: Vec<(Value, Value)>) -> Self {
        Self::with(Script { told: Mutex::new(told), ..Script::default() }).await
    }

    /// One in which Jobs become what their documents say.
    pub async fn planned(plan: Plan) -> Self {
        Self::with(Script { plan: Some(plan), ..Script::default() }).await
    }

    async fn with(script: Script) -> Self {
        patchbay_providers::http::use_ring();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let state = Arc::new(script);
        let routes = axum::Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, state }
    }

    pub fn asked(&self) -> Vec<String> {
        let asked = self.state.asked.lock().expect("what was asked");
        asked.iter().map(|(method, path, ..)| format!("{method} {path}")).collect()
    }

    /// Names of the Jobs that are there.
    pub fn jobs(&self) -> Vec<String> {
        self.state.jobs.lock().expect("jobs").iter().map(|job| job.0.clone()).collect()
    }

    /// The document that was sent there.
    pub fn document(&self, path: &str) -> Value {
        let asked = self.state.asked.lock().expect("what was asked");
        asked.iter().find(|(method, at, ..)| method == "POST" && at == path).expect("it was sent").3.clone()
    }
}

impl Script {
    /// What a planned cluster answers about Jobs. None: it is about something else.
    fn planned(&self, method: &str, path: &str, query: &str, document: &Value) -> Option<Response> {
        let plan = self.plan?;
        let mut jobs = self.jobs.lock().expect("jobs");
        let named = |name: &str, jobs: &[Made]| jobs.iter().position(|job| job.0 == name);
        let last = path.rsplit('/').next().unwrap_or_default();
        let gone = || said(404, json!({"kind": "Status", "message": "not found", "code": 404}));
        let job = |made: &Made, status: Value| {
            let metadata = json!({"name": made.0, "uid": "0b3c-uid", "labels": made.1["metadata"]["labels"]});
            json!({"metadata": metadata, "status": status})
        };
        match method {
            "POST" if path.ends_with("/jobs") && !query.contains("dryRun") => {
                let name = document["metadata"]["name"].as_str().unwrap_or_default();
                if named(name, &jobs).is_some() {
                    return Some(said(409, json!({"kind": "Status", "message": "already exists", "code": 409})));
                }
                jobs.push(Made(name.to_owned(), document.clone(), 0));
                None
            }
            "DELETE" if path.contains("/jobs/") => {
                jobs.retain(|job| job.0 != last);
                None
            }
            "GET" if path.ends_with("/jobs") => {
                let items: Vec<Value> = jobs.iter().map(|made| job(made, plan(&made.1, made.2).0)).collect();
                Some(said(200, json!({"items": items})))
            }
            "GET" if path.contains("/jobs/") => {
                let made = named(last, &jobs).map(|at| &jobs[at]);
                Some(made.map_or_else(gone, |made| said(200, job(made, plan(&made.1, made.2).0))))
            }
            "GET" if path.ends_with("/pods") => {
                let name = query.split("job-name%3D").nth(1).unwrap_or_default();
                let pod = named(name, &jobs).map_or(Value::Null, |at| {
                    jobs[at].2 += 1;
                    plan(&jobs[at].1, jobs[at].2 - 1).1
                });
                let (metadata, spec) = (json!({"name": format!("{name}-x7k2p")}), json!({"nodeName": "node-3"}));
                let pod = Some(pod).filter(|pod| !pod.is_null());
                let items: Vec<Value> =
                    pod.iter().map(|pod| json!({"metadata": metadata, "spec": spec, "status": pod})).collect();
                Some(said(200, json!({"kind": "PodList", "items": items})))
            }
            "GET" if path.ends_with("/log") => {
                let pod = path.trim_end_matches("/log").rsplit('/').next().unwrap_or_default();
                let log = self.log.lock().expect("a log").clone();
                // patchbay-{job}-{attempt}-x7k2p
                let name = pod.trim_end_matches("-x7k2p").trim_start_matches("patchbay-");
                let (id, attempt) = name.rsplit_once('-').unwrap_or_default();
                let mark = format!("patchbay:{}:{attempt}", id.replace('-', ""));
                Some(log.replace("{mark}", &mark).into_response())
            }
            _ => None,
        }
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 4 << 20).await.expect("a body");
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (method, document) = (parts.method.to_string(), serde_json::from_slice(&body).unwrap_or(Value::Null));
    script.asked.lock().expect("asked").push((method.clone(), path.clone(), token, document.clone()));
    let line = format!("{method} {path}");
    let refusal = script.refuses.lock().expect("refusals").iter().find(|(start, ..)| line.starts_with(start)).copied();
    if let Some((_, status, message)) = refusal {
        return said(
            status,
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}),
        );
    }
    let gone = || said(404, json!({"kind": "Status", "message": "not found", "code": 404}));
    let own = parts.uri.path();
    if let Some(answer) = script.planned(&method, own, parts.uri.query().unwrap_or_default(), &document) {
        return answer;
    }
    let is_gone = *script.is_gone.lock().expect("whether it is gone");
    match (method.as_str(), own) {
        ("GET", "/version") => said(200, json!({"major": "1", "minor": "33", "gitVersion": "v1.33.2"})),
        // Which kinds there are: Kubernetes' own client asks for that first.
        ("GET", "/api") => said(200, json!({"kind": "APIVersions", "versions": ["v1"]})),
        ("GET", "/apis") => {
            let version = json!({"groupVersion": "batch/v1", "version": "v1"});
            let group = json!({"name": "batch", "versions": [version], "preferredVersion": version});
            said(200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}))
        }
        ("GET", "/api/v1") => said(200, kinds("v1", "secrets", "Secret")),
        ("GET", "/apis/batch/v1") => said(200, kinds("batch/v1", "jobs", "Job")),
        ("POST", _) => said(201, json!({"metadata": {"uid": "0b3c-uid"}})),
        ("DELETE", _) => {
            if own.contains("/jobs/") {
                *script.is_gone.lock().expect("whether it is gone") = true;
            }
            said(200, json!({"kind": "Status", "status": "Success"}))
        }
        ("GET", path) if path.ends_with("/log") => script.log.lock().expect("a log").clone().into_response(),
        ("GET", path) if path.ends_with("/jobs") => {
            let labels =
                json!({"patchbay.dev/job": "0192f0c1-1111-7111-8111-111111111111", "patchbay.dev/attempt": "2"});
            said(
                200,
                json!({"items": [{"metadata": {"name": "patchbay-left", "labels": labels}}, {"metadata": {"name": "other"}}]}),
            )
        }
        ("GET", path) if path.contains("/jobs/") && !is_gone => {
            let told = script.told.lock().expect("what is told");
            said(200, json!({"metadata": {"name": "job", "uid": "0b3c-uid"}, "status": told[0].0}))
        }
        ("GET", path) if path.ends_with("/pods") && !is_gone => {
            let mut told = script.told.lock().expect("what is told");
            let pod = if told.len() > 1 { told.remove(0).1 } else { told[0].1.clone() };
            let items: Vec<Value> = match pod {
                Value::Null => Vec::new(),
                pod => vec![json!({"metadata": {"name": "job-x7k2p"}, "spec": {"nodeName": "node-3"}, "status": pod})],
            };
            said(200, json!({"kind": "PodList", "items": items}))
        }
        ("GET", path) if path.ends_with("/pods") => said(200, json!({"items": []})),
        _ => gone(),
    }
}

fn said(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/json")], Body::from(body.to_string())).into_response()
}

fn kinds(group: &str, name: &str, kind: &str) -> Value {
    let resource =
        json!({"name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": ["create", "get"]});
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": [resource]})
}

pub fn waiting(reason: &str) -> Value {
    let waiting = json!({"reason": reason, "message": "Back-off pulling image"});
    json!({"phase": "Pending", "containerStatuses": [{"name": "main", "ready": false, "state": {"waiting": waiting}}]})
}

pub fn running() -> Value {
    let state = json!({"running": {"startedAt": "2026-11-29T10:00:00Z"}});
    json!({"phase": "Running", "containerStatuses": [{"name": "main", "ready": true, "state": state}]})
}

pub fn terminated(reason: &str, code: i32) -> Value {
    let state = json!({"terminated": {"reason": reason, "exitCode": code, "finishedAt": "2026-11-29T10:00:05Z"}});
    json!({"phase": if code == 0 { "Succeeded" } else { "Failed" }, "containerStatuses": [{"name": "main", "state": state}]})
}

pub fn condition(kind: &str, reason: &str) -> Value {
    json!({"failed": 1, "conditions": [{"type": kind, "status": "True", "reason": reason, "message": "as the cluster says"}]})
}

/// A log line for each, and after them a file `out/{name}`, as the wrapper of a command gives it back. `{mark}` stands for the job's mark.
pub fn log_with_file(lines: &[&str], name: &str, content: &[u8]) -> String {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, format!("out/{name}"), content).expect("a file");
    let archive = archive.into_inner().expect("an archive");
    let archive = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, archive);
    let mut log: String = lines.iter().map(|line| format!("{line}\n")).collect();
    log.push_str("2026-11-29T10:00:03Z {mark} begin\n");
    for part in archive.as_bytes().chunks(76) {
        log.push_str(&format!("2026-11-29T10:00:03.1Z {}\n", String::from_utf8_lossy(part)));
    }
    log + "2026-11-29T10:00:04Z {mark} end\n"
}
