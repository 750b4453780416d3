//! Words by which people end messages. A message that is nothing but the word counts; “stop by tomorrow” is an answer.

patchbay_shared::words! {
    /// What a message asked for.
    pub Said: "text" {
        Stop = "stop", "Asked for no more messages", Warn;
        Start = "start", "Asks for messages again", Info;
        Help = "help", "Asks who writes", Info;
    }
}

/// In the languages that agents speak: carriers know the English ones alone.
const STOP: [&str; 24] = [
    "stop",
    "stopall",
    "stop all",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "opt out",
    "optout",
    "stopp",
    "abmelden",
    "ende",
    "beenden",
    "arret",
    "arrêt",
    "arreter",
    "arrêter",
    "desabonner",
    "désabonner",
    "parar",
    "alto",
    "baja",
    "basta",
];
const START: [&str; 3] = ["start", "unstop", "resume"];
const HELP: [&str; 3] = ["help", "info", "hilfe"];

/// What a message says, if it is one of the words.
pub fn said(text: &str) -> Option<Said> {
    let plain = text.trim().trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    let plain = plain.replace('-', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let lists: [(&[&str], Said); 3] = [(&STOP, Said::Stop), (&START, Said::Start), (&HELP, Said::Help)];
    lists.into_iter().find(|(words, _)| words.contains(&plain.as_str())).map(|(_, said)| said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_counts() {
        for text in ["STOP", " stop. ", "“Stop”", "Stop  All", "ARRÊT", "Abmelden!", "unsubscribe\n", "Opt-Out"] {
            assert_eq!(said(text), Some(Said::Stop), "{text}");
        }
        for text in ["Stop by tomorrow", "please stop", "", "stopping", "\u{0}", "yes"] {
            assert_eq!(said(text), None, "{text}");
        }
        assert_eq!((said("Start"), said("HELP ?")), (Some(Said::Start), Some(Said::Help)));
    }
}
