macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// What stands in the way, for programs that have to decide what to do: the word is fixed, the sentence beside it is for people
        /// and may change. `docs/API.md` lists the words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name),+ }

        impl Reason {
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $word),+ }
            }
        }
    };
}

reasons! {
    /// The caller's page or text is not the newest any more.
    StalePage = "stale_page";
    /// What it is about is in a state that does not allow this.
    WrongState = "wrong_state";
    /// Something else needs it.
    InUse = "in_use";
    /// Something that it needs is missing.
    NotReady = "not_ready";
    /// It is there already.
    AlreadyThere = "already_there";
    /// The most that there can be is reached.
    LimitReached = "limit_reached";
    /// The agency is suspended.
    Suspended = "suspended";
    /// The account at an outside service is missing, off, or cannot be opened.
    NotConnected = "not_connected";
    /// The link is used, old or made up.
    LinkSpent = "link_spent";
    /// A step came too late after the one before it.
    TooLate = "too_late";
    /// The agency asks for a second factor, and this person has none.
    SecondFactorNeeded = "second_factor_needed";
    /// Somebody else has to do it.
    WrongPerson = "wrong_person";
    /// This installation is not set up for it.
    Configuration = "configuration";
    /// Of a newer version than this program.
    Other = "other";
}

impl Reason {
    /// The reason of this name.
    pub fn named(word: &str) -> Self {
        Self::ALL.iter().copied().find(|one| one.as_str() == word).unwrap_or(Self::Other)
    }
}
