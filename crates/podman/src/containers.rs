//! Calls about containers.

use std::collections::BTreeMap;

use hyper::Method;
use phoenix_model::{Container, Health};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::client::{Podman, label_filter, quote};
use crate::error::Result;
use crate::spec;

fn null_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// One container of a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Listed {
    pub id: String,
    #[serde(deserialize_with = "null_default")]
    pub names: Vec<String>,
    pub image: String,
    #[serde(rename = "ImageID")]
    pub image_id: String,
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`; empty without a check (or in older versions).
    pub status: String,
    #[serde(deserialize_with = "null_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_default")]
    pub networks: Vec<String>,
    #[serde(deserialize_with = "null_default")]
    pub ports: Vec<PortBinding>,
    #[serde(deserialize_with = "null_default")]
    pub command: Vec<String>,
    pub exit_code: i32,
    pub exited: bool,
    /// Seconds since the epoch.
    pub started_at: i64,
    pub exited_at: i64,
    pub restarts: u32,
    /// As RFC 3339.
    pub created: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PortBinding {
    pub host_ip: String,
    pub container_port: u16,
    pub host_port: u16,
    pub range: u16,
    pub protocol: String,
}

/// What is known of one container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerDetail {
    pub id: String,
    pub name: String,
    pub state: DetailState,
    pub config: DetailConfig,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DetailState {
    pub status: String,
    pub running: bool,
    pub exit_code: i32,
    /// As RFC 3339.
    pub started_at: String,
    pub error: String,
    #[serde(deserialize_with = "null_default")]
    pub health: HealthState,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthState {
    pub status: String,
    pub failing_streak: u32,
    #[serde(deserialize_with = "null_default")]
    pub log: Vec<HealthLog>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthLog {
    pub start: String,
    pub exit_code: i32,
    pub output: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DetailConfig {
    pub healthcheck: Option<ImageHealth>,
    pub tty: bool,
}

/// A health check as Podman and images keep it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageHealth {
    #[serde(deserialize_with = "null_default")]
    pub test: Vec<String>,
    pub interval: i64,
    pub timeout: i64,
    pub start_period: i64,
    pub retries: i64,
}

impl ImageHealth {
    pub(crate) fn into_health(self) -> Health {
        let positive = |n: i64| Some(n).filter(|n| *n > 0);
        Health {
            disabled: self.test.first().is_some_and(|t| t == "NONE"),
            test: Some(self.test).filter(|t| !t.is_empty()),
            interval: positive(self.interval),
            timeout: positive(self.timeout),
            start_period: positive(self.start_period),
            start_interval: None,
            retries: u64::try_from(self.retries).ok().filter(|n| *n > 0),
        }
    }
}

impl Podman {
    /// All containers with a label, running or not.
    pub async fn list_containers(&self, label: &str, value: &str) -> Result<Vec<Listed>> {
        let path = format!("/containers/json?all=true&{}", label_filter(label, value));
        Ok(self
            .json::<Option<Vec<Listed>>>(Method::GET, &path, None)
            .await?
            .unwrap_or_default())
    }

    pub async fn inspect_container(&self, name: &str) -> Result<ContainerDetail> {
        self.json(
            Method::GET,
            &format!("/containers/{}/json", quote(name)),
            None,
        )
        .await
    }

    pub async fn inspect_container_raw(&self, name: &str) -> Result<Value> {
        self.json(
            Method::GET,
            &format!("/containers/{}/json", quote(name)),
            None,
        )
        .await
    }

    pub(crate) async fn create_container(&self, container: &Container) -> Result<()> {
        // A check without a command completes the image's.
        let image_health = match &container.spec.health {
            Some(health) if health.test.is_none() && !health.disabled => {
                self.image_health(&container.spec.image).await?
            }
            _ => None,
        };
        let body = spec::to_libpod(container, image_health.as_ref());
        self.unit(Method::POST, "/containers/create", Some(body))
            .await
    }

    pub async fn start_container(&self, name: &str) -> Result<()> {
        self.unit(
            Method::POST,
            &format!("/containers/{}/start", quote(name)),
            None,
        )
        .await
    }

    /// Asks it to stop and kills it after `timeout` seconds, or its own time.
    pub async fn stop_container(&self, name: &str, timeout: Option<u64>) -> Result<()> {
        let timeout = timeout.map(|t| format!("?timeout={t}")).unwrap_or_default();
        self.unit(
            Method::POST,
            &format!("/containers/{}/stop{timeout}", quote(name)),
            None,
        )
        .await
    }

    pub async fn restart_container(&self, name: &str, timeout: Option<u64>) -> Result<()> {
        let timeout = timeout.map(|t| format!("?timeout={t}")).unwrap_or_default();
        self.unit(
            Method::POST,
            &format!("/containers/{}/restart{timeout}", quote(name)),
            None,
        )
        .await
    }

    pub async fn kill_container(&self, name: &str, signal: &str) -> Result<()> {
        self.unit(
            Method::POST,
            &format!("/containers/{}/kill?signal={}", quote(name), quote(signal)),
            None,
        )
        .await
    }

    /// Stops it where it runs, and removes it. One that is not there is fine.
    pub async fn remove_container(
        &self,
        name: &str,
        timeout: Option<u64>,
        volumes: bool,
    ) -> Result<()> {
        let timeout = timeout.map(|t| format!("&timeout={t}")).unwrap_or_default();
        let path = format!(
            "/containers/{}?force=true&v={volumes}{timeout}",
            quote(name)
        );
        match self.unit(Method::DELETE, &path, None).await {
            Err(error) if error.is_missing() => Ok(()),
            other => other,
        }
    }

    /// Waits for its end; gives the exit code.
    pub async fn wait_container(&self, name: &str) -> Result<i32> {
        let path = format!(
            "/containers/{}/wait?condition=stopped&condition=exited",
            quote(name)
        );
        let code: Value = self.json(Method::POST, &path, None).await?;
        Ok(code.as_i64().unwrap_or(-1) as i32)
    }
}
