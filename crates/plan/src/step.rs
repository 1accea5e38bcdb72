//! Plans and their steps.

use phoenix_model as model;
use serde::Serialize;

/// Position in [`Plan::steps`].
pub type StepId = usize;

/// Everything that will be done, complete before the first step runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    pub project: String,
    pub steps: Vec<Step>,
    /// What stands in the way: with one of these nothing is done.
    pub problems: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    pub id: StepId,
    pub action: Action,
    /// Steps that must have succeeded.
    pub after: Vec<StepId>,
    pub reason: String,
    /// A failure is mentioned, and what follows goes on.
    pub optional: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    CreateSecret {
        secret: model::Secret,
    },
    RemoveSecret {
        name: String,
    },
    CreateNetwork {
        network: model::Network,
    },
    RemoveNetwork {
        name: String,
    },
    CreateVolume {
        volume: model::Volume,
    },
    RemoveVolume {
        name: String,
    },
    PullImage {
        image: String,
        platform: String,
        always: bool,
    },
    BuildImage {
        image: String,
        build: Box<model::Build>,
    },
    RemoveImage {
        image: String,
    },
    CreateContainer {
        container: Box<model::Container>,
    },
    StartContainer {
        name: String,
        post_start: Vec<model::Hook>,
    },
    /// `timeout` in seconds; `None` for the container's own.
    StopContainer {
        name: String,
        timeout: Option<u64>,
        pre_stop: Vec<model::Hook>,
    },
    /// Stops it first where it runs.
    RemoveContainer {
        name: String,
        timeout: Option<u64>,
        volumes: bool,
        pre_stop: Vec<model::Hook>,
    },
    /// Until healthy; unhealthy or ended is a failure. Without a health check, `or_running` decides
    /// whether running is enough.
    WaitHealthy {
        name: String,
        health: Option<model::Health>,
        or_running: bool,
    },
    /// Until it has ended with 0.
    WaitCompleted {
        name: String,
    },
}

impl Action {
    /// The verb and the object, for people.
    pub fn describe(&self) -> (&'static str, &'static str, &str) {
        match self {
            Action::CreateSecret { secret } => ("create", "secret", &secret.name),
            Action::RemoveSecret { name } => ("remove", "secret", name),
            Action::CreateNetwork { network } => ("create", "network", &network.name),
            Action::RemoveNetwork { name } => ("remove", "network", name),
            Action::CreateVolume { volume } => ("create", "volume", &volume.name),
            Action::RemoveVolume { name } => ("remove", "volume", name),
            Action::PullImage { image, .. } => ("pull", "image", image),
            Action::BuildImage { image, .. } => ("build", "image", image),
            Action::RemoveImage { image } => ("remove", "image", image),
            Action::CreateContainer { container } => ("create", "container", &container.name),
            Action::StartContainer { name, .. } => ("start", "container", name),
            Action::StopContainer { name, .. } => ("stop", "container", name),
            Action::RemoveContainer { name, .. } => ("remove", "container", name),
            Action::WaitHealthy { name, .. } => ("wait until healthy", "container", name),
            Action::WaitCompleted { name } => ("wait until completed", "container", name),
        }
    }

    /// What takes it back, where something does.
    pub fn inverse(&self) -> Option<Action> {
        let remove = |name: &str| Action::RemoveContainer {
            name: name.to_owned(),
            timeout: None,
            volumes: true,
            pre_stop: Vec::new(),
        };
        match self {
            Action::CreateSecret { secret } => Some(Action::RemoveSecret {
                name: secret.name.clone(),
            }),
            Action::CreateNetwork { network } => Some(Action::RemoveNetwork {
                name: network.name.clone(),
            }),
            Action::CreateVolume { volume } => Some(Action::RemoveVolume {
                name: volume.name.clone(),
            }),
            Action::BuildImage { image, .. } | Action::PullImage { image, .. } => {
                Some(Action::RemoveImage {
                    image: image.clone(),
                })
            }
            Action::CreateContainer { container } => Some(remove(&container.name)),
            Action::StartContainer { name, .. } => Some(Action::StopContainer {
                name: name.clone(),
                timeout: None,
                pre_stop: Vec::new(),
            }),
            Action::StopContainer { name, .. } => Some(Action::StartContainer {
                name: name.clone(),
                post_start: Vec::new(),
            }),
            Action::RemoveSecret { .. }
            | Action::RemoveNetwork { .. }
            | Action::RemoveVolume { .. }
            | Action::RemoveImage { .. }
            | Action::RemoveContainer { .. }
            | Action::WaitHealthy { .. }
            | Action::WaitCompleted { .. } => None,
        }
    }
}

impl Plan {
    /// Whether there is nothing to do and nothing in the way.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.problems.is_empty()
    }

    pub(crate) fn push(
        &mut self,
        action: Action,
        after: Vec<StepId>,
        reason: impl Into<String>,
    ) -> StepId {
        let id = self.steps.len();
        let mut after: Vec<StepId> = after.into_iter().filter(|a| *a < id).collect();
        after.sort_unstable();
        after.dedup();
        self.steps.push(Step {
            id,
            action,
            after,
            reason: reason.into(),
            optional: false,
        });
        id
    }
}
