//! The exact split of an amount over weights: by the largest remainder, in minor units. Nothing is lost and
//! nothing is invented.

/// Weights stay below ten to this power, so that an amount of [`super::currency::MAX_DIGITS`] digits times a
/// weight still fits in 128 bits.
pub const MAX_WEIGHT_DIGITS: u32 = 22;

/// Why an amount cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// There is no weight at all.
    #[error("there is nothing to split over")]
    NoWeights,
    /// The numbers are too large to be computed with exactly.
    #[error("the numbers are too large to be split exactly")]
    TooLarge,
}

/// Splits `total` minor units in proportion to `weights`.
///
/// The shares add up to `total` exactly, and each is less than one unit away from its exact proportion. A
/// negative weight gets a share of the other sign. When the weights add up to zero, their absolute values
/// count; when all are zero, the shares are equal. What cannot be divided goes to the largest remainders,
/// and among equal ones to the earlier weight.
pub fn split(total: i128, weights: &[i128]) -> Result<Vec<i128>, SplitError> {
    if weights.is_empty() {
        return Err(SplitError::NoWeights);
    }
    if total < 0 {
        let mirrored = split(total.checked_neg().ok_or(SplitError::TooLarge)?, weights)?;
        return Ok(mirrored.into_iter().map(|share| -share).collect());
    }
    let weights = proportions(weights)?;
    let sum = add(&weights)?;
    let mut shares = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (at, weight) in weights.iter().enumerate() {
        let exact = total.checked_mul(*weight).ok_or(SplitError::TooLarge)?;
        shares.push(exact.div_euclid(sum));
        remainders.push((exact.rem_euclid(sum), at));
    }
    let left = total.checked_sub(add(&shares)?).ok_or(SplitError::TooLarge)?;
    let left = usize::try_from(left).map_err(|_| SplitError::TooLarge)?;
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, at) in remainders.into_iter().take(left) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    Ok(shares)
}

/// The weights with a sum above zero.
fn proportions(weights: &[i128]) -> Result<Vec<i128>, SplitError> {
    let sum = add(weights)?;
    let negated = |weight: &i128| weight.checked_neg().ok_or(SplitError::TooLarge);
    if sum > 0 {
        return Ok(weights.to_vec());
    }
    if sum < 0 {
        return weights.iter().map(negated).collect();
    }
    if weights.iter().all(|weight| *weight == 0) {
        return Ok(vec![1; weights.len()]);
    }
    weights.iter().map(|weight| weight.checked_abs().ok_or(SplitError::TooLarge)).collect()
}

fn add(numbers: &[i128]) -> Result<i128, SplitError> {
    numbers.iter().try_fold(0i128, |sum, number| sum.checked_add(*number)).ok_or(SplitError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hundred_over_three_gives_the_odd_cent_to_the_first() {
        assert_eq!(split(10_000, &[1, 1, 1]), Ok(vec![3_334, 3_333, 3_333]));
        assert_eq!(split(-10_000, &[1, 1, 1]), Ok(vec![-3_334, -3_333, -3_333]));
    }

    #[test]
    fn the_largest_remainder_gets_what_cannot_be_divided() {
        // 6/7, 3/7 and 5/7 remain: the two larger ones get the two units that are left
        assert_eq!(split(10, &[2, 1, 4]), Ok(vec![3, 1, 6]));
        assert_eq!(split(1, &[1, 2, 2]), Ok(vec![0, 1, 0]));
    }

    #[test]
    fn a_credit_line_is_credited_its_share() {
        assert_eq!(split(9_000, &[10_000, -1_000]), Ok(vec![10_000, -1_000]));
        assert_eq!(split(100, &[3, -1]), Ok(vec![150, -50]));
        // a negative sum keeps the proportions: the amount still arrives whole
        assert_eq!(split(100, &[-3, 1]), Ok(vec![150, -50]));
    }

    #[test]
    fn weights_that_add_up_to_zero_count_by_their_size() {
        assert_eq!(split(100, &[5, -5]), Ok(vec![50, 50]));
        assert_eq!(split(100, &[0, 0, 0]), Ok(vec![34, 33, 33]));
    }

    #[test]
    fn a_weight_of_zero_gets_nothing() {
        assert_eq!(split(10_001, &[0, 1, 0, 1]), Ok(vec![0, 5_001, 0, 5_000]));
    }

    #[test]
    fn what_would_overflow_is_refused() {
        assert_eq!(split(1, &[]), Err(SplitError::NoWeights));
        assert_eq!(split(10, &[i128::MAX, 1]), Err(SplitError::TooLarge));
        assert_eq!(split(2, &[i128::MAX]), Err(SplitError::TooLarge));
        assert_eq!(split(2, &[i128::MIN]), Err(SplitError::TooLarge));
        assert_eq!(split(i128::MIN, &[1]), Err(SplitError::TooLarge));
        let largest = 10i128.pow(MAX_WEIGHT_DIGITS) - 1;
        let amount = 10i128.pow(super::super::currency::MAX_DIGITS) - 1;
        assert_eq!(split(amount, &[largest, largest]).unwrap().iter().sum::<i128>(), amount);
    }

    fn any_weights() -> impl Strategy<Value = Vec<i128>> {
        let weight = prop_oneof![
            4 => 0i128..1_000,
            2 => 0i128..10i128.pow(15),
            1 => -1_000i128..0,
            1 => -10i128.pow(15)..0,
        ];
        proptest::collection::vec(weight, 1..12)
    }

    proptest! {
        #[test]
        fn the_shares_add_up_to_the_amount(total in -10i128.pow(15)..10i128.pow(15), weights in any_weights()) {
            let shares = split(total, &weights).unwrap();
            prop_assert_eq!(shares.len(), weights.len());
            prop_assert_eq!(shares.iter().sum::<i128>(), total);
        }

        #[test]
        fn a_share_is_less_than_one_unit_from_its_proportion(total in -10i128.pow(15)..10i128.pow(15), weights in any_weights()) {
            let shares = split(total, &weights).unwrap();
            let sum: i128 = weights.iter().sum();
            prop_assume!(sum != 0);
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((share * sum - total * weight).abs() < sum.abs(), "{} of {}", share, weight);
            }
        }

        #[test]
        fn the_order_of_the_weights_decides_only_between_equal_remainders(
            total in 0i128..10i128.pow(9), weights in any_weights(), turn in 0usize..12
        ) {
            let mut turned = weights.clone();
            turned.rotate_left(turn % weights.len());
            let mut shares = split(total, &weights).unwrap();
            shares.rotate_left(turn % weights.len());
            let of_turned = split(total, &turned).unwrap();
            prop_assert_eq!(of_turned.iter().sum::<i128>(), total);
            prop_assert!(shares.iter().zip(&of_turned).all(|(a, b)| (a - b).abs() <= 1));
            // the same weights get the same shares, in whatever order: only who gets which may differ
            let paired = |shares: &[i128]| {
                let mut pairs: Vec<_> = turned.iter().copied().zip(shares.iter().copied()).collect();
                pairs.sort_unstable();
                pairs
            };
            let unequal = turned.iter().collect::<std::collections::BTreeSet<_>>().len() == turned.len();
            let remainders: std::collections::BTreeSet<i128> = {
                let sum: i128 = turned.iter().sum();
                turned.iter().map(|w| if sum == 0 { 0 } else { (total * w * sum.signum()).rem_euclid(sum.abs()) }).collect()
            };
            if unequal && remainders.len() == turned.len() {
                prop_assert_eq!(paired(&shares), paired(&of_turned));
            }
        }

        #[test]
        fn equal_weights_get_equal_shares_but_for_one_unit(total in 0i128..10i128.pow(15), count in 1usize..50) {
            let shares = split(total, &vec![7; count]).unwrap();
            let most = shares.iter().max().unwrap();
            prop_assert!(shares.iter().all(|share| most - share <= 1));
            prop_assert!(shares.windows(2).all(|pair| pair[0] >= pair[1]));
        }
    }
}
