//! Provisioning: the custom fields that a connection needs are proposed, and created on consent.
//!
//! [`wanted`] says what each purpose needs, [`plan`] compares that with what Asana has (pure), [`run`] reads and,
//! when told to, creates. A field is only ever created or put onto a project: none is changed, renamed or taken away.

pub mod plan;
pub mod run;
pub mod wanted;
