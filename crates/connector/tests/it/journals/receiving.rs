//! Nodes that take deliveries: an engine and a receiver each, on the world's database.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use connector::Engine;
use connector::hooks::ingest::{Ingest, Limits};
use connector::hooks::wake;
use connector::key::MasterKey;
use connector::node;
use connector::store;
use console::hooks::{Doors, Receiver, serve};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::fixture::World;

/// A node whose receiver listens. Its jobs are run by the test, or by itself once told so.
pub struct Node {
    pub engine: Arc<Engine>,
    /// Where its own listener is.
    pub address: SocketAddr,
    ingest: Arc<Ingest>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    /// A node with a listener of its own.
    pub async fn receiving(&self) -> Node {
        self.receiving_at(TcpListener::bind("127.0.0.1:0").unwrap()).await
    }

    /// Two nodes that accept at one address, as behind a load balancer.
    pub async fn two_receiving_at_one_address(&self) -> [Node; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let same = listener.try_clone().unwrap();
        [self.receiving_at(listener).await, self.receiving_at(same).await]
    }

    async fn receiving_at(&self, listener: TcpListener) -> Node {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let db = store::open(&self.database_url).await.unwrap();
        let mut engine = Engine::new(db, MasterKey::from_base64(&self.key).unwrap());
        engine.public_url = Some(Url::parse(&format!("http://{address}")).unwrap());
        let engine = Arc::new(engine);
        let ingest = Ingest::start(&engine.db, Limits::default());
        let receiver = Receiver::new(engine.clone(), ingest.clone());
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, receiver, Doors::default(), stopped));
        Node { engine, address, ingest, stop, tasks: vec![serving] }
    }
}

impl Node {
    /// From now on it does by itself what is due, woken by what arrives.
    pub fn works(&mut self) {
        let arrived = self.ingest.arrived();
        self.tasks.push(tokio::spawn(wake::run(self.engine.clone(), arrived, self.stop.subscribe())));
        self.tasks.push(tokio::spawn(node::run(self.engine.clone(), self.stop.subscribe())));
    }

    /// Stops in order.
    pub async fn end(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.ingest.close().await;
        self.engine.db.close().await;
    }
}
