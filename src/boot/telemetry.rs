use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Structured logs to standard error. Lines carry ids as fields, never a transcript, a phone number or a secret.
pub fn start_logs(json: bool) {
    let filter = EnvFilter::try_from_env("PATCHBAY_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,rmcp=warn,sqlx=warn,tower_http=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started =
        if json { builder.json().flatten_event(true).try_init() } else { builder.with_target(false).try_init() };
    if started.is_err() {
        // Tests start several servers in one process; the first one's log serves all.
    }
}

/// Prometheus metrics of this process.
pub(crate) fn start_metrics() -> PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)
                .and_then(|builder| builder.install_recorder())
                .unwrap_or_else(|error| {
                    tracing::warn!(cause = %error, "metrics are not recorded");
                    PrometheusBuilder::new().build_recorder().handle()
                })
        })
        .clone()
}

/// Adds what was recorded to its sums until `stop`. Nobody else does so before somebody asks for the metrics, and each time that is
/// recorded would stay in memory until then.
pub(crate) async fn tidy_metrics(stop: CancellationToken) {
    let handle = start_metrics();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(5)) => handle.run_upkeep(),
        }
    }
}
