//! A board to begin with: a workspace, a project, and a custom field for everything a purchase order shows.

use crate::asana::{Asana, FieldKind, FieldSpec};

/// Statuses that an invoice can show.
pub const INVOICE_STATUSES: [&str; 6] =
    ["Not validated", "Needs revalidation", "Validated", "Partially paid", "Paid", "Canceled"];

/// Names and e-mail addresses of the people who work there, beside the users of the tokens.
pub const PEOPLE: [(&str, &str); 3] = [
    ("Ana Torres", "ana.torres@example.com"),
    ("Ben Okafor", "ben.okafor@example.com"),
    ("Chen Wei", "chen.wei@example.com"),
];

/// Names of the workspace's tags.
pub const TAGS: [&str; 3] = ["Urgent", "Capital expense", "Needs review"];

/// What was made on the Asana side.
#[derive(Clone, Debug)]
pub struct Board {
    /// The workspace's gid.
    pub workspace: String,
    /// The project's gid.
    pub project: String,
    /// Each field's key, as connection settings name it, with its gid.
    pub fields: Vec<(&'static str, String)>,
}

impl Board {
    /// Makes the workspace with its people and tags, the project and its fields.
    #[must_use]
    pub fn seed(asana: &Asana, project: &str) -> Option<Board> {
        let workspace = workspace(asana)?;
        let project = asana.seed_project(&workspace, project)?;
        let mut fields = Vec::new();
        for (key, name, kind) in fields_wanted() {
            let gid = asana.seed_field(&workspace, &FieldSpec::new(name, kind))?;
            asana.seed_attach(&project, &gid)?;
            fields.push((key, gid));
        }
        Some(Board { workspace, project, fields })
    }

    /// A workspace and a project without any custom field, as somebody finds it who begins.
    #[must_use]
    pub fn bare(asana: &Asana, project: &str) -> Option<Board> {
        let workspace = workspace(asana)?;
        let project = asana.seed_project(&workspace, project)?;
        Some(Board { workspace, project, fields: Vec::new() })
    }

    /// The board with the fields that completions and journals use: a text field for the journal's status and a
    /// number field for the cost.
    #[must_use]
    pub fn with_journal_fields(&mut self, asana: &Asana) -> Option<Board> {
        for (key, name, kind) in journal_fields() {
            if self.field(key).is_none() {
                let gid = asana.seed_field(&self.workspace, &FieldSpec::new(name, kind))?;
                asana.seed_attach(&self.project, &gid)?;
                self.fields.push((key, gid));
            }
        }
        Some(self.clone())
    }

    /// A further project with the same fields; returns its gid.
    #[must_use]
    pub fn add_project(&self, asana: &Asana, name: &str) -> Option<String> {
        let project = asana.seed_project(&self.workspace, name)?;
        for (_, field) in &self.fields {
            asana.seed_attach(&project, field)?;
        }
        Some(project)
    }

    /// The gid of a field.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| *known == key).map(|(_, gid)| gid.as_str())
    }
}

fn workspace(asana: &Asana) -> Option<String> {
    let workspace = asana.seed_workspace("Northwind Consulting");
    for (name, email) in PEOPLE {
        asana.seed_user(name, email);
    }
    for name in TAGS {
        asana.seed_tag(&workspace, name)?;
    }
    Some(workspace)
}

fn journal_fields() -> [(&'static str, &'static str, FieldKind); 2] {
    [
        ("journal_status", "Journal status", FieldKind::Text),
        ("cost", "Actual cost", FieldKind::Number { precision: 2 }),
    ]
}

fn fields_wanted() -> Vec<(&'static str, &'static str, FieldKind)> {
    let amount = || FieldKind::Number { precision: 2 };
    vec![
        ("po_number", "PO number", FieldKind::Text),
        ("supplier", "Supplier", FieldKind::Text),
        ("invoice_status", "Invoice status", FieldKind::Enum(INVOICE_STATUSES.map(str::to_owned).to_vec())),
        ("line_item_amount", "Line-item amount", amount()),
        ("order_status", "Order status", FieldKind::Text),
        ("currency", "Currency", FieldKind::Text),
        ("ordered_total", "Ordered total", amount()),
        ("invoiced_amount", "Invoiced amount", amount()),
        ("invoice_numbers", "Invoice numbers", FieldKind::Text),
        ("cost_center", "Cost center", FieldKind::Text),
        ("gl_account", "GL account", FieldKind::Text),
        ("requester", "Requester", FieldKind::Text),
        ("last_synced", "Last synced", FieldKind::Date),
    ]
}
