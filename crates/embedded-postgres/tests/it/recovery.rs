//! Programs and servers that were killed, and what they leave behind.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Signal;

use crate::place::{Place, is_root, read_row, signal, wait_until, write_row};
use crate::program::{Program, Said};

/// A server with a row in it, whose program was killed.
async fn orphaned_server(place: &Place) -> i32 {
    let mut program = Program::run(&place.data_dir);
    let Said::Owner(url) = program.said() else { panic!("not the owner") };
    write_row(&url).await;
    let postmaster = place.postmaster();
    program.kill();
    postmaster
}

async fn expect_data_then_stop(place: &Place) {
    let server = place.start().await;
    assert!(server.is_owner());
    assert_eq!(read_row(&server.url()).await, "still here");
    server.stop().await.unwrap();
    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn the_server_of_a_killed_program_is_taken_over() {
    let place = Place::new();
    let postmaster = orphaned_server(&place).await;
    let server = place.start().await;
    assert!(server.is_owner());
    assert_eq!(place.postmaster(), postmaster);
    server.stop().await.unwrap();
    assert_eq!(place.processes(), Vec::<i32>::new());
    expect_data_then_stop(&place).await;
}

#[tokio::test]
async fn a_server_that_is_stopping_is_waited_for() {
    let place = Place::new();
    let postmaster = orphaned_server(&place).await;
    signal(postmaster, Signal::INT);
    wait_until("the server says that it stops", || {
        fs::read_to_string(place.cluster().join("postmaster.pid"))
            .map_or(true, |text| text.contains("stopping"))
    });
    expect_data_then_stop(&place).await;
}

#[tokio::test]
async fn a_server_that_hangs_is_replaced() {
    let place = Place::new();
    let postmaster = orphaned_server(&place).await;
    signal(postmaster, Signal::STOP);
    expect_data_then_stop(&place).await;
}

#[tokio::test]
async fn a_killed_server_recovers_at_the_next_start() {
    let place = Place::new();
    let postmaster = orphaned_server(&place).await;
    signal(postmaster, Signal::KILL);
    expect_data_then_stop(&place).await;
}

#[tokio::test]
async fn a_server_killed_under_its_program_recovers_at_the_next_start() {
    let place = Place::new();
    let server = place.start().await;
    write_row(&server.url()).await;
    signal(place.postmaster(), Signal::KILL);
    server.stop().await.unwrap();
    expect_data_then_stop(&place).await;
}

#[tokio::test]
async fn processes_that_outlive_their_killed_server_are_ended() {
    let place = Place::new();
    let postmaster = orphaned_server(&place).await;
    let others: Vec<i32> = place.processes().into_iter().filter(|pid| *pid != postmaster).collect();
    // A stopped process cannot notice that its server is gone, and keeps the shared memory.
    signal(others[0], Signal::STOP);
    signal(postmaster, Signal::KILL);
    expect_data_then_stop(&place).await;
    assert!(!place.processes().contains(&others[0]));
}

#[tokio::test]
async fn all_processes_of_a_server_killed_at_once_recover_at_the_next_start() {
    let place = Place::new();
    orphaned_server(&place).await;
    for pid in place.processes() {
        signal(pid, Signal::KILL);
    }
    expect_data_then_stop(&place).await;
}

#[tokio::test]
async fn a_stale_pid_file_is_cleaned_though_its_number_names_another_program_now() {
    let place = Place::new();
    let server = place.start().await;
    write_row(&server.url()).await;
    server.stop().await.unwrap();

    let mut command = Command::new("sleep");
    if is_root() {
        // The server's own user: the hardest case for the server's own check.
        let owner = fs::metadata(place.cluster()).unwrap();
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = command.arg("600").spawn().unwrap();
    let socket_dir = place.data_dir.join("socket");
    let text = format!(
        "{}\n{}\n0\n5432\n{}\n\n 1 2\nready   \n",
        stranger.id(),
        place.cluster().display(),
        socket_dir.display()
    );
    fs::write(place.cluster().join("postmaster.pid"), &text).unwrap();
    fs::write(socket_dir.join(".s.PGSQL.5432.lock"), &text).unwrap();
    expect_data_then_stop(&place).await;
    assert!(stranger.try_wait().unwrap().is_none(), "the other program was left alone");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_pid_file_of_a_dead_process_or_without_one_is_cleaned() {
    let place = Place::new();
    let server = place.start().await;
    write_row(&server.url()).await;
    server.stop().await.unwrap();
    let mut short = Command::new("true").spawn().unwrap();
    short.wait().unwrap();
    for text in [format!("{}\n", short.id()), String::new(), "rubbish\n".to_owned()] {
        fs::write(place.cluster().join("postmaster.pid"), text).unwrap();
        expect_data_then_stop(&place).await;
    }
}

#[tokio::test]
async fn a_half_made_cluster_is_thrown_away_and_made_anew() {
    let place = Place::new();
    Program::run(&place.data_dir).kill_when("initdb has begun", || !place.entries("initdb-").is_empty());
    assert!(!place.cluster().exists());
    let server = place.start().await;
    write_row(&server.url()).await;
    server.stop().await.unwrap();
    expect_data_then_stop(&place).await;
    assert_eq!(place.entries("initdb-"), Vec::<String>::new());
}

#[tokio::test]
async fn a_program_killed_at_any_stage_of_its_first_start_is_in_nobodys_way() {
    for (stage, file) in
        [("a lock file", "owner.lock"), ("a cluster", "cluster"), ("a pid file", "cluster/postmaster.pid")]
    {
        let place = Place::new();
        let reached = place.data_dir.join(file);
        Program::run(&place.data_dir).kill_when(stage, || reached.exists());
        let server = place.start().await;
        write_row(&server.url()).await;
        server.stop().await.unwrap();
        expect_data_then_stop(&place).await;
    }
}

#[tokio::test]
async fn a_damaged_cluster_is_never_replaced_by_an_empty_one() {
    let place = Place::new();
    let server = place.start().await;
    write_row(&server.url()).await;
    server.stop().await.unwrap();
    let (control, aside) = (place.cluster().join("global/pg_control"), place.outer.path().join("pg_control"));
    fs::rename(&control, &aside).unwrap();
    let error = embedded_postgres::Server::start(place.settings()).await.unwrap_err();
    assert_eq!(error.code(), "MLC-1103");
    fs::rename(&aside, &control).unwrap();
    expect_data_then_stop(&place).await;
}
