//! A dental practice.

pub(super) const GERMAN: &str = r#"
[remind]
A: Es geht um Ihre halbjährliche Kontrolle, die jetzt ansteht. | U: Ach, ist das schon wieder ein halbes Jahr her?
A: Ihre Zahnkontrolle ist wieder fällig, ich hätte am {day} um {time} einen Platz bei der Dentalhygiene. | U: Mhm, lassen Sie mich kurz schauen.
A: Ihre letzte Zahnreinigung war im Mai, darum melde ich mich wegen der Kontrolle. | U: Stimmt, das hatte ich mir aufgeschrieben.
[confirm]
A: Passt Ihnen {day} um {time}? | U: Ja, das geht gut. | A: Schön, Ihr Termin ist bestätigt.
A: Soll ich Sie bei Frau Doktor Frei einplanen, {day} um {time}? | U: Ja, bitte, am liebsten bei ihr. | A: Gut, ich habe {day}, {time}, als bestätigt notiert.
[reschedule]
U: Da bin ich in den Ferien. Geht es auch später? | A: Natürlich, ich sehe nach.
U: An dem Tag kann ich leider nicht. Haben Sie etwas am Abend? | A: Einen Moment, ich schaue in den Kalender.
[prep]
U: Wird dabei auch geröntgt? | A: Nur wenn das letzte Bild älter als zwei Jahre ist. Das sieht die Ärztin vor Ort.
U: Zahlt das die Zusatzversicherung? | A: Meistens einen Teil. Sie bekommen von uns die Rechnung zum Einreichen.
U: Muss ich vorher etwas beachten? | A: Nein, nur bitte Ihre Medikamente aufschreiben, falls sich etwas geändert hat.
[problem]
A: Wie geht es Ihnen seit der Behandlung? | U: Nicht so gut, die Füllung ist rau und der Zahn zieht bei Kaltem.
A: Sie waren letzte Woche bei uns. Ist alles in Ordnung? | U: Leider nein, unter der Krone pocht es, vor allem nachts.
[in_problem]
U: Mir ist gestern eine Füllung herausgefallen, und jetzt zieht der Zahn. | A: Das klingt unangenehm, darum kümmern wir uns.
U: Ich habe eine Rechnung über zwei Kontrollen bekommen, ich war aber nur einmal da. | A: Das prüfe ich gleich.
U: Ich habe seit der Behandlung Schmerzen und erreiche niemanden. | A: Das tut mir leid, ich helfe Ihnen sofort.
[lookup]
A: Ich öffne Ihre Patientenakte, {name}. | U: Ja, bitte.
A: Einen Augenblick, ich rufe Ihre Akte auf. | U: Gern.
[step]
A: Bitte spülen Sie lauwarm und kauen Sie heute auf der anderen Seite. Wird es damit besser? | U: Ich versuche es gerade.
A: Ich habe die Rechnung berichtigt, Sie bekommen sie neu per Post. Ist damit alles geklärt? | U: Moment, ich schaue noch einmal.
[solved]
U: Ja, das hat geholfen. | A: Das freut mich, sonst rufen Sie jederzeit an.
[not_solved]
U: Nein, es geht immer noch nicht besser. | A: Dann soll die Ärztin es sich ansehen.
[escalate]
A: Ich gebe das an Frau Doktor Frei weiter, sie ruft Sie heute noch zurück. Ihre Nummer dafür ist {ticket}. | U: Gut, ich warte darauf.
A: Ich leite das an die Praxisleitung weiter, die Nummer ist {ticket}. | U: Das hoffe ich, so kann es nicht bleiben.
[why_high]
A: Was hat Ihnen am besten gefallen? | U: Dass mir vorher alles erklärt wurde. Ich bin sehr zufrieden.
[why_low]
A: Was sollten wir besser machen? | U: Ich saß vierzig Minuten im Wartezimmer. Das ist ärgerlich.
[in_book]
U: Ich brauche einen Termin zur Kontrolle, am besten bald. | A: Gern, ich sehe, was frei ist.
U: Ich bin neu hier im Ort. Nehmen Sie noch Patienten? | A: Ja, sehr gern. Ich suche gleich einen Platz für Sie.
U: Mein Sohn braucht eine Zahnspange, wer macht das bei Ihnen? | A: Das ist Frau Doktor Frei. Ich schaue nach einem ersten Gespräch.
[vm_cs]
A: Guten Tag {first}, {agent} von {agency}. Ihre Kontrolle steht an, ich hätte am {day} um {time} einen Platz. Wir versuchen es wieder. Auf Wiederhören.
[decline]
U: Danke, ich bin inzwischen bei einem anderen Zahnarzt, ich habe kein Interesse. | A: Verstanden, ich vermerke das.
U: Im Moment ist das nichts für uns, wir ziehen weg. | A: In Ordnung, alles Gute für den Umzug.
"#;

pub(super) const FRENCH: &str = r#"
[remind]
A: Je vous appelle pour votre contrôle semestriel, il est temps de le prévoir. | U: Ah oui, déjà six mois.
A: Votre dernier détartrage date de mai, je voulais vous proposer une date. | U: C'est vrai, merci d'y penser.
[problem]
A: Comment allez-vous depuis le soin ? | U: Pas très bien, la dent réagit encore au froid et ça m'inquiète.
[in_problem]
U: J'ai perdu un plombage hier soir et la dent me fait mal. | A: Je comprends, nous allons nous en occuper.
U: J'ai reçu deux factures pour le même contrôle. | A: Je regarde cela tout de suite.
[in_book]
U: Je voudrais un contrôle chez vous, assez vite si possible. | A: Avec plaisir, je regarde ce qui est libre.
"#;
