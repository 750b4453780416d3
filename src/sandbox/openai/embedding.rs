//! Texts as vectors, by their words: texts that share words, or words that mean much the same, lie near each other.

use crate::rng::Rng;

/// Lengths of a vector: a large model has longer ones, so that those of two models never fit each other.
const LENGTH: usize = 256;
const LARGE: usize = 384;
/// Places in the vector that a word has a part in.
const PLACES: usize = 6;

/// Words that mean much the same, in the languages of the demo.
const MEANINGS: [&[&str]; 14] = [
    &["price", "cost", "fee", "charge", "tariff", "rate", "expensive", "cheap", "preis", "kosten", "precio", "prix"],
    &["cancel", "cancellation", "terminate", "withdraw", "stornieren", "kündigen", "cancelar", "annuler"],
    &["refund", "reimburse", "money", "return", "erstattung", "reembolso", "remboursement"],
    &["open", "opening", "hour", "time", "close", "closing", "öffnungszeit", "horario", "horaire"],
    &["appointment", "booking", "book", "reserve", "reservation", "slot", "schedule", "termin", "cita", "réservation"],
    &["deliver", "delivery", "ship", "shipping", "shipment", "lieferung", "envío", "livraison"],
    &["pay", "payment", "invoice", "bill", "zahlung", "rechnung", "pago", "factura", "paiement", "facture"],
    &["address", "location", "where", "directions", "parking", "adresse", "dirección"],
    &["warranty", "guarantee", "repair", "broken", "defect", "garantie", "garantía"],
    &["allergy", "allergic", "gluten", "vegan", "vegetarian", "ingredient", "allergie"],
    &["pet", "dog", "cat", "animal", "hund", "perro", "chien"],
    &["child", "children", "kid", "baby", "family", "kind", "niño", "enfant"],
    &["doctor", "dentist", "physician", "arzt", "médico", "médecin"],
    &["help", "support", "assist", "contact", "hilfe", "ayuda", "aide"],
];

/// Words that are in every text.
const EMPTY: [&str; 28] = [
    "the", "a", "an", "and", "or", "of", "to", "in", "is", "are", "it", "for", "on", "with", "at", "be", "do", "does",
    "you", "your", "we", "our", "i", "my", "can", "what", "how", "that",
];

/// The vector of a text by a model.
pub(super) fn by(model: &str, text: &str) -> Vec<f32> {
    of(text, if model.contains("large") { LARGE } else { LENGTH })
}

/// The vector of a text: so many numbers, of length one.
fn of(text: &str, numbers: usize) -> Vec<f32> {
    let mut sum = vec![0_f64; numbers];
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && !EMPTY.contains(word));
    for word in words {
        let stem = stem(word);
        add(&mut sum, stem, 1.0);
        for (number, group) in MEANINGS.iter().enumerate() {
            if group.iter().any(|known| *known == word || self::stem(known) == stem) {
                add(&mut sum, &format!("meaning {number}"), 1.5);
            }
        }
    }
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length == 0.0 {
        // A text without words is near nothing.
        sum[0] = 1.0;
        return sum.into_iter().map(|x| x as f32).collect();
    }
    sum.into_iter().map(|x| (x / length) as f32).collect()
}

fn add(sum: &mut [f64], word: &str, weight: f64) {
    let mut rng = Rng::new(41, word);
    for _ in 0..PLACES {
        let roll = rng.roll();
        let sign = if roll & 1 == 0 { weight } else { -weight };
        let place = (roll >> 8) as usize % sum.len();
        sum[place] += sign;
    }
}

/// The word without the usual endings.
fn stem(word: &str) -> &str {
    for ending in ["ing", "es", "ed", "s", "en", "e"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.chars().count() >= 3
        {
            return stem;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: &str, b: &str) -> f32 {
        of(a, LENGTH).iter().zip(of(b, LENGTH)).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn what_means_the_same_is_near() {
        let answer = "A cancellation is free until the day before.";
        assert!(near("How can I cancel?", answer) > near("How can I cancel?", "Dogs are welcome in the garden."));
        assert!(near("What are your prices?", "The fee is 20 euros.") > 0.2);
        assert!((near(answer, answer) - 1.0).abs() < 1e-4);
        assert_eq!((by("small", "").len(), by("large", "").len()), (LENGTH, LARGE));
    }
}
