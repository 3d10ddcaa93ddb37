//! Prints how long a private server takes to start: on an empty directory, on existing data, and joined.
//!
//! `cargo run -p embedded-postgres --example start_time -- /var/tmp/start-time`
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use std::time::Instant;

use embedded_postgres::{Error, Server, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let data_dir = std::env::args().nth(1).unwrap_or_else(|| "/var/tmp/start-time".to_owned());
    let start = async |what: &str| {
        let begin = Instant::now();
        let server = Server::start(Settings::new(&data_dir)).await?;
        println!("{what}: {:?}", begin.elapsed());
        Ok::<_, Error>(server)
    };
    let owner = start("first start").await?;
    println!("{}", owner.url());
    start("join").await?.stop().await?;
    let begin = Instant::now();
    owner.stop().await?;
    println!("stop: {:?}", begin.elapsed());
    for _ in 0..5 {
        start("existing database").await?.stop().await?;
    }
    Ok(())
}
