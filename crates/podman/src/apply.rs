//! Carrying out a plan: every step as soon as those it waits for have succeeded, one attempt each.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use phoenix_model::{Hook, Mount};
use phoenix_plan::{Action, Plan, Step, StepId};
use serde_json::json;

use crate::client::Podman;
use crate::error::{Error, Result};

/// Steps that Podman works on at once; more only wait for its locks.
const AT_ONCE: usize = 12;

/// What happens while a plan is carried out.
#[derive(Debug)]
pub enum Happening<'a> {
    Began(&'a Step),
    /// A line of a pull or a build.
    Said(&'a Step, &'a str),
    Done(&'a Step, Duration),
    Failed(&'a Step, &'a Error),
    /// An optional step failed; what follows goes on.
    Forgiven(&'a Step, &'a Error),
}

/// Who wants to know.
pub type Listener<'l> = dyn Fn(Happening<'_>) + 'l;

/// What became of a plan.
#[derive(Debug, Default)]
#[must_use]
pub struct Applied {
    pub done: Vec<StepId>,
    pub failed: Vec<Failure>,
    /// Not begun, because something before them failed or the work was interrupted.
    pub skipped: Vec<StepId>,
    pub interrupted: bool,
}

#[derive(Debug)]
pub struct Failure {
    pub step: StepId,
    pub error: Error,
}

impl Podman {
    /// Carries out a plan. When `interrupt` is done, running steps finish and no other begins.
    pub async fn apply(
        &self,
        plan: &Plan,
        listener: &Listener<'_>,
        interrupt: impl Future<Output = ()>,
    ) -> Applied {
        let mut applied = Applied::default();
        let mut waiting: BTreeSet<StepId> = plan.steps.iter().map(|s| s.id).collect();
        let mut succeeded = vec![false; plan.steps.len()];
        let mut blocked = vec![false; plan.steps.len()];
        let mut running = FuturesUnordered::new();
        let mut waits = 0usize;
        let mut interrupt = std::pin::pin!(interrupt);
        loop {
            if !applied.interrupted {
                let ready: Vec<StepId> = waiting
                    .iter()
                    .copied()
                    .filter(|id| plan.steps[*id].after.iter().all(|a| succeeded[*a]))
                    .collect();
                for id in ready {
                    let step = &plan.steps[id];
                    // Waiting costs Podman little: it does not count.
                    let is_wait = matches!(
                        step.action,
                        Action::WaitHealthy { .. } | Action::WaitCompleted { .. }
                    );
                    if !is_wait && running.len() - waits >= AT_ONCE {
                        continue;
                    }
                    waits += usize::from(is_wait);
                    waiting.remove(&id);
                    listener(Happening::Began(step));
                    running.push(async move {
                        let began = Instant::now();
                        let result = self.step(step, listener).await;
                        (step, is_wait, began.elapsed(), result)
                    });
                }
            }
            if running.is_empty() {
                break;
            }
            let (step, is_wait, took, result) = tokio::select! {
                biased;
                Some(finished) = running.next() => finished,
                () = &mut interrupt, if !applied.interrupted => {
                    applied.interrupted = true;
                    // Waiting can be given up; what changes something is finished.
                    if running.len() == waits {
                        break;
                    }
                    continue;
                }
            };
            waits -= usize::from(is_wait);
            match result {
                Ok(()) => {
                    listener(Happening::Done(step, took));
                    succeeded[step.id] = true;
                    applied.done.push(step.id);
                }
                Err(error) if step.optional => {
                    listener(Happening::Forgiven(step, &error));
                    succeeded[step.id] = true;
                }
                Err(error) => {
                    listener(Happening::Failed(step, &error));
                    blocked[step.id] = true;
                    applied.failed.push(Failure {
                        step: step.id,
                        error,
                    });
                }
            }
            if applied.interrupted && running.len() == waits {
                break;
            }
        }
        applied.skipped = waiting.into_iter().collect();
        applied
    }

    async fn step(&self, step: &Step, listener: &Listener<'_>) -> Result<()> {
        match &step.action {
            Action::CreateSecret { secret } => self.create_secret(secret).await,
            Action::RemoveSecret { name } => self.remove_secret(name).await,
            Action::CreateNetwork { network } => self.create_network(network).await,
            Action::RemoveNetwork { name } => self.remove_network(name).await,
            Action::CreateVolume { volume } => self.create_volume(volume).await,
            Action::RemoveVolume { name } => self.remove_volume(name).await,
            Action::PullImage {
                image,
                platform,
                always,
            } => {
                let mut said = |line: &str| listener(Happening::Said(step, line));
                self.pull_image(image, platform, *always, &mut said).await
            }
            Action::BuildImage { image, build } => {
                let mut said = |line: &str| listener(Happening::Said(step, line));
                self.build_image(image, build, &mut said).await
            }
            Action::RemoveImage { image } => self.remove_image(image).await,
            Action::CreateContainer { container } => {
                for mount in &container.spec.mounts {
                    make_source(mount)?;
                }
                self.create_container(container).await
            }
            Action::StartContainer { name, post_start } => {
                self.start_container(name).await?;
                self.hooks(name, post_start).await
            }
            Action::StopContainer {
                name,
                timeout,
                pre_stop,
            } => {
                self.hooks(name, pre_stop).await?;
                self.stop_container(name, *timeout).await
            }
            Action::RemoveContainer {
                name,
                timeout,
                volumes,
                pre_stop,
            } => {
                // A hook that fails does not keep a container alive.
                let hooks = self.hooks(name, pre_stop).await;
                self.remove_container(name, *timeout, *volumes).await?;
                hooks
            }
            Action::WaitHealthy {
                name,
                health: _,
                or_running,
            } => self.wait_healthy(name, *or_running).await,
            Action::WaitCompleted { name } => match self.wait_container(name).await? {
                0 => Ok(()),
                code => Err(Error::Failed(format!(
                    "`{name}` ended with code {code}; what follows needs 0"
                ))),
            },
        }
    }

    async fn hooks(&self, name: &str, hooks: &[Hook]) -> Result<()> {
        for hook in hooks {
            let code = self
                .exec_code(
                    name,
                    json!({
                        "Cmd": hook.command, "User": hook.user, "WorkingDir": hook.work_dir, "Env": hook.env,
                        "Privileged": hook.privileged, "AttachStdout": true, "AttachStderr": true,
                    }),
                )
                .await?;
            if code != 0 {
                return Err(Error::Failed(format!(
                    "the hook `{}` of `{name}` ended with code {code}",
                    hook.command.join(" ")
                )));
            }
        }
        Ok(())
    }
}

/// Docker makes the missing source of a short bind mount; so do we, as the user's own directory.
fn make_source(mount: &Mount) -> Result<()> {
    let Mount::Bind { source, create, .. } = mount else {
        return Ok(());
    };
    let path = std::path::Path::new(source);
    if path.exists() {
        return Ok(());
    }
    if !create {
        return Err(Error::Failed(format!(
            "{source} does not exist; make it, or set `create_host_path`"
        )));
    }
    std::fs::create_dir_all(path)
        .map_err(|error| Error::Failed(format!("the directory {source} cannot be made: {error}")))
}
