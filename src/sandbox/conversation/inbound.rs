//! What is said when somebody rings the agent. The layout is told in `language.rs`.

use super::language::Language;

pub(super) fn script(language: Language) -> &'static str {
    match language {
        Language::English => ENGLISH,
        Language::German => GERMAN,
        Language::Spanish => SPANISH,
        Language::French => FRENCH,
        Language::Hindi => HINDI,
        Language::Gujarati => GUJARATI,
    }
}

const ENGLISH: &str = r#"
[in_greet]
A: {agency}, this is {agent}. How can I help you?
A: Thank you for calling {agency}. You're speaking with {agent}. What can I do for you?
[in_name]
A: May I have your name, please? | U: {name}.
A: And your name is? | U: It's {name}.
[in_book]
U: I'd like to make an appointment, please. | A: Of course, let me look for a time.
U: Could I come by this week? | A: Gladly. Let me see what is free.
[in_move]
U: I have an appointment with you on {day}. | A: Yes, I see it here.
[in_problem]
U: The last bill is wrong, I was charged twice. | A: I'm sorry, let me look into it.
U: I'm calling because something isn't right with my last order. | A: I'm sorry to hear that. Let me check.
[in_question]
U: What are your opening hours, and can you tell me how it works? | A: We're here from eight to six on weekdays, and I can send you the rest.
U: I only have a short question about your prices. | A: Of course, ask away.
[in_callback]
U: I'd rather talk to a person. Could somebody ring me? | A: Of course. When suits you? | U: {day} at {time}. | A: Noted. We'll call you back on {day} at {time}.
U: Is my advisor there? | A: Not at the moment. Shall we try you later? | U: Yes, {day} at {time}, please. | A: I'll have somebody call you back then, {day} at {time}.
[in_wrong]
U: Oh, I'm sorry, I think I have the wrong number. | A: No problem at all. Have a good day.
"#;

const GERMAN: &str = r#"
[in_greet]
A: {agency}, guten Tag, mein Name ist {agent}. Was kann ich für Sie tun?
A: Guten Tag, Sie sprechen mit {agent} von {agency}. Wie kann ich helfen?
[in_name]
A: Darf ich Ihren Namen haben? | U: {name}.
A: Wie ist Ihr Name, bitte? | U: {name} ist mein Name.
[in_book]
U: Ich hätte gern einen Termin. | A: Gern, ich sehe nach, was frei ist.
[in_move]
U: Ich habe am {day} einen Termin bei Ihnen. | A: Ja, ich sehe ihn hier.
[in_problem]
U: Meine letzte Rechnung ist falsch, es wurde doppelt abgebucht. | A: Das tut mir leid, ich sehe nach.
[in_question]
U: Wann haben Sie denn offen, und wie läuft das bei Ihnen ab? | A: Montag bis Freitag von acht bis achtzehn Uhr. Den Rest kann ich Ihnen schicken.
[in_callback]
U: Ich würde lieber mit jemandem persönlich sprechen. | A: Natürlich. Wann passt es Ihnen? | U: {day} gegen {time}. | A: Notiert, ich rufe Sie am {day} um {time} zurück.
U: Ist die Chefin da? | A: Gerade nicht. Wann erreichen wir Sie? | U: {day} um {time}. | A: Gut, ich melde mich dann wieder, {day} um {time}.
[in_wrong]
U: Oh, Entschuldigung, ich bin falsch verbunden. | A: Das macht nichts. Einen schönen Tag noch.
"#;

const SPANISH: &str = r#"
[in_greet]
A: {agency}, buenos días, le atiende {agent}. ¿En qué puedo ayudarle?
A: Gracias por llamar a {agency}. Soy {agent}, dígame.
[in_name]
A: ¿Me dice su nombre, por favor? | U: {name}.
[in_book]
U: Quería pedir una cita. | A: Claro, miro qué hay libre.
[in_move]
U: Tengo una reserva con ustedes para {day}. | A: Sí, la veo aquí.
[in_problem]
U: La última factura está mal, me cobraron dos veces. | A: Lo siento, lo miro ahora.
[in_question]
U: ¿Qué horario tienen y cómo funciona? | A: De ocho a seis entre semana. El resto se lo puedo mandar.
[in_callback]
U: Prefiero hablar con una persona. | A: Por supuesto. ¿Cuándo le viene bien? | U: {day} a {time}. | A: Apuntado, le llamo {day} a {time}.
[in_wrong]
U: Perdone, creo que es un número equivocado. | A: No pasa nada. Buenos días.
"#;

const FRENCH: &str = r#"
[in_greet]
A: {agency}, bonjour, {agent} à l'appareil. Que puis-je faire pour vous ?
[in_name]
A: Puis-je avoir votre nom ? | U: {name}.
[in_book]
U: Je voudrais prendre rendez-vous. | A: Bien sûr, je regarde ce qui est libre.
[in_move]
U: J'ai un rendez-vous chez vous {day}. | A: Oui, je le vois ici.
[in_problem]
U: Ma dernière facture est fausse, j'ai été débité deux fois. | A: Je suis désolée, je regarde.
[in_question]
U: Quels sont vos horaires, et comment ça se passe ? | A: De huit à dix-huit heures en semaine. Je peux vous envoyer le reste.
[in_callback]
U: Je préfère parler à une personne. | A: Bien sûr. Quand cela vous convient-il ? | U: {day}, vers {time}. | A: C'est noté, je vous rappelle {day} à {time}.
[in_wrong]
U: Pardon, je crois que j'ai un mauvais numéro. | A: Ce n'est rien. Bonne journée.
"#;

const HINDI: &str = r#"
[in_greet]
A: नमस्ते, {agency} में आपका स्वागत है, मैं {agent} बोल रही हूँ। मैं आपकी क्या मदद करूँ?
[in_name]
A: आपका नाम बताइए? | U: मेरा नाम {name} है।
[in_book]
U: मुझे मिलने का समय चाहिए। | A: ज़रूर, मैं देखती हूँ कि कब खाली है।
[in_move]
U: {day} को मेरा समय तय है। | A: जी, मुझे दिख रहा है।
[in_problem]
U: पिछला बिल ग़लत है, दो बार पैसे कट गए। | A: माफ़ कीजिए, मैं अभी देखती हूँ।
[in_question]
U: आप लोग कब खुले रहते हैं? | A: सोमवार से शुक्रवार, आठ से छह बजे तक।
[in_callback]
U: मुझे किसी इंसान से बात करनी है। | A: ज़रूर। कब ठीक रहेगा? | U: {day} को {time}। | A: ठीक है, मैं {day} को {time} फिर फ़ोन करूँगी।
[in_wrong]
U: माफ़ कीजिए, गलत नंबर लग गया। | A: कोई बात नहीं, नमस्ते।
"#;

const GUJARATI: &str = r#"
[in_greet]
A: નમસ્તે, {agency}માં આપનું સ્વાગત છે, હું {agent} બોલું છું. શું મદદ કરું?
[in_name]
A: આપનું નામ કહેશો? | U: મારું નામ {name} છે.
[in_book]
U: મારે મળવાનો સમય જોઈએ છે. | A: ચોક્કસ, હું જોઉં છું ક્યારે ખાલી છે.
[in_move]
U: {day} મારો સમય નક્કી છે. | A: હા, મને દેખાય છે.
[in_problem]
U: છેલ્લું બિલ ખોટું છે, બે વાર પૈસા કપાયા. | A: માફ કરશો, હું હમણાં જોઉં છું.
[in_question]
U: તમે ક્યારે ખુલ્લા હો છો? | A: સોમવારથી શુક્રવાર, આઠથી છ.
[in_callback]
U: મારે કોઈ માણસ સાથે વાત કરવી છે. | A: ભલે. ક્યારે ફાવશે? | U: {day} {time}. | A: સારું, હું {day} {time} ફરી ફોન કરીશ.
[in_wrong]
U: માફ કરશો, ખોટો નંબર લાગ્યો. | A: કંઈ વાંધો નહીં, નમસ્તે.
"#;
