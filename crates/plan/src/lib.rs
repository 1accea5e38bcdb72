//! phoenix plan
