use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use patchbay_services::Services;
use patchbay_shared::error::internal;
use patchbay_shared::{AppError, FieldErrors};

/// Hashing takes a core and 19 MiB; more than two at once would starve everything else.
struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(2))
    }
}

/// Argon2id with the OWASP minimum: 19 MiB, two passes, one lane.
fn argon() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None).unwrap_or_default())
}

/// The hash to store.
pub async fn hash_password(services: &Services, password: String) -> Result<String, AppError> {
    let turns = services.state::<Turns>();
    let _turn = turns.0.acquire().await.map_err(internal)?;
    tokio::task::spawn_blocking(move || argon().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
        .await
        .map_err(internal)?
        .map_err(internal)
}

/// Whether `password` belongs to `stored`. Without a stored hash it does the same work and says no.
pub async fn verify(services: &Services, password: String, stored: Option<String>) -> Result<bool, AppError> {
    static NOBODY: LazyLock<String> =
        LazyLock::new(|| argon().hash_password(b"nobody has this").map(|hash| hash.to_string()).unwrap_or_default());
    let turns = services.state::<Turns>();
    let _turn = turns.0.acquire().await.map_err(internal)?;
    tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.clone());
        let right =
            PasswordHash::new(&text).is_ok_and(|hash| argon().verify_password(password.as_bytes(), &hash).is_ok());
        right && known
    })
    .await
    .map_err(internal)
}

/// Below this many guesses a password is on the lists that attackers try first.
const GUESSES: u64 = 100_000;

/// Rules for a new password: 8 to 128 characters, and not one that is guessed at once: a common password, a row of keys, or one of
/// the person's own words (`known`: address, name). No rules about kinds of characters. Source: OWASP ASVS 6.2.
pub fn check_new(password: &str, known: &[&str], errors: &mut FieldErrors) {
    let length = password.chars().count();
    if !(8..=128).contains(&length) {
        errors.add("password", "Use 8 to 128 characters. A few words in a row are easy to remember.");
        return;
    }
    // One pattern that covers all of it: the bundled list of thirty thousand common passwords, keyboards, repetitions, dates.
    let judged = zxcvbn::zxcvbn(password, known);
    if judged.sequence().len() == 1 && judged.guesses() < GUESSES {
        errors.add("password", "This password is too easy to guess. Combine a few unrelated words.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(password: &str) -> bool {
        let mut errors = FieldErrors::default();
        check_new(password, &["vera@halden.example", "Vera Halden"], &mut errors);
        !errors.0.is_empty()
    }

    #[test]
    fn what_is_guessed_first_is_refused_and_nothing_else_is_asked_of_a_password() {
        for bad in [
            "short",
            "password",
            "Password",
            "P4ssword",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaa",
            "vera@halden.example",
            &"x".repeat(129),
        ] {
            assert!(is_refused(bad), "{bad}");
        }
        for good in
            ["seven blue herons wait", "patchbay-demo", "kein grosser buchstabe", "ααββγγδδ εε", "tr0ub4dor lamp"]
        {
            assert!(!is_refused(good), "{good}");
        }
    }
}
