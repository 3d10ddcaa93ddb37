//! `connection setup`: the guide, driven through a pseudo-terminal.

use sandbox::asana::{FieldKind, FieldSpec};
use sandbox::oracle::{NewLine, NewOrder};
use sandbox::{AsanaConfig, Board, Edit, Fault, FaultRule, Sandbox, SandboxConfig, Side};

use crate::pair::Pair;
use crate::terminal::{CTRL_C, ENTER, ESC, Terminal};
use crate::world::World;

const WRONG: &str = "a-secret-that-is-wrong";

/// Both stand-ins with two projects that have no fields.
async fn bare() -> Pair {
    let config = SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let workspace = sandbox.asana().seed_workspace("Northwind Consulting");
    sandbox.asana().seed_project(&workspace, "Another project").unwrap();
    let project = sandbox.asana().seed_project(&workspace, "Purchasing").unwrap();
    Pair::of(sandbox, Board { workspace, project, fields: Vec::new() })
}

/// The same with three orders.
async fn with_orders() -> Pair {
    let pair = bare().await;
    pair.add_orders(3);
    pair
}

fn guide(world: &World, pair: &Pair, name: &[&str]) -> Terminal {
    let asana = pair.sandbox.asana_url();
    let mut args = vec!["connection", "setup", "--asana-url", &asana];
    args.extend(name);
    Terminal::start(world.program(&args))
}

/// Answers what is asked about Oracle but the secret.
async fn answers_oracle(terminal: &mut Terminal, pair: &Pair) {
    let oracle = pair.sandbox.oracle().config();
    terminal.answers("Oracle's address:", &pair.sandbox.oracle_url()).await;
    terminal.answers("Token address:", &pair.sandbox.token_url()).await;
    terminal.answers("Client id:", &oracle.client_id).await;
    terminal.answers("Scope:", &oracle.scope).await;
}

/// Chooses the project and what a task stands for.
async fn answers_asana(terminal: &mut Terminal, pair: &Pair) {
    terminal.answers("Asana's token:", &pair.asana_token()).await;
    terminal.sees("signed in to Asana as").await;
    terminal.sees("the only one that the token sees: Northwind Consulting").await;
    terminal.answers("Project:", "purch").await;
    terminal.sees("the token sees the project and its fields: Purchasing").await;
    terminal.answers("One task for:", "").await;
    terminal.sees("`acme` is stored as a draft, its secrets encrypted").await;
    terminal.sees("the charge account of an order that the user sees").await;
    terminal.answers("Which is the cost center?", "segment 2").await;
    terminal.sees("cost center: segment 2 between `.`").await;
}

/// One project is the usual answer.
async fn answers_routes(terminal: &mut Terminal) {
    terminal.sees("all to one: Purchasing").await;
    terminal.types(ENTER);
}

async fn answers_journals(terminal: &mut Terminal, pair: &Pair) {
    let facts = pair.sandbox.oracle().ledger_facts();
    terminal.answers("Should completed tasks bring journals?", "y").await;
    terminal.answers("Ledger:", &facts.ledger_id.to_string()).await;
    terminal.answers("Journal source:", &facts.source).await;
    terminal.answers("Journal category:", &facts.category).await;
    terminal.answers("Data access set:", &facts.data_access_set_id.to_string()).await;
    terminal.answers("Ledger's time zone:", "Mars/Base").await;
    terminal.sees("MLC-1208").await;
    terminal.answers("Ledger's time zone:", "UTC").await;
    terminal.answers("Costs in other currencies:", "converted").await;
    terminal.answers("Conversion rate type:", "").await;
    terminal.answers("Clearing account:", "1").await;
    terminal.sees("MLC-2017").await;
    terminal.answers("Use it all the same?", "n").await;
    terminal.answers("Clearing account:", &facts.clearing_account_id.to_string()).await;
    terminal.sees("takes detail postings").await;
    terminal.sees("Journals will have:").await;
    terminal.sees("conversion rate type: Corporate").await;
    terminal.answers("Store this?", "change: ledger's time zone").await;
    terminal.answers("Ledger's time zone:", "Europe/Berlin").await;
    terminal.sees("ledger's time zone: Europe/Berlin").await;
    terminal.answers("Store this?", "yes").await;
    terminal.sees("The settings for journals are stored").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_leads_from_nothing_to_an_active_connection() {
    let (world, pair) = tokio::join!(World::new(), with_orders());
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.answers("Oracle's address:", "ftp://acme.example").await;
    terminal.sees("MLC-1208").await;
    answers_oracle(&mut terminal, &pair).await;
    terminal.answers("Client secret:", WRONG).await;
    terminal.sees("MLC-2003").await;
    terminal.sees("what to do:").await;
    terminal.answers("What now?", "change: client secret").await;
    terminal.answers("Client secret:", &pair.client_secret()).await;
    terminal.sees("invoices: rows: at least one row is visible").await;
    terminal.answers("Asana's token:", WRONG).await;
    terminal.sees("MLC-3003").await;
    answers_asana(&mut terminal, &pair).await;
    answers_routes(&mut terminal).await;
    answers_journals(&mut terminal, &pair).await;
    // a field of its own choice, beside the four
    terminal.answers("Which optional fields besides?", "journal ").await;
    terminal.sees("create it; put it onto project").await;
    terminal.answers("Write this to Asana?", "y").await;
    terminal.sees("5 fields created, 5 put onto projects, 5 mapped").await;
    terminal.sees("the last look").await;
    terminal.sees("tasks that would be made").await;
    terminal.sees("3 tasks would be made").await;
    terminal.answers("Activate `acme` now?", "y").await;
    terminal.sees("`acme` is active").await;
    let (code, screen) = terminal.ends().await;
    assert_eq!(code, Some(0), "{screen}");

    for secret in [WRONG, &pair.client_secret(), &pair.asana_token()] {
        assert!(!screen.contains(secret), "a secret is on the screen:\n{screen}");
    }
    // what it prints at the end is the file that says the same
    let (_, file) = screen.rsplit_once("name = \"acme\"").unwrap();
    let exported = world.succeeds(&["connection", "export", "acme"]).await.stdout;
    let (_, own) = exported.split_once("name = \"acme\"").unwrap();
    assert_eq!(file.replace('\r', "").trim(), own.trim());
    assert_eq!(world.count("select count(*) from connections where state = 'active'").await, 1);
    assert_eq!(world.count("select count(*) from setup_answers").await, 0);
    world.succeeds(&["poll", "acme"]).await;
    assert_eq!(world.count("select count(*) from links").await, 3, "each order has its task");

    let mut again = guide(&world, &pair, &["acme"]);
    again.sees("`acme` is there already, as active").await;
    again.sees("Nothing is left to set up").await;
    assert_eq!(again.ends().await.0, Some(0));
    world.end().await;
}

/// Leaves the guide and demands that it says how to go on.
async fn leaves(mut terminal: Terminal, key: &str) -> String {
    terminal.types(key);
    terminal.sees("Nothing is lost: `ml-connector connection setup acme` goes on from here").await;
    let (code, screen) = terminal.ends().await;
    assert_eq!(code, Some(3), "{screen}");
    screen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_is_left_at_any_step_and_goes_on_there() {
    let (world, pair) = tokio::join!(World::new(), with_orders());
    let mut terminal = guide(&world, &pair, &[]);
    terminal.answers("A name for the connection:", "no name").await;
    terminal.sees("MLC-1208").await;
    terminal.answers("A name for the connection:", "acme").await;
    answers_oracle(&mut terminal, &pair).await;
    terminal.answers("Client secret:", &pair.client_secret()).await;
    terminal.sees("Asana's token:").await;
    let mut screens = leaves(terminal, ESC).await;
    assert_eq!(world.count("select count(*) from connections").await, 0);
    let kept: String =
        sqlx::query_scalar("select answers::text from setup_answers").fetch_one(&world.db).await.unwrap();
    assert!(kept.contains(&pair.sandbox.oracle_url()) && !kept.contains(&pair.client_secret()), "{kept}");

    // what was answered is shown and not asked again; the secret is
    let mut terminal = guide(&world, &pair, &[]);
    terminal.answers("Which connection?", "go on with acme").await;
    terminal.sees("Answered already:").await;
    terminal.sees(&format!("Oracle's address: {}", pair.sandbox.oracle_url())).await;
    terminal.sees("Secrets are not kept").await;
    terminal.answers("Go on with these?", "change: scope").await;
    terminal.sees("Answered already:").await;
    terminal.answers("Go on with these?", "go on").await;
    terminal.answers("Scope:", &pair.sandbox.oracle().config().scope).await;
    terminal.answers("Client secret:", &pair.client_secret()).await;
    answers_asana(&mut terminal, &pair).await;
    answers_routes(&mut terminal).await;
    terminal.sees("Should completed tasks bring journals?").await;
    let screen = leaves(terminal, CTRL_C).await;
    assert!(!screen.contains("Token address:") && !screen.contains("Client id:"), "{screen}");
    screens.push_str(&screen);

    // from the draft on, no secret is asked for
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.sees("`acme` is there already, as draft").await;
    terminal.answers("Should completed tasks bring journals?", "n").await;
    terminal.answers("Which optional fields besides?", "").await;
    terminal.sees("Write this to Asana?").await;
    let screen = leaves(terminal, ESC).await;
    assert!(!screen.contains("Client secret:") && !screen.contains("Asana's token:"), "{screen}");
    screens.push_str(&screen);

    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.answers("Which optional fields besides?", "").await;
    terminal.answers("Write this to Asana?", "y").await;
    terminal.sees("4 fields created").await;
    terminal.sees("Activate `acme` now?").await;
    let screen = leaves(terminal, CTRL_C).await;
    assert!(!screen.contains("Should completed tasks"), "{screen}");
    screens.push_str(&screen);

    // the dry run was made, with the present settings
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.sees("3 tasks would be made").await;
    terminal.answers("Activate `acme` now?", "n").await;
    terminal.sees("Not activated; when it is time: ml-connector connection activate acme").await;
    let (code, screen) = terminal.ends().await;
    assert!(code == Some(0) && !screen.contains("the last look"), "{screen}");
    screens.push_str(&screen);
    for secret in [pair.client_secret(), pair.asana_token()] {
        assert!(!screens.contains(&secret), "a secret is on the screen:\n{screens}");
    }
    assert_eq!(world.count("select count(*) from setup_answers").await, 0);
    world.succeeds(&["connection", "activate", "acme"]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_sent_to_several_projects_by_what_oracle_shows() {
    let (world, pair) = tokio::join!(World::new(), with_orders());
    let unit = "France Business Unit";
    pair.edit(Edit::CreateOrder(NewOrder {
        number: Some("FR-1".to_owned()),
        business_unit: Some(unit.to_owned()),
        lines: vec![NewLine { amount: "5".to_owned(), ..NewLine::default() }],
        ..NewOrder::default()
    }));
    let mut terminal = guide(&world, &pair, &["acme"]);
    answers_oracle(&mut terminal, &pair).await;
    terminal.answers("Client secret:", &pair.client_secret()).await;
    answers_asana(&mut terminal, &pair).await;
    terminal.answers("Orders go:", "by business unit").await;
    terminal.answers("A rule for which business unit?", "france").await;
    terminal.answers(&format!("Project for {unit}:"), "another project").await;
    terminal.sees(&format!("{unit}: Another project")).await;
    terminal.sees("all others: Purchasing").await;
    terminal.sees("A rule for which business unit?").await;
    leaves(terminal, ESC).await;
    let stored = "select count(*) from connections where settings::text like '%business_unit%'";
    assert_eq!(world.count(stored).await, 0, "half of the rules would send orders to wrong projects");

    // the rule is still there, and its value is not offered again
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.sees(&format!("{unit}: Another project")).await;
    terminal.sees("A rule for which business unit?").await;
    terminal.sees("another one, by its name or a pattern").await;
    let screen = terminal.screen();
    let (_, offered) = screen.rsplit_once("A rule for which business unit?").unwrap();
    assert!(!offered.contains(unit), "{offered}");
    terminal.types(ENTER);
    terminal.sees("The routing rules are stored: 1").await;
    terminal.answers("Should completed tasks bring journals?", "n").await;
    terminal.answers("Which optional fields besides?", "").await;
    terminal.answers("Write this to Asana?", "y").await;
    terminal.sees("4 fields created, 8 put onto projects, 4 mapped").await;
    terminal.answers("Activate `acme` now?", "y").await;
    let (code, screen) = terminal.ends().await;
    assert!(code == Some(0) && !screen.contains("Orders go:"), "{screen}");
    world.succeeds(&["poll", "acme"]).await;
    let state: serde_json::Value = serde_json::from_str(&pair.sandbox.asana().state_json()).unwrap();
    let mut places: Vec<(String, bool)> = state["tasks"]
        .as_object()
        .unwrap()
        .values()
        .map(|task| {
            let own = task["memberships"].to_string().contains(&pair.board.project);
            (task["name"].as_str().unwrap().split(' ').next().unwrap().to_owned(), own)
        })
        .collect();
    places.sort();
    let expected = [("FR-1", false), ("PO-0", true), ("PO-1", true), ("PO-2", true)];
    assert_eq!(places, expected.map(|(number, own)| (number.to_owned(), own)));
    world.end().await;
}

fn forbids(pair: &Pair, side: Side, path: &str) {
    let refused = Fault::Status { status: 403, retry_after: None, body: None, html: false };
    pair.sandbox.faults().add(FaultRule::new(refused).on(side).path(path).times(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_side_refuses_is_told_with_its_code_and_there_is_a_way_on() {
    let (world, pair) = tokio::join!(World::new(), bare());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.answers("Oracle's address:", &format!("http://{silent}")).await;
    terminal.sees("MLC-8111").await;
    terminal.answers("Use it all the same?", "n").await;
    answers_oracle(&mut terminal, &pair).await;
    // Oracle shows nothing until somebody gives the user data access
    terminal.answers("Client secret:", &pair.client_secret()).await;
    terminal.sees("MLC-2015").await;
    terminal.sees("What now?").await;
    pair.add_orders(3);
    terminal.types("test again\r");
    terminal.sees("invoices: rows: at least one row is visible").await;
    // a list that is refused is typed
    forbids(&pair, Side::Asana, "/projects");
    terminal.answers("Asana's token:", &pair.asana_token()).await;
    terminal.sees("MLC-3005").await;
    terminal.answers("Project:", "another one").await;
    terminal.answers("Its gid,", "12").await;
    terminal.sees("MLC-3006").await;
    terminal.answers("Project:", "another one").await;
    terminal.answers("Its gid,", &pair.board.project).await;
    terminal.answers("One task for:", "line").await;
    terminal.answers("Which is the cost center?", "segment 3").await;
    // rules that are taken back leave one project
    forbids(&pair, Side::Oracle, "/purchaseOrders");
    terminal.answers("Orders go:", "by supplier").await;
    terminal.sees("MLC-2007").await;
    terminal.answers("What now?", "type it").await;
    terminal.answers("A rule for which supplier?", "another one").await;
    terminal.answers("Its name, or a pattern", "ACME*").await;
    terminal.answers("Project for ACME*:", "another project").await;
    terminal.sees("ACME*: Another project").await;
    terminal.answers("A rule for which supplier?", "take the last").await;
    terminal.answers("Orders go:", "").await;
    let facts = pair.sandbox.oracle().ledger_facts();
    forbids(&pair, Side::Oracle, "/ledgersLOV");
    forbids(&pair, Side::Oracle, "/journalSourcesLOV");
    terminal.answers("Should completed tasks bring journals?", "y").await;
    terminal.sees("MLC-2007").await;
    terminal.answers("What now?", "type it").await;
    terminal.answers("The ledger's id, digits:", "US").await;
    terminal.sees("MLC-1208").await;
    terminal.answers("The ledger's id, digits:", &facts.ledger_id.to_string()).await;
    terminal.answers("Ledger's currency:", "usd").await;
    terminal.sees("MLC-2007").await;
    terminal.answers("What now?", "ask Oracle again").await;
    terminal.answers("Journal source:", &facts.source).await;
    terminal.answers("Journal category:", &facts.category).await;
    terminal.answers("Data access set:", "none").await;
    terminal.answers("Ledger's time zone:", "").await;
    terminal.answers("Costs in other currencies:", "they bring no journal").await;
    terminal.answers("Clearing account:", &facts.clearing_account_id.to_string()).await;
    terminal.answers("Store this?", "yes").await;
    // a field of that name and another type is never taken over
    let spec = FieldSpec::new("Supplier", FieldKind::Date);
    pair.sandbox.asana().seed_field(&pair.board.workspace, &spec).unwrap();
    terminal.answers("Which optional fields besides?", "").await;
    terminal.sees("MLC-8102").await;
    terminal.answers("What now?", "another name").await;
    terminal.answers("Another name for the field of supplier:", "ERP supplier").await;
    terminal.answers("Write this to Asana?", "y").await;
    terminal.sees("4 fields created").await;
    terminal.answers("Activate `acme` now?", "y").await;
    assert_eq!(terminal.ends().await.0, Some(0));
    let file = world.succeeds(&["connection", "export", "acme"]).await.stdout;
    assert!(file.contains("cost_center_segment = 3") && !file.contains("rate_type"), "{file}");
    assert!(!file.contains("routing.rules"), "{file}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_without_secrets_is_asked_for_them_and_a_failed_look_is_repeated() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(2);
    let file = world.file("acme.toml", &pair.settings());
    world.succeeds(&["connection", "add", "acme", "-f", file.to_str().unwrap()]).await;
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.sees("--asana-url counts only for a new connection").await;
    terminal.answers("Client secret:", WRONG).await;
    terminal.sees("MLC-2003").await;
    terminal.answers("What now?", "change").await;
    terminal.answers("Client secret:", &pair.client_secret()).await;
    terminal.answers("Asana's token:", WRONG).await;
    terminal.sees("MLC-3003").await;
    forbids(&pair, Side::Asana, "/projects/");
    terminal.answers("Asana's token:", &pair.asana_token()).await;
    terminal.sees("signed in to Asana as").await;
    terminal.sees("MLC-3005").await;
    terminal.sees("What now?").await;
    assert_eq!(world.count("select count(*) from dry_runs").await, 0);
    terminal.types("test again\r");
    terminal.answers("Activate `acme` now?", "y").await;
    let (code, screen) = terminal.ends().await;
    assert_eq!(code, Some(0), "{screen}");
    for secret in [WRONG, &pair.client_secret(), &pair.asana_token()] {
        assert!(!screen.contains(secret), "a secret is on the screen:\n{screen}");
    }
    world.succeeds(&["connection", "pause", "acme"]).await;
    let mut again = guide(&world, &pair, &["acme"]);
    again.sees("It is paused").await;
    assert_eq!(again.ends().await.0, Some(0));

    // answers go with the connection that they were for
    world.execute("insert into setup_answers (name, answers) values ('acme', '{}'), ('other', '{}')").await;
    world.succeeds(&["connection", "remove", "acme", "--yes"]).await;
    assert_eq!(world.count("select count(*) from setup_answers where name = 'other'").await, 1);
    assert_eq!(world.count("select count(*) from setup_answers").await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_is_left_while_a_side_does_not_answer() {
    let (world, pair) = tokio::join!(World::new(), with_orders());
    pair.sandbox.faults().add(FaultRule::new(Fault::Delay { ms: 600_000 }).on(Side::Token));
    let mut terminal = guide(&world, &pair, &["acme"]);
    answers_oracle(&mut terminal, &pair).await;
    terminal.answers("Client secret:", &pair.client_secret()).await;
    terminal.sees("testing Oracle").await;
    terminal.interrupts();
    leaves(terminal, "").await;
    // what never became a connection can be forgotten
    let mut terminal = guide(&world, &pair, &["acme"]);
    terminal.answers("Go on with these?", "forget").await;
    terminal.sees("Oracle's address:").await;
    leaves(terminal, ESC).await;
    assert_eq!(world.count("select count(*) from setup_answers").await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_the_guide_names_the_file() {
    let world = World::new().await;
    let refused = world.run(&["connection", "setup", "acme"]).await.ends_with(1);
    assert!(
        refused.stderr.contains("MLC-8110") && refused.stderr.contains("connection apply -f"),
        "{refused:?}"
    );
    let json = world.run(&["connection", "setup", "acme", "--json"]).await.ends_with(1);
    assert!(json.stderr.contains("\"MLC-8110\""), "{json:?}");
    assert_eq!(
        world.count("select count(*) from information_schema.tables where table_name = 'connections'").await,
        0
    );
    let mut nobody = Terminal::start(world.program(&["connection", "setup"]));
    nobody.sees("A name for the connection:").await;
    nobody.types(ESC);
    nobody.sees("Nothing was begun").await;
    assert_eq!(nobody.ends().await.0, Some(3));
    world.end().await;
}
