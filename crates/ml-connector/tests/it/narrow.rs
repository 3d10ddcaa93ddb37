//! Ids in a terminal that is too narrow for the tables.

use serde_json::Value;

use crate::pair::Pair;
use crate::terminal::Terminal;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_stay_whole_in_a_terminal_of_any_width() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(2);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;
    let list =
        world.succeeds(&["movements", "list", "main", "--po", "PO-1", "--kind", "order", "--json"]).await;
    let id = list.json()[0]["movement_id"].as_str().unwrap().to_owned();
    let shown: Value = world.succeeds(&["movements", "show", "main", &id, "--json"]).await.json();
    let task = shown["destination_id"].as_str().unwrap();
    let node = shown["exchanges"][0]["node_id"].as_str().unwrap();
    for columns in [50, 80, 200] {
        for (args, ids) in [
            (vec!["movements", "show", "main", &id], vec![id.as_str(), task, node]),
            (vec!["trace", "main", "PO-1"], vec![id.as_str(), task, node]),
            (vec!["search", "main", "po-1"], vec![id.as_str(), task]),
            (vec!["movements", "list", "main", "--group", "class"], vec![]),
        ] {
            let (code, screen) = Terminal::of_width(world.program(&args), columns).ends().await;
            assert_eq!(code, Some(0), "{screen}");
            for id in ids {
                assert!(screen.contains(id), "{id} at {columns} in {screen}");
            }
            for line in screen.lines().filter(|line| line.starts_with(['┌', '╞', '│', '└'])) {
                assert!(line.chars().count() <= columns.into(), "{line:?} at {columns} in {screen}");
            }
        }
    }
    // in a pipe nothing is wrapped, and each row is one line
    let piped = world.succeeds(&["search", "main", "po-1"]).await.stdout;
    assert!(
        piped.lines().any(|line| line.contains(&id) && line.contains("PO-1") && line.contains(task)),
        "{piped}"
    );
    world.end().await;
}
