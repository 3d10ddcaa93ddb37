//! What is said before each question: where the answer is found in Oracle and in Asana. Facts only from docs/oracle.md,
//! docs/asana.md and docs/journals.md; lines of at most 79 characters.

use connector::guide::answers::Question;
use connector::guide::journal::JournalQuestion;

/// The beginning.
pub const WELCOME: &str = "\
This guide asks for one thing at a time and tests each at once. Nothing is
written to Oracle or Asana before you say yes to it. Esc or Ctrl-C leaves at
any time; the same command goes on from there.
The same in one file, for scripts: ml-connector connection apply -f FILE";

/// Before a question about the two sides.
pub fn about(question: Question) -> &'static str {
    match question {
        Question::OracleUrl => {
            "\
The address that your browser shows for Oracle Fusion, such as
https://acme.fa.us2.oraclecloud.com (what follows the host is cut off), or the
pod's name and its region: acme us2"
        }
        Question::TokenUrl => {
            "\
ml-connector signs in by OAuth. In the identity domain that is attached to the
Fusion instance, an administrator makes a confidential application with the
client credentials grant and access to the Fusion resource application.
The token address is https://HOST/oauth2/v1/token on that domain; its host
alone does as well."
        }
        Question::ClientId => {
            "\
The client id of that application, from the identity domain's console.
Fusion needs a user whose user name is this client id (Security Console): there
is no person behind the token, and this user's roles and data access decide
what is read. Its language should be English."
        }
        Question::Scope => {
            "\
Copied from the identity domain's console: the primary audience of the Fusion
resource application directly followed by its scope, nothing between, such as
urn:opc:resource:fa:instanceid=123456789urn:opc:resource:consumer::all"
        }
        Question::ClientSecret => {
            "\
The client secret of the application, from the same console. It is stored only
encrypted. Then a token is fetched, and one row of purchase orders and of
invoices is asked for: the user needs the privileges to read both over REST,
and data access to the business units that are wanted."
        }
        Question::OracleTest => "",
        Question::AsanaToken => {
            "\
A personal access token or a service account's token. Everything is written in
the name of its user, so take a user made for this, who is a member of the
project and may edit it. Custom fields need a paid plan.
https://developers.asana.com/docs/personal-access-token tells how to get one."
        }
        Question::Workspace => "The workspace whose projects are kept up to date.",
        Question::Project => {
            "\
The project that gets a task for each purchase order. The token's user must be
a member who may edit. Whether some orders go to other projects is asked later."
        }
        Question::Per => {
            "\
With one task for an order, the amount is the sum of its lines and the notes
list them. With one task for a line, each line has its own amount."
        }
    }
}

/// What is asked.
pub fn asks(question: Question) -> &'static str {
    match question {
        Question::OracleUrl => "Oracle's address:",
        Question::TokenUrl => "Token address:",
        Question::ClientId => "Client id:",
        Question::Scope => "Scope:",
        Question::ClientSecret => "Client secret:",
        Question::OracleTest => "",
        Question::AsanaToken => "Asana's token:",
        Question::Workspace => "Workspace:",
        Question::Project => "Project:",
        Question::Per => "One task for:",
    }
}

/// Before the question about charge accounts.
pub const ACCOUNTS: &str = "\
A charge account is one text, of which one segment is the cost center: tasks
show it, and orders can be routed by it. Which segment it is, Oracle does not
tell. This is the charge account of an order that the user sees:";

/// Before the question which orders go to which project.
pub const ROUTES: &str = "\
All orders can go to one project. Or rules send some of them to other projects,
by what they have in Oracle, and the rest stays with this one. The token's user
must be a member of each project who may edit. Rules can be changed later; a
task that exists stays where it is.";

/// Before the question whether there are journals.
pub const JOURNALS: &str = "\
When a task is completed, a journal can charge its order's cost in the ledger:
debit the order's charge accounts, credit a clearing account. Oracle's Import
Journals makes a batch of it, which arrives unposted; posting stays with you.
In Oracle the user needs besides: the privilege to submit the journal import
and to load its file, access to the document account of the upload, a data
access set that covers the ledger, the privilege to read journal batches, and
\"Get Enterprise Structures Using REST Service\". A journal source, a category
and a clearing account must exist. docs/journals.md tells all of it.
Without journals nothing is ever sent to Oracle.";

/// Before a question about journals.
pub fn about_journals(question: JournalQuestion) -> &'static str {
    match question {
        JournalQuestion::Ledger => "The ledger that is charged, of those that the user may see.",
        JournalQuestion::Currency => "The ledger's currency, which Oracle did not tell.",
        JournalQuestion::Source => {
            "\
The journal source, as Import Journals selects by it. One of its own, such as
Asana, keeps these journals apart; it must exist in Oracle before."
        }
        JournalQuestion::Category => "The journal category of these journals; it must exist in Oracle.",
        JournalQuestion::Access => {
            "\
The data access set that the import names. Not every pod needs one; choose none
unless the import is known to want it."
        }
        JournalQuestion::Clearing => {
            "\
The account that is credited: the id of its code combination, or its segments
as the chart of accounts writes them, such as 101.00.21999.000.000.000. With
the id it can be tested."
        }
        JournalQuestion::Rate => {
            "\
A cost in another currency than the ledger's can be converted by General Ledger
with the rate of the accounting date. It needs the name of a conversion rate
type that has rates for these currencies."
        }
        JournalQuestion::TimeZone => {
            "\
The day of completion in the ledger's time zone becomes the accounting date. An
IANA name, such as America/New_York."
        }
    }
}

/// Before the fields.
pub const FIELDS: &str = "\
Asana shows what comes from Oracle in custom fields. Four are required: PO
number, supplier, invoice status and line-item amount. Fields of the right name
and type are used, missing ones are created; nothing is renamed or taken away.
Optional ones can be added now or later (connection provision --field).";

/// Before the last look.
pub const DRY_RUN: &str = "\
Now both sides are tested whole, and a dry run reads everything from Oracle and
shows what a synchronisation would write to Asana. It writes nothing.";
