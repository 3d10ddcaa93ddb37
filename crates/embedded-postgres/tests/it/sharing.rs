//! Several programs on one directory.

use std::collections::HashSet;
use std::fs::{self, File};
use std::time::Duration;

use embedded_postgres::{Server, Settings};

use crate::place::{Place, ask, read_row, write_row};
use crate::program::{Program, Said};

const SERVER_IDENTITY: &str = "SELECT pg_postmaster_start_time()::text";

#[tokio::test]
async fn programs_started_at_once_share_one_server() {
    let place = Place::new();
    let mut programs: Vec<Program> = (0..4).map(|_| Program::run(&place.data_dir)).collect();
    let mut owners = 0;
    let mut servers = HashSet::new();
    for program in &mut programs {
        let url = match program.said() {
            Said::Owner(url) => {
                owners += 1;
                url
            }
            Said::Joined(url) => url,
            Said::Failed(code) => panic!("{code}"),
        };
        servers.insert(ask(&url, SERVER_IDENTITY).await);
    }
    assert_eq!((owners, servers.len()), (1, 1));
    programs.into_iter().for_each(Program::end);
    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn a_joined_program_never_stops_the_server() {
    let place = Place::new();
    let owner = place.start().await;
    write_row(&owner.url()).await;

    let mut killed = Program::run(&place.data_dir);
    assert_eq!(killed.said(), Said::Joined(owner.url()));
    killed.kill();
    let mut ended = Program::run(&place.data_dir);
    assert_eq!(ended.said(), Said::Joined(owner.url()));
    ended.end();
    let dropped = place.start().await;
    assert!(!dropped.is_owner());
    drop(dropped);

    assert_eq!(read_row(&owner.url()).await, "still here");
    owner.stop().await.unwrap();
}

#[tokio::test]
async fn an_owner_that_ends_leaves_the_server_to_those_who_joined_and_the_last_one_stops_it() {
    let place = Place::new();
    let owner = place.start().await;
    write_row(&owner.url()).await;
    let mut others: Vec<Program> = (0..3).map(|_| Program::run(&place.data_dir)).collect();
    for other in &mut others {
        assert_eq!(other.said(), Said::Joined(owner.url()));
    }
    let url = owner.url();
    let server = ask(&url, SERVER_IDENTITY).await;
    owner.stop().await.unwrap();
    assert_eq!(ask(&url, SERVER_IDENTITY).await, server);
    // whoever comes now owns what it finds, and does not take it along either
    let next = place.start().await;
    assert!(next.is_owner());
    drop(next);
    assert_eq!(ask(&url, SERVER_IDENTITY).await, server);
    others.into_iter().for_each(Program::end);
    assert_eq!(place.processes(), Vec::<i32>::new());
    let again = place.start().await;
    assert_eq!(read_row(&again.url()).await, "still here");
    again.stop().await.unwrap();
}

#[tokio::test]
async fn programs_that_end_at_once_stop_the_server_between_them() {
    let place = Place::new();
    for _ in 0..5 {
        let mut programs: Vec<Program> = (0..4).map(|_| Program::run(&place.data_dir)).collect();
        for program in &mut programs {
            assert!(!matches!(program.said(), Said::Failed(_)));
        }
        let ends: Vec<_> = programs.into_iter().map(|p| std::thread::spawn(move || p.end())).collect();
        ends.into_iter().for_each(|end| end.join().unwrap());
        assert_eq!(place.processes(), Vec::<i32>::new());
    }
}

#[tokio::test]
async fn a_program_that_waits_gives_up_in_time_and_names_the_owner() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    let lock = File::options().write(true).open(place.data_dir.join("owner.lock")).unwrap();
    lock.lock().unwrap();
    let hasty = Settings { start_timeout: Duration::from_millis(100), ..place.settings() };
    let error = Server::start(hasty).await.unwrap_err();
    assert_eq!(error.code(), "MLC-1104");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
}

#[tokio::test]
async fn a_program_that_waits_takes_over_when_the_owner_is_gone() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    let lock = File::options().write(true).open(place.data_dir.join("owner.lock")).unwrap();
    lock.lock().unwrap();
    // A pid file and a socket that nobody answers must not lead astray.
    fs::write(place.cluster().join("postmaster.pid"), "1\n/x\n0\n5432\n/nowhere\n\n1 2\nready   \n").unwrap();
    let waiting = tokio::spawn(Server::start(place.settings()));
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    lock.unlock().unwrap();
    let server = waiting.await.unwrap().unwrap();
    assert!(server.is_owner());
    server.stop().await.unwrap();
}
