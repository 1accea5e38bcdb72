//! phoenix model
