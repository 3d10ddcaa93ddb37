//! The words that made-up records are composed of: long names, other scripts, quotes and line ends.

pub(super) const FIRST: &[&str] = &[
    "ACME",
    "NORTHWIND",
    "CONTOSO",
    "GLOBEX",
    "INITECH",
    "UMBRELLA",
    "STARK & SONS",
    "WAYNE",
    "HOOLI",
    "VANDELAY",
    "MÜLLER",
    "SØRENSEN",
    "CÔTE D'AZUR",
    "ŁÓDŹ",
    "PEÑA Y HIJOS",
    "O'BRIEN",
    "ÅKERMAN",
    "東京",
    "大阪",
    "ЮГ",
];

pub(super) const SECOND: &[&str] = &[
    "CONSULTING",
    "OFFICE SUPPLIES",
    "ENGINEERING",
    "LOGISTICS",
    "TRAVEL",
    "SOFTWARE",
    "STAFFING",
    "\"PRINT\" WORKS",
    "RESEARCH",
    "CATERING",
    "商事",
    "LABORATORIES",
];

pub(super) const LEGAL: &[&str] =
    &["INC", "LLC", "GMBH & CO. KG", "LTD", "S.A. DE C.V.", "株式会社", "OY", "B.V."];

/// Names that exceed a hundred characters.
pub(super) const LONG: &[&str] = &[
    "INTERNATIONAL ASSOCIATION FOR THE ADVANCEMENT OF PROJECT ACCOUNTING, PROCUREMENT AND SHARED SERVICES (NORTH AMERICA) LLC",
    "GESELLSCHAFT FÜR WISSENSCHAFTLICHE DATENVERARBEITUNG, PRÜFWESEN UND ÖFFENTLICHE BESCHAFFUNG MIT BESCHRÄNKTER HAFTUNG",
];

/// Business unit and legal entity.
pub(super) const UNITS: &[(&str, &str)] = &[
    ("US1 Business Unit", "US1 Legal Entity"),
    ("US2 Consulting", "US2 Legal Entity"),
    ("UK Business Unit", "UK Legal Entity Ltd"),
    ("France BU", "Société Générale de Projets"),
    ("日本事業部", "日本法人株式会社"),
];

pub(super) const BUYERS: &[&str] = &["Furey, Clare", "Núñez, José", "Gee, May", "O'Neil, Pat", "Sato, 花子"];

pub(super) const REQUESTERS: &[&str] = &["Mary Jones", "Zoë Quist", "Ibrahim Khan", "Li Wei"];

/// Code and name of an order's status, with how many of a hundred orders have it.
pub(crate) const ORDER_STATUS: &[((&str, &str), u32)] = &[
    (("OPEN", "Open"), 58),
    (("CLOSED", "Closed"), 14),
    (("FINALLY_CLOSED", "Finally Closed"), 5),
    (("CANCELED", "Canceled"), 8),
    (("PENDING_APPROVAL", "Pending Approval"), 8),
    (("INCOMPLETE", "Incomplete"), 4),
    (("ON_HOLD", "On Hold"), 3),
];

/// Statuses that an approved-only intent does not see.
pub(crate) const NOT_APPROVED: &[&str] = &["PENDING_APPROVAL", "INCOMPLETE"];

/// Validation, approval, paid and accounting status of an invoice, as they occur together.
pub(crate) const INVOICE_STATUS: &[[&str; 4]] = &[
    ["Not validated", "Required", "Unpaid", "Unaccounted"],
    ["Needs revalidation", "Initiated", "Unpaid", "Unaccounted"],
    ["Validated", "Workflow approved", "Unpaid", "Accounted"],
    ["Validated", "Not required", "Partially paid", "Accounted"],
    ["Validated", "Workflow approved", "Paid", "Accounted"],
    ["Validated", "Manually approved", "Paid", "Accounted"],
    ["Canceled", "Not required", "Unpaid", "Partially accounted"],
    ["Unvalidated", "Rejected", "Unpaid", "Unaccounted"],
];

pub(super) const DESCRIPTIONS: &[&str] = &[
    "Laptops & docking stations",
    "Consulting, phase 2: \"as is\" review",
    "Line one\nline two\twith a tab",
    "Übersetzung der Unterlagen <v2> \\ final",
    "Travel: São Paulo → 東京 ✈",
    "Office chairs; desks; lamps",
    "100% wool carpet, 5*10 m",
    "Annual subscription",
    "",
];

pub(super) const LOCATIONS: &[&str] = &["Seattle", "London HQ", "Paris — La Défense", "大阪オフィス"];

/// Natural accounts and cost centers of charge accounts such as `101.10.60540.000.000.000`.
pub(super) const ACCOUNTS: &[&str] = &["60540", "60120", "61010", "73200"];
pub(super) const COST_CENTERS: &[&str] = &["000", "110", "120", "210", "340", "550"];

/// Currency, digits after the point, and how many of a hundred orders use it.
pub(super) const CURRENCIES: &[(&str, u32, u32)] =
    &[("USD", 2, 55), ("EUR", 2, 20), ("GBP", 2, 15), ("JPY", 0, 10)];
