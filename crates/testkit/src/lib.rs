//! phoenix testkit
