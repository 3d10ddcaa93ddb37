//! Which of several words an index is asked for: the rare ones, since whoever has them can be looked at one by one. Pure.
//!
//! An index over words goes through every record that has one of the words it is asked for. A word that half of all
//! records have costs more than all the others together, and says the least.

/// Records that an index goes through in the time that it takes to look at one itself.
const DEAREST: i64 = 30;

/// The places of those of `words` words that are worth asking for, the rarest first; at least one of them, if there is
/// any. `sample` says which of the words some records have, and how many records have just these.
pub(super) fn chosen(sample: &[(Vec<bool>, i64)], words: usize) -> Vec<usize> {
    let has = |record: &[bool], word: usize| record.get(word).copied().unwrap_or(false);
    let with_all = |words: &[usize]| -> i64 {
        let fit = sample.iter().filter(|(record, _)| words.iter().all(|word| has(record, *word)));
        fit.map(|(_, records)| *records).sum()
    };
    let mut rarest_first: Vec<usize> = (0..words).collect();
    rarest_first.sort_by_key(|word| with_all(&[*word]));
    let mut chosen = Vec::new();
    for word in rarest_first {
        // what is in no record of the sample can still be in some
        let left = with_all(&chosen).max(1);
        if !chosen.is_empty() && with_all(&[word]) > left.saturating_mul(DEAREST) {
            break;
        }
        chosen.push(word);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_that_nearly_all_have_is_not_asked_for_beside_a_rare_one() {
        let sample = [(vec![true, false], 990), (vec![true, true], 10)];
        assert_eq!(chosen(&sample, 2), [1]);
        // of the same weight: both
        let sample = [(vec![true, false], 90), (vec![true, true], 10)];
        assert_eq!(chosen(&sample, 2), [1, 0]);
    }

    #[test]
    fn common_words_that_are_rare_together_are_asked_for_without_a_third() {
        let sample = [(vec![true, true, false], 500), (vec![true, false, true], 500)];
        assert_eq!(chosen(&sample, 3), [1, 2]);
        // and all of them where they often stand together
        let sample = [(vec![true, true, true], 500), (vec![true, false, true], 500)];
        assert_eq!(chosen(&sample, 3), [1, 0, 2]);
    }

    #[test]
    fn without_a_sample_all_are_asked_for() {
        assert_eq!(chosen(&[], 3), [0, 1, 2]);
        assert_eq!(chosen(&[], 0), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn the_rarest_is_always_asked_for(
            sample in proptest::collection::vec((proptest::collection::vec(any::<bool>(), 4), 1_i64..1_000), 0..12),
        ) {
            let chosen = chosen(&sample, 4);
            let count = |word: usize| sample.iter().filter(|(has, _)| has[word]).map(|(_, n)| n).sum::<i64>();
            prop_assert_eq!(count(chosen[0]), (0..4).map(count).min().unwrap());
            prop_assert!(chosen.windows(2).all(|two| count(two[0]) <= count(two[1])));
        }
    }
}
