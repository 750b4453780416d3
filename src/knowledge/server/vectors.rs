//! What is done with vectors: signs, nearness, and two rankings made into one. Pure.

use std::collections::HashMap;

use crate::model::ChunkId;

/// Passages of each way of searching that count.
pub(crate) const RANKED: usize = 50;
/// How much the first places of a ranking count more than the others: the usual number.
const FLATTENS: f64 = 60.0;
/// A passage that is less near than this has nothing to do with the question.
const NEAR: f32 = 0.15;
/// Models differ in what they call near, so the nearest passage is the measure, too.
const SHARE_OF_NEAREST: f32 = 0.6;

/// Whether each number is above zero, as the database reads bits.
pub(crate) fn signs(vector: &[f32]) -> String {
    vector.iter().map(|number| if *number > 0.0 { '1' } else { '0' }).collect()
}

/// The cosine of the angle between two vectors; 0 where there is none.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    if one.len() != other.len() {
        return 0.0;
    }
    let (mut both, mut first, mut second) = (0_f64, 0_f64, 0_f64);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        both += a * b;
        first += a * a;
        second += b * b;
    }
    let length = (first * second).sqrt();
    if length > 0.0 && length.is_finite() { (both / length) as f32 } else { 0.0 }
}

/// Those of the candidates that are near the question, the nearest first.
pub(crate) fn nearest(question: &[f32], candidates: &[(ChunkId, Vec<f32>)]) -> Vec<(ChunkId, f32)> {
    let mut found: Vec<(ChunkId, f32)> =
        candidates.iter().map(|(chunk, vector)| (*chunk, cosine(question, vector))).collect();
    found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    let least = found.first().map_or(NEAR, |(_, nearest)| NEAR.max(nearest * SHARE_OF_NEAREST));
    found.retain(|(_, near)| *near >= least);
    found.truncate(RANKED);
    found
}

/// A passage with what each way of searching says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ranked {
    pub chunk: ChunkId,
    pub words: Option<f32>,
    pub meaning: Option<f32>,
}

/// Two rankings as one, by reciprocal ranks: what both have comes first, and scores that mean different things are not compared.
pub(crate) fn fused(words: &[(ChunkId, f32)], meaning: &[(ChunkId, f32)]) -> Vec<Ranked> {
    let mut all: HashMap<ChunkId, (f64, Ranked)> = HashMap::new();
    for (is_words, ranking) in [(true, words), (false, meaning)] {
        for (place, (chunk, score)) in ranking.iter().enumerate() {
            let none = (0.0, Ranked { chunk: *chunk, words: None, meaning: None });
            let (sum, ranked) = all.entry(*chunk).or_insert(none);
            *sum += 1.0 / (FLATTENS + place as f64 + 1.0);
            if is_words {
                ranked.words = Some(*score);
            } else {
                ranked.meaning = Some(*score);
            }
        }
    }
    let mut all: Vec<(f64, Ranked)> = all.into_values().collect();
    all.sort_by(|(one, a), (other, b)| {
        let by_words = |ranked: &Ranked| ranked.words.unwrap_or_default();
        other.total_cmp(one).then(by_words(b).total_cmp(&by_words(a))).then(a.chunk.cmp(&b.chunk))
    });
    all.into_iter().map(|(_, ranked)| ranked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(number: u128) -> ChunkId {
        ChunkId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn nearness_survives_whatever_the_numbers_are() {
        assert_eq!(signs(&[0.5, -0.1, 0.0, 1e-20]), "1001");
        assert!((cosine(&[1.0, 0.0], &[2.0, 0.0]) - 1.0).abs() < 1e-6);
        assert_eq!(cosine(&[1.0], &[1.0, 0.0]), 0.0, "of different lengths");
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), 0.0);
        assert!((cosine(&[f32::MAX, f32::MAX], &[f32::MAX, f32::MAX]) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_far_away_is_not_found() {
        let near = (chunk(1), vec![1.0, 0.1]);
        let far = (chunk(2), vec![0.1, 1.0]);
        let found = nearest(&[1.0, 0.0], &[far.clone(), near]);
        assert_eq!(found.iter().map(|(chunk, _)| *chunk).collect::<Vec<_>>(), [chunk(1)]);
        assert!(nearest(&[1.0, 0.0], &[far]).is_empty());
    }

    #[test]
    fn what_both_ways_find_comes_first() {
        let (words, meaning) = ([(chunk(1), 0.9), (chunk(2), 0.5)], [(chunk(3), 0.8), (chunk(2), 0.7)]);
        let found = fused(&words, &meaning);
        assert_eq!(found.iter().map(|one| one.chunk).collect::<Vec<_>>(), [chunk(2), chunk(1), chunk(3)]);
        assert_eq!(found[0], Ranked { chunk: chunk(2), words: Some(0.5), meaning: Some(0.7) });
        assert!(fused(&[], &[]).is_empty());
    }
}
