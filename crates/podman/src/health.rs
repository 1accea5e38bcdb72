//! Waiting for health, without waiting for the interval.
//!
//! Podman runs a check each interval, through a timer of systemd; where there is no user session it
//! never does. While something waits, the check's own command is run here on a fast ramp from the
//! start of the container on. Such an early run is an exec like any other: Podman does not know
//! that it was a check, so a failure of it never counts against `retries`. Once one succeeds,
//! Podman's own check is run, and its verdict is what counts. Whether a container is unhealthy is
//! decided by Podman's checks alone.

use std::process::Stdio;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Podman, quote};
use crate::containers::ImageHealth;
use crate::error::{Error, Result};

/// First pause between early checks; it doubles up to the next.
const FIRST_PAUSE: Duration = Duration::from_millis(60);
/// Longest pause while a container is young, and later.
const PAUSES: [(Duration, Duration); 3] = [
    (Duration::from_secs(15), Duration::from_millis(250)),
    (Duration::from_secs(60), Duration::from_secs(1)),
    (Duration::MAX, Duration::from_secs(3)),
];
/// Grace for Podman's timer beyond its interval before the check is driven from here.
const TIMER_GRACE: Duration = Duration::from_secs(2);

impl Podman {
    /// Until the container is healthy. Without a check, `or_running` makes running enough.
    pub async fn wait_healthy(&self, name: &str, or_running: bool) -> Result<()> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut driven = Instant::now();
        let mut seen_logs = 0;
        loop {
            let detail = self.inspect_container(name).await?;
            if !detail.state.running && detail.state.status != "paused" {
                if matches!(detail.state.status.as_str(), "exited" | "stopped") {
                    return Err(self.ended(name, detail.state.exit_code).await);
                }
            } else {
                let check = detail
                    .config
                    .healthcheck
                    .filter(|c| c.test.first().is_some_and(|t| t != "NONE"));
                let Some(check) = check else {
                    if or_running {
                        return Ok(());
                    }
                    return Err(Error::Failed(format!(
                        "`{name}` has no health check, so `service_healthy` would never be true; give it a `healthcheck`, or wait for `service_started`"
                    )));
                };
                match detail.state.health.status.as_str() {
                    "healthy" => return Ok(()),
                    "unhealthy" => {
                        let last = detail
                            .state
                            .health
                            .log
                            .last()
                            .map(|l| l.output.trim().to_owned())
                            .unwrap_or_default();
                        let said = if last.is_empty() {
                            String::new()
                        } else {
                            format!("; the check says: {last}")
                        };
                        return Err(Error::Failed(format!("`{name}` is unhealthy{said}")));
                    }
                    _ => {}
                }
                if self.probe(name, &check).await {
                    self.run_check(name).await?;
                    continue;
                }
                // Does a timer run the check? If not, it is for us to count.
                let logs = detail.state.health.log.len();
                if logs != seen_logs {
                    seen_logs = logs;
                    driven = Instant::now();
                }
                let interval = Duration::from_nanos(u64::try_from(check.interval).unwrap_or(0));
                if !interval.is_zero() && driven.elapsed() > interval + TIMER_GRACE {
                    self.run_check(name).await?;
                    driven = Instant::now();
                }
            }
            tokio::time::sleep(pause).await;
            let (_, longest) = PAUSES
                .iter()
                .find(|(age, _)| began.elapsed() < *age)
                .copied()
                .unwrap_or(PAUSES[2]);
            pause = (pause * 2).min(longest);
        }
    }

    async fn ended(&self, name: &str, code: i32) -> Error {
        use futures_util::StreamExt;
        let options = crate::LogOptions {
            tail: Some(5),
            ..crate::LogOptions::default()
        };
        let mut last = Vec::new();
        if let Ok(lines) = self.logs(name, &options).await {
            let mut lines = std::pin::pin!(lines);
            while let Some(Ok(line)) = lines.next().await {
                last.push(String::from_utf8_lossy(&line.text).into_owned());
            }
        }
        let said = if last.is_empty() {
            String::new()
        } else {
            format!("; its last lines:\n  {}", last.join("\n  "))
        };
        Error::Failed(format!(
            "`{name}` ended with code {code} instead of becoming healthy{said}"
        ))
    }

    /// One early check: true when its command succeeds within its time.
    async fn probe(&self, name: &str, check: &ImageHealth) -> bool {
        let command: Vec<String> = match check.test.as_slice() {
            [kind, line] if kind == "CMD-SHELL" => {
                vec!["/bin/sh".into(), "-c".into(), line.clone()]
            }
            [kind, words @ ..] if kind == "CMD" => words.to_vec(),
            words => words.to_vec(),
        };
        let limit = match u64::try_from(check.timeout) {
            Ok(nanos) if nanos > 0 => Duration::from_nanos(nanos),
            _ => Duration::from_secs(30),
        };
        if self.is_own_service() {
            let run = self.exec_code(
                name,
                json!({ "Cmd": command, "AttachStdout": true, "AttachStderr": true }),
            );
            return matches!(tokio::time::timeout(limit, run).await, Ok(Ok(0)));
        }
        // A service that is not ours keeps the monitor of each exec for five minutes; the command
        // line does not.
        let mut run = tokio::process::Command::new("podman");
        run.arg("exec").arg(name).args(&command);
        run.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        matches!(tokio::time::timeout(limit, run.status()).await, Ok(Ok(status)) if status.success())
    }

    /// Podman's own check, now; its result goes into the container's state.
    async fn run_check(&self, name: &str) -> Result<()> {
        match self
            .unit(
                Method::GET,
                &format!("/containers/{}/healthcheck", quote(name)),
                None,
            )
            .await
        {
            // It stopped meanwhile: the next look sees that.
            Err(Error::Refused { status: 409, .. }) => Ok(()),
            other => other,
        }
    }

    /// Runs a command in a container; gives its exit code, and throws its output away.
    pub(crate) async fn exec_code(&self, name: &str, config: Value) -> Result<i64> {
        let session: Value = self
            .json(
                Method::POST,
                &format!("/containers/{}/exec", quote(name)),
                Some(config),
            )
            .await?;
        let id = session
            .get("Id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let path = format!("/exec/{id}/start");
        let response = self
            .call(
                Method::POST,
                &path,
                Some(json!({ "Detach": false, "Tty": false })),
            )
            .await?;
        self.body(response, "POST /exec/start").await?;
        let result: Value = self
            .json(Method::GET, &format!("/exec/{id}/json"), None)
            .await?;
        Ok(result.get("ExitCode").and_then(Value::as_i64).unwrap_or(-1))
    }
}
