//! Calls about networks, volumes and secrets.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::Method;
use phoenix_model as model;
use serde::Deserialize;
use serde_json::json;

use crate::client::{Podman, quote};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListedNetwork {
    pub(crate) name: String,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListedVolume {
    pub(crate) name: String,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) options: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListedSecret {
    pub(crate) spec: SecretSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SecretSpec {
    pub(crate) name: String,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

/// Makes a volume's directory with its owner and mode. One that holds something already is left as
/// it is: its owner is somebody's decision.
async fn make_directory(directory: &model::Directory) -> std::result::Result<(), String> {
    let path = std::path::Path::new(&directory.path);
    let filled = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    // What belongs to an id of the user namespace cannot even be listed from outside.
    let foreign = path.exists() && std::fs::read_dir(path).is_err();
    if filled || foreign {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(|e| e.to_string())?;
    let mode = format!("{:o}", directory.mode);
    let owner = if directory.owner.is_empty() {
        "0:0"
    } else {
        &directory.owner
    };
    let rootless = !rustix::process::getuid().is_root();
    let mut command = if rootless {
        let mut command = tokio::process::Command::new("podman");
        command.args(["unshare", "sh"]);
        command
    } else {
        tokio::process::Command::new("sh")
    };
    let output = command
        .args([
            "-c",
            "chown \"$2\" \"$1\" && chmod \"$3\" \"$1\"",
            "sh",
            &directory.path,
            owner,
            &mode,
        ])
        .output()
        .await
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// Networks answer 409, volumes 500 with these words.
fn already_there(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::Refused { status: 409, .. }) => Ok(()),
        Err(Error::Refused {
            status: 500,
            ref message,
            ..
        }) if message.contains("already exists") => Ok(()),
        other => other,
    }
}

fn gone_already(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}

impl Podman {
    pub(crate) async fn list_networks(&self) -> Result<Vec<ListedNetwork>> {
        Ok(self
            .json::<Option<Vec<ListedNetwork>>>(Method::GET, "/networks/json", None)
            .await?
            .unwrap_or_default())
    }

    pub(crate) async fn create_network(&self, network: &model::Network) -> Result<()> {
        let mut body = json!({
            "name": network.name,
            "driver": network.driver,
            "internal": network.internal,
            "ipv6_enabled": network.ipv6,
            "dns_enabled": true,
            "labels": network.labels,
            "options": network.options,
        });
        let subnets: Vec<_> = network
            .subnets
            .iter()
            .map(|s| {
                let mut subnet = json!({ "subnet": s.subnet });
                if let Some(gateway) = &s.gateway {
                    subnet["gateway"] = json!(gateway);
                }
                if let Some((first, last)) = &s.lease_range {
                    subnet["lease_range"] = json!({ "start_ip": first, "end_ip": last });
                }
                subnet
            })
            .collect();
        if !subnets.is_empty() {
            body["subnets"] = json!(subnets);
        }
        already_there(
            self.unit(Method::POST, "/networks/create", Some(body))
                .await,
        )
    }

    pub(crate) async fn remove_network(&self, name: &str) -> Result<()> {
        gone_already(
            self.unit(Method::DELETE, &format!("/networks/{}", quote(name)), None)
                .await,
        )
    }

    pub(crate) async fn list_volumes(&self) -> Result<Vec<ListedVolume>> {
        Ok(self
            .json::<Option<Vec<ListedVolume>>>(Method::GET, "/volumes/json", None)
            .await?
            .unwrap_or_default())
    }

    pub(crate) async fn create_volume(&self, volume: &model::Volume) -> Result<()> {
        if let Some(directory) = &volume.directory {
            make_directory(directory).await.map_err(|error| {
                Error::Failed(format!(
                    "the directory {} of the volume `{}` cannot be made: {error}",
                    directory.path, volume.name
                ))
            })?;
        }
        let body = json!({
            "Name": volume.name,
            "Driver": volume.driver,
            "Options": volume.options,
            "Label": volume.labels,
        });
        already_there(self.unit(Method::POST, "/volumes/create", Some(body)).await)
    }

    pub(crate) async fn remove_volume(&self, name: &str) -> Result<()> {
        gone_already(
            self.unit(Method::DELETE, &format!("/volumes/{}", quote(name)), None)
                .await,
        )
    }

    pub(crate) async fn list_secrets(&self) -> Result<Vec<ListedSecret>> {
        Ok(self
            .json::<Option<Vec<ListedSecret>>>(Method::GET, "/secrets/json", None)
            .await?
            .unwrap_or_default())
    }

    pub(crate) async fn create_secret(&self, secret: &model::Secret) -> Result<()> {
        let labels = quote(&json!(secret.labels).to_string());
        let path = format!(
            "/secrets/create?name={}&labels={labels}",
            quote(&secret.name)
        );
        let result = match self
            .call_bytes(Method::POST, &path, Bytes::from(secret.data.clone()))
            .await
        {
            Ok(response) => self.body(response, "POST /secrets/create").await.map(drop),
            Err(error) => Err(error),
        };
        match result {
            // Older versions say "in use" with a 500.
            Err(Error::Refused { message, .. }) if message.contains("name in use") => Ok(()),
            other => already_there(other),
        }
    }

    pub(crate) async fn remove_secret(&self, name: &str) -> Result<()> {
        gone_already(
            self.unit(Method::DELETE, &format!("/secrets/{}", quote(name)), None)
                .await,
        )
    }
}
