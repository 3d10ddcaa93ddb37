//! Orders and invoices as public bodies really published them: odd names, credits, zero totals, repeated
//! numbers, five currencies. Each value on each task is compared.

use std::collections::HashSet;
use std::path::Path;

use sandbox::oracle::load::{INVOICES_FILE, ORDERS_FILE};
use serde_json::Value;

use crate::expected;
use crate::fixture::World;

/// Where the published records stand, from the folder of this crate; they are not part of the repository.
const DIRECTORY: &str = "../../../shared/data";
/// One order in so many is taken, so that every source is among them.
const STEP: usize = 13;

/// Every `STEP`th order, the invoices that name one of them, and some that name none.
fn some_of(orders: &str, invoices: &str) -> (String, String) {
    let orders: Vec<&str> = orders.lines().step_by(STEP).collect();
    let text = |line: &str, name: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record[name].as_str().map(str::to_owned)
    };
    let numbers: HashSet<String> = orders.iter().filter_map(|line| text(line, "order_number")).collect();
    let mut strangers = 0;
    let invoices: Vec<&str> = invoices
        .lines()
        .filter(|line| match text(line, "order_number") {
            Some(number) if numbers.contains(&number) => true,
            _ => {
                strangers += 1;
                strangers % 40 == 0
            }
        })
        .collect();
    (orders.join("\n"), invoices.join("\n"))
}

#[tokio::test]
async fn published_orders_and_invoices_arrive_value_by_value() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(DIRECTORY);
    let read = |name: &str| std::fs::read_to_string(directory.join(name));
    let (Ok(orders), Ok(invoices)) = (read(ORDERS_FILE), read(INVOICES_FILE)) else {
        eprintln!("skipped: the published orders are not there ({})", directory.display());
        return;
    };
    let (orders, invoices) = some_of(&orders, &invoices);
    let world = World::new().await;
    let loaded = world.sandbox.oracle().load_text(&orders, &invoices).unwrap();
    assert!(loaded.orders > 1_000 && loaded.invoices > 500, "{loaded:?}");
    world.sync().await;
    world.settle().await;
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, loaded.orders, "{found:?}");
    assert!(found.agree * 100 > loaded.orders * 95, "{found:?}");
    assert!(world.in_state("failed").await.is_empty());
    let writes = world.asana_writes();
    world.sync().await;
    assert_eq!(world.asana_writes(), writes, "nothing changed");
    for order in world.sandbox.oracle().order_ids().into_iter().step_by(50) {
        world.set_amount(order, 1, "1234.56");
    }
    world.sync().await;
    world.settle().await;
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, loaded.orders, "{found:?}");
    world.end().await;
}
