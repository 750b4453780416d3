//! Spanish dialogue. The layout is told in `language.rs`.

use super::language::{Cue, LanguageFacts};

pub static SPANISH: LanguageFacts = LanguageFacts {
    chars_per_second: 16.0,
    script: SCRIPT,
    days: &["el lunes", "el martes", "el miércoles", "el jueves", "el viernes"],
    times: &["las nueve y media", "las diez", "las once y cuarto", "las dos", "las cuatro y media"],
    people: &["Lucía Herrera", "Carlos Medina", "Elena Ortiz", "Javier Campos", "Marta Salas"],
    companies: &["Clínica del Parque", "Transportes Rivera", "Casas del Sur", "Estudio Azul"],
    agencies: &["Horizonte", "Atención Clara", "Puente Sur"],
    agents: &["Sofía", "Diego", "Inés", "Pablo"],
    products: &["el programa de citas", "el servicio telefónico", "la revisión de energía"],
    cues: &[
        (Cue::Booked, &["queda reservada", "le he apuntado"]),
        (Cue::Interested, &["le envío la información", "le mando el resumen"]),
        (Cue::Callback, &["apuntado, le llamo", "vuelvo a llamar entonces"]),
        (Cue::Declined, &["no me interesa", "no es para nosotros"]),
        (Cue::NotQualified, &["solo somos dos", "no tenemos presupuesto"]),
        (Cue::WrongPerson, &["número equivocado", "ya no trabaja aquí"]),
        (Cue::DoNotCall, &["de su lista", "no me llamen más"]),
        (Cue::Confirmed, &["queda confirmada", "cita confirmada"]),
        (Cue::Rescheduled, &["he cambiado su cita", "su cita pasa"]),
        (Cue::Solved, &["ya funciona", "se ha arreglado"]),
        (Cue::NotSolved, &["sigue sin funcionar", "el mismo error"]),
        (Cue::Escalated, &["paso el caso", "lo traslado a"]),
        (Cue::Survey, &["encuesta breve", "dos preguntas cortas"]),
        (Cue::Rating, &["del uno al cinco", "entre uno y cinco"]),
        (Cue::Price, &["suena caro", "cuánto cuesta", "el precio"]),
        (Cue::Busy, &["en una reunión", "no tengo tiempo", "mal momento"]),
        (Cue::Vendor, &["ya tenemos a alguien", "contrato con otra"]),
        (Cue::Trust, &["un robot", "de dónde ha sacado"]),
        (Cue::Angry, &["tercera vez", "inaceptable", "no aguanto más"]),
        (Cue::Happy, &["perfecto", "estupendo", "muchas gracias", "estoy feliz"]),
        (Cue::Voicemail, &["buzón de voz de", "después de la señal"]),
    ],
};

const SCRIPT: &str = r#"
[greet]
A: Buenos días, soy {agent}, de {agency}. ¿Hablo con {name}?
A: Hola, me llamo {agent} y llamo de parte de {agency}. ¿Es usted {name}?
[yes]
U: Sí, dígame.
U: Sí, soy yo. ¿De qué se trata?
[pitch]
A: Gracias. Empresas como {company} ahorran varias horas a la semana con {product}. ¿Tiene un minuto? | U: Un minuto, sí.
A: Seré breve. Ayudamos a negocios como {company} con {product} y quería ver si le puede servir. | U: Bueno, cuénteme.
[question]
U: ¿Y cómo funciona exactamente? | A: Usted conecta su calendario, nos rng sus horarios y nosotros hacemos el resto. En dos días suele estar listo.
U: ¿Tengo que instalar algo? | A: Nada en absoluto, sigue usando lo que ya tiene.
[obj_price]
U: La verdad, suena caro. | A: Lo entiendo. La mayoría lo recupera en el primer trimestre y no hay cuota de alta.
U: ¿Y cuánto cuesta? | A: Empieza en noventa al mes y puede dejarlo cuando quiera.
[obj_time]
U: Ahora mismo casi no tengo tiempo. | A: Voy muy rápido: una sola pregunta y usted decide.
U: Me pilla en mal momento. | A: Solo necesito un momento, de verdad.
[obj_vendor]
U: Para eso ya tenemos a alguien. | A: Me alegro. Muchos mantienen su proveedor y nos dan solo lo que sobra.
U: Tenemos contrato con otra empresa hasta la primavera. | A: No hay problema, comparar ahora le ayuda a negociar después.
[obj_trust]
U: Perdone, ¿es usted un robot? | A: Soy la voz digital de {agency}, sí. Si lo prefiere, le atiende una compañera.
U: ¿De dónde ha sacado mi número? | A: De la página de su empresa. Si quiere, lo borro.
[ask_size]
A: ¿Cuántas personas trabajan en {company}? | U: Unas {count}, según la temporada.
A: ¿Cómo de grande es su equipo? | U: Somos {count} ahora.
[ask_need]
A: ¿Qué le quita más tiempo hoy? | U: Las llamadas perdidas. Estamos con clientes y la gente llama a otro sitio.
A: ¿Qué le gustaría cambiar primero? | U: El ir y venir con las fechas, siempre hay alguien al teléfono.
[ask_when]
A: Si encaja, ¿cuándo querría empezar? | U: El mes que viene, como pronto.
A: ¿Quién más decide sobre esto? | U: Decido yo, pero quiero que lo vea mi socia.
[offer]
A: Le propongo veinte minutos con un especialista. ¿Busco una hora? | U: Sí, adelante.
A: Lo mejor es verlo en una demostración corta. ¿Le va bien esta semana? | U: Puede ser. ¿Qué hay libre?
[slot]
A: Tengo {day} a {time} o {day2} a {time2}. | U: {day} a {time} está bien.
A: ¿Qué tal {day} a {time}? | U: Sí, me viene bien.
[retry]
A: El calendario va un poco lento, un momento más. | U: Sin problema.
A: No ha cargado, lo intento otra vez. | U: Vale.
[booked]
A: Listo, su reunión queda reservada para {day} a {time}. La invitación va a {email}. | U: Perfecto, gracias.
A: Ya le he apuntado {day} a {time}. Recibirá un aviso el día antes. | U: Estupendo, hasta entonces.
[decline]
U: Gracias, pero no me interesa. | A: Entendido, gracias por decirlo claro.
U: Mire, no es para nosotros. | A: De acuerdo, gracias por escucharme.
[send_info]
U: Mándeme algo por escrito. | A: Con gusto, hoy le envío la información a {email}. | U: Bien, la leo el fin de semana.
U: Tendría que leerlo antes. | A: Claro, le mando el resumen con dos ejemplos. | U: Me ayudaría.
[too_small]
U: Es que solo somos dos, no lo necesitamos. | A: Lo entiendo, hoy sería demasiado para ustedes.
U: Este año no tenemos presupuesto. | A: Gracias por decírmelo, entonces no insisto.
[callback]
U: Ahora no puedo, estoy en una reunión. | A: Claro. ¿Cuándo le viene mejor? | U: {day}, sobre {time}. | A: Apuntado, le llamo {day} a {time}.
U: Es mal momento, voy conduciendo. | A: Sin problema. ¿Qué día le viene bien? | U: {day} a {time}. | A: Vuelvo a llamar entonces, {day} a {time}.
[wrong]
U: No, tiene el número equivocado. | A: Disculpe, lo corrijo en nuestros datos. | U: No pasa nada.
U: {name} ya no trabaja aquí. | A: Gracias por avisar. ¿Quién se ocupa ahora? | U: No sabría decirle, escriba a la oficina.
[dnc]
U: Por favor, quíteme de su lista. | A: Por supuesto, su número queda borrado. | U: Eso espero.
U: Les pedí que no me llamen más. | A: Lo siento mucho, bloqueo su número ahora mismo. | U: Bien.
[bye]
A: Gracias por su tiempo, {first}. Que tenga un buen día. | U: Igualmente, adiós.
A: Gracias, {first}. Hasta luego. | U: Hasta luego.
[remind]
A: Le llamo por su cita de {day} a {time}. | U: Sí, la recuerdo.
A: Solo quería recordarle que le esperamos {day} a {time}. | U: Ah, sí, gracias por llamar.
[confirm]
A: ¿Podrá venir? | U: Sí, allí estaré. | A: Muy bien, su cita queda confirmada.
A: ¿Le sigue viniendo bien la hora? | U: Sí, sin problema. | A: Entonces la dejo como cita confirmada.
[reschedule]
U: Ese día no voy a poder. | A: No se preocupe, busco otra hora.
U: Me ha surgido algo. ¿Podemos cambiarla? | A: Claro, un momento.
[newslot]
A: Puedo ofrecerle {day2} a {time2}. | U: Mucho mejor.
A: Hay un hueco {day2} a {time2}. | U: Sí, me lo quedo.
[rebooked]
A: Hecho, he cambiado su cita a {day2}, {time2}. | U: Perfecto, gracias.
A: Su cita pasa a {day2} a {time2}. | U: Estupendo, muchas gracias.
[prep]
U: ¿Tengo que llevar algo? | A: Solo su tarjeta de cliente.
U: ¿Hay aparcamiento? | A: Sí, detrás del edificio. La primera hora es gratis.
[problem]
A: Le llamo por su consulta. ¿Qué ha ocurrido? | U: No puedo entrar desde ayer, rng que mi cuenta está bloqueada.
A: Nos escribió por {product}. ¿Qué está pasando? | U: La última factura está mal, me cobraron dos veces.
[lookup]
A: Abro su ficha. ¿Su número de cliente sigue siendo {number}? | U: Sí, ese es.
A: Déjeme mirarlo. | U: Claro.
[step]
A: Cierre la página y use el enlace que le mando a {email}. | U: Un segundo. Ya está.
A: Lo he reiniciado desde aquí. ¿Puede probar otra vez? | U: Estoy probando.
[solved]
U: ¡Ah, ya funciona! | A: Me alegro mucho.
U: Sí, se ha arreglado. | A: Muy bien, dejo anotado lo que hicimos.
[not_solved]
U: No, sigue sin funcionar. | A: Lo siento, pruebo otra cosa.
U: Sale el mismo error. | A: Gracias por mirarlo, eso no debería pasar.
[angry]
U: Es la tercera vez que llamo. Es inaceptable. | A: Tiene razón, le pido disculpas.
U: No aguanto más, por esto he perdido clientes. | A: Lo entiendo y lo siento.
[escalate]
A: Paso el caso al segundo nivel con el número {ticket}. Le llamarán mañana antes de las doce. | U: Eso espero.
A: Lo traslado a una especialista, su referencia es {ticket}. | U: Bien, pero dense prisa.
[rate_high]
A: Por último, ¿cómo de satisfecho está, del uno al cinco? | U: Un {high}. Ha sido rápido.
A: ¿Qué nota nos daría, entre uno y cinco? | U: {high}, muchas gracias.
[rate_low]
A: ¿Cómo de satisfecho está hoy, del uno al cinco? | U: Un {low}, la verdad.
A: ¿Y qué nota nos daría, entre uno y cinco? | U: {low} como mucho.
[survey]
A: Nos interesa su opinión. ¿Tiene un momento para una encuesta breve? | U: Si es rápida, sí.
A: Tengo dos preguntas cortas sobre su última visita. | U: Adelante.
[why_high]
A: ¿Qué le gustó más? | U: La gente es amable y siempre devuelven la llamada.
A: ¿Cuál fue el motivo? | U: Todo quedó hecho en una visita, estoy feliz con eso.
[why_low]
A: ¿Qué deberíamos mejorar? | U: Esperé media hora y nadie me dijo nada. Es inaceptable.
A: ¿Qué salió mal? | U: La factura fue más alta de lo acordado.
[vm_greeting]
U: Ha llamado al buzón de voz de {name}. Por favor, deje su mensaje después de la señal.
[vm_sdr]
A: Hola {first}, soy {agent}, de {agency}. Quería hablarle de {product}. Lo intento más tarde. Hasta luego.
[vm_cs]
A: Hola {first}, soy {agent}, de {agency}. Le recuerdo su cita de {day} a {time}. Si no puede venir, llámenos, por favor.
"#;
