//! A stand-in for Asana's REST API, with the rules, limits and error wordings that its documentation and
//! published OpenAPI document state. Where they are silent, a setting of [`AsanaConfig`] decides.
//!
//! Not here: making tags, teams, portfolios, goals, personal task lists, system stories but those of completion, the
//! cost-based quota, `opt_pretty`, form-encoded bodies. An operation that is not served answers 404 like an unknown
//! path.

mod attributes;
mod call;
mod config;
mod edit;
mod error;
mod http;
mod json;
mod limits;
mod model;
mod number;
mod ops;
mod page_attributes;
mod pages;
mod paging;
mod records;
mod seed;
mod select;
mod state;
mod text;
mod time;
pub(crate) mod webhooks;
mod world;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use config::{
    AddedTwice, AsanaConfig, BarePaths, BatchOrder, NumberAsText, Plan, Strictness, TimeBase, TokenConfig,
    Unpaged,
};
pub use edit::Edit;
pub use seed::{FieldKind, FieldSpec};
pub use webhooks::config::{HandshakeBody, LocalTargets, RevokedToken, Sending, WebhookConfig};
pub use webhooks::control::WebhookState;
pub(crate) use webhooks::control::router as control;
pub use webhooks::log::{Attempt, DeliveryCounts, Purpose};

use crate::clock::VirtualClock;
use error::Fail;
use limits::{Cost, InFlight, Limits};
use ops::Ctx;
use webhooks::deliver::Sender;
use world::{Gid, World};

/// The person who acts in edits and on the pages unless another is named.
const PERSON: (&str, &str) = ("Project Lead", "lead@example.com");

/// The stand-in; clones share everything.
#[derive(Clone)]
pub struct Asana(Arc<Inner>);

struct Inner {
    clock: VirtualClock,
    /// Zero of the real clock by which limits are measured.
    started: Instant,
    config: Mutex<Arc<AsanaConfig>>,
    world: Mutex<World>,
    revoked: Mutex<HashSet<String>>,
    limits: Limits,
    counters: Counters,
    sender: Sender,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    rate_limited: AtomicU64,
}

/// Who a token stands for.
struct Identity {
    token: String,
    user: Gid,
    app: Option<String>,
}

impl fmt::Debug for Asana {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asana").field("counters", &self.0.counters).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asana {
    /// An empty Asana: the users of the configured tokens and one more person, no workspace.
    #[must_use]
    pub fn new(clock: VirtualClock, config: AsanaConfig) -> Self {
        let mut world = World::default();
        for token in &config.tokens {
            world.user(&token.name, &token.email);
        }
        world.user(PERSON.0, PERSON.1);
        world.hooks.cfg = config.webhooks.clone();
        Self(Arc::new(Inner {
            clock,
            started: Instant::now(),
            config: Mutex::new(Arc::new(config)),
            world: Mutex::new(world),
            revoked: Mutex::default(),
            limits: Limits::default(),
            counters: Counters::default(),
            sender: Sender::default(),
        }))
    }

    /// The API under `/api/1.0` and pages for people under `/`.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone()).merge(pages::router(self.clone()))
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<AsanaConfig> {
        lock(&self.0.config).clone()
    }

    /// Puts another configuration in force from the next request on; users of new tokens are created.
    pub fn reconfigure(&self, config: AsanaConfig) {
        let mut world = lock(&self.0.world);
        for token in &config.tokens {
            world.user(&token.name, &token.email);
        }
        world.hooks.cfg = config.webhooks.clone();
        *lock(&self.0.config) = Arc::new(config);
        let listening = world.hooks.listening();
        drop(world);
        if listening {
            self.wake_sender();
        }
    }

    /// API requests answered so far, whatever the answer.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.counters.requests.load(Ordering::Relaxed)
    }

    /// Requests that the stand-in's own rate limits answered with 429.
    #[must_use]
    pub fn rate_limited(&self) -> u64 {
        self.0.counters.rate_limited.load(Ordering::Relaxed)
    }

    /// Everything that is stored, as JSON for comparison: `{"users", "workspaces", "tags", "projects", "sections",
    /// "custom_fields", "tasks", "stories", "attachments"}`, each an object keyed by gid, in ascending order.
    ///
    /// A task holds `name`, `notes`, `subtype`, `approval`, `completed`, the dates, `assignee`, `tags`, `parent`,
    /// `memberships` as `[project, section]` pairs in order, `values` keyed by field gid, and `external`.
    /// A text, date or gid value is a JSON string, a number is the stored decimal text as a JSON number,
    /// several gids are an array. Instants are ISO 8601; two equal worlds give equal text.
    #[must_use]
    pub fn state_json(&self) -> String {
        state::write(&lock(&self.0.world))
    }

    /// Changes something as a person or an administrator would, without using up any limit.
    ///
    /// # Errors
    /// What Asana would say to that person, or that something named is not there.
    pub fn apply(&self, edit: Edit) -> Result<(), String> {
        edit::apply(self, edit).map_err(|fail| fail.message)
    }

    fn identify(&self, token: Option<&str>) -> Option<Identity> {
        let token = token?;
        let config = self.config();
        let known = config.tokens.iter().find(|t| t.token == token)?;
        if lock(&self.0.revoked).contains(token) {
            return None;
        }
        let user = lock(&self.0.world).user_by_email(&known.email)?;
        Some(Identity { token: token.to_owned(), user, app: known.app.clone() })
    }

    fn real_ms(&self) -> i64 {
        i64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn ms_on(&self, base: TimeBase) -> i64 {
        match base {
            TimeBase::Real => self.real_ms(),
            TimeBase::Virtual => self.0.clock.now().as_millisecond(),
        }
    }

    fn admit(&self, cfg: &AsanaConfig, token: &str, cost: Cost) -> Result<InFlight, u64> {
        self.0.limits.admit(cfg, token, self.ms_on(cfg.limits_clock), cost)
    }

    /// Runs something on the store as a user.
    fn with_ctx<T>(
        &self,
        user: Gid,
        app: Option<&str>,
        base: &str,
        run: impl FnOnce(&mut Ctx<'_>) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let cfg = self.config();
        let now = self.0.clock.now();
        let mut world = lock(&self.0.world);
        world.hooks.expire(now);
        let done = run(&mut Ctx {
            world: &mut world,
            cfg: &cfg,
            user,
            actor: Some(user),
            app,
            base,
            now,
            search_ms: self.ms_on(cfg.search_clock),
        });
        let fresh = world.hooks.take_fresh();
        drop(world);
        if fresh {
            self.wake_sender();
        }
        done
    }
}
