//! Starts and stops without anything in the way.

use std::fs;
use std::time::{Duration, Instant};

use embedded_postgres::{Error, Server, Settings};
use sqlx::{Connection, PgConnection};

use crate::place::{Place, ask, mode_of, read_row, wait_until, write_row};

#[tokio::test]
async fn a_first_start_makes_a_database_for_an_ordinary_role() {
    let place = Place::new();
    let server = place.start().await;
    assert!(server.is_owner());
    let who = ask(&server.url(), "SELECT concat_ws(' ', current_user, current_database(), usesuper) FROM pg_user WHERE usename = current_user").await;
    assert_eq!(who, "ml_connector ml_connector f");
    let text = ask(&server.url(), "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate) FROM pg_database WHERE datname = current_database()").await;
    assert_eq!(text, "UTF8 C.UTF-8");
    write_row(&server.url()).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_commit_is_durable_and_the_socket_is_the_only_way_in() {
    let place = Place::new();
    let server = place.start().await;
    let set = "SELECT string_agg(current_setting(name), ' ' ORDER BY name) FROM pg_settings \
               WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')";
    assert_eq!(ask(&server.url(), set).await, "on on on");
    assert_eq!(ask(&server.url(), "SHOW listen_addresses").await, "");
    assert_eq!(mode_of(&place.data_dir), 0o700);
    assert_eq!(mode_of(&place.data_dir.join("socket")), 0o700);
    assert_eq!(mode_of(&place.data_dir.join("socket/.s.PGSQL.5432")), 0o700);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_keeps_the_data() {
    let place = Place::new();
    let begin = Instant::now();
    let server = place.start().await;
    let first = begin.elapsed();
    write_row(&server.url()).await;
    server.stop().await.unwrap();

    let begin = Instant::now();
    let server = place.start().await;
    println!("first start {first:?}, second start {:?}", begin.elapsed());
    assert!(server.is_owner());
    assert_eq!(read_row(&server.url()).await, "still here");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_leaves_no_process_and_no_pid_file() {
    let place = Place::new();
    let server = place.start().await;
    let url = server.url();
    assert!(place.processes().len() > 1, "the server and its helpers are seen");
    server.stop().await.unwrap();
    assert_eq!(place.processes(), Vec::<i32>::new());
    assert!(!place.cluster().join("postmaster.pid").exists());
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn a_dropped_server_stops_and_the_next_start_waits_for_that() {
    let place = Place::new();
    let server = place.start().await;
    let before = place.postmaster();
    write_row(&server.url()).await;
    drop(server);
    let server = place.start().await;
    assert_ne!(place.postmaster(), before);
    assert_eq!(read_row(&server.url()).await, "still here");
    drop(server);
    wait_until("the dropped server is gone", || place.processes().is_empty());
}

#[tokio::test]
async fn a_directory_may_have_any_plain_name() {
    let place = Place::named("a, \"b\" c'd/ü #?&%+");
    let server = place.start().await;
    write_row(&server.url()).await;
    assert_eq!(read_row(&server.url()).await, "still here");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_too_deep_for_a_socket_gets_a_short_one_that_is_taken_away_again() {
    let place = Place::named(&"deep/".repeat(30));
    let server = place.start().await;
    let url = server.url();
    let socket_dir = url.split_once("?host=").unwrap().1.split_once('&').unwrap().0;
    assert!(socket_dir.starts_with("/tmp/embedded-postgres-"), "{socket_dir}");
    assert_eq!(mode_of(socket_dir.as_ref()), 0o700);
    write_row(&url).await;
    let joined = place.start().await;
    assert_eq!(joined.url(), url);
    joined.stop().await.unwrap();
    server.stop().await.unwrap();
    assert!(!fs::exists(socket_dir).unwrap());
}

#[tokio::test]
async fn another_database_can_be_asked_for_later() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    let other =
        Settings { database: "other \"one\"".to_owned(), user: "somebody".to_owned(), ..place.settings() };
    let server = Server::start(other).await.unwrap();
    let who = ask(&server.url(), "SELECT current_user || ' in ' || current_database()").await;
    assert_eq!(who, "somebody in other \"one\"");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_program_gets_all_the_connections_it_asked_for() {
    let place = Place::new();
    let server = Server::start(Settings { max_connections: 2, ..place.settings() }).await.unwrap();
    let mut held = vec![];
    for _ in 0..2 {
        // the connection that the start closed holds its slot until its process is gone
        let deadline = Instant::now() + Duration::from_secs(10);
        held.push(loop {
            match PgConnection::connect(&server.url()).await {
                Ok(connection) => break connection,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
        });
    }
    assert!(PgConnection::connect(&server.url()).await.is_err(), "a third one is refused");
    for connection in held {
        connection.close().await.unwrap();
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_sees_nothing_of_the_programs_environment() {
    let place = Place::new();
    let server = place.start().await;
    assert!(std::env::var("CARGO_PKG_NAME").is_ok(), "the tests' environment names the package");
    let seen = fs::read(format!("/proc/{}/environ", place.postmaster())).unwrap();
    assert!(!String::from_utf8_lossy(&seen).contains("CARGO_PKG_NAME"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn without_programs_the_error_names_the_packages() {
    let place = Place::new();
    let nowhere = Some(place.outer.path().to_owned());
    let error = Server::start(Settings { programs: nowhere, ..place.settings() }).await.unwrap_err();
    assert_eq!(error.code(), "MLC-1101");
    assert!(error.to_string().contains("postgresql-server"), "{error}");
    assert!(!place.data_dir.exists(), "nothing was made");
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_what_it_said() {
    let place = Place::new();
    let wrong = vec![("shared_buffers".to_owned(), "plenty".to_owned())];
    let error = Server::start(Settings { parameters: wrong, ..place.settings() }).await.unwrap_err();
    assert_eq!(error.code(), "MLC-1106");
    let Error::StartFailed { log_tail, .. } = error else { panic!("{error}") };
    assert!(log_tail.contains("shared_buffers"), "{log_tail}");
    // The mistake is mended: nothing of the failed start is in the way.
    place.start().await.stop().await.unwrap();
}
