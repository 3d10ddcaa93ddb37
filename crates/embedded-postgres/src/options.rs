//! The server settings that are passed at every start.
//!
//! They stand on the command line and not in `postgresql.conf`, so that a new version of this program
//! changes them for existing data too. Whatever makes a commit durable is left at its safe default.

use std::path::Path;

use crate::Settings;
use crate::socket::PORT;

/// PostgreSQL keeps this many connections back for its superuser (`superuser_reserved_connections`).
const RESERVED_CONNECTIONS: u32 = 3;

/// `name=value` pairs, in the order in which the server reads them: the last one of a name wins.
pub(crate) fn parameters(settings: &Settings, socket_dir: &Path, cluster_name: &str) -> Vec<String> {
    let connections = u32::from(settings.max_connections) + RESERVED_CONNECTIONS;
    let computed = [
        format!("unix_socket_directories={}", quote_list_item(socket_dir)),
        format!("port={PORT}"),
        format!("cluster_name={cluster_name}"),
        format!("max_connections={connections}"),
    ];
    let given = settings.parameters.iter().map(|(name, value)| format!("{name}={value}"));
    computed.into_iter().chain(FIXED.iter().map(|&pair| pair.to_owned())).chain(given).collect()
}

const FIXED: [&str; 27] = [
    // The socket is the only way in.
    "listen_addresses=",
    "unix_socket_permissions=0700",
    // Never traded for speed, whatever postgresql.conf says.
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    // Nothing replicates from a private server.
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_logical_replication_workers=0",
    // A first load of all orders writes for minutes: let it run without a checkpoint every few seconds. This
    // also bounds what crash recovery has to read.
    "max_wal_size=1GB",
    "min_wal_size=256MB",
    "checkpoint_timeout=15min",
    // One machine shared with the program itself.
    "shared_buffers=128MB",
    "work_mem=8MB",
    "huge_pages=off",
    // The statements are short: compiling them costs more than running them, and an index read on today's
    // disks costs little more than a sequential one.
    "jit=off",
    "random_page_cost=1.1",
    "autovacuum=on",
    // The queues' tables turn over all their rows within minutes.
    "autovacuum_naptime=15s",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    // Standard error is a file of ours. It says what the server does, never what the rows hold: statements
    // and details (`Key (x)=(y) already exists`) stay out.
    "log_destination=stderr",
    "logging_collector=off",
    "log_checkpoints=off",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    // Whoever started the server is gone when its terminal is.
    "restart_after_crash=on",
];

/// One item of a comma-separated list of paths.
fn quote_list_item(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_parameter_comes_after_the_built_in_one() {
        let given = vec![("shared_buffers".to_owned(), "16MB".to_owned())];
        let settings = Settings { parameters: given, ..Settings::new("/d") };
        let all = parameters(&settings, Path::new("/d/socket"), "n");
        let position = |wanted: &str| all.iter().position(|pair| pair == wanted).unwrap();
        assert!(position("shared_buffers=16MB") > position("shared_buffers=128MB"));
    }

    #[test]
    fn a_comma_in_the_path_does_not_make_two_sockets() {
        assert_eq!(quote_list_item(Path::new("/a, b/\"c\"")), "\"/a, b/\"\"c\"\"\"");
    }

    #[test]
    fn the_reserved_connections_come_on_top() {
        let settings = Settings { max_connections: u16::MAX, ..Settings::new("/d") };
        assert!(parameters(&settings, Path::new("/s"), "n").contains(&"max_connections=65538".to_owned()));
    }
}
