//! phoenix podman
