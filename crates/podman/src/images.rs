//! Calls about images.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use hyper::Method;
use phoenix_model::Health;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Podman, quote};
use crate::containers::ImageHealth;
use crate::error::{Error, Result};
use crate::events::lines;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListedImage {
    pub(crate) id: String,
    pub(crate) repo_tags: Option<Vec<String>>,
    pub(crate) repo_digests: Option<Vec<String>>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

impl Podman {
    pub(crate) async fn list_images(&self) -> Result<Vec<ListedImage>> {
        Ok(self
            .json::<Option<Vec<ListedImage>>>(Method::GET, "/images/json", None)
            .await?
            .unwrap_or_default())
    }

    pub async fn inspect_image(&self, name: &str) -> Result<Value> {
        self.json(Method::GET, &format!("/images/{}/json", quote(name)), None)
            .await
    }

    /// The health check that an image brings.
    pub(crate) async fn image_health(&self, name: &str) -> Result<Option<Health>> {
        let image = self.inspect_image(name).await?;
        let check = image
            .get("Healthcheck")
            .or_else(|| image.pointer("/Config/Healthcheck"));
        Ok(check
            .filter(|c| !c.is_null())
            .and_then(|c| serde_json::from_value::<ImageHealth>(c.clone()).ok())
            .map(ImageHealth::into_health))
    }

    /// Pulls an image; `progress` gets Podman's lines.
    pub async fn pull_image(
        &self,
        name: &str,
        platform: &str,
        always: bool,
        progress: &mut dyn FnMut(&str),
    ) -> Result<()> {
        let policy = if always { "always" } else { "missing" };
        let mut path = format!("/images/pull?reference={}&policy={policy}", quote(name));
        let mut parts = platform.split('/');
        for key in ["OS", "Arch", "Variant"] {
            if let Some(part) = parts.next().filter(|p| !p.is_empty()) {
                path.push_str(&format!("&{key}={}", quote(part)));
            }
        }
        let response = self.call(Method::POST, &path, None).await?;
        let mut lines = std::pin::pin!(lines(response.into_body(), "POST /images/pull"));
        while let Some(line) = lines.next().await {
            let value: Value = serde_json::from_slice(&line?).unwrap_or_default();
            if let Some(error) = value
                .get("error")
                .and_then(Value::as_str)
                .filter(|e| !e.is_empty())
            {
                return Err(Error::Failed(format!("`{name}` cannot be pulled: {error}")));
            }
            if let Some(text) = value.get("stream").and_then(Value::as_str) {
                progress(text.trim_end());
            }
        }
        Ok(())
    }

    pub async fn remove_image(&self, name: &str) -> Result<()> {
        match self
            .unit(Method::DELETE, &format!("/images/{}", quote(name)), None)
            .await
        {
            Err(error) if error.is_missing() => Ok(()),
            other => other,
        }
    }
}
