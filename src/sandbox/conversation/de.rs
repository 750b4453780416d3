//! German dialogue. The layout is told in `language.rs`.

use super::language::{Cue, LanguageFacts};

pub static GERMAN: LanguageFacts = LanguageFacts {
    chars_per_second: 15.5,
    script: SCRIPT,
    days: &["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"],
    times: &["neun Uhr dreißig", "zehn Uhr", "Viertel nach elf", "14 Uhr", "15 Uhr 30", "halb fünf"],
    people: &["Katrin Vogel", "Jonas Berger", "Aylin Demir", "Stefan Huber", "Miriam Seidel"],
    companies: &["Praxis am Stadtpark", "Hansen Spedition", "Wohnbau Keller", "Studio Blau", "Bäckerei Lindner"],
    agencies: &["Klarblick", "Nordwind Service", "Talhof Beratung"],
    agents: &["Lena", "Max", "Jule", "Tim"],
    products: &["die Terminsoftware", "den Telefonservice", "den Energie-Check"],
    cues: &[
        (Cue::Booked, &["ist gebucht", "habe sie eingetragen"]),
        (Cue::Interested, &["schicke ihnen die unterlagen", "maile ihnen die übersicht"]),
        (Cue::Callback, &["notiert, ich rufe sie", "melde mich dann wieder"]),
        (Cue::Declined, &["kein interesse", "nichts für uns"]),
        (Cue::NotQualified, &["nur zu zweit", "kein budget"]),
        (Cue::WrongPerson, &["falsch verbunden", "arbeitet nicht mehr hier"]),
        (Cue::DoNotCall, &["aus ihrer liste", "nicht mehr an"]),
        (Cue::Confirmed, &["termin ist bestätigt", "als bestätigt"]),
        (Cue::Rescheduled, &["habe ihren termin auf", "termin liegt jetzt"]),
        (Cue::Solved, &["jetzt geht es", "hat geholfen"]),
        (Cue::NotSolved, &["geht immer noch nicht", "derselbe fehler"]),
        (Cue::Escalated, &["gebe das an", "leite das an"]),
        (Cue::Survey, &["kurze umfrage", "zwei kurze fragen"]),
        (Cue::Rating, &["von eins bis fünf", "zwischen eins und fünf"]),
        (Cue::Price, &["teuer", "kostet", "preis"]),
        (Cue::Busy, &["in einer besprechung", "keine zeit", "ungünstig"]),
        (Cue::Vendor, &["schon jemanden", "vertrag bei"]),
        (Cue::Trust, &["ein roboter", "woher haben sie"]),
        (Cue::Angry, &["zum dritten mal", "eine frechheit", "ärgerlich"]),
        (Cue::Happy, &["super", "prima", "vielen dank", "sehr zufrieden", "wunderbar"]),
        (Cue::Voicemail, &["mailbox von", "nach dem signalton"]),
    ],
};

const SCRIPT: &str = r#"
[greet]
A: Guten Tag, hier ist {agent} von {agency}. Spreche ich mit {name}?
A: Hallo, mein Name ist {agent}, ich rufe für {agency} an. Bin ich richtig bei {name}?
[yes]
U: Ja, am Apparat.
U: Ja, das bin ich. Worum geht es denn?
U: Am Apparat. Wer war das noch mal? | A: {agent}, von {agency}. | U: Ach so, gut.
[pitch]
A: Schön. Betriebe wie {company} sparen mit uns jede Woche ein paar Stunden, es geht um {product}. Haben Sie eine Minute? | U: Eine Minute, ja.
A: Ich fasse mich kurz: Wir unterstützen Firmen wie {company}, und ich wollte Ihnen {product} vorstellen. | U: Na gut, erzählen Sie.
[question]
U: Wie funktioniert das genau? | A: Sie verbinden Ihren Kalender, nennen uns Ihre Zeiten, und den Rest machen wir. Nach zwei Tagen läuft es meistens.
U: Muss ich dafür etwas installieren? | A: Nein, gar nichts. Sie behalten alles, was Sie heute benutzen.
[obj_price]
U: Das klingt ehrlich gesagt teuer. | A: Das verstehe ich. Die meisten haben es nach einem Vierteljahr wieder drin, und eine Einrichtungsgebühr gibt es nicht.
U: Und was kostet das? | A: Es beginnt bei neunzig Euro im Monat, und Sie können monatlich kündigen.
[obj_time]
U: Ich habe eigentlich keine Zeit, hier ist viel los. | A: Dann ganz schnell: eine Frage, und Sie entscheiden, ob es sich lohnt.
U: Es ist gerade etwas ungünstig. | A: Ich brauche wirklich nur einen Augenblick.
[obj_vendor]
U: Dafür haben wir schon jemanden. | A: Das ist gut. Viele behalten ihren Anbieter und geben uns nur, was liegen bleibt.
U: Wir haben noch bis zum Frühjahr einen Vertrag bei einem anderen Anbieter. | A: Kein Problem, ein Vergleich hilft Ihnen bei der Verlängerung.
[obj_trust]
U: Moment, sind Sie ein Roboter? | A: Ich bin die digitale Assistenz von {agency}, ja. Eine Kollegin übernimmt jederzeit, wenn Sie möchten.
U: Woher haben Sie meine Nummer? | A: Von Ihrer Internetseite, dort steht sie als Kontakt. Ich lösche sie gern.
[ask_size]
A: Wie viele Leute arbeiten bei {company}? | U: Ungefähr {count}, je nach Saison.
A: Wie groß ist Ihr Team im Moment? | U: Wir sind {count}.
[ask_need]
A: Was kostet Sie heute am meisten Kraft? | U: Verpasste Anrufe. Wir sind beim Kunden, und dann ruft der Nächste woanders an.
A: Was würden Sie als Erstes ändern? | U: Das Hin und Her mit den Terminen. Da hängt immer jemand am Telefon.
[ask_when]
A: Wann würden Sie beginnen wollen, wenn es passt? | U: Nicht vor dem nächsten Monat, aber noch dieses Quartal.
A: Wer entscheidet das mit Ihnen? | U: Das entscheide ich, meine Büroleitung sollte es aber sehen.
[offer]
A: Dann schlage ich zwanzig Minuten mit einem Fachmann vor. Soll ich einen Termin suchen? | U: Ja, machen Sie das.
A: Am besten zeigen wir es Ihnen kurz. Passt es diese Woche? | U: Kann sein. Was haben Sie frei?
[slot]
A: Ich hätte {day} um {time} oder {day2} um {time2}. | U: {day} um {time} ist gut.
A: Wie wäre {day} um {time}? | U: Ja, das passt.
[retry]
A: Der Kalender ist heute etwas langsam, einen Moment noch. | U: Kein Problem.
A: Das hat nicht geladen, ich versuche es noch einmal. | U: Ja, gut.
[booked]
A: Fertig, Ihr Termin am {day} um {time} ist gebucht. Die Einladung geht an {email}. | U: Super, danke.
A: Ich habe Sie eingetragen: {day} um {time}. Am Tag davor bekommen Sie eine Erinnerung. | U: Prima, bis dann.
[decline]
U: Danke, aber wir haben kein Interesse. | A: Verstanden, danke für die klare Antwort.
U: Das ist leider nichts für uns. | A: In Ordnung, danke fürs Zuhören.
[send_info]
U: Schicken Sie mir etwas Schriftliches. | A: Gern, ich schicke Ihnen die Unterlagen heute an {email}. | U: Gut, ich lese es am Wochenende.
U: Ich müsste erst etwas darüber lesen. | A: Natürlich. Ich maile Ihnen die Übersicht mit zwei Beispielen. | U: Das wäre hilfreich.
[too_small]
U: Wir sind nur zu zweit, das brauchen wir nicht. | A: Ich verstehe, dann wäre es heute wirklich zu viel.
U: Dafür ist dieses Jahr kein Budget da. | A: Danke für die Offenheit, dann dränge ich nicht.
[callback]
U: Ich kann gerade nicht, ich bin in einer Besprechung. | A: Natürlich. Wann passt es besser? | U: {day} gegen {time}. | A: Notiert, ich rufe Sie am {day} um {time} an.
U: Das ist ungünstig, ich sitze im Auto. | A: Kein Problem. Welcher Tag passt? | U: {day}, so um {time}. | A: Gut, ich melde mich dann wieder, {day} um {time}.
[wrong]
U: Nein, da sind Sie falsch verbunden. | A: Entschuldigung, ich berichtige das bei uns. | U: Macht nichts.
U: {name} arbeitet nicht mehr hier. | A: Ach so, danke. Wer kümmert sich jetzt darum? | U: Das weiß ich nicht, schreiben Sie bitte ans Büro.
[dnc]
U: Nehmen Sie mich bitte aus Ihrer Liste. | A: Natürlich, Ihre Nummer ist gelöscht. | U: Das hoffe ich.
U: Rufen Sie hier bitte nicht mehr an. | A: Das tut mir leid. Ich sperre Ihre Nummer sofort. | U: Gut.
[bye]
A: Danke für Ihre Zeit, {first}. Einen schönen Tag noch. | U: Ihnen auch, tschüss.
A: Vielen Dank und auf Wiederhören. | U: Auf Wiederhören.
[remind]
A: Es geht um Ihren Termin am {day} um {time}. | U: Ja, ich weiß Bescheid.
A: Ich möchte Sie kurz erinnern: Wir erwarten Sie am {day} um {time}. | U: Ach ja, danke für den Anruf.
[confirm]
A: Schaffen Sie es? | U: Ja, ich komme. | A: Schön, Ihr Termin ist bestätigt.
A: Bleibt es bei der Zeit? | U: Ja, das bleibt so. | A: Gut, ich habe {day}, {time}, als bestätigt notiert.
[reschedule]
U: An dem Tag kann ich leider doch nicht. | A: Kein Problem, ich suche etwas anderes.
U: Mir ist etwas dazwischengekommen. Können wir das verschieben? | A: Natürlich, einen Moment.
[newslot]
A: Ich könnte {day2} um {time2} anbieten. | U: Das ist viel besser.
A: Am {day2} um {time2} ist noch etwas frei. | U: Ja, das nehme ich.
[rebooked]
A: So, ich habe Ihren Termin auf {day2}, {time2}, verlegt. | U: Prima, danke.
A: Ihr Termin liegt jetzt auf {day2} um {time2}. | U: Super, vielen Dank.
[prep]
U: Muss ich etwas mitbringen? | A: Nur Ihre Kundenkarte und, wenn vorhanden, den Brief vom letzten Jahr.
U: Kann ich bei Ihnen parken? | A: Ja, hinter dem Haus, die erste Stunde ist frei.
[problem]
A: Ich rufe wegen Ihrer Anfrage an. Was ist passiert? | U: Ich kann mich seit gestern nicht anmelden, mein Konto ist gesperrt.
A: Sie hatten uns geschrieben, es geht um {product}. Was genau klappt nicht? | U: Die letzte Rechnung ist falsch, es wurde doppelt abgebucht.
[lookup]
A: Danke, ich öffne Ihre Akte. Ist {number} noch Ihre Kundennummer? | U: Ja, genau.
A: Ich sehe kurz nach. | U: Ja, bitte.
[step]
A: Bitte schließen Sie die Seite und nehmen Sie den Link, den ich an {email} schicke. | U: Moment. So, erledigt.
A: Ich habe es von hier aus zurückgesetzt. Versuchen Sie es bitte noch einmal. | U: Ich probiere es.
[solved]
U: Ja, jetzt geht es! | A: Das freut mich.
U: Das hat geholfen. | A: Sehr gut, ich schreibe mir auf, woran es lag.
[not_solved]
U: Nein, es geht immer noch nicht. | A: Das tut mir leid. Ich versuche noch etwas.
U: Da steht derselbe Fehler. | A: Danke fürs Nachsehen, das darf nicht sein.
[angry]
U: Ich rufe jetzt zum dritten Mal an. Das ist eine Frechheit. | A: Sie ärgern sich zu Recht, ich bitte um Entschuldigung.
U: Das ist wirklich ärgerlich, ich habe deswegen Kunden verloren. | A: Das verstehe ich, und es tut mir leid.
[escalate]
A: Ich gebe das an unsere Fachabteilung, Ihre Vorgangsnummer ist {ticket}. Man ruft Sie morgen vor zwölf an. | U: Das hoffe ich.
A: Ich leite das an eine Spezialistin weiter, die Nummer ist {ticket}. | U: Gut, aber bitte schnell.
[rate_high]
A: Eine letzte Frage: Wie zufrieden sind Sie, von eins bis fünf? | U: Eine {high}. Das ging schnell.
A: Wie war dieses Gespräch für Sie, zwischen eins und fünf? | U: {high}, vielen Dank.
[rate_low]
A: Wie zufrieden sind Sie heute, von eins bis fünf? | U: Ehrlich gesagt eine {low}.
A: Und eine Note zwischen eins und fünf? | U: Höchstens {low}.
[survey]
A: Uns interessiert Ihre Meinung. Haben Sie Zeit für eine kurze Umfrage? | U: Wenn es schnell geht, ja.
A: Ich habe zwei kurze Fragen zu Ihrem letzten Besuch. | U: Bitte.
[why_high]
A: Was hat Ihnen am besten gefallen? | U: Alle sind freundlich, und man bekommt immer einen Rückruf.
A: Was war der Hauptgrund? | U: Alles war in einem Besuch erledigt, ich bin sehr zufrieden.
[why_low]
A: Was sollten wir besser machen? | U: Ich habe eine halbe Stunde gewartet, und keiner hat etwas gesagt. Das ist ärgerlich.
A: Was ist schiefgegangen? | U: Die Rechnung war höher als vereinbart.
[vm_greeting]
U: Hier ist die Mailbox von {name}. Bitte hinterlassen Sie eine Nachricht nach dem Signalton.
[vm_sdr]
A: Guten Tag {first}, hier ist {agent} von {agency}. Es geht um {product}. Ich versuche es später noch einmal. Auf Wiederhören.
[vm_cs]
A: Guten Tag {first}, {agent} von {agency}, ich erinnere an Ihren Termin am {day} um {time}. Bitte rufen Sie uns an, falls Sie nicht kommen können.
"#;
