//! The smallest history that still does it (delta debugging, one element at a time).

use super::Stop;

/// Leaves out whatever `still` doesn't need; the order stays.
pub(crate) fn shrink(
    history: &[usize],
    mut still: impl FnMut(&[usize]) -> Result<bool, Stop>,
) -> Result<Vec<usize>, Stop> {
    let mut kept = history.to_vec();
    let mut chunk = kept.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < kept.len() && kept.len() > 1 {
            let end = (at + chunk).min(kept.len());
            let mut fewer = kept.clone();
            fewer.drain(at..end);
            if !fewer.is_empty() && still(&fewer)? {
                kept = fewer;
            } else {
                at = end;
            }
        }
        if chunk == 1 {
            return Ok(kept);
        }
        chunk = chunk.div_ceil(2).min(chunk - 1).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_is_needed_in_its_order() {
        let history: Vec<usize> = (0..40).collect();
        let needs = |kept: &[usize]| Ok(kept.contains(&7) && kept.contains(&31));
        assert_eq!(shrink(&history, needs).unwrap(), [7, 31]);
        let one = |kept: &[usize]| Ok(kept.contains(&0));
        assert_eq!(shrink(&history, one).unwrap(), [0]);
    }
}
