//! No secret in what is printed, logged or stored, whatever happens and however much is logged.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sandbox::Side;
use sqlx::Row as _;
use tokio::process::Command;

use crate::door::Door;
use crate::echo::{self, Echo};
use crate::pair::Pair;
use crate::program::{Run, program, run, start, until};
use crate::world::{World, directory};

const CLIENT_SECRET: &str = "orcl-7fQ2-Zebra+secret/93";
const WRONG_SECRET: &str = "orcl-wrong-Quagga+secret/11";
const ASANA_TOKEN: &str = "2/1209/asana-Okapi-token:5d41";
/// How every access token of the stand-in begins, and of a real identity domain.
const JWT: &str = "eyJhbGciOi";

/// Texts that must not be seen anywhere.
struct Secrets(Vec<String>);

impl Secrets {
    /// Each in plain, in every form that HTTP and logs give it, and its first half.
    fn of(plain: &[&str]) -> Secrets {
        let mut all = vec![JWT.to_owned()];
        for text in plain {
            let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            all.extend([(*text).to_owned(), form, hex, text[..text.len() / 2].to_owned()]);
            for encoded in [STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)] {
                all.push(encoded[..encoded.len() - 2].to_owned());
            }
        }
        Secrets(all)
    }

    /// HTTP Basic's form of the client's secret, whose base64 differs from that of the secret alone.
    fn with_basic(mut self, client: &str, secrets: &[&str]) -> Secrets {
        for secret in secrets {
            let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            self.0.extend([secret, form.as_str()].map(|text| STANDARD.encode(format!("{client}:{text}"))));
        }
        self
    }

    #[track_caller]
    fn are_not_in(&self, what: &str, text: &str) {
        for secret in &self.0 {
            if let Some(at) = text.find(secret.as_str()) {
                let from = text[..at].char_indices().rev().nth(200).map_or(0, |(from, _)| from);
                panic!("{what}: {secret:?} after {:?}", &text[from..at]);
            }
        }
    }

    #[track_caller]
    fn are_not_shown(&self, run: &Run) {
        self.are_not_in(&run.what, &run.stdout);
        self.are_not_in(&run.what, &run.stderr);
    }
}

/// A world with distinctive secrets, in which everything is logged.
struct Scene {
    world: World,
    pair: Pair,
    secrets: Secrets,
}

impl Scene {
    async fn new() -> Scene {
        Scene::between(Pair::with_secrets(CLIENT_SECRET, ASANA_TOKEN)).await
    }

    async fn between(pair: impl Future<Output = Pair>) -> Scene {
        let (world, pair) = tokio::join!(World::new(), pair);
        pair.add_orders(5);
        pair.sandbox.calls().record_exchanges(10_000);
        let client = pair.sandbox.oracle().config().client_id.clone();
        let secrets = Secrets::of(&[CLIENT_SECRET, WRONG_SECRET, ASANA_TOKEN, &world.key])
            .with_basic(&client, &[CLIENT_SECRET, WRONG_SECRET]);
        Scene { world, pair, secrets }
    }

    /// Runs a command at the most talkative level, in both forms of the log, and looks through what it says.
    async fn runs(&self, args: &[&str], code: i32) {
        for log in [&["--log", "trace"][..], &["--log", "trace", "--log-json", "--json"]] {
            let mut all = args.to_vec();
            all.extend(log);
            self.ran(run(self.world.program(&all)).await.ends_with(code), true);
        }
    }

    fn ran(&self, run: Run, asks_database: bool) {
        self.secrets.are_not_shown(&run);
        // a scan of a silent log would find nothing either
        if asks_database {
            assert!(
                run.stderr.contains("DEBUG") && run.stderr.contains("sqlx"),
                "{} logs too little",
                run.what
            );
        }
    }

    async fn edits(&self, set: &str) {
        self.runs(&["connection", "edit", "main", "--set", set], 0).await;
    }

    async fn stores(&self, variable: &str, secret: &str) {
        let mut command = self.world.program(&["connection", "edit", "main", "--log", "trace"]);
        command.env(variable, secret);
        self.ran(run(command).await.ends_with(0), true);
    }

    /// Looks through every column of every table.
    async fn look_through_the_tables(&self) {
        let tables: Vec<String> = sqlx::query_scalar(
            "select table_name::text from information_schema.tables where table_schema = 'public'",
        )
        .fetch_all(&self.world.db)
        .await
        .unwrap();
        assert!(tables.len() > 8, "{tables:?}");
        for table in tables {
            let sql = sqlx::AssertSqlSafe(format!("select t::text from \"{table}\" t"));
            for row in sqlx::query(sql).fetch_all(&self.world.db).await.unwrap() {
                self.secrets.are_not_in(&table, row.get::<&str, _>(0));
            }
        }
    }

    fn tokens_given(&self) -> usize {
        let given = self.pair.sandbox.calls().exchanges();
        given.iter().filter(|e| e.side == Side::Token && e.response_body.contains(JWT)).count()
    }

    async fn end(self) {
        self.look_through_the_tables().await;
        self.world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_shows_a_secret_at_any_level_of_logging() {
    let scene = Scene::new().await;
    let world = &scene.world;
    scene.runs(&["migrate"], 0).await;
    scene.ran(run(world.adds("main", &scene.pair, &["--log", "trace"])).await.ends_with(0), true);
    scene.ran(
        run(world.adds("other", &scene.pair, &["--log", "trace", "--log-json"])).await.ends_with(0),
        true,
    );
    scene.ran(run(world.adds("main", &scene.pair, &["--log", "trace"])).await.ends_with(1), true);
    scene.runs(&["connection", "ping", "main"], 0).await;
    scene.runs(&["poll", "main"], 0).await;
    for args in [
        &["connection", "list"][..],
        &["connection", "show", "main"],
        &["connection", "show", "main", "--toml"],
        &["movements", "list", "main"],
        &["doctor"],
    ] {
        scene.runs(args, 0).await;
    }
    let id: uuid::Uuid =
        sqlx::query_scalar("select movement_id from movements limit 1").fetch_one(&world.db).await.unwrap();
    scene.runs(&["movements", "show", "main", &id.to_string()], 0).await;
    for args in [&["explain"][..], &["completions", "bash"], &["--help"], &["connection", "add", "--help"]] {
        scene.ran(world.succeeds(args).await, false);
    }
    scene.edits("schedule.poll_minutes=7").await;
    scene.stores("ML_CONNECTOR_ASANA_TOKEN", ASANA_TOKEN).await;
    scene.runs(&["connection", "pause", "other"], 1).await;

    world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    scene.pair.add_orders(2);
    let mut node = start(world.program(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"]));
    let url = node.listens().await;
    until("the tasks are made", || async { scene.pair.tasks().len() == 7 }).await;
    let page = reqwest::get(url).await.unwrap().text().await.unwrap();
    scene.secrets.are_not_in("the status page", &page);
    let served = node.stop().await.ends_with(0);
    for marker in ["asked Oracle", "Asana answered", "polled", "pushed", "TRACE"] {
        assert!(served.stderr.contains(marker), "the log says nothing of {marker:?}");
    }
    scene.ran(served, true);
    assert!(scene.tokens_given() > 3);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failure_shows_a_secret_even_when_the_other_side_repeats_it() {
    let scene = Scene::new().await;
    let world = &scene.world;
    world.add("main", &scene.pair).await;
    scene.runs(&["poll", "main"], 0).await;

    scene.stores("ML_CONNECTOR_ORACLE_SECRET", WRONG_SECRET).await;
    scene.runs(&["connection", "ping", "main"], 3).await;
    scene.runs(&["poll", "main"], 1).await;
    scene.stores("ML_CONNECTOR_ORACLE_SECRET", CLIENT_SECRET).await;

    let mut other_key = world.program(&["poll", "main", "--log", "trace"]);
    other_key.env("ML_CONNECTOR_KEY", STANDARD.encode([7; 32]));
    scene.ran(run(other_key).await.ends_with(4), true);
    let mut cut_key = world.program(&["poll", "main", "--log", "trace"]);
    cut_key.env("ML_CONNECTOR_KEY", &world.key[..world.key.len() - 8]);
    scene.ran(run(cut_key).await.ends_with(4), true);

    let (oracle, token, asana) =
        (scene.pair.sandbox.oracle_url(), scene.pair.sandbox.token_url(), scene.pair.sandbox.asana_url());
    // one that has read nothing, so that its pod may be changed
    world.add("elsewhere", &scene.pair).await;
    for echo in [Echo::Page, Echo::Text, Echo::Json, Echo::Success] {
        let address = echo::serve(echo).await;
        for (setting, real) in [("oracle.token_url", &token), ("oracle.url", &oracle), ("asana.url", &asana)]
        {
            let name = if setting == "oracle.url" { "elsewhere" } else { "main" };
            let set = format!("{setting}={address}/api/1.0");
            world.succeeds(&["connection", "edit", name, "--set", &set]).await;
            scene.runs(&["connection", "ping", name], 3).await;
            let polled = run(world.program(&["poll", name, "--log", "trace"])).await;
            // a board that cannot be read holds its movements, which is no failure of the poll
            let ended = if setting == "asana.url" { &[0, 1][..] } else { &[1] };
            assert!(ended.contains(&polled.code.unwrap()), "{setting} {echo:?}: {}", polled.stdout);
            scene.ran(polled, true);
            world.succeeds(&["connection", "edit", name, "--set", &format!("{setting}={real}")]).await;
        }
    }
    // writes too
    for fault in [400, 401, 403, 500] {
        let body = format!("{{\"errors\":[{{\"message\":\"Bearer {ASANA_TOKEN} is not welcome\"}}]}}");
        let fault =
            sandbox::Fault::Status { status: fault, retry_after: None, body: Some(body), html: false };
        scene.pair.add_orders(1);
        let rule = sandbox::FaultRule::new(fault).on(Side::Asana).method("POST");
        let rule = scene.pair.sandbox.faults().add(rule);
        scene.ran(run(world.program(&["poll", "main", "--log", "trace"])).await, true);
        assert!(scene.pair.sandbox.faults().fired(rule) > 0);
        scene.pair.sandbox.faults().remove(rule);
    }

    scene
        .pair
        .sandbox
        .asana()
        .apply(sandbox::asana::Edit::RevokeToken { token: ASANA_TOKEN.into() })
        .unwrap();
    scene.runs(&["connection", "ping", "main"], 3).await;
    scene.runs(&["poll", "main"], 1).await;
    scene.runs(&["movements", "list", "main"], 0).await;
    world.succeeds(&["connection", "edit", "elsewhere", "--set", "oracle.url=http://127.0.0.1:1"]).await;
    scene.runs(&["connection", "ping", "elsewhere"], 3).await;
    scene.runs(&["poll", "elsewhere"], 1).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_the_target_of_a_webhook_nor_its_secret_is_shown() {
    let mut scene = Scene::between(Pair::with_journals(CLIENT_SECRET, ASANA_TOKEN)).await;
    scene.world.add("main", &scene.pair).await;
    scene.world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let door = Door::new().await;
    let public = ["--public-url", door.url.as_str()];
    let serve = ["serve", "--listen", "127.0.0.1:0", "--log", "trace"];
    let mut node = start(scene.world.program(&[&serve[..], &public[..]].concat()));
    door.leads_to(Some(node.takes_deliveries().await));
    until("the tasks are made", || async { scene.pair.tasks().len() == 5 }).await;
    until("the project is watched", || async {
        scene.world.count("select count(*) from webhooks where state = 'active'").await == 1
    })
    .await;
    let task = scene.pair.complete("PO-1");
    until("the journal is imported", || async {
        scene.world.count("select count(*) from journals where state = 'imported'").await == 1
    })
    .await;
    let known = door.secrets();
    assert!(known.len() >= 2, "neither a target nor a secret came in: {known:?}");
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    scene.secrets.0.extend(Secrets::of(&known).0);

    for args in [&["webhooks", "list", "main"][..], &["webhooks", "list", "main", "--all"]] {
        scene.runs(args, 0).await;
    }
    for args in [
        &["webhooks", "check", "main"][..],
        &["webhooks", "check", "main", "--repair"],
        &["webhooks", "register", "main"],
        &["connection", "ping", "main"],
    ] {
        scene.runs(&[args, &public].concat(), 0).await;
    }
    for args in [
        &["journals", "list", "main"][..],
        &["journals", "show", "main", &task, "--full"],
        &["journals", "preview", "main", "PO-2"],
        &["connection", "show", "main"],
    ] {
        scene.runs(args, 0).await;
    }
    // a stranger knocks
    let strange = format!("{}/hooks/asana/x", door.url);
    assert_eq!(reqwest::Client::new().post(strange).send().await.unwrap().status(), 404);
    let served = node.stop().await.ends_with(0);
    for marker in ["looked at completions", "watched over the webhooks", "TRACE"] {
        assert!(served.stderr.contains(marker), "the log says nothing of {marker:?}");
    }
    scene.ran(served, true);
    scene.runs(&["webhooks", "remove", "main", "--all"], 0).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_no_secret_either() {
    let directory = directory();
    let dir = directory.path().join("demo");
    let args = ["demo", "--once", "--orders", "20", "--log", "trace", "--data-dir", dir.to_str().unwrap()];
    let shown = run(with_home(program(&args), directory.path())).await.ends_with(0);
    let key = std::fs::read_to_string(dir.join("demo/key")).unwrap();
    let secrets = Secrets::of(&["sandbox-secret", "sandbox-asana-token", key.trim()])
        .with_basic("sandbox-client", &["sandbox-secret"]);
    for marker in ["asked Oracle", "Asana answered", "TRACE", "sqlx"] {
        assert!(shown.stderr.contains(marker), "the log says nothing of {marker:?}");
    }
    secrets.are_not_shown(&shown);
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let password = "pg-Tapir-password";
    for url in [
        format!("postgres://admin:{password}@127.0.0.1:1/db"),
        format!("postgres://admin:{password}@127.0.0.1:notaport/db"),
        format!("postgres://admin:{password}@[broken/db"),
        format!("postgres://admin:{password}@/db?sslmode=nonsense"),
        format!("postgres:///db?password={password}&port=x"),
        format!("mysql://admin:{password}@localhost/db"),
        format!("admin:{password}"),
    ] {
        for flags in [&[][..], &["--json"], &["--log", "trace"]] {
            let mut command: Command = program(&["connection", "list"]);
            command.args(flags).env("DATABASE_URL", &url);
            let refused = run(command).await.ends_with(1);
            assert!(refused.stderr.contains("MLC-1206"), "{url}: {}", refused.stderr);
            Secrets::of(&[password]).are_not_shown(&refused);
        }
        let mut doctor = program(&["doctor", "--json", "--log", "trace"]);
        doctor.env("DATABASE_URL", &url);
        Secrets::of(&[password]).are_not_shown(&run(doctor).await.ends_with(3));
    }
}

fn with_home(mut command: Command, home: &std::path::Path) -> Command {
    command.env("HOME", home);
    command
}
