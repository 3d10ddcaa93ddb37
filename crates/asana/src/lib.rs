//! asana
