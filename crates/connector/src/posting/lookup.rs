//! Looking for the batches of a journal: under the group ids of all its sendings, in every form of the question.
//!
//! A look-up that failed, or that was not answered in full, is never an answer: nothing follows from it but that it is
//! asked again.

use futures_util::future::join_all;
use oracle_fusion::{Error as OracleError, Fusion, JournalBatch, Wildcard};

use crate::journal::GroupId;
use crate::journal::machine::{Batch, Observation, Trust};
use crate::posting::oracle::{About, Exchange, read_failed};

/// Whether an empty look-up has to prove that there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It has: the journal may be sent again because of it.
    Needed,
    /// It has not: nothing follows from it.
    Idle,
}

/// What a look-up brought.
#[derive(Debug)]
pub struct LookedUp {
    /// What it means, and its words.
    pub exchange: Exchange,
    /// Every batch that was found, that of the newest sending first. Empty as well when the look-up failed.
    pub found: Vec<Found>,
}

/// A batch that carries one of the journal's group ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: Option<String>,
    /// What counts of it.
    pub batch: Batch,
}

impl Found {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        format!("batch {} \"{}\"", self.batch.id, self.name.as_deref().unwrap_or("without a name"))
    }
}

/// Looks for a batch under the group ids of all generations.
pub async fn look_up(
    fusion: &Fusion,
    about: About<'_>,
    generations: std::ops::RangeInclusive<u32>,
    proof: Proof,
) -> LookedUp {
    let groups: Vec<(u32, GroupId)> = generations.map(|g| (g, about.group(g))).collect();
    let named: Vec<String> = groups.iter().map(|(_, group)| group.to_string()).collect();
    let request = format!("GET journalBatches with {} in BatchName", named.join(", "));
    match find_batches(fusion, &groups, proof).await {
        Ok((seen, found, response)) => LookedUp { exchange: Exchange::of(seen, request, response), found },
        Err(error) => LookedUp { exchange: read_failed(&error, request), found: Vec::new() },
    }
}

/// All forms of the question at once: a journal that is to be sent waits for the answers.
async fn find_batches(
    fusion: &Fusion,
    groups: &[(u32, GroupId)],
    proof: Proof,
) -> Result<(Observation, Vec<Found>, String), OracleError> {
    let mut questions = Vec::with_capacity(groups.len() * Wildcard::ALL.len());
    // the newest sending first: a batch of it is what is looked for
    for (generation, group) in groups.iter().rev() {
        // a group that cannot be asked for is no group without a batch
        let group = oracle_fusion::GroupId::new(group.number())
            .map_err(|error| OracleError::Config(error.to_string()))?;
        questions.extend(Wildcard::ALL.map(|form| (*generation, group, form)));
    }
    let asked = questions.into_iter().map(|(generation, group, form)| async move {
        Answer { generation, form, came: fusion.journal_batches_of(group, form).await }
    });
    // a pod need not take both forms of the question
    let refuses = |error: &OracleError| matches!(error, OracleError::BadRequest(_));
    let Together { found, forms } = together(join_all(asked).await, |batch| &batch.id, refuses)?;
    if let Some((seen, words)) = adopted(&found) {
        return Ok((seen, listed(&found), words));
    }
    let (seen, words) = match proof {
        Proof::Idle => (Observation::NoBatch(Trust::PatternUnproved), "no batch".to_owned()),
        Proof::Needed => trusted(fusion, forms).await?,
    };
    Ok((seen, Vec::new(), words))
}

/// One question, and what came of it.
struct Answer<B, E> {
    generation: u32,
    form: Wildcard,
    came: Result<Vec<B>, E>,
}

/// What the answers say together.
#[derive(Debug)]
struct Together<B> {
    /// Each batch once, with the generation under which it was found first.
    found: Vec<(u32, B)>,
    /// The forms that were answered for every generation.
    forms: Vec<Wildcard>,
}

/// Puts the answers together. A form that was `refused` for any generation is none that was answered; when every form
/// was, or when anything else failed, there is no answer at all. Pure.
fn together<B, E>(
    answers: Vec<Answer<B, E>>,
    id: impl Fn(&B) -> &String,
    refuses: impl Fn(&E) -> bool,
) -> Result<Together<B>, E> {
    let mut found: Vec<(u32, B)> = Vec::new();
    let (mut forms, mut refused) = (Wildcard::ALL.to_vec(), None);
    for Answer { generation, form, came } in answers {
        match came {
            Ok(batches) => {
                for batch in batches {
                    if !found.iter().any(|(_, known)| id(known) == id(&batch)) {
                        found.push((generation, batch));
                    }
                }
            }
            Err(error) if refuses(&error) => {
                forms.retain(|known| *known != form);
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(error) if forms.is_empty() => Err(error),
        _ => Ok(Together { found, forms }),
    }
}

/// The first batch that was found, with what must be said of it.
fn adopted(found: &[(u32, JournalBatch)]) -> Option<(Observation, String)> {
    let first = listed(found).into_iter().next()?;
    let words = format!("{}, {} in all", first.words(), found.len());
    Some((Observation::BatchFound(first.batch), words))
}

fn listed(found: &[(u32, JournalBatch)]) -> Vec<Found> {
    let total =
        |number: &Option<oracle_fusion::Number>| number.as_ref().and_then(|n| n.as_str().parse().ok());
    let one = |(generation, batch): &(u32, JournalBatch)| Found {
        name: batch.name.clone(),
        batch: Batch {
            id: batch.id.clone(),
            generation: *generation,
            debits: total(&batch.running_total_dr),
            credits: total(&batch.running_total_cr),
            more: u32::try_from(found.len() - 1).unwrap_or(u32::MAX),
        },
    };
    found.iter().map(one).collect()
}

/// An empty answer proves nothing by itself: is the question understood, and is anything visible?
async fn trusted(fusion: &Fusion, forms: Vec<Wildcard>) -> Result<(Observation, String), OracleError> {
    let Some(known) = fusion.any_journal_batch().await? else {
        let words = "no batch, and none of any kind is visible".to_owned();
        return Ok((Observation::NoBatch(Trust::NothingVisible), words));
    };
    for form in forms {
        if fusion.wildcard_works(&known, form).await? {
            let words = format!("no batch; the same form of question finds batch {}", known.id);
            return Ok((Observation::NoBatch(Trust::Proved), words));
        }
    }
    let words = format!("no batch, but the question does not find batch {} either", known.id);
    Ok((Observation::NoBatch(Trust::PatternUnproved), words))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Came {
        Nothing,
        Batch,
        Refused,
        /// Cut off, timed out, refused for another reason: whatever is no answer.
        Failed,
    }

    fn answers(came: &[[Came; 2]]) -> Vec<Answer<String, Came>> {
        let mut all = Vec::new();
        for (generation, of_generation) in (0u32..).zip(came) {
            for (form, came) in Wildcard::ALL.into_iter().zip(of_generation) {
                let came = match came {
                    Came::Nothing => Ok(Vec::new()),
                    Came::Batch => Ok(vec![format!("batch {generation}")]),
                    failed => Err(*failed),
                };
                all.push(Answer { generation, form, came });
            }
        }
        all
    }

    fn any_came() -> impl Strategy<Value = Came> {
        prop_oneof![
            6 => Just(Came::Nothing),
            1 => Just(Came::Batch),
            2 => Just(Came::Refused),
            1 => Just(Came::Failed),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_found_only_where_a_form_was_answered_for_every_sending(
            came in proptest::collection::vec([any_came(), any_came()], 1..5)
        ) {
            let has = |wanted: Came| came.iter().flatten().any(|came| *came == wanted);
            let whole: Vec<Wildcard> = Wildcard::ALL
                .into_iter()
                .enumerate()
                .filter(|(at, _)| came.iter().all(|of| of[*at] != Came::Refused))
                .map(|(_, form)| form)
                .collect();
            match together(answers(&came), |id| id, |error| *error == Came::Refused) {
                Err(Came::Failed) => prop_assert!(has(Came::Failed)),
                Err(_) => prop_assert!(whole.is_empty()),
                Ok(together) => {
                    prop_assert!(!has(Came::Failed) && !whole.is_empty());
                    prop_assert_eq!(together.forms, whole);
                    let batches = came.iter().filter(|of| of.contains(&Came::Batch)).count();
                    prop_assert_eq!(together.found.len(), batches, "each once");
                }
            }
        }
    }
}
