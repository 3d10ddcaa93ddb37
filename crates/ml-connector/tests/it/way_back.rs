//! From a task that is ticked off in Asana to a journal in Oracle, with `serve` in between, and the commands that tell
//! of it.

use serde_json::Value;

use crate::door::Door;
use crate::pair::Pair;
use crate::program::{Run, Running, start, until};
use crate::world::World;

/// What one test works with.
struct Scene {
    world: World,
    pair: Pair,
    door: Door,
}

impl Scene {
    /// A connection `main` with journals, a draft.
    async fn new() -> Scene {
        let pair = Pair::with_journals("a-client-secret", "an-asana-token");
        let (world, pair, door) = tokio::join!(World::new(), pair, Door::new());
        pair.add_orders(3);
        world.add("main", &pair).await;
        Scene { world, pair, door }
    }

    /// Starts a node behind the door.
    async fn serve(&self, flags: &[&str]) -> Running {
        let args = ["serve", "--listen", "127.0.0.1:0", "--public-url", &self.door.url];
        let mut node = start(self.world.program(&[&args, flags].concat()));
        self.door.leads_to(Some(node.takes_deliveries().await));
        node
    }

    /// Runs a command for people, and again for programs; both end with the same code. Returns what programs get.
    async fn looks(&self, args: &[&str], code: i32) -> Value {
        let shown = self.runs(args, code).await;
        assert!(!shown.stdout.trim().is_empty(), "{} shows nothing", shown.what);
        self.does(args, code).await
    }

    async fn runs(&self, args: &[&str], code: i32) -> Run {
        let mut command = self.world.program(args);
        command.env("ML_CONNECTOR_PUBLIC_URL", &self.door.url);
        crate::program::run(command).await.ends_with(code)
    }

    async fn does(&self, args: &[&str], code: i32) -> Value {
        self.runs(&[args, &["--json"]].concat(), code).await.json()
    }

    async fn states(&self, table: &str) -> Vec<String> {
        let sql = match table {
            "webhooks" => "select state from webhooks order by webhook_id",
            _ => "select state from journals order by journal_id",
        };
        sqlx::query_scalar(sql).fetch_all(&self.world.db).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_task_becomes_a_journal_that_every_command_tells_of() {
    let scene = Scene::new().await;
    scene.world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let node = scene.serve(&[]).await;
    until("the tasks are made", || async { scene.pair.tasks().len() == 3 }).await;
    until("the project is watched", || async { scene.states("webhooks").await == ["active"] }).await;
    let open = scene.looks(&["journals", "preview", "main", "PO-1"], 0).await;
    assert_eq!((&open[0]["completed"], &open[0]["journal"]["currency"]), (&false.into(), &"USD".into()));

    let task = scene.pair.complete("PO-1");
    until("the journal is imported", || async { scene.states("journals").await == ["imported"] }).await;
    assert_eq!(scene.pair.batches(), 1);
    let listed = scene.looks(&["journals", "list", "main", "--po", "PO-1"], 0).await;
    let [one] = listed.as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&one["state"], &one["task_gid"]), (&"imported".into(), &task.as_str().into()));
    assert_eq!(scene.looks(&["journals", "list", "main", "--state", "imported"], 0).await, listed);
    assert_eq!(scene.does(&["journals", "list", "main", "--state", "held"], 0).await, serde_json::json!([]));
    for key in ["task_gid", "order_number", "batch_id", "request_id", "group_id", "journal_id"] {
        let shown = scene.does(&["journals", "show", "main", one[key].as_str().unwrap()], 0).await;
        assert_eq!(shown[0]["journals"][0]["journal"]["journal_id"], one["journal_id"], "{key}: {shown}");
    }
    let shown = scene.looks(&["journals", "show", "main", &task], 0).await;
    assert_eq!(shown[0]["completion"]["found_by"], "webhook");
    let told = scene.runs(&["journals", "show", "main", &task], 0).await.stdout;
    let full = scene.runs(&["journals", "show", "main", &task, "--full"], 0).await.stdout;
    for word in ["18.25", "took entries", "GlInterface", "clearing", "SUPPLIER 1"] {
        assert!(full.contains(word), "{word} in {full}");
    }
    assert!(full.contains("GlInterface.csv\nNEW,") && !told.contains("GlInterface.csv\nNEW,"), "{told}");
    let again = scene.looks(&["journals", "preview", "main", &task], 0).await;
    assert_eq!(again[0]["nothing"]["code"], "MLC-5107");
    let groups = scene.looks(&["journals", "list", "main", "--group", "class"], 0).await;
    assert_eq!((&groups[0]["count"], &groups[0]["example"]), (&1.into(), &one["journal_id"]));
    let none = ["journals", "list", "main", "--class", "rejected_by_oracle"];
    assert_eq!(scene.does(&none, 0).await, serde_json::json!([]));

    let connection = scene.looks(&["connection", "show", "main"], 0).await;
    assert_eq!(
        (&connection["completions"]["imported"], &connection["webhooks"]["active"]),
        (&1.into(), &1.into())
    );
    let hooks = scene.looks(&["webhooks", "list", "main"], 0).await;
    assert_eq!((&hooks[0]["state"], &hooks[0]["name"]), (&"active".into(), &"Purchasing".into()));
    assert_eq!(hooks[0]["target"], format!("{}/hooks/asana/…", scene.door.url));
    assert_eq!(scene.looks(&["webhooks", "check", "main"], 0).await["ok"], true);
    let pinged = scene.looks(&["connection", "ping", "main"], 0).await;
    let registrations = pinged["checks"].as_array().unwrap().iter();
    let mut registrations = registrations.filter(|check| check["name"] == "webhooks: registrations");
    assert_eq!(registrations.next().unwrap()["verdict"], "ok");

    let stopped = node.stop().await.ends_with(0);
    assert_eq!(stopped.stdout, "");
    scene.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_registered_compared_mended_and_taken_back_beside_a_running_node() {
    let scene = Scene::new().await;
    let project = scene.pair.board.project.clone();
    // nobody serves behind the public address
    let refused = scene.runs(&["webhooks", "register", "main"], 1).await;
    assert!(refused.stderr.contains("MLC-5005") && refused.stderr.contains("running `serve`"), "{refused:?}");
    scene.runs(&["webhooks", "register", "main"], 1).await;
    let found = scene.looks(&["webhooks", "check", "main"], 3).await;
    assert!(found["findings"][0]["last_failure"].as_str().unwrap().contains("MLC-5005"), "{found}");
    let shown = scene.runs(&["webhooks", "list", "main"], 0).await.stdout;
    assert!(shown.contains("failed 2 times"), "{shown}");
    assert_eq!(scene.states("webhooks").await, ["failed"]);

    // the connection is a draft: what happens now is done by the commands alone
    let node = scene.serve(&["--hooks-listen", "127.0.0.1:0"]).await;
    let done = scene.does(&["webhooks", "register", "main"], 0).await;
    assert_eq!(done["registered"][0]["gid"], project.as_str());
    assert_eq!(scene.does(&["webhooks", "register", "main"], 0).await["registered"], serde_json::json!([]));
    assert_eq!(scene.looks(&["webhooks", "check", "main"], 0).await["ok"], true);
    assert_eq!(scene.pair.sandbox.asana().webhooks().len(), 1);

    // another public address changes nothing of where the registration leads
    let target = format!("{}/hooks/asana/…", scene.door.url);
    let moved = ["webhooks", "check", "main", "--public-url", "https://moved.example"];
    let found = scene.looks(&moved, 3).await;
    assert_eq!((&found["findings"][1]["target"], &found["ok"]), (&target.clone().into(), &false.into()));
    let mut list = scene.world.program(&["webhooks", "list", "main", "--json"]);
    list.env("ML_CONNECTOR_PUBLIC_URL", "https://moved.example");
    let listed = crate::program::run(list).await.ends_with(0).json();
    assert_eq!(listed[0]["target"], target);

    let webhook = scene.pair.sandbox.asana().webhooks()[0].gid.clone();
    scene.pair.sandbox.asana().apply(sandbox::asana::Edit::DeleteWebhook { webhook }).unwrap();
    let found = scene.looks(&["webhooks", "check", "main"], 3).await;
    assert!(found["findings"][0]["found"].as_str().unwrap().starts_with("lost"), "{found}");
    let mended = scene.looks(&["webhooks", "check", "main", "--repair"], 0).await;
    assert_eq!(mended["registered"], serde_json::json!([]), "the first of both runs mended it");
    assert_eq!(scene.looks(&["webhooks", "check", "main"], 0).await["ok"], true);

    assert_eq!(scene.does(&["webhooks", "remove", "main", "--project", &project], 0).await["deleted"], 1);
    assert_eq!(scene.pair.sandbox.asana().webhooks().len(), 0);
    assert_eq!(scene.looks(&["webhooks", "list", "main"], 0).await[0]["state"], "removed");
    assert_eq!(scene.looks(&["webhooks", "list", "main", "--all"], 0).await.as_array().unwrap().len(), 3);
    scene.does(&["webhooks", "register", "main", "--project", &project], 0).await;
    let other = scene.runs(&["webhooks", "register", "main", "--project", "77"], 1).await;
    assert!(other.stderr.contains("MLC-1208"), "{other:?}");
    assert_eq!(scene.does(&["webhooks", "remove", "main", "--all"], 0).await["deleted"], 1);

    scene.does(&["webhooks", "register", "main"], 0).await;
    scene.does(&["connection", "remove", "main", "--yes"], 0).await;
    assert_eq!(scene.pair.sandbox.asana().webhooks().len(), 0);
    node.stop().await.ends_with(0);
    scene.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_completion_and_a_rejected_journal_say_why_and_what_to_do() {
    let scene = Scene::new().await;
    // the connection's own time begins now; nothing is delivered, so the sweep finds what was completed
    scene.world.succeeds(&["poll", "main"]).await;
    let strange = [(scene.pair.board.field("po_number").unwrap().to_owned(), "NO-SUCH".into())].into();
    let held =
        scene.pair.sandbox.asana().seed_task(&scene.pair.board.project, "by a person", &strange).unwrap();
    scene.pair.sandbox.asana().apply(sandbox::asana::Edit::CompleteTask { task: held.clone() }).unwrap();
    let account = scene.pair.sandbox.oracle().ledger_facts().clearing_account;
    scene.pair.edit(sandbox::Edit::ChangeAccount { account, enabled: Some(false), detail_posting: None });
    scene.pair.complete("PO-2");
    scene.world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let mut node = start(scene.world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let address = node.listens().await;
    until("the journal is rejected", || async { scene.states("journals").await == ["rejected"] }).await;
    let page = reqwest::get(&address).await.unwrap().text().await.unwrap();
    for count in ["<dt>held</dt><dd>1</dd>", "<dt>journal rejected</dt><dd>1</dd>"] {
        assert!(page.contains(count), "{count} in {page}");
    }
    assert!(!page.contains("NO-SUCH"), "the page shows no record: {page}");
    node.stop().await.ends_with(0);

    let listed = scene.looks(&["journals", "list", "main"], 0).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let told = scene.runs(&["journals", "show", "main", "PO-2"], 0).await.stdout;
    for word in ["MLC-5136", "EF03", "What to do: "] {
        assert!(told.contains(word), "{word} in {told}");
    }
    let shown = scene.looks(&["journals", "show", "main", &held], 0).await;
    assert_eq!(shown[0]["advice"]["code"], "MLC-5102");
    assert_eq!(shown[0]["journals"], serde_json::json!([]));
    let told = scene.runs(&["journals", "show", "main", &held], 0).await.stdout;
    assert!(told.contains("MLC-5102") && told.contains("What to do: "), "{told}");
    let nothing = scene.looks(&["journals", "preview", "main", &held], 0).await;
    assert_eq!(
        (&nothing[0]["nothing"]["code"], &nothing[0]["nothing"]["held"]),
        (&"MLC-5102".into(), &true.into())
    );
    scene.replays(&listed).await;
    scene.world.end().await;
}

impl Scene {
    /// The rejected journal is previewed, is not sent without consent, and is sent anew once.
    async fn replays(&self, listed: &Value) {
        let rejected = listed.as_array().unwrap().iter().find(|one| one["state"] == "rejected").unwrap();
        let id = rejected["journal_id"].as_str().unwrap();
        let preview = self.looks(&["journals", "replay", "main", id, "--preview"], 0).await;
        assert!(preview["request"].as_str().unwrap().contains("importBulkData"), "{preview}");
        assert_ne!(preview["group"], rejected["group_id"]);
        self.runs(&["journals", "replay", "main", id, "--by", "Ada"], 1).await;
        assert_eq!(self.states("journals").await, ["rejected"]);
        let replay = ["journals", "replay", "main", id, "--yes", "--by", "Ada", "--note", "it is open again"];
        let replayed = self.does(&replay, 0).await;
        assert_eq!(replayed["group"], preview["group"]);
        assert_eq!(self.states("journals").await, ["ready"]);
        let refused = self.runs(&replay, 1).await.stderr;
        assert!(refused.contains("MLC-6512"), "{refused}");
        let told = self.runs(&["journals", "show", "main", id], 0).await.stdout;
        assert!(told.contains("Ada") && told.contains("it is open again"), "{told}");
    }
}
