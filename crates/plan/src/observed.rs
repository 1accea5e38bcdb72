//! What Podman holds of a project.

use std::collections::BTreeMap;

use serde::Serialize;

/// Facts from a few list calls, at one time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Observed {
    pub containers: Vec<Container>,
    pub networks: Vec<Network>,
    pub volumes: Vec<Volume>,
    pub secrets: Vec<Secret>,
    /// By every name an image has.
    pub images: BTreeMap<String, Image>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub service: String,
    /// From 1; 0 where another tool wrote none.
    pub number: u32,
    /// Made by `run`.
    pub oneoff: bool,
    /// Our hash; `None` for containers that another tool made.
    pub hash: Option<String>,
    pub image_id: String,
    pub image: String,
    pub state: State,
    pub health: Health,
    /// Of the last run.
    pub exit_code: i32,
    /// Services it was started after: (service, condition, restart).
    pub depends_on: Vec<(String, String, bool)>,
    pub networks: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Created,
    Running,
    Paused,
    Exited,
    /// Between two of the others.
    Changing,
}

impl State {
    /// Podman's word for it.
    pub fn parse(word: &str) -> Self {
        match word {
            "running" => State::Running,
            "paused" => State::Paused,
            "exited" | "stopped" => State::Exited,
            "created" | "configured" | "initialized" => State::Created,
            _ => State::Changing,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// No check.
    #[default]
    None,
    Starting,
    Healthy,
    Unhealthy,
}

impl Health {
    pub fn parse(word: &str) -> Self {
        match word {
            "healthy" => Health::Healthy,
            "unhealthy" => Health::Unhealthy,
            "starting" => Health::Starting,
            _ => Health::None,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Network {
    pub name: String,
    /// Our hash; `None` where another tool made it.
    pub hash: Option<String>,
    /// Belongs to the project by its label.
    pub owned: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Volume {
    pub name: String,
    pub owned: bool,
    pub options: BTreeMap<String, String>,
    /// It is a directory of the host, and that is gone: no container with it can start.
    pub directory_missing: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Secret {
    pub name: String,
    pub owned: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Image {
    pub id: String,
    /// Made by a build of a project (by its label).
    pub built: bool,
}
