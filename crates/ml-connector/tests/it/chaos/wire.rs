//! A proxy between the nodes and PostgreSQL that cuts connections under their hands: half way through what is asked, or
//! half way through the answer, and then with a reset.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Which way the bytes go that are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the database: what was asked may not have been understood.
    Asking,
    /// To the node: what was asked has happened, and the node does not know.
    Answering,
}

#[derive(Debug, Default)]
struct State {
    /// The way, and how many pieces pass first.
    laid: Vec<(Way, u64)>,
    cut: Vec<Way>,
    turned_away: u64,
}

/// The proxy.
pub struct Wire {
    /// The database's address through it.
    pub url: String,
    state: Arc<Mutex<State>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Wire {
    /// In front of a server that listens at a Unix socket only.
    pub async fn to(database_url: &str) -> Wire {
        let (address, query) = database_url.split_once('?').unwrap();
        let directory = query.split('&').find_map(|part| part.strip_prefix("host=")).unwrap();
        let (who, place) = address.split_once("@localhost:").unwrap();
        let (port, database) = place.split_once('/').unwrap();
        let socket = PathBuf::from(directory).join(format!(".s.PGSQL.{port}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{who}@{}/{database}?sslmode=disable", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(hand_on(stream, socket.clone(), shared.clone()));
            }
        });
        Wire { url, state, accepting }
    }

    /// Cuts the connection of the piece that comes that way after so many others.
    pub fn cut(&self, way: Way, after: u64) {
        self.state.lock().unwrap().laid.push((way, after));
    }

    /// Cuts no more; returns how often it cut each way.
    pub fn end(&self) -> (u64, u64) {
        let mut state = self.state.lock().unwrap();
        state.laid.clear();
        let cut = std::mem::take(&mut state.cut);
        let of = |way| cut.iter().filter(|cut| **cut == way).count() as u64;
        (of(Way::Asking), of(Way::Answering))
    }

    /// Whether a cut that was laid has not happened yet.
    pub fn is_waiting(&self) -> bool {
        !self.state.lock().unwrap().laid.is_empty()
    }

    /// How many came while no server was there.
    pub fn turned_away(&self) -> u64 {
        self.state.lock().unwrap().turned_away
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Whether this very piece is cut.
fn strikes(state: &Mutex<State>, way: Way) -> bool {
    let mut state = state.lock().unwrap();
    let Some(at) = state.laid.iter().position(|(laid, _)| *laid == way) else { return false };
    if state.laid[at].1 > 0 {
        state.laid[at].1 -= 1;
        return false;
    }
    state.laid.remove(at);
    state.cut.push(way);
    true
}

/// Carries pieces until one side ends or one is cut; says whether it was cut.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &Mutex<State>,
    way: Way,
) -> bool {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let is_cut = strikes(state, way);
        let count = if is_cut { count / 2 } else { count };
        if to.write_all(&buffer[..count]).await.is_err() || is_cut {
            return is_cut;
        }
    }
    false
}

async fn hand_on(mut from: TcpStream, socket: PathBuf, state: Arc<Mutex<State>>) {
    let Ok(mut to) = UnixStream::connect(socket).await else {
        state.lock().unwrap().turned_away += 1;
        return;
    };
    let (reads, writes) = from.split();
    let (answers, asks) = to.split();
    let is_cut = tokio::select! {
        is_cut = carry(reads, asks, &state, Way::Asking) => is_cut,
        is_cut = carry(answers, writes, &state, Way::Answering) => is_cut,
    };
    if is_cut {
        // so that closing sends a reset
        from.set_zero_linger().unwrap();
    }
}
