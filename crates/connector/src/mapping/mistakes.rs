//! Mistaken mappings, each with what is said of it: none is accepted, and each message names the place and the remedy.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::mapping::Held;
use crate::mapping::field::{Field, FieldSet, Kind};
use crate::mapping::surroundings::{Surroundings, problems};
use crate::settings::Settings;

/// A connection with nothing wrong.
pub(crate) const BASE: &str = r#"
[oracle]
url = "https://acme.fa.us2.oraclecloud.com"
token_url = "https://idcs-1.identity.oraclecloud.com/oauth2/v1/token"
client_id = "client"
scope = "urn:opc:resource:fa"

[asana]
workspace = "1200"

[fields]
po_number = "101"
supplier = "102"
invoice_status = "103"
line_item_amount = "104"

[routing.default]
project = "77"
"#;

/// Each with a name of its own, and what it adds to the connection.
const MISTAKES: &[(&str, &str)] = &[
    // by itself
    ("a rule without a target", "[[mapping.rules]]\nset = \"x\""),
    ("a target that is a name", "[[mapping.rules]]\nto = \"Buyer\"\nset = \"x\""),
    ("a tag by its name", "[[mapping.rules]]\nto = \"tag:urgent\"\nwhen = \"order.total > 5\""),
    ("a rule that gives nothing", "[[mapping.rules]]\nto = \"201\""),
    ("a rule that gives two things", "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nvalue = \"supplier\""),
    ("a tag with a value", "[[mapping.rules]]\nto = \"tag:8\"\nset = \"x\""),
    ("a rule with an unknown value", "[[mapping.rules]]\nto = \"201\"\nvalue = \"suplier\""),
    ("a rule with an unknown key", "[[mapping.rules]]\nto = \"201\"\nvalue = \"supplier\"\nif = \"true\""),
    ("a field that is mapped already", "[[mapping.rules]]\nto = \"102\"\nvalue = \"requester\""),
    ("a condition that is no CEL", "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"order.total >\""),
    (
        "a condition with an unknown name",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"po.total > 5\"",
    ),
    (
        "a condition with an unknown member",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"order.amount > 5\"",
    ),
    ("a condition that is a text", "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"order.supplier\""),
    (
        "a condition of two types",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"order.supplier > 5\"",
    ),
    (
        "a condition with an unknown function",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"near(order.supplier)\"",
    ),
    ("a condition that never holds", "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"1 == 2\""),
    (
        "a condition on a line that is none",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"line.ordered > 5\"",
    ),
    (
        "a condition on an unknown value",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"values.stage == 'A'\"",
    ),
    (
        "a rule behind one that always holds",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\n[[mapping.rules]]\nto = \"201\"\nset = \"y\"\nwhen = \"order.total > 5\"",
    ),
    (
        "two rules with one condition",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"order.total > 5\"\n[[mapping.rules]]\nto = \"201\"\nset = \"y\"\nwhen = \"order.total > 5\"",
    ),
    (
        "two rules for one tag",
        "[[mapping.rules]]\nto = \"tag:8\"\nwhen = \"order.total > 5\"\n[[mapping.rules]]\nto = \"tag:8\"\nwhen = \"order.total < 2\"",
    ),
    ("a name that is emptied", "[[mapping.rules]]\nto = \"name\"\nset = \" \""),
    ("a due date that is none", "[[mapping.rules]]\nto = \"due_on\"\nset = \"31.01.2026\""),
    ("a section by its name", "[[mapping.rules]]\nto = \"section\"\nset = \"Done\""),
    ("an assignee by the name", "[[mapping.rules]]\nto = \"assignee\"\nset = \"Ann\""),
    ("a value that nothing uses", "[mapping.values.buyer]\nread = \"Buyer\""),
    (
        "a misspelt value",
        "[mapping.values.title]\ntext = \"{{ order.number }}\"\n[[mapping.rules]]\nto = \"name\"\nvalue = \"titel\"",
    ),
    (
        "a condition with a misspelt value",
        "[mapping.values.stage]\nread = \"Buyer\"\n[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"values.stagee == 'A'\"",
    ),
    (
        "three rules with one wrong condition",
        "[[mapping.rules]]\nto = \"201\"\nset = \"x\"\nwhen = \"order.totl > 5\"\n[[mapping.rules]]\nto = \"name\"\nset = \"x\"\nwhen = \"order.totl > 5\"\n[[mapping.rules]]\nto = \"tag:8\"\nwhen = \"order.totl > 5\"",
    ),
    ("a misspelt target", "[[mapping.rules]]\nto = \"due_om\"\nset = \"2026-01-31\""),
    (
        "a rule to the field of the mark",
        "[reference]\nmark = \"201\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"supplier\"",
    ),
    ("a template as a constant", "[[mapping.rules]]\nto = \"name\"\nset = \"{{ order.number }}\""),
    (
        "a template with unknown members",
        "[mapping.values.a]\ntext = \"{{ order.buyer }} {{ order.totl }} {{ line.nope }}\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    ("a task's name with an unknown member", "[tasks]\nname = \"{{ order.numbr }}\""),
    (
        "the least and the first",
        "[mapping.values.a]\nread = \"lines.Price\"\nleast = true\nfirst = true\n[[mapping.rules]]\nto = \"202\"\nvalue = \"a\"",
    ),
    (
        "a value from nowhere",
        "[mapping.values.buyer]\ntrim = true\n[[mapping.rules]]\nto = \"201\"\nvalue = \"buyer\"",
    ),
    (
        "a value from two places",
        "[mapping.values.buyer]\nread = \"Buyer\"\nvalue = \"supplier\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"buyer\"",
    ),
    (
        "a value with a capital letter",
        "[mapping.values.Buyer]\nread = \"Buyer\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"Buyer\"",
    ),
    (
        "a value of a value that is none",
        "[mapping.values.buyer]\nvalue = \"byer\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"buyer\"",
    ),
    (
        "values in a circle",
        "[mapping.values.a]\nvalue = \"b\"\n[mapping.values.b]\ntext = \"{{ values.a }}\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    ("the order's number replaced", "[mapping.values.po_number]\nread = \"OrderNumber\""),
    ("an amount replaced", "[mapping.values.line_item_amount]\nread = \"Ordered\""),
    (
        "a path that is none",
        "[mapping.values.a]\nread = \"lines[0].Price\"\nfirst = true\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a path through lines without a choice",
        "[mapping.values.a]\nread = \"lines.Item\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "join and sum",
        "[mapping.values.a]\nread = \"lines.Price\"\njoin = \", \"\nsum = true\n[[mapping.rules]]\nto = \"202\"\nvalue = \"a\"",
    ),
    (
        "a template that is none",
        "[mapping.values.a]\ntext = \"{{ order.number\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a template with an unknown name",
        "[mapping.values.a]\ntext = \"{{ supplier }}\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a template with an unknown value",
        "[mapping.values.a]\ntext = \"{{ values.b }}\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a look-up entry that is never met",
        "[mapping.values.a]\nvalue = \"supplier\"\ncase = \"upper\"\nlookup = { Acme = \"1\" }\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a number and a date at once",
        "[mapping.values.a]\nread = \"OrderDate\"\ndecimals = 2\ndate_to = \"%Y\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a date format that is none",
        "[mapping.values.a]\nread = \"OrderDate\"\ndate_to = \"%Q%\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a time zone that is none",
        "[mapping.values.a]\nread = \"OrderDate\"\nzone = \"Berlin\"\n[[mapping.rules]]\nto = \"203\"\nvalue = \"a\"",
    ),
    (
        "marks that are the same",
        "[mapping.values.a]\nread = \"Ordered\"\ndecimals = 2\ndecimal_mark = \",\"\ngroup_mark = \",\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    // against Oracle
    (
        "an attribute that Oracle does not have",
        "[mapping.values.a]\nread = \"Byer\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a child that Oracle does not have",
        "[mapping.values.a]\nread = \"line.Price\"\nfirst = true\n[[mapping.rules]]\nto = \"202\"\nvalue = \"a\"",
    ),
    (
        "a child without an attribute",
        "[mapping.values.a]\nread = \"lines\"\njoin = \",\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "an invoice's attribute on the order",
        "[mapping.values.a]\nread = \"InvoiceAmount\"\n[[mapping.rules]]\nto = \"202\"\nvalue = \"a\"",
    ),
    (
        "texts that are added",
        "[mapping.values.a]\nread = \"lines.Item\"\nsum = true\n[[mapping.rules]]\nto = \"202\"\nvalue = \"a\"",
    ),
    (
        "a number taken for a date",
        "[mapping.values.a]\nread = \"Ordered\"\nas = \"date\"\n[[mapping.rules]]\nto = \"203\"\nvalue = \"a\"",
    ),
    // against Asana
    ("a field that is not on the project", "[[mapping.rules]]\nto = \"999\"\nvalue = \"requester\""),
    ("text for a number field", "[[mapping.rules]]\nto = \"202\"\nvalue = \"requester\""),
    (
        "a date as Oracle writes it for a date field",
        "[mapping.values.a]\nread = \"OrderDate\"\n[[mapping.rules]]\nto = \"203\"\nvalue = \"a\"",
    ),
    ("a number for a single-select field", "[[mapping.rules]]\nto = \"204\"\nvalue = \"ordered_total\""),
    (
        "an option that the field does not have",
        "[mapping.values.a]\nvalue = \"order_status\"\nlookup = { Open = \"Open\", Closed = \"Shut\" }\ndefault = \"Other\"\n[[mapping.rules]]\nto = \"204\"\nvalue = \"a\"",
    ),
    ("a field that cannot be written", "[[mapping.rules]]\nto = \"205\"\nvalue = \"requester\""),
    ("a field of people", "[[mapping.rules]]\nto = \"206\"\nvalue = \"requester\""),
    ("an amount in a field without decimals", "[[mapping.rules]]\nto = \"207\"\nvalue = \"ordered_total\""),
    ("a currency field without decimals", "[[mapping.rules]]\nto = \"208\"\nvalue = \"ordered_total\""),
    ("a constant with too many decimals", "[[mapping.rules]]\nto = \"202\"\nset = \"1.005\""),
    (
        "a default that is no number",
        "[mapping.values.a]\nread = \"lines.Price\"\nsum = true\ndefault = \"none\"\n[[mapping.rules]]\nto = \"202\"\nvalue = \"a\"",
    ),
    ("text for a due date", "[[mapping.rules]]\nto = \"due_on\"\nvalue = \"order_status\""),
    ("a section of another project", "[[mapping.rules]]\nto = \"section\"\nset = \"88\""),
    (
        "a tag that the workspace does not have",
        "[[mapping.rules]]\nto = \"tag:9\"\nwhen = \"order.total > 5\"",
    ),
    // words that cannot be read
    (
        "an unknown kind",
        "[mapping.values.a]\nread = \"Buyer\"\nas = \"dat\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a kind that is close to none",
        "[mapping.values.a]\nread = \"Buyer\"\nas = \"money\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "unknown letters",
        "[mapping.values.a]\nread = \"Buyer\"\ncase = \"UPPER\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a misspelt change",
        "[mapping.values.a]\nread = \"Buyer\"\nlokup = { A = \"B\" }\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "an unknown change",
        "[mapping.values.a]\nread = \"Buyer\"\nreverse = true\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a flag in quotes",
        "[mapping.values.a]\nread = \"Buyer\"\ntrim = \"true\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "decimals in quotes",
        "[mapping.values.a]\nread = \"Ordered\"\ndecimals = \"2\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a look-up of numbers",
        "[mapping.values.a]\nread = \"Buyer\"\nlookup = { A = 1 }\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    (
        "a value that is no table",
        "[mapping.values]\na = \"Buyer\"\n[[mapping.rules]]\nto = \"201\"\nvalue = \"a\"",
    ),
    ("a target without quotes", "[[mapping.rules]]\nto = 201\nset = \"x\""),
    ("rules with one bracket", "[mapping.rules]\nto = \"201\"\nset = \"x\""),
    ("a misspelt part", "[[mapping.rule]]\nto = \"201\"\nset = \"x\""),
    (
        "several wrong words, and a mistake",
        "[mapping.values.a]\nread = \"Buyer\"\nas = \"dat\"\ntrim = 1\n[[mapping.rules]]\nto = \"201\"\nvalue = \"b\"\nwhn = \"true\"",
    ),
    ("options of a text field", "[reference]\noptions = [\"supplier\"]"),
    ("an assignee whom nobody knows", "[[mapping.rules]]\nto = \"assignee\"\nset = \"bob@acme.test\""),
];

const ORDERS: &str = r#"{"attributes":[{"name":"OrderNumber","type":"string"},{"name":"Buyer","type":"string"},
    {"name":"OrderDate","type":"datetime"},{"name":"Ordered","type":"number"}],"children":{"lines":{
    "attributes":[{"name":"Item","type":"string"},{"name":"Price","type":"number"}]}}}"#;
const INVOICES: &str = r#"{"attributes":[{"name":"InvoiceAmount","type":"number"}]}"#;

fn around() -> Surroundings {
    let number =
        |precision, currency: Option<&str>| Kind::Number { precision, currency: currency.map(Into::into) };
    let options = ["Open", "Closed"].map(|name| (name.to_owned(), format!("9{}", name.len()))).to_vec();
    let kinds = [
        ("101", Kind::Text),
        ("102", Kind::Text),
        ("103", Kind::Text),
        ("104", number(2, None)),
        ("201", Kind::Text),
        ("202", number(2, None)),
        ("203", Kind::Date),
        ("204", Kind::Enum(options)),
        ("205", Kind::Text),
        ("206", Kind::Other("people".into())),
        ("207", number(0, None)),
        ("208", number(0, Some("USD"))),
    ];
    let fields: FieldSet = kinds
        .into_iter()
        .map(|(gid, kind)| {
            let field =
                Field { name: format!("Field {gid}"), kind, writable: gid != "205", bound: BTreeMap::new() };
            (gid.into(), field)
        })
        .collect();
    Surroundings {
        orders: serde_json::from_str(ORDERS).unwrap(),
        invoices: serde_json::from_str(INVOICES).unwrap(),
        fields: [("77".into(), Ok(fields))].into(),
        sections: [("7".to_owned(), "77".into())].into(),
        tags: BTreeSet::from(["8".to_owned()]),
        people: [("ann@acme.test".to_owned(), true), ("bob@acme.test".to_owned(), false)].into(),
    }
}

/// What is said of a mapping; nothing when it is accepted.
fn told(mapping: &str) -> Vec<String> {
    match Settings::from_toml(&format!("{BASE}\n{mapping}\n")) {
        Err(error) if error.problems.is_empty() => vec![error.to_string()],
        Err(error) => error.problems.iter().map(|one| format!("{}: {one}", error.code)).collect(),
        Ok(settings) => problems(&settings, &around()),
    }
}

#[test]
fn no_mistake_is_accepted_and_each_is_told_with_its_place_and_what_to_do() {
    let mut all = String::new();
    for (name, mapping) in MISTAKES {
        let told = told(mapping);
        assert!(!told.is_empty(), "{name} is accepted");
        all.push_str(&format!("{name}\n"));
        told.iter().for_each(|problem| all.push_str(&format!("    {problem}\n")));
    }
    assert!(MISTAKES.len() >= 40);
    insta::assert_snapshot!(all);
}

#[test]
fn all_mistakes_of_a_mapping_are_told_at_once() {
    let both = [MISTAKES[3].1, MISTAKES[4].1, MISTAKES[6].1].join("\n");
    let all = told(&both).join("; ");
    for at in ["rules[1]", "rules[2]", "rules[3]"] {
        assert!(all.contains(at), "{at}: {all}");
    }
    let named = |name: &str| MISTAKES.iter().find(|(its, _)| *its == name).unwrap().1;
    let later = ["text for a due date", "a section of another project"].map(named).join("\n");
    assert_eq!(told(&later).len(), 2);
}

#[test]
fn a_project_that_cannot_be_read_is_told_too() {
    let settings = Settings::from_toml(BASE).unwrap();
    assert_eq!(problems(&settings, &around()), Vec::<String>::new());
    let mut hidden = around();
    hidden.fields.insert("77".into(), Err(Held::new(Code::AsanaForbidden, "no access")));
    assert_eq!(problems(&settings, &hidden), ["routing, project 77: no access"]);
}

#[test]
fn a_mapping_with_everything_is_accepted() {
    let good = r#"
[mapping.values.supplier]
value = "supplier"
trim = true
case = "upper"

[mapping.values.buyer]
read = "Buyer"
lookup = { "Roe, Jane" = "ann@acme.test" }
default = "ann@acme.test"

[mapping.values.prices]
read = "lines.Price"
sum = true

[mapping.values.title]
text = "{{ order.number }} for {{ values.supplier }}{% if values.prices %}: {{ values.prices }}{% endif %}"

[mapping.values.ordered_on]
read = "OrderDate"
as = "date"
zone = "America/New_York"

[mapping.values.stage]
value = "order_status"
lookup = { OPEN = "Open", CLOSED = "Closed" }
default = "Open"

[[mapping.rules]]
to = "201"
value = "title"
when = "order.total != null && order.total > 1000"

[[mapping.rules]]
to = "201"
set = "small"

[[mapping.rules]]
to = "202"
value = "prices"

[[mapping.rules]]
to = "203"
value = "ordered_on"

[[mapping.rules]]
to = "204"
value = "stage"

[[mapping.rules]]
to = "due_on"
value = "ordered_on"

[[mapping.rules]]
to = "assignee"
value = "buyer"

[[mapping.rules]]
to = "section"
set = "7"
when = "size(invoices) > 0"

[[mapping.rules]]
to = "tag:8"
when = "values.stage == 'Open'"
"#;
    assert_eq!(told(good), Vec::<String>::new());
}
