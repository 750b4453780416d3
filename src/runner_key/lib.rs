//! [server] What the job runner shows when it makes the scope of a job. Owns no tables.
//! The surprising part: only `access`, which asks for the key, and `jobs`, which has it, name this crate in their manifests. Whoever does
//! not name it cannot make a key, so the compiler holds that no other crate acts as a job; a test reads the manifests.

/// Proof that the job runner asks. It has no `Default`, and nobody re-exports it: to make one is to name this crate.
#[derive(Debug)]
pub struct RunnerKey(());

impl RunnerKey {
    /// For the runner alone.
    #[expect(clippy::new_without_default, reason = "a default could be made without naming the crate")]
    pub const fn new() -> Self {
        Self(())
    }
}
