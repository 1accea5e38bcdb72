//! phoenix containerfile
