//! One file a command.

pub(crate) mod build;
pub(crate) mod config;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod images;
pub(crate) mod lifecycle;
pub(crate) mod logs;
pub(crate) mod migrate;
pub(crate) mod ps;
pub(crate) mod pull;
pub(crate) mod rollback;
pub(crate) mod up;

mod acting;
