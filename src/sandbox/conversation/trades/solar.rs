//! Rooftop solar for homes.

pub(super) const ENGLISH: &str = r#"
[pitch]
A: You asked on our site what solar would save you. I have two short questions, then I can tell you. Is now a good time? | U: Sure, go ahead.
A: I'm following up on the solar estimate you started last week. Do you have a minute? | U: Okay, one minute.
A: You left your address for a solar check, and I wanted to see whether your roof is a fit. | U: Right, I remember the form.
[question]
U: What happens when it's cloudy? | A: You make less, and the grid fills in. We size the system for the whole year, not for one day in June.
U: How long do the panels last? | A: They are warrantied for twenty-five years, the inverter for twelve.
U: Do I need a battery? | A: Not to begin with. With evening rates as they are in your area it often pays, and you can add one later.
U: Who does the permits? | A: We do: the city, the utility and the final inspection.
[obj_price]
U: Honestly, solar still sounds expensive. | A: Many neighbours start with no money down, and the payment is below the old bill.
U: What does it cost, roughly? | A: For a house like yours between twelve and eighteen thousand before the tax credit. The visit gives you the real figure.
[obj_time]
U: It's a bad time, we're redoing the kitchen. | A: Understood. The visit takes half an hour and nobody comes inside.
[obj_vendor]
U: We already have someone who gave us a quote. | A: Good, then compare. We put ours on one page, with the price per watt.
[obj_trust]
U: Is this a robot calling me? | A: I'm the digital assistant of {agency}. A person does the visit, and you can talk to one any time.
[ask_size]
A: How many people live in the house? | U: Four of us, and an electric car since spring.
A: Is the roof yours, or do you rent? | U: It's ours, we redid it six years ago.
[ask_need]
A: What do you pay for electricity in a normal month? | U: Last month it was two hundred and ten dollars.
A: What made you think about solar now? | U: The bill doubled since we got the heat pump.
A: Do you have shade on the roof? | U: One oak on the west side, the south side is clear.
[ask_when]
A: When would you like to decide? | U: Before the winter rates come, ideally.
[offer]
A: Then a free site visit makes sense: somebody measures the roof and you get the figures. Shall I find a time? | U: Yes, let's do that.
A: I'd suggest that our surveyor has a look, it is free and takes thirty minutes. Would this week suit you? | U: Could be. What do you have?
[booked]
A: Done, you're booked for {day} at {time}. The surveyor rings ten minutes before. | U: Great, thank you.
A: Your meeting is booked for {day} at {time}, and the confirmation goes to {email}. | U: Perfect, see you then.
[send_info]
U: Just send me something in writing and I'll show my wife. | A: Gladly. I'm sending you the details to {email} today, with the figures for your roof. | U: Good.
[too_small]
U: There's no budget for that this year, the roof itself has to be redone first. | A: Then it makes sense to wait. I'll note it.
U: It's only two of us in a small condo, and the roof belongs to the association. | A: I see, then solar is not for you right now.
[vm_sdr]
A: Hi {first}, this is {agent} from {agency} about your solar estimate. I'll try again later this week. Bye.
[in_book]
U: I saw your van in our street. Could somebody look at my roof? | A: Of course, the visit is free. Let me find a time.
U: I got your letter about solar and I'd like to know what I'd save. | A: Happy to help. Our surveyor can measure it; let me look for a time.
[in_problem]
U: My app shows no production since yesterday, but it's sunny. | A: That shouldn't be, let me look at your system.
U: The installers left two tiles cracked, and nobody answers my emails. | A: I'm sorry about that, let me see what happened.
[lookup]
A: Let me open your file, {name}. | U: Okay.
[step]
A: Please switch the grey breaker beside the inverter off and on again. What does the light do? | U: One second, I'm walking over.
A: I've restarted the monitor from here. Could you pull down to refresh the app? | U: Trying.
[solved]
U: Oh, it works now, it's green. | A: Great, I'll keep an eye on it this week.
[not_solved]
U: No, it still doesn't work, it blinks red. | A: Thank you for checking. Then somebody has to see it.
[escalate]
A: I'm passing this to our service crew with number {ticket}. They'll call you before noon tomorrow. | U: I hope they really do.
"#;
