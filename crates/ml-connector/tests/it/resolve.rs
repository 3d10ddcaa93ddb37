//! A person decides journals in doubt on the command line: what it shows, what it refuses, and what comes of it.

use sandbox::{Fault, FaultRule, Side};
use serde_json::Value;

use crate::kill_journals::let_doubts_age;
use crate::pair::Pair;
use crate::program::{Run, Running, start, until};
use crate::world::World;

struct Scene {
    world: World,
    pair: Pair,
}

impl Scene {
    /// A connection with one batch, by which a look-up can be proved.
    async fn new() -> Scene {
        let (world, pair) =
            tokio::join!(World::new(), Pair::with_journals("a-client-secret", "an-asana-token"));
        pair.add_orders(3);
        world.add("main", &pair).await;
        world.succeeds(&["poll", "main"]).await;
        world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
        let scene = Scene { world, pair };
        scene.pair.complete("PO-0");
        let node = scene.serve().await;
        scene.until_states(&["imported"]).await;
        node.stop().await.ends_with(0);
        scene
    }

    async fn serve(&self) -> Running {
        self.world.execute("update jobs set due_at = now() where job = 'sweep'").await;
        start(self.world.program(&["serve", "--listen", "127.0.0.1:0"]))
    }

    async fn states(&self) -> Vec<String> {
        let sql = "select state from journals order by journal_id";
        sqlx::query_scalar(sql).fetch_all(&self.world.db).await.unwrap()
    }

    async fn until_states(&self, wanted: &[&str]) {
        until(&format!("{wanted:?}"), || async { self.states().await == wanted }).await;
    }

    /// Completes an order's task; the upload of its journal meets this fault. Returns the journal.
    async fn doubts(&self, order: &str, fault: Fault) -> Value {
        let rule = FaultRule::new(fault).on(Side::Oracle).method("POST").path("erpintegrations").times(1);
        // and nobody finds it before the person looks
        let status = Fault::Status { status: 500, retry_after: None, body: None, html: false };
        let found = FaultRule::new(status).on(Side::Oracle).path("journalBatches").after(2);
        self.pair.sandbox.faults().add(rule);
        self.pair.sandbox.faults().add(found);
        self.pair.complete(order);
        let node = self.serve().await;
        until("a journal in doubt", || async { self.states().await.contains(&"in_doubt".to_owned()) }).await;
        node.stop().await.ends_with(0);
        self.pair.sandbox.faults().clear();
        self.world.expire_leases().await;
        let listed =
            self.world.succeeds(&["journals", "list", "main", "--state", "in_doubt", "--json"]).await;
        listed.json()[0].clone()
    }

    fn submissions(&self) -> usize {
        let ledger: Value = serde_json::from_str(&self.pair.sandbox.oracle().ledger_json()).unwrap();
        ledger["submissions"].as_object().unwrap().len()
    }

    /// A journal whose batch is there is not given up, and is closed with that very batch.
    async fn takes_what_is_there(&self, order: &str) {
        let found = self.doubts(order, Fault::DropAfter).await;
        let id = found["journal_id"].as_str().unwrap();
        let batch =
            self.pair.sandbox.oracle().batches_of(found["group_id"].as_str().unwrap().parse().unwrap());
        let [batch] = batch.as_slice() else { panic!("{batch:?}") };
        let batch = batch.to_string();
        let there = ["journals", "resolve", "main", id, "--not-posted", "--give-up", "--yes", "--by", "Ada"];
        let refused = self.world.run(&there).await.ends_with(1).stderr;
        assert!(refused.contains("MLC-6519") && refused.contains(&batch), "{refused}");
        let posted =
            ["journals", "resolve", "main", id, "--posted", &batch, "--yes", "--by", "Grace", "--json"];
        let posted = self.world.succeeds(&posted).await.json();
        assert_eq!((&posted["state"], &posted["batch"]), (&"imported".into(), &batch.as_str().into()));
        let traced = self.world.succeeds(&["trace", "main", order]).await.stdout;
        assert!(traced.contains(&format!("Grace decided that it is batch {batch}")), "{traced}");
        assert_eq!((self.pair.batches(), self.submissions()), (3, 3));
    }
}

/// What a run printed, without what differs from run to run.
fn steady(run: &Run, names: &[(&str, &str)]) -> String {
    let mut text = format!("{}{}", run.stdout, run.stderr);
    for (from, to) in names {
        text = text.replace(from, to);
    }
    let lines = text.lines().map(|line| {
        // columns are as wide as what stands in them
        let line = line.trim_end_matches(['│', ' ']);
        instants_as_one(if line.starts_with(['┌', '├', '╞', '└']) { "---" } else { line })
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// With `TIME` for each instant.
fn instants_as_one(line: &str) -> String {
    const LIKE: &str = "0000-00-00 00:00:00Z";
    let is_instant = |text: &str| {
        text.len() == LIKE.len()
            && text
                .chars()
                .zip(LIKE.chars())
                .all(|(c, like)| if like == '0' { c.is_ascii_digit() } else { c == like })
    };
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        match rest.get(..LIKE.len()).filter(|text| is_instant(text)) {
            Some(_) => {
                text.push_str("TIME");
                rest = &rest[LIKE.len()..];
            }
            None => {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_resolve_prints_is_as_it_was_agreed_and_nothing_is_sent_twice() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let lost = scene.doubts("PO-1", Fault::DropBefore).await;
    let (id, group) = (lost["journal_id"].as_str().unwrap(), lost["group_id"].as_str().unwrap());
    let known: String = sqlx::query_scalar("select batch_id from journals where state = 'imported'")
        .fetch_one(&world.db)
        .await
        .unwrap();
    let resolve = |flags: &[&'static str]| {
        let args: Vec<&str> =
            ["journals", "resolve", "main", id].into_iter().chain(flags.iter().copied()).collect();
        world.program(&args)
    };
    let run = |flags: &'static [&'static str]| crate::program::run(resolve(flags));
    for flags in [
        &[][..],
        &["--not-posted"],
        &["--send-anew"],
        &["--not-posted", "--send-anew", "--give-up"],
        &["--posted", "1", "--not-posted", "--give-up"],
    ] {
        crate::program::run(resolve(flags)).await.ends_with(2);
    }
    let mut all = String::new();
    let mut tell = |what: &str, run: Run, names: &[(&str, &str)]| {
        all.push_str(&format!("## {what}\n{}\n\n", steady(&run, names)));
    };
    let mut names = vec![(id, "JOURNAL"), (group, "GROUP"), (known.as_str(), "KNOWN")];
    tell(
        "a batch that is not there",
        run(&["--posted", "999", "--yes", "--by", "Ada"]).await.ends_with(1),
        &names,
    );
    tell("too early", run(&["--not-posted", "--give-up", "--preview"]).await.ends_with(0), &names);
    let_doubts_age(world).await;
    let previewed = resolve(&["--not-posted", "--send-anew", "--preview", "--json"]);
    let previewed = crate::program::run(previewed).await.ends_with(0).json();
    let new = previewed["group"].as_str().unwrap().to_owned();
    assert!(previewed["sending"]["request"].as_str().unwrap().contains(&new), "{previewed}");
    names.push((&new, "NEW-GROUP"));
    tell("without consent", run(&["--not-posted", "--send-anew", "--by", "Ada"]).await.ends_with(1), &names);
    assert_eq!(
        (scene.states().await, scene.submissions()),
        (vec!["imported".to_owned(), "in_doubt".to_owned()], 1)
    );
    let anew = &["--not-posted", "--send-anew", "--by", "Ada", "--note", "not in the ledger", "--yes"];
    tell("sent anew", run(anew).await.ends_with(0), &names);
    tell("once more", run(anew).await.ends_with(1), &names);
    let node = scene.serve().await;
    scene.until_states(&["imported", "imported"]).await;
    node.stop().await.ends_with(0);
    assert_eq!((scene.pair.batches(), scene.submissions()), (2, 2));
    let told = world.succeeds(&["journals", "show", "main", id]).await.stdout;
    for word in ["Ada", "not in the ledger", "resolved: Ada had it sent anew", "its import begins: group"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    scene.takes_what_is_there("PO-2").await;
    insta::assert_snapshot!(all);
    scene.world.end().await;
}
