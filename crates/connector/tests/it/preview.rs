//! What a completion would bring, told before it does; and what it brought, told afterwards.

use connector::Code;
use connector::posting::preview::{self, Outcome, Planned, Preview};
use connector::posting::story;
use connector::store::actions::{self, NewAction, Subject, What};
use connector::store::completed::{self, Filter};
use connector::store::connections;
use connector::trace;
use sandbox::oracle::Edit;
use sandbox::{FaultRule, Side};

use crate::fixture::World;

impl World {
    async fn preview(&self, what: &str) -> connector::Result<Vec<Preview>> {
        let clients = self.engine.clients(self.connection).await?;
        preview::preview(&self.engine, &clients, what).await
    }

    /// What the only task that is meant would bring.
    async fn planned(&self, what: &str) -> Planned {
        let mut previews = self.preview(what).await.unwrap();
        assert_eq!(previews.len(), 1, "{previews:?}");
        match previews.remove(0).outcome {
            Outcome::Journal(planned) => *planned,
            Outcome::Nothing(why) => panic!("{why:?}"),
        }
    }

    /// Why the only task that is meant would bring nothing, and whether that can change.
    async fn refused(&self, what: &str) -> (String, bool) {
        let mut previews = self.preview(what).await.unwrap();
        assert_eq!(previews.len(), 1, "{previews:?}");
        match previews.remove(0).outcome {
            Outcome::Journal(planned) => panic!("{planned:?}"),
            Outcome::Nothing(why) => (why.code.to_owned(), why.held),
        }
    }

    async fn reason(&self, what: &str) -> String {
        match self.preview(what).await.unwrap().remove(0).outcome {
            Outcome::Journal(planned) => panic!("{planned:?}"),
            Outcome::Nothing(why) => why.reason,
        }
    }

    async fn newest(&self) -> connector::store::journals::Journal {
        self.journals().await.pop().unwrap()
    }

    async fn found(&self, what: &str) -> Vec<story::Story> {
        let connection = connections::load(&self.engine.db, self.connection).await.unwrap();
        story::find(&self.engine.db, &connection, what).await.unwrap()
    }
}

fn code(code: Code) -> String {
    code.info().code.to_owned()
}

#[tokio::test]
async fn what_is_sent_is_the_preview_to_the_byte() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["1200.10", "99.90"]).await;
    world.complete(&task);
    let planned = world.planned(&task).await;
    assert_eq!((planned.amount.as_str(), planned.currency.as_str()), ("1300.00", "USD"));
    assert_eq!(planned.lines.len(), 3);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), &journal.group_id), ("imported", &planned.group_id));
    assert_eq!(journal.accounting_date, planned.accounting_date);
    let sent: Vec<String> = world.steps(&journal).await.into_iter().filter_map(|step| step.request).collect();
    assert!(sent.contains(&planned.request), "{sent:?}\n{}", planned.request);
    assert!(planned.request.ends_with(&planned.csv) && planned.csv.lines().count() == 3);
    world.end().await;
}

#[tokio::test]
async fn a_preview_of_an_open_task_writes_nothing_anywhere() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    let rows = "select (select count(*) from completions) + (select count(*) from journals)
                + (select count(*) from events) + (select count(*) from movements)";
    let (before, writes) = (world.count(rows).await, world.asana_writes());
    let previews = world.preview(&task).await.unwrap();
    assert!(!previews[0].completed && previews[0].ordinal == 1);
    let by_number = world.planned("US-1").await;
    assert_eq!(by_number.amount, "10.00");
    assert_eq!((world.count(rows).await, world.asana_writes()), (before, writes));
    let sends = world.sandbox.calls().count(|call| call.side == Side::Oracle && call.method != "GET");
    assert_eq!((sends, world.ledger().submitted()), (0, 0));
    world.end().await;
}

#[tokio::test]
async fn a_preview_says_why_nothing_would_be_sent() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    let id = world.sandbox.oracle().orders_numbered("US-1")[0];
    let status = |code: &str| Edit::OrderStatus { order: id, code: code.to_owned(), touch: true };
    world.oracle(status("CANCELED"));
    world.sync().await;
    assert_eq!(world.refused(&task).await, (code(Code::JournalOrderCanceled), true));
    world.oracle(status("OPEN"));
    world.sync().await;
    world.complete(&task);
    world.way_back().await;
    assert_eq!(world.refused("US-1").await, (code(Code::JournalAlreadyPosted), false));
    let own = world.reason(&task).await;
    assert!(own.contains("has its journal already") && !own.contains("another completion"), "{own}");
    // a second task of the same order: its cost is posted already
    let second = world.persons_task("US-1");
    world.sync().await;
    assert_eq!(world.refused(&second).await, (code(Code::JournalAlreadyPosted), false));
    assert!(world.reason(&second).await.contains("another completion"));
    assert_eq!(world.preview("US-1").await.unwrap().len(), 2);
    let strange = world.persons_task("NO-SUCH");
    assert_eq!(world.refused(&strange).await, (code(Code::JournalOrderUnknown), true));
    assert_eq!(world.preview("no such thing").await.unwrap_err().code, Code::JournalSubjectUnknown);
    world.end().await;
}

#[tokio::test]
async fn a_journal_is_found_by_every_id_that_it_has() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10", "20"]).await;
    world.ordered("US-2", &["1"]).await;
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    let batch = journal.batch_id.clone().unwrap();
    let request = journal.request_id.clone().unwrap();
    for what in [&task, "US-1", &batch, &request, &journal.group_id, &journal.journal_id.to_string()] {
        let found = world.found(what).await;
        assert_eq!(found.len(), 1, "{what}");
        assert_eq!(found[0].completion.task_gid, task, "{what}");
    }
    let told = world.found(&task).await.remove(0);
    assert_eq!(told.completion.found_by, "sweep");
    assert_eq!(told.order.unwrap().lines.len(), 2);
    assert_eq!(told.journals.len(), 1);
    let one = &told.journals[0];
    assert_eq!(one.cost_from, "the sum of the order's lines");
    assert!(one.dated.contains("took entries"), "{}", one.dated);
    let debits: Vec<String> = one.lines.iter().filter_map(|line| line.debit.clone()).collect();
    let credits: Vec<String> = one.lines.iter().filter_map(|line| line.credit.clone()).collect();
    assert_eq!(
        (debits.as_slice(), credits.as_slice()),
        (&["10.00", "20.00"].map(String::from)[..], &["30.00".to_owned()][..])
    );
    assert!(one.steps.iter().any(|step| step.request.as_deref().is_some_and(|r| r.contains("GlInterface"))));
    for nothing in ["US-2", "300000", "no such thing", ""] {
        assert!(world.found(nothing).await.is_empty(), "{nothing}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_journal_is_found_by_the_group_of_an_earlier_sending() {
    let world = World::with_journals().await;
    // a batch that can be seen, or no absence could be proved
    let other = world.ordered("US-0", &["1"]).await;
    world.complete(&other);
    world.way_back().await;
    let task = world.ordered("US-1", &["10"]).await;
    // its answer is lost, and nothing came of it
    let lost =
        FaultRule::new(sandbox::Fault::TimeoutBefore { ms: 1 }).on(Side::Oracle).method("POST").times(1);
    let lost = world.fault(lost);
    world.complete(&task);
    world.once_back().await.unwrap();
    assert_eq!(world.fired(lost), 1);
    let first = world.newest().await.group_id;
    for _ in 0..10 {
        world.pass(3600).await;
        world.once_back().await.unwrap();
    }
    let journal = world.newest().await;
    assert_eq!(journal.state, "imported", "{:?}", journal.reason);
    assert_ne!(journal.group_id, first);
    for group in [&first, &journal.group_id] {
        let found = world.found(group).await;
        assert_eq!(found.len(), 1, "{group}");
        assert_eq!(found[0].journals[0].earlier_groups, std::slice::from_ref(&first));
    }
    world.end().await;
}

#[tokio::test]
async fn a_completion_without_a_journal_says_why_and_what_to_do() {
    let world = World::with_journals().await;
    let task = world.persons_task("NO-SUCH");
    world.sync().await;
    world.complete(&task);
    world.once_back().await.unwrap();
    let told = world.found(&task).await.remove(0);
    assert!(told.journals.is_empty() && told.order.is_none());
    assert_eq!(told.advice.unwrap().code, code(Code::JournalOrderUnknown));
    world.end().await;
}

#[tokio::test]
async fn what_a_person_did_to_a_journal_stands_in_its_story_and_in_the_trace() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    let action = NewAction {
        subject_id: journal.journal_id,
        note: Some("asked the bookkeeper"),
        before: None,
        after: Some("4711"),
    };
    let mut db = world.engine.db.acquire().await.unwrap();
    let kind = (Subject::Journal, What::Resolved);
    actions::record(&mut db, world.connection, kind, "mara", &[action]).await.unwrap();
    drop(db);
    let told = world.found(&task).await.remove(0).journals.remove(0).actions;
    assert_eq!((told.len(), told[0].by.as_str(), told[0].what.as_str()), (1, "mara", "resolved"));
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let traced = trace::of(&world.engine.db, &connection, &task).await.unwrap();
    let words = "journal resolved by mara: asked the bookkeeper (4711)";
    let entry = traced.entries.iter().find(|entry| entry.what == words).unwrap();
    assert_eq!(entry.full.as_deref(), Some("after: 4711"));
    assert_eq!(entry.id, Some(journal.journal_id.to_string()));
    world.end().await;
}

#[tokio::test]
async fn completions_are_counted_by_code_with_the_newest_as_example() {
    let world = World::with_journals().await;
    let posted = world.ordered("US-1", &["10"]).await;
    let strange = ["NO-1", "NO-2"].map(|number| world.persons_task(number));
    world.sync().await;
    for task in strange.iter().chain([&posted]) {
        world.complete(task);
    }
    world.way_back().await;
    let all = Filter { limit: 50, ..Filter::default() };
    let db = &world.engine.db;
    let groups = completed::groups(db, world.connection, &all).await.unwrap();
    let counted: Vec<_> = groups.iter().map(|g| (g.class, g.code.clone(), g.count)).collect();
    let unknown = Some(code(Code::JournalOrderUnknown));
    assert_eq!(counted, [(Some("missing_reference"), unknown.clone(), 2), (None, None, 1)]);
    assert!(strange.contains(&groups[0].example), "{groups:?}");
    assert_eq!(groups[1].example, world.journal().await.journal_id.to_string());

    let held = Filter { codes: unknown.map(|code| vec![code]), ..all.clone() };
    let listed = completed::list(db, world.connection, &held).await.unwrap();
    assert!(listed.len() == 2 && listed.iter().all(|one| strange.contains(&one.task_gid)), "{listed:?}");
    assert_eq!(completed::groups(db, world.connection, &held).await.unwrap(), groups[..1]);
    // from a moment on, and before it
    let moment = listed.iter().map(|one| one.completed_at).max().unwrap();
    let from = Filter { since: Some(moment), ..held.clone() };
    let before = Filter { until: Some(moment), ..held };
    let since = completed::list(db, world.connection, &from).await.unwrap().len();
    let until = completed::list(db, world.connection, &before).await.unwrap().len();
    assert!(since >= 1 && since + until == 2, "{since} {until}");
    world.end().await;
}
