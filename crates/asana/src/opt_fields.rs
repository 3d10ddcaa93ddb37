//! What is asked for, per record type.
//!
//! Without `opt_fields` a listing carries little more than gids and names, and what a single record carries
//! has changed over time; so each call says what it needs. Every path here stands in Asana's specification, but
//! for `assignee.email`, which is the example of <https://developers.asana.com/docs/inputoutput-options>;
//! the gid of each object is always returned.

pub(crate) const USER: &str = "name,email,workspaces.name";

pub(crate) const WORKSPACE: &str = "name,is_organization";

pub(crate) const PROJECT: &str = "name,archived,workspace,permalink_url";

pub(crate) const SECTION: &str = "name";

pub(crate) const TAG: &str = "name";

pub(crate) const WEBHOOK: &str = "active,\
resource.name,\
target,\
created_at,\
last_success_at,\
last_failure_at,\
last_failure_content,\
delivery_retry_count,\
next_attempt_after,\
failure_deletion_timestamp,\
filters";

pub(crate) const CUSTOM_FIELD: &str = "name,\
resource_subtype,\
representation_type,\
precision,\
format,\
currency_code,\
enum_options.name,\
enum_options.enabled,\
is_value_read_only,\
is_formula_field,\
is_global_to_workspace";
pub(crate) const ENUM_OPTION: &str = "name,enabled";

pub(crate) const CUSTOM_FIELD_SETTING: &str = "custom_field.name,\
custom_field.resource_subtype,\
custom_field.representation_type,\
custom_field.precision,\
custom_field.format,\
custom_field.currency_code,\
custom_field.enum_options.name,\
custom_field.enum_options.enabled,\
custom_field.is_value_read_only,\
custom_field.is_formula_field,\
custom_field.is_global_to_workspace";

/// For reads and writes alike, so that the answer to a write can stand for the task.
pub(crate) const TASK: &str = "name,\
notes,\
resource_subtype,\
approval_status,\
completed,\
completed_at,\
completed_by.name,\
created_at,\
modified_at,\
permalink_url,\
due_on,\
assignee.email,\
tags,\
parent,\
memberships.project.name,\
memberships.section.name,\
custom_fields.name,\
custom_fields.resource_subtype,\
custom_fields.representation_type,\
custom_fields.enabled,\
custom_fields.is_value_read_only,\
custom_fields.text_value,\
custom_fields.number_value,\
custom_fields.enum_value.name,\
custom_fields.enum_value.enabled,\
custom_fields.multi_enum_values.name,\
custom_fields.multi_enum_values.enabled,\
custom_fields.date_value.date,\
custom_fields.date_value.date_time,\
custom_fields.display_value";
