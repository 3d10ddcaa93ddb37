//! Who the server runs as, and who may use its directory. Only root can change users, so these tests do
//! nothing for anybody else; all others run as whoever runs them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use embedded_postgres::Server;

use crate::place::{Place, is_root, read_row, user_of, write_row};
use crate::program::{Program, Said};

/// An ordinary user that every system has.
const NOBODY: u32 = 65534;

#[tokio::test]
async fn root_hands_the_server_to_an_ordinary_user() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let server = place.start().await;
    let user = user_of(place.postmaster());
    assert_ne!(user, 0);
    assert_eq!(fs::metadata(&place.data_dir).unwrap().uid(), user);
    assert_eq!(fs::metadata(place.data_dir.join("postgres.log")).unwrap().uid(), user);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_ordinary_user_runs_the_server_as_itself_and_root_keeps_to_that() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    fs::set_permissions(place.outer.path(), Permissions::from_mode(0o777)).unwrap();
    let copy = Program::copy_to(place.outer.path());
    let mut program = Program::run_as(NOBODY, NOBODY, &place.data_dir, &copy);
    let Said::Owner(url) = program.said() else { panic!("not the owner") };
    assert_eq!(user_of(place.postmaster()), NOBODY);
    write_row(&url).await;
    program.end();

    let server = place.start().await;
    assert_eq!(user_of(place.postmaster()), NOBODY);
    assert_eq!(read_row(&server.url()).await, "still here");
    server.stop().await.unwrap();

    let mut again = Program::run_as(NOBODY, NOBODY, &place.data_dir, &copy);
    assert!(matches!(again.said(), Said::Owner(_)), "root left nothing that locks the user out");
    again.end();
}

#[tokio::test]
async fn a_parent_closed_to_the_servers_user_is_named_with_the_remedy() {
    if !is_root() {
        return;
    }
    let place = Place::named("closed/data");
    let closed = place.outer.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let error = Server::start(place.settings()).await.unwrap_err();
    assert_eq!(error.code(), "MLC-1103");
    let remedy = format!("chmod o+x {}", closed.display());
    assert!(error.to_string().contains(&remedy), "{error}");
    fs::set_permissions(&closed, Permissions::from_mode(0o711)).unwrap();
    place.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let copy = Program::copy_to(place.outer.path());
    place.start().await.stop().await.unwrap();
    let mut program = Program::run_as(NOBODY, NOBODY, &place.data_dir, &copy);
    assert_eq!(program.said(), Said::Failed("MLC-1103".to_owned()));
    program.end();
}

#[tokio::test]
async fn a_user_that_the_machine_does_not_know_is_an_error_that_says_so() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    fs::create_dir(&place.data_dir).unwrap();
    chown(&place.data_dir, Some(3_999_999), None).unwrap();
    let error = Server::start(place.settings()).await.unwrap_err();
    assert_eq!(error.code(), "MLC-1107");
    assert!(error.to_string().contains("3999999"), "{error}");
}
