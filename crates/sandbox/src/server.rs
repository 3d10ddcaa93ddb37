//! The listeners, and the handle on a running sandbox.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::asana::{Asana, AsanaConfig};
use crate::calls::Calls;
use crate::clock::VirtualClock;
use crate::control::{self, Control};
use crate::faults::{Faults, Side};
use crate::gate::Gate;
use crate::oracle::{Oracle, OracleConfig, OracleSettings};

const ASANA_SIDES: &[(&str, Side)] = &[("/api/1.0", Side::Asana)];
const ORACLE_SIDES: &[(&str, Side)] = &[("/oauth2/", Side::Token), ("/fscmRestApi", Side::Oracle)];

/// Where the sandbox listens and what it starts with.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Address of the Oracle side; port 0 takes a free one.
    pub oracle_address: SocketAddr,
    /// Address of the Asana side.
    pub asana_address: SocketAddr,
    /// Address of the control interface.
    pub control_address: SocketAddr,
    /// The clock of both sides; give one in to share or freeze it beforehand.
    pub clock: VirtualClock,
    /// The client that Oracle's identity domain knows.
    pub oracle: OracleConfig,
    /// Switches of the Oracle side at the start.
    pub oracle_settings: OracleSettings,
    /// Tokens and limits of the Asana side.
    pub asana: AsanaConfig,
    /// Seed of the draws for faults with a probability.
    pub fault_seed: u64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            oracle_address: any,
            asana_address: any,
            control_address: any,
            clock: VirtualClock::default(),
            oracle: OracleConfig::default(),
            oracle_settings: OracleSettings::default(),
            asana: AsanaConfig::default(),
            fault_seed: 0,
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
}

/// A running sandbox. Dropping it closes the listeners and all connections.
#[derive(Debug)]
pub struct Sandbox {
    oracle_address: SocketAddr,
    asana_address: SocketAddr,
    control_address: SocketAddr,
    oracle: Oracle,
    asana: Asana,
    clock: VirtualClock,
    faults: Faults,
    calls: Calls,
    stop: watch::Sender<()>,
    listeners: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Binds the listeners and serves until [`Sandbox::shutdown`] or drop.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let oracle = Oracle::new(config.clock.clone(), config.oracle, config.oracle_settings);
        let asana = Asana::new(config.clock.clone(), config.asana);
        let faults = Faults::new(config.fault_seed);
        let calls = Calls::default();
        let (stop, stopped) = watch::channel(());
        let (oracle_listener, oracle_address) = bind(config.oracle_address).await?;
        let oracle_gate = Gate::new(oracle.router(), ORACLE_SIDES, faults.clone(), calls.clone());
        let (asana_listener, asana_address) = bind(config.asana_address).await?;
        let asana_gate = Gate::new(asana.router(), ASANA_SIDES, faults.clone(), calls.clone());
        let (control_listener, control_address) = bind(config.control_address).await?;
        let control = Control {
            clock: config.clock.clone(),
            faults: faults.clone(),
            calls: calls.clone(),
            oracle: oracle.clone(),
            asana: asana.clone(),
            oracle_url: format!("http://{oracle_address}"),
            asana_url: format!("http://{asana_address}/api/1.0"),
        };
        let control_gate = Gate::new(control::router(control), &[], faults.clone(), calls.clone());
        let listeners = vec![
            tokio::spawn(serve(oracle_listener, oracle_gate, stopped.clone())),
            tokio::spawn(serve(asana_listener, asana_gate, stopped.clone())),
            tokio::spawn(serve(control_listener, control_gate, stopped)),
        ];
        Ok(Self {
            oracle_address,
            asana_address,
            control_address,
            oracle,
            asana,
            clock: config.clock,
            faults,
            calls,
            stop,
            listeners,
        })
    }

    /// Base URL of the Oracle side, without a slash at the end; the token endpoint is below it too.
    #[must_use]
    pub fn oracle_url(&self) -> String {
        format!("http://{}", self.oracle_address)
    }

    /// URL of the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth2/v1/token", self.oracle_address)
    }

    /// Base URL of the Asana API, up to and including `/api/1.0`.
    #[must_use]
    pub fn asana_url(&self) -> String {
        format!("http://{}/api/1.0", self.asana_address)
    }

    /// Base URL of the control interface, without a slash at the end.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control_address)
    }

    /// The Oracle side.
    #[must_use]
    pub fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// The Asana side.
    #[must_use]
    pub fn asana(&self) -> &Asana {
        &self.asana
    }

    /// The clock of both sides.
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// The fault rules.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The record of calls.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Closes listeners and connections and waits until they are gone.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(());
        for listener in self.listeners.drain(..) {
            if let Err(error) = listener.await {
                tracing::debug!(%error, "a listener ended badly");
            }
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let failed = |source| SandboxError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Accepts connections until told to stop or until the sandbox is dropped; then closes them all.
async fn serve(listener: TcpListener, gate: Gate, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(connection(stream, gate.clone())); }
                // Out of file descriptors, or the peer was gone at once: the next may do.
                Err(error) => {
                    tracing::debug!(%error, "cannot accept");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stopped.changed() => break,
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, gate: Gate) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let gate = gate.clone();
        async move { gate.pass(request.map(Body::new)).await }
    });
    // Faults end connections with an error on purpose.
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection ended");
    }
}
