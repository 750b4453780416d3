//! French dialogue. The layout is told in `language.rs`.

use super::language::{Cue, LanguageFacts};

pub static FRENCH: LanguageFacts = LanguageFacts {
    chars_per_second: 15.5,
    script: SCRIPT,
    days: &["lundi", "mardi", "mercredi", "jeudi", "vendredi"],
    times: &["neuf heures et demie", "dix heures", "onze heures et quart", "quatorze heures", "seize heures trente"],
    people: &["Camille Laurent", "Julien Moreau", "Nadia Belkacem", "Thomas Girard", "Claire Fontaine"],
    companies: &["Cabinet du Parc", "Transports Mercier", "Maisons du Lac", "Studio Bleu"],
    agencies: &["Claire Vue", "Pont Neuf Services", "Rive Conseil"],
    agents: &["Manon", "Hugo", "Chloé", "Louis"],
    products: &["le logiciel de rendez-vous", "le standard téléphonique", "le bilan énergie"],
    cues: &[
        (Cue::Booked, &["est réservé", "je vous ai inscrit"]),
        (Cue::Interested, &["je vous envoie la documentation", "je vous adresse le résumé"]),
        (Cue::Callback, &["je vous rappelle", "je rappellerai"]),
        (Cue::Declined, &["ne m'intéresse pas", "pas pour nous"]),
        (Cue::NotQualified, &["que deux", "pas de budget"]),
        (Cue::WrongPerson, &["mauvais numéro", "ne travaille plus ici"]),
        (Cue::DoNotCall, &["de votre liste", "ne plus m'appeler"]),
        (Cue::Confirmed, &["est confirmé", "rendez-vous comme confirmé"]),
        (Cue::Rescheduled, &["j'ai déplacé votre rendez-vous", "votre rendez-vous passe"]),
        (Cue::Solved, &["ça marche maintenant", "c'est réglé"]),
        (Cue::NotSolved, &["ne marche toujours pas", "la même erreur"]),
        (Cue::Escalated, &["je transmets le dossier", "je transfère votre dossier"]),
        (Cue::Survey, &["petite enquête", "deux questions rapides"]),
        (Cue::Rating, &["de un à cinq", "entre un et cinq"]),
        (Cue::Price, &["l'air cher", "trop cher", "coûte combien"]),
        (Cue::Busy, &["en réunion", "pas le temps", "mauvais moment"]),
        (Cue::Vendor, &["déjà quelqu'un", "contrat avec un autre"]),
        (Cue::Trust, &["un robot", "où avez-vous eu"]),
        (Cue::Angry, &["troisième fois", "inadmissible", "j'en ai assez"]),
        (Cue::Happy, &["parfait", "super", "merci beaucoup", "me plaît beaucoup"]),
        (Cue::Voicemail, &["messagerie de", "après le bip"]),
    ],
};

const SCRIPT: &str = r#"
[greet]
A: Bonjour, ici {agent}, de {agency}. Est-ce que je parle bien à {name} ?
A: Bonjour, je m'appelle {agent}, j'appelle de la part de {agency}. Vous êtes bien {name} ?
[yes]
U: Oui, c'est moi.
U: Oui, tout à fait. C'est à quel sujet ?
[pitch]
A: Merci. Des entreprises comme {company} gagnent plusieurs heures par semaine avec {product}. Vous avez une minute ? | U: Une minute, oui.
A: Je vais faire court. Nous aidons des sociétés comme {company}, et je voulais vous présenter {product}. | U: D'accord, je vous écoute.
[question]
U: Comment ça fonctionne exactement ? | A: Vous connectez votre agenda, vous donnez vos horaires, et nous faisons le reste. En deux jours, c'est prêt.
U: Il faut installer quelque chose ? | A: Rien du tout, vous gardez vos outils actuels.
[obj_price]
U: Franchement, ça a l'air cher. | A: Je comprends. La plupart s'y retrouvent dès le premier trimestre, et il n'y a pas de frais de départ.
U: Et ça coûte combien ? | A: À partir de quatre-vingt-dix par mois, sans engagement.
[obj_time]
U: Là, je n'ai vraiment pas le temps. | A: Alors je vais vite : une seule question, et vous décidez.
U: C'est un mauvais moment, on est débordés. | A: Justement, nous commençons par vous enlever le téléphone.
[obj_vendor]
U: On a déjà quelqu'un pour ça. | A: Très bien. Beaucoup gardent leur prestataire et nous confient le surplus.
U: Nous avons un contrat avec un autre prestataire jusqu'au printemps. | A: Aucun souci, comparer maintenant vous aidera plus tard.
[obj_trust]
U: Attendez, vous êtes un robot ? | A: Je suis la voix numérique de {agency}, oui. Une collègue peut prendre le relais.
U: Où avez-vous eu mon numéro ? | A: Sur le site de votre société. Je peux l'effacer si vous voulez.
[ask_size]
A: Combien de personnes travaillent chez {company} ? | U: Environ {count}, selon la saison.
A: Votre équipe compte combien de personnes ? | U: Nous sommes {count}.
[ask_need]
A: Qu'est-ce qui vous prend le plus de temps ? | U: Les appels manqués. On est avec un client, et les gens appellent ailleurs.
A: Que voudriez-vous changer en premier ? | U: Les allers-retours pour fixer une date.
[ask_when]
A: Si cela convient, vous commenceriez quand ? | U: Pas avant le mois prochain.
A: Qui d'autre décide avec vous ? | U: C'est moi, mais mon associée doit le voir.
[offer]
A: Je vous propose vingt minutes avec un spécialiste. Je cherche un créneau ? | U: Oui, allez-y.
A: Le mieux, c'est une courte démonstration. Cette semaine vous irait ? | U: Peut-être. Vous avez quoi ?
[slot]
A: J'ai {day} à {time}, ou {day2} à {time2}. | U: {day} à {time}, c'est bien.
A: Que diriez-vous de {day} à {time} ? | U: Oui, ça me va.
[retry]
A: L'agenda est un peu lent, encore un instant. | U: Pas de souci.
A: Ça n'a pas chargé, j'essaie encore. | U: D'accord.
[booked]
A: Voilà, votre rendez-vous de {day} à {time} est réservé. L'invitation part à {email}. | U: Parfait, merci.
A: C'est noté, je vous ai inscrit {day} à {time}. Vous aurez un rappel la veille. | U: Super, à bientôt.
[decline]
U: Merci, mais ça ne m'intéresse pas. | A: Bien compris, merci de votre franchise.
U: Ce n'est pas pour nous. | A: Très bien, merci de votre attention.
[send_info]
U: Envoyez-moi quelque chose par écrit. | A: Volontiers, je vous envoie la documentation à {email}. | U: Bien, je lirai ça ce week-end.
U: Je voudrais d'abord lire quelque chose. | A: Bien sûr, je vous adresse le résumé avec deux exemples. | U: Ça m'aiderait.
[too_small]
U: Nous ne sommes que deux, ça ne sert à rien. | A: Je comprends, ce serait trop pour vous aujourd'hui.
U: Il n'y a pas de budget cette année. | A: Merci de me le dire, je n'insiste pas.
[callback]
U: Je ne peux pas parler, je suis en réunion. | A: Bien sûr. Quand puis-je rappeler ? | U: {day}, vers {time}. | A: C'est noté, je vous rappelle {day} à {time}.
U: C'est un mauvais moment, je conduis. | A: Aucun souci. Quel jour vous convient ? | U: {day} à {time}. | A: Je rappellerai {day} à {time}.
[wrong]
U: Non, vous avez le mauvais numéro. | A: Excusez-moi, je corrige notre fiche. | U: Ce n'est rien.
U: {name} ne travaille plus ici. | A: Merci de me prévenir. Qui s'en occupe ? | U: Je ne sais pas, écrivez au bureau.
[dnc]
U: Retirez-moi de votre liste, s'il vous plaît. | A: Bien sûr, votre numéro est effacé. | U: J'espère bien.
U: Je vous ai demandé de ne plus m'appeler. | A: Toutes mes excuses, je bloque votre numéro tout de suite. | U: Bien.
[bye]
A: Merci pour votre temps, {first}. Bonne journée. | U: À vous aussi, au revoir.
A: Merci, {first}. Au revoir. | U: Au revoir.
[remind]
A: Je vous appelle pour votre rendez-vous de {day} à {time}. | U: Oui, je m'en souviens.
A: Un petit rappel : nous vous attendons {day} à {time}. | U: Ah oui, merci d'appeler.
[confirm]
A: Vous pourrez venir ? | U: Oui, j'y serai. | A: Très bien, votre rendez-vous est confirmé.
A: L'heure vous convient toujours ? | U: Oui, toujours. | A: Je note votre rendez-vous comme confirmé.
[reschedule]
U: Ce jour-là, je ne pourrai pas. | A: Aucun problème, je cherche autre chose.
U: J'ai un empêchement. On peut le décaler ? | A: Bien sûr, un instant.
[newslot]
A: Je peux vous proposer {day2} à {time2}. | U: C'est beaucoup mieux.
A: Il reste une place {day2} à {time2}. | U: Oui, je la prends.
[rebooked]
A: C'est fait, j'ai déplacé votre rendez-vous à {day2}, {time2}. | U: Parfait, merci.
A: Votre rendez-vous passe à {day2}, {time2}. | U: Super, merci beaucoup.
[prep]
U: Je dois apporter quelque chose ? | A: Seulement votre carte client.
U: On peut se garer ? | A: Oui, derrière le bâtiment. La première heure est gratuite.
[problem]
A: Je vous appelle au sujet de votre demande. Que se passe-t-il ? | U: Je ne peux plus me connecter depuis hier, mon compte est bloqué.
A: Vous nous avez écrit pour {product}. Quel est le souci ? | U: La dernière facture est fausse, j'ai été débité deux fois.
[lookup]
A: J'ouvre votre dossier. Votre numéro client est toujours {number} ? | U: Oui, c'est ça.
A: Je regarde tout de suite. | U: Très bien.
[step]
A: Fermez la page et prenez le lien que j'envoie à {email}. | U: Une seconde. Voilà.
A: Je l'ai réinitialisé d'ici. Vous pouvez réessayer ? | U: J'essaie.
[solved]
U: Ah, ça marche maintenant ! | A: Tant mieux.
U: Oui, c'est réglé. | A: Très bien, je note ce que nous avons fait.
[not_solved]
U: Non, ça ne marche toujours pas. | A: Pardon, j'essaie autre chose.
U: J'ai la même erreur. | A: Merci d'avoir vérifié, ce n'est pas normal.
[angry]
U: C'est la troisième fois que j'appelle, c'est inadmissible. | A: Vous avez raison, je vous présente nos excuses.
U: J'en ai assez, j'ai perdu des clients. | A: Je comprends, et je vous prie de m'excuser.
[escalate]
A: Je transmets le dossier à nos experts, numéro {ticket}. On vous appelle demain avant midi. | U: J'espère bien.
A: Je transfère votre dossier à une spécialiste, la référence est {ticket}. | U: Bien, mais faites vite.
[rate_high]
A: Une dernière question : de un à cinq, quelle est votre satisfaction ? | U: Je dirais {high}. C'était rapide.
A: Quelle note nous donnez-vous, entre un et cinq ? | U: {high}, merci beaucoup.
[rate_low]
A: De un à cinq, quelle est votre satisfaction aujourd'hui ? | U: Un {low}, franchement.
A: Et une note, entre un et cinq ? | U: {low} au maximum.
[survey]
A: Votre avis compte. Vous avez un moment pour une petite enquête ? | U: Si c'est rapide, oui.
A: J'ai deux questions rapides sur votre dernière visite. | U: Allez-y.
[why_high]
A: Qu'avez-vous aimé ? | U: Les gens sont aimables, et on me rappelle toujours.
A: Pour quelle raison ? | U: Tout a été fait en une visite, ça me plaît beaucoup.
[why_low]
A: Que devons-nous améliorer ? | U: J'ai attendu une demi-heure sans explication, c'est inadmissible.
A: Qu'est-ce qui n'allait pas ? | U: La facture était plus élevée que prévu.
[vm_greeting]
U: Vous êtes sur la messagerie de {name}. Laissez un message après le bip.
[vm_sdr]
A: Bonjour {first}, ici {agent}, de {agency}. Je voulais vous parler de {product}. Je réessaierai plus tard. Au revoir.
[vm_cs]
A: Bonjour {first}, ici {agent}, de {agency}. Un rappel pour votre rendez-vous de {day} à {time}. Si vous ne pouvez pas venir, appelez-nous.
"#;
