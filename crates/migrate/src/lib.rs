//! phoenix migrate
