//! English dialogue. The layout is told in `language.rs`.

use super::language::{Cue, LanguageFacts};

pub static ENGLISH: LanguageFacts = LanguageFacts {
    chars_per_second: 15.0,
    script: SCRIPT,
    days: &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    times: &["9:30", "10 o'clock", "11:15", "2 o'clock", "3:30", "half past four"],
    people: &["Olivia Brooks", "James Carter", "Amara Lewis", "Tom Whitfield", "Grace Nolan", "Daniel Osei"],
    companies: &["Northgate Dental", "Harbor Logistics", "Fairview Homes", "Bluebird Studio", "Kestrel Foods"],
    agencies: &["Brightline", "Summit Partners", "Clearwater Services"],
    agents: &["Sam", "Alex", "Robin", "Jamie"],
    products: &["scheduling software", "the managed phone service", "our energy check", "the booking assistant"],
    cues: &[
        (Cue::Booked, &["you're booked", "meeting is booked"]),
        (Cue::Interested, &["sending you the details", "email you the overview"]),
        (Cue::Callback, &["call you back", "call again then"]),
        (Cue::Declined, &["not interested", "it's not for us"]),
        (Cue::NotQualified, &["no budget", "only two of us", "too small for"]),
        (Cue::WrongPerson, &["wrong number", "no longer works here", "wrong person"]),
        (Cue::DoNotCall, &["off your list", "stop calling", "don't call me again"]),
        (Cue::Confirmed, &["i have you confirmed", "your appointment is confirmed"]),
        (Cue::Rescheduled, &["i've moved your appointment", "i have moved your appointment"]),
        (Cue::Solved, &["it works now", "that fixed it", "problem is gone"]),
        (Cue::NotSolved, &["still doesn't work", "same error", "still not working"]),
        (Cue::Escalated, &["passing this to", "escalating this"]),
        (Cue::Survey, &["short survey", "two quick questions"]),
        (Cue::Rating, &["scale of one to five", "from one to five"]),
        (Cue::Price, &["expensive", "does it cost", "every price"]),
        (Cue::Busy, &["in a meeting", "bad time", "no time", "swamped"]),
        (Cue::Vendor, &["already have someone", "already use", "under contract"]),
        (Cue::Trust, &["is this a robot", "get my number", "real person"]),
        (Cue::Angry, &["unacceptable", "third time", "frustrating", "fed up"]),
        (Cue::Happy, &["great", "perfect", "thank you so much", "wonderful", "very happy"]),
        (Cue::Voicemail, &["you have reached the voicemail", "after the tone"]),
    ],
};

const SCRIPT: &str = r#"
[greet]
A: Hi, this is {agent} calling from {agency}. Am I speaking with {name}?
A: Good day, {agent} here from {agency}. Is this {name}?
A: Hello, my name is {agent} and I'm calling on behalf of {agency}. Could I speak with {name}, please?
[yes]
U: Yes, speaking.
U: Yes, that's me. What is this about?
U: Speaking. Sorry, who is this again? | A: It's {agent}, from {agency}. | U: Ah, okay. Go on.
[pitch]
A: Thanks. I'm calling because teams like {company} use {product} to save a few hours every week. May I take one minute? | U: One minute is fine.
A: Great. We help companies such as {company} with {product}, and I wanted to check whether it could be useful for you. | U: Okay, tell me a bit more.
A: I'll keep it short. A few of your neighbours in the industry moved to {product} this year, and it took a lot of manual work off their desks. | U: Hm, all right. What exactly does it do?
[question]
U: How does it actually work? | A: You connect your calendar, tell us your hours, and we take care of the rest. Most customers are running in two days.
U: Do I need to install anything for that? | A: No, nothing at all. Everything runs on our side, and you keep the tools you have.
U: And who looks after us if something breaks? | A: You get a named contact, on weekdays from eight to six, and an emergency line outside of that.
[obj_price]
U: To be honest, that sounds expensive. | A: I understand. Most of our customers earn it back within the first quarter, and there is no setup fee.
U: What does it cost? We watch every price this year. | A: Fair question. It starts at ninety a month, and you can leave at the end of any month.
[obj_time]
U: I'm in a meeting in five minutes, so I have very little patience today. | A: Then I'll be quick. One question and you can decide whether it is worth more time.
U: It's a bad time, we are swamped this month. | A: That is exactly when others come to us, because the first thing we take away is the phone work.
[obj_vendor]
U: We already have someone for that. | A: Good to hear. Many customers kept their supplier and only gave us the overflow. Would that be a thought?
U: We are under contract with another provider until spring. | A: No problem at all. A comparison now gives you a better position when you renew.
[obj_trust]
U: Wait, is this a robot? | A: I'm a digital assistant for {agency}, yes. A colleague takes over whenever you prefer.
U: Where did you get my number? | A: From your company's website, where it is given as the business contact. I can delete it if you like.
[ask_size]
A: May I ask how many people work at {company}? | U: About {count}, depending on the season.
A: How large is your team at the moment? | U: We are {count} right now.
[ask_need]
A: And what takes up most of your time today? | U: Missed calls, mostly. People ring while we are with customers, and then they try somebody else.
A: What would you like to change first? | U: The back and forth about dates. Somebody is on the phone half of the day.
A: How do you handle this today? | U: With a spreadsheet and a lot of sticky notes, if I'm honest.
[ask_when]
A: If it fits, when would you want to start? | U: Not before next month, but this quarter would make sense.
A: Who else would decide on this with you? | U: I decide, but I'd want my office manager to see it.
[offer]
A: Then I'd suggest twenty minutes with a specialist, who shows it with your own data. Shall I look for a time? | U: Yes, let's do that.
A: The best next step is a short demo. Would this week suit you? | U: Could be. What do you have?
[slot]
A: I have {day} at {time}, or {day2} at {time2}. Which one is better? | U: {day} at {time} is good.
A: How about {day} at {time}? | U: Let me see. Yes, that works.
A: The first free time is {day} at {time}. | U: Fine, put me down for it.
[retry]
A: The calendar is a little slow today, one more moment please. | U: Sure, no problem.
A: Sorry, that didn't load. Let me try once more. | U: Okay.
[booked]
A: Done, you're booked for {day} at {time}. The invitation goes to {email}. | U: Great, thank you.
A: Wonderful, your meeting is booked for {day} at {time}, and you will get a reminder the day before. | U: Perfect, see you then.
[decline]
U: Look, thanks, but we're not interested. | A: Understood, thank you for being direct. I won't take more of your time.
U: I've heard enough, it's not for us. | A: That's fine, thanks for listening.
[send_info]
U: Just send me something in writing and I'll have a look. | A: Gladly. I'm sending you the details to {email} today. | U: Good, I'll read it over the weekend.
U: I'd need to read about it first. | A: Of course. I'll email you the overview with two examples from your industry. | U: That would help.
[too_small]
U: There are only two of us, so I doubt we need this. | A: I see. Then it would honestly be too much for you today.
U: We have no budget for anything new before next year. | A: Thanks for saying so. Then there is no point in pushing it now.
[callback]
U: I can't talk now, I'm in a meeting. | A: Of course. When may I try again? | U: {day} around {time}. | A: Noted, I'll call you back on {day} at {time}.
U: It's a bad time, I'm driving. | A: No problem, safety first. Which day suits you? | U: Try {day} at {time}. | A: I'll call again then, {day} at {time}.
[wrong]
U: No, you have the wrong number. | A: I'm sorry about that. I'll correct it in our records. | U: No worries.
U: {name} no longer works here. | A: Oh, thanks for telling me. Who looks after this now? | U: I can't say, please write to the office.
[dnc]
U: Please take me off your list. | A: Of course. I've removed your number, and you won't hear from us again. | U: I hope so.
U: I've asked you people to stop calling me. | A: I'm very sorry. I'm blocking your number right now. | U: Good.
[bye]
A: Thanks for your time, {first}. Have a good day. | U: You too, bye.
A: Thank you, {first}. Goodbye. | U: Bye.
[remind]
A: I'm calling about your appointment for {product} on {day} at {time}. | U: Right, I remember.
A: This is a short reminder: we expect you on {day} at {time}. | U: Oh yes, thanks for calling.
[confirm]
A: Can you still make it? | U: Yes, I'll be there. | A: Good, I have you confirmed for {day} at {time}.
A: Does that time still suit you? | U: It does. | A: Lovely, your appointment is confirmed.
[reschedule]
U: Actually, I can't make it that day. | A: No problem, let me look for another time.
U: Something came up at work. Can we move it? | A: Of course, one moment.
[newslot]
A: I could offer {day2} at {time2}. | U: That's much better.
A: There is a free time on {day2} at {time2}. Would that do? | U: Yes, I'll take it.
[rebooked]
A: All set, I've moved your appointment to {day2} at {time2}. | U: Great, thank you.
A: I have moved your appointment to {day2}, {time2}. You'll get a message with the details. | U: Perfect.
[prep]
U: Do I need to bring anything? | A: Just your customer card and, if you have one, last year's delivery.
U: Is there parking? | A: Yes, behind the building. The first hour is free.
[problem]
A: I'm calling about the request you sent us. What is the trouble? | U: I can't sign in since yesterday. It says that my account is locked.
A: You wrote to us about {product}. Could you tell me what happens? | U: The last invoice is wrong. I was charged twice.
A: I see that you reported a fault. What do you see on your side? | U: The confirmation emails never arrive, so my customers think we ignore them.
[lookup]
A: Thanks, I'm opening your record. Is {number} still your customer number? | U: Yes, it is.
A: Let me look that up for you. | U: Sure.
[step]
A: Please close the page, open it again and use the link I'm sending to {email}. | U: One second. Okay, I did that.
A: I've reset it from here. Could you try again now? | U: Trying.
A: I can see the cause: an old setting from the move in spring. I'm changing it now. | U: Okay, I'll check.
[solved]
U: Oh, it works now! | A: I'm glad to hear that.
U: Yes, that fixed it. | A: Very good. I'll note what we did, in case it comes up again.
U: I think the problem is gone. | A: Good. I'll watch it for a day to be sure.
[not_solved]
U: No, it still doesn't work. | A: I'm sorry. Let me try one more thing.
U: It shows the same error. | A: Thank you for checking. That should not happen.
[angry]
U: This is the third time I'm calling. It's unacceptable. | A: You are right to be upset, and I apologise.
U: Honestly, I'm fed up. This has cost me two customers. | A: I understand, and I'm sorry for the trouble.
[escalate]
A: I'm passing this to our second line with number {ticket}. They will ring you before noon tomorrow. | U: I hope they really do.
A: I'm escalating this to a specialist, your ticket is {ticket}. | U: Fine, but please hurry.
[rate_high]
A: One last thing: on a scale of one to five, how was this call for you? | U: I'd say {high}. That was quick.
A: How would you rate the help today, from one to five? | U: A {high}, thank you so much.
[rate_low]
A: Before we finish: on a scale of one to five, how satisfied are you today? | U: A {low}, if I'm honest.
A: How would you rate us today, from one to five? | U: {low} at most.
[survey]
A: We would love your opinion. Do you have a moment for a short survey? | U: If it is quick, yes.
A: I have two quick questions about your last visit. Is that okay? | U: Go ahead.
[why_high]
A: What did you like most? | U: The people are friendly, and somebody always calls back.
A: What was the main reason? | U: It was all done in one visit. I'm very happy with that.
[why_low]
A: What should we do better? | U: I waited half an hour, and nobody told me why. That is frustrating.
A: May I ask what went wrong? | U: The bill was higher than agreed.
[vm_greeting]
U: You have reached the voicemail of {name}. Please leave a message after the tone.
U: Hi, you have reached the voicemail of {name} at {company}. I can't take your call right now, please leave a message after the tone.
[vm_sdr]
A: Hello {first}, this is {agent} from {agency}. I wanted to talk to you about {product}. I'll try again later this week. Goodbye.
A: Hi {first}, {agent} from {agency} here. It's about {product} for {company}. No need to ring, I'll get in touch again. Have a good day.
[vm_cs]
A: Hello {first}, this is {agent} from {agency} with a reminder of your appointment on {day} at {time}. If you can't come, please ring us. Goodbye.
A: Hi {first}, {agent} from {agency}. I'm calling about your request. We'll try you again tomorrow morning. Goodbye.
"#;
