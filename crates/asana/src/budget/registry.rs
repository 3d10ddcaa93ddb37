//! The budgets of this process, one for each token and address.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Budget;
use crate::config::BudgetSettings;

struct Registry {
    /// Keyed at random per process, so that the hashes kept here say nothing about the tokens. Two tokens with
    /// the same 64-bit hash would only share a budget.
    hasher: RandomState,
    budgets: Mutex<HashMap<u64, Arc<Budget>>>,
}

static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// The budget of a token. When it exists already, the settings given last hold for all of its clients.
pub(crate) fn budget(base: &Url, token: &SecretString, settings: &BudgetSettings) -> Arc<Budget> {
    let registry =
        REGISTRY.get_or_init(|| Registry { hasher: RandomState::new(), budgets: Mutex::new(HashMap::new()) });
    let key = registry.hasher.hash_one((base.as_str().trim_end_matches('/'), token.expose_secret()));
    let mut budgets = registry.budgets.lock().unwrap_or_else(PoisonError::into_inner);
    // A budget outlives its clients until nothing of what they used counts any more.
    budgets.retain(|_, budget| Arc::strong_count(budget) > 1 || !budget.is_idle());
    let budget = budgets.entry(key).or_insert_with(|| Arc::new(Budget::new(settings)));
    budget.set(settings);
    Arc::clone(budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(base: &str, token: &str) -> Arc<Budget> {
        budget(&Url::parse(base).unwrap(), &SecretString::from(token), &BudgetSettings::default())
    }

    #[test]
    fn clients_share_a_budget_when_token_and_address_are_the_same() {
        let one = of("https://a.test/api", "registry-1");
        assert!(Arc::ptr_eq(&one, &of("https://a.test/api/", "registry-1")));
        assert!(!Arc::ptr_eq(&one, &of("https://a.test/api", "registry-2")));
        assert!(!Arc::ptr_eq(&one, &of("https://b.test/api", "registry-1")));
    }

    #[test]
    fn a_budget_outlives_the_client_that_made_it() {
        of("https://a.test/api", "registry-3").pause(None);
        assert!(!of("https://a.test/api", "registry-3").paused().is_zero());
    }

    #[test]
    fn a_budget_that_nobody_used_is_forgotten() {
        let weak = Arc::downgrade(&of("https://a.test/api", "registry-4"));
        of("https://a.test/api", "registry-5");
        assert!(weak.upgrade().is_none());
    }
}
