//! Compose files, read as `docker compose config` reads them.
//!
//! The stages run in this order, one file each, and [`load`] is the page that calls them:
//!
//! | stage | file |
//! | --- | --- |
//! | text → tree with spans, anchors, merge keys, `!reset`, `!override` | `yaml` |
//! | `${VAR:-default}` in values, casts | `template`, `interpolate` |
//! | `extends` | `extends` |
//! | `include` | `include` |
//! | several files into one | `merge`, `unique` |
//! | is every key known and of the right type | `schema` |
//! | short forms → long forms | `canonical`, `short_port`, `short_volume` |
//! | relative paths | `paths` |
//! | implied values | `normalize` |
//! | tree → [`Project`] | `bind`, `project` |
//! | do references meet | `consistency` |
//! | `env_file`, `label_file` | `environment` |
//!
//! Every value keeps the place where it was written: [`Project::origin`] answers for a route of
//! keys. Files are read through [`Files`], so the crate itself touches no disk, no environment, no
//! clock. Docker Compose 2.40's own output is the oracle of the tests.

mod bind;
mod canonical;
mod consistency;
mod discover;
pub mod dotenv;
mod environment;
mod extends;
mod files;
mod format;
mod include;
mod interpolate;
mod load;
mod merge;
mod node;
mod normalize;
mod paths;
mod project;
mod render;
mod scalars;
pub mod schema;
mod select;
mod short_port;
mod short_volume;
pub mod template;
mod unique;
pub mod yaml;

pub use discover::{DEFAULT_FILES, Discovered, OVERRIDE_FILES, discover};
pub use files::{Disk, Files, MemoryFiles};
pub use load::{LoadFailure, Loaded, Options, load};
pub use node::{Entry, Map, Node, Route, Tag, Value};
pub use project::*;
pub use render::{to_json, to_yaml};
pub use scalars::{Bytes, Duration, FileMode};
pub use select::Selection;

/// The environment that interpolation sees: names to values.
pub type Environment = std::collections::BTreeMap<String, String>;
