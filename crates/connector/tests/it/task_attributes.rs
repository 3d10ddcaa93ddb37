//! The client's calls on due date, assignee, section and tags against the stand-in, held against Asana's document.

use asana::{Asana, BadRequest, Error, NewTask, Task, TaskUpdate, section_body, tag_body};
use jiff::civil::date;
use sandbox::{Fault, FaultRule, Side};

use crate::documented;
use crate::fixture::World;

async fn client(world: &World) -> Asana {
    world.engine.clients(world.connection).await.unwrap().asana.clone()
}

/// A task with nothing but a name and its project.
async fn new_task(world: &World, asana: &Asana) -> Task {
    let task = NewTask { name: "PO-1".into(), project: world.board.project.clone(), ..NewTask::default() };
    asana.create_task(&task.to_body()).await.unwrap().task
}

#[tokio::test]
async fn what_is_written_is_read_again() {
    let world = World::new().await;
    world.sandbox.calls().record_exchanges(documented::KEPT);
    let asana = client(&world).await;
    let late = world.sandbox.asana().seed_section(&world.board.project, "Late").unwrap();
    let tags = asana.tags(&world.board.workspace).await.unwrap();
    assert_eq!(tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), sandbox::board::TAGS);
    let (urgent, review) = (&tags[0].gid, &tags[2].gid);
    let (_, address) = sandbox::board::PEOPLE[0];
    let ana = asana.user(address).await.unwrap();
    assert_eq!((ana.email.as_deref(), asana.user(&ana.gid).await.unwrap()), (Some(address), ana.clone()));
    let new = NewTask {
        name: "PO-1".into(),
        project: world.board.project.clone(),
        due_on: Some(date(2026, 7, 31)),
        assignee: Some(address.to_owned()),
        tags: vec![urgent.clone()],
        ..NewTask::default()
    };
    let task = asana.create_task(&new.to_body()).await.unwrap().task;
    let assigned = |task: &Task| task.assignee.as_ref().map(|who| (who.gid.clone(), who.email.clone()));
    let wanted = Some((ana.gid.clone(), Some(address.to_owned())));
    assert_eq!(
        (task.due_on, assigned(&task), &task.tags),
        (Some(date(2026, 7, 31)), wanted, &vec![urgent.clone()])
    );
    for answer in [
        asana.add_to_section(&late, &section_body(&task.gid)).await.unwrap(),
        asana.add_tag(&task.gid, &tag_body(review)).await.unwrap(),
        asana.remove_tag(&task.gid, &tag_body(urgent)).await.unwrap(),
    ] {
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"data":{}}"#));
    }
    let page = asana.tasks_page(&world.board.project, None, None).await.unwrap();
    let moved = &page.tasks[0];
    assert_eq!((&moved.sections, &moved.tags), (&vec![late], &vec![review.clone()]));
    assert_eq!(moved.modified_at, task.modified_at, "no listing by modified_since would show it");
    let cleared = TaskUpdate { due_on: Some(None), assignee: Some(None), ..TaskUpdate::default() };
    let task = asana.update_task(&task.gid, &cleared.to_body()).await.unwrap().task;
    assert_eq!((task.due_on, task.assignee), (None, None));
    if let Some((judged, _)) = documented::conform(&world) {
        assert!(judged >= 9, "{judged}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_words_that_are_known() {
    let world = World::new().await;
    let asana = client(&world).await;
    let task = new_task(&world, &asana).await.gid;
    let reason = |error: &Error| match error {
        Error::BadRequest { reason, .. } => Some(*reason),
        _ => None,
    };
    let tag = asana.add_tag(&task, &tag_body("99")).await.unwrap_err();
    let stray = asana.remove_tag(&task, &tag_body("urgent")).await.unwrap_err();
    let body = TaskUpdate { assignee: Some(Some("nobody@example.com".into())), ..TaskUpdate::default() };
    let outsider = asana.update_task(&task, &body.to_body()).await.unwrap_err();
    let by_put = asana.update_task(&task, r#"{"data":{"tags":["99"]}}"#).await.unwrap_err();
    assert_eq!(
        [&tag, &stray, &outsider, &by_put].map(reason),
        [
            BadRequest::UnknownObject,
            BadRequest::UnrecognizedId,
            BadRequest::NotAMember,
            BadRequest::NotWritable
        ]
        .map(Some)
    );
    let gone = asana.add_to_section("99", &section_body(&task)).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone}");
    let nobody = asana.user("nobody@example.com").await.unwrap_err();
    assert!(matches!(nobody, Error::NotFound(_)), "{nobody}");
    world.end().await;
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_a_second_call_does_no_harm() {
    let world = World::new().await;
    let asana = client(&world).await;
    let task = new_task(&world, &asana).await.gid;
    let tag = world.sandbox.asana().tags(&world.board.workspace)[0].0.clone();
    let late = world.sandbox.asana().seed_section(&world.board.project, "Late").unwrap();
    let rule = world.fault(FaultRule::new(Fault::DropAfter).on(Side::Asana).method("POST").times(2));
    for lost in [
        asana.add_tag(&task, &tag_body(&tag)).await.unwrap_err(),
        asana.add_to_section(&late, &section_body(&task)).await.unwrap_err(),
    ] {
        assert!(lost.may_have_happened(), "{lost}");
    }
    assert_eq!(world.fired(rule), 2);
    asana.add_tag(&task, &tag_body(&tag)).await.unwrap();
    asana.add_to_section(&late, &section_body(&task)).await.unwrap();
    let read = asana.task(&task).await.unwrap();
    assert_eq!((read.tags, read.sections), (vec![tag], vec![late]));
    world.end().await;
}
