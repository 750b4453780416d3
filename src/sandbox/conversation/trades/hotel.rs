//! A hotel by the sea.

pub(super) const SPANISH: &str = r#"
[pitch]
A: Estuvo con nosotros en verano, y este otoño tenemos una tarifa para quienes vuelven. ¿Tiene un minuto? | U: Sí, dígame.
A: Le llamo porque pidió precios para un fin de semana junto al mar. | U: Ah, sí, lo miré en la web.
[question]
U: ¿El desayuno está incluido? | A: Sí, con bufé hasta las once, y los domingos hasta las doce.
U: ¿Se puede ir con perro? | A: Sí, en las habitaciones de la planta baja, sin coste.
[obj_price]
U: Suena caro para temporada baja. | A: Lo entiendo. Con tres noches la tercera sale a mitad de tarifa.
[ask_size]
A: ¿Para cuántas personas sería? | U: Para dos adultos y una niña.
[ask_need]
A: ¿Qué es lo más importante para usted? | U: Que sea tranquilo y con vistas al mar.
A: ¿Qué le gustó la última vez? | U: La terraza y la gente de la recepción.
[ask_when]
A: ¿Para qué fechas lo piensa? | U: Para el puente, si queda algo.
[offer]
A: Le puedo guardar una doble con vistas. ¿Busco una fecha de llegada? | U: Sí, mire usted.
[slot]
A: Tengo llegada {day} o {day2}. ¿Cuál le viene mejor? | U: {day} está bien.
[booked]
A: Hecho, su habitación queda reservada con llegada {day}. Le llega la confirmación a {email}. | U: Estupendo, gracias.
[too_small]
U: No tenemos presupuesto para viajes este año. | A: Lo entiendo, gracias por decírmelo.
[send_info]
U: Mándeme algo por escrito y lo hablo en casa. | A: Claro, le envío la información a {email} hoy mismo. | U: Bien.
[in_book]
U: Quería una habitación doble para el puente. | A: Con mucho gusto, miro qué nos queda.
U: ¿Tienen sitio para dos noches, con cuna? | A: Lo miro ahora mismo.
[in_problem]
U: Me han cobrado dos veces la última noche. | A: Lo siento, lo reviso ahora.
U: El aire de la habitación hace un ruido terrible y no hemos dormido. | A: Lo siento mucho, lo arreglamos.
[lookup]
A: Abro su reserva, {name}. | U: Sí, gracias.
[step]
A: He pedido que suban a mirarlo en diez minutos. ¿Le parece? | U: Sí, espero.
A: He anulado el segundo cargo. ¿Lo ve ya en su cuenta? | U: Un momento.
[solved]
U: Sí, ya funciona todo, menos mal. | A: Me alegro mucho.
[not_solved]
U: No, sigue sin funcionar. | A: Lo siento, busco otra solución.
[escalate]
A: Lo traslado a la dirección con el número {ticket}. Le llaman hoy. | U: Eso espero.
[vm_sdr]
A: Hola, {first}, soy {agent} de {agency}. Le llamaba por su escapada al mar. Volveremos a intentarlo. Un saludo.
"#;

pub(super) const ENGLISH: &str = r#"
[pitch]
A: You stayed with us in summer, and this autumn we have a rate for guests who come back. Do you have a minute? | U: Yes, go on.
[question]
U: Is breakfast included? | A: Yes, a buffet until eleven.
[ask_size]
A: How many of you would come? | U: Two adults, and our daughter.
[ask_need]
A: What matters most to you? | U: A quiet room, and the sea in the window.
[offer]
A: I can hold a double with a sea view. Shall I look for a day of arrival? | U: Yes, please.
[too_small]
U: We have no budget for travel this year. | A: I understand, thank you for saying so.
[in_book]
U: Do you have a double for the long weekend? | A: Let me look what is left.
[in_problem]
U: I was charged twice for the last night. | A: I'm sorry, let me check that.
U: The air conditioning is so loud that we couldn't sleep. | A: I'm very sorry, let me see what we can do.
[lookup]
A: Let me open your booking, {name}. | U: Thanks.
[step]
A: I've taken the second charge back. Can you see it? | U: One moment.
"#;
