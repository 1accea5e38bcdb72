//! Desired × observed → a plan: ordered, immutable steps, each with its reason and its inverse.
//!
//! Nothing here touches Podman. [`up`] and [`down`] are functions of values; the plan they give can
//! be printed, serialised and tested. Execution makes no choices any more.

mod down;
mod observed;
mod step;
mod up;

pub use down::{DownOptions, Rmi, down};
pub use observed::{Container, Health, Image, Network, Observed, Secret, State, Volume};
pub use step::{Action, Plan, Step, StepId};
pub use up::{Recreate, UpOptions, up};
