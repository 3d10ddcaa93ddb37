//! `erase`, as a person sees it.

use sandbox::Edit;
use sandbox::oracle::{NewLine, NewOrder};

use crate::pair::Pair;
use crate::program::Run;
use crate::world::World;

/// What differs from run to run: times, and the name that is nobody's business.
fn steady(run: &Run) -> String {
    let text = format!("{}{}", run.stdout, run.stderr);
    let is_time =
        |word: &str| word.len() == "2026-01-01".len() && word.starts_with("20") && word.contains('-');
    let is_hour = |word: &str| word.len() == "10:00:00Z".len() && word.ends_with('Z') && word.contains(':');
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| match word {
            _ if is_time(word) => "YYYY-MM-DD",
            _ if is_hour(word) => "hh:mm:ssZ",
            other => other,
        });
        words.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_erase_prints_is_as_it_was_agreed() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    world.add("main", &pair).await;
    for (number, supplier) in
        [("PO-1", "ACME \"NORD\" & SONS"), ("PO-2", "ACME \"NORD\" & SONS"), ("PO-3", "OTHER")]
    {
        let order = NewOrder {
            number: Some(number.to_owned()),
            supplier: Some(supplier.to_owned()),
            lines: vec![NewLine { amount: "10.50".to_owned(), ..NewLine::default() }],
            ..NewOrder::default()
        };
        pair.sandbox.oracle().apply(Edit::CreateOrder(order)).unwrap();
    }
    world.succeeds(&["poll", "main"]).await;
    let mut all = String::new();
    let mut tell = |what: &str, run: &Run| all.push_str(&format!("## {what}\n{}\n", steady(run)));

    tell("nothing yet", &world.succeeds(&["erase", "main"]).await);
    let supplier = ["erase", "main", "--supplier", "acme \"nord\" & sons"];
    // nobody consents, so nothing was done that was asked for
    tell("preview", &world.run(&supplier).await.ends_with(1));
    let foretold = world.run(&[&supplier[..], &["--json"]].concat()).await.ends_with(1).json();
    assert_eq!((&foretold["done"], &foretold["code"]), (&false.into(), &serde_json::Value::Null));
    let said = "select count(*) from movements where strpos(body || request || response, 'ACME') > 0";
    assert_eq!(world.count(said).await, 2);
    tell("a name of two letters", &world.run(&["erase", "main", "--person", "Al"]).await.ends_with(1));
    tell("a number of nobody", &world.run(&["erase", "main", "--supplier", "12345678"]).await.ends_with(1));
    let yes = ["--yes", "--by", "Ada", "--note", "asked on paper"];
    tell("erased", &world.succeeds(&[&supplier[..], &yes].concat()).await);
    assert_eq!(world.count(said).await, 0);
    tell("again", &world.succeeds(&supplier).await);
    tell("what was erased", &world.succeeds(&["erase", "main"]).await);
    let told = world.succeeds(&["erase", "main", "--json"]).await.json();
    assert_eq!((&told[0]["by"], &told[0]["finished"]), (&"Ada".into(), &true.into()));
    assert_eq!(told[0]["tables"], foretold["tables"]);

    let json = world.succeeds(&["movements", "list", "main", "--po", "PO-1", "--json"]).await.json();
    let id = json[0]["movement_id"].as_str().unwrap();
    tell("sent again", &world.run(&["movements", "replay", "main", id, "--by", "Ada"]).await.ends_with(1));

    // what is held is left, and said so
    world.count("with held as (update movements set state = 'held', code = 'MLC-4001', body = '{\"x\":\"OTHER\"}' where body like '%OTHER%' returning 1) select count(*) from held").await;
    tell(
        "left",
        &world.run(&["erase", "main", "--supplier", "OTHER", "--yes", "--by", "Ada"]).await.ends_with(3),
    );
    let id = all.replace(id, "MOVEMENT");
    insta::assert_snapshot!(id);
    world.end().await;
}
