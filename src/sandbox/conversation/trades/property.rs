//! A manager of rented flats and houses.

pub(super) const ENGLISH: &str = r#"
[remind]
A: I'm calling about the repair that you reported. The plumber is planned for {day} at {time}. | U: Right, the kitchen tap.
A: It's about the heating in your flat. Our engineer would come on {day} at {time}. | U: Oh good, I was waiting for that.
[confirm]
A: Will somebody be in? | U: Yes, I work from home that day. | A: Lovely, your appointment is confirmed.
A: Does that still suit you? | U: It does. | A: Good, I have you confirmed for {day} at {time}.
[prep]
U: Do I need to clear anything? | A: Just the cupboard under the sink, please.
U: Can he use his own key? | A: Only with your word for it. I'll note that you agree.
[problem]
A: You wrote to us about the boiler. How is it now? | U: It goes off every night, and we wake up to a cold flat.
A: I'm following up on the damp in the bedroom. What does it look like? | U: The patch has grown, and the paint comes off.
A: The lock on the front door was reported. Is it sorted? | U: No, it sticks, and my daughter couldn't get in yesterday.
[lookup]
A: Let me open the record for your flat, {name}. | U: Sure.
A: Thanks, I'm looking at your repair now. | U: Okay.
[step]
A: Could you press and hold the reset button on the boiler for five seconds? | U: Doing it now.
A: The contractor says that the part was fitted this morning. Could you try the tap? | U: One moment.
A: Please turn the valve under the radiator fully open. | U: Okay, I'll check.
[solved]
U: Yes, that fixed it, it's warm again. | A: I'm glad. I'll close the repair.
U: The problem is gone since this morning. | A: Very good, then I'll note it as done.
[not_solved]
U: No, it still doesn't work. | A: I'm sorry. Let me try something else.
[angry]
U: This is the third time I report it. It's unacceptable with a baby in the flat. | A: You are right to be upset, and I apologise.
U: Honestly, I'm fed up. The rent goes up and nothing gets mended. | A: I understand, and I'm sorry for the trouble.
[escalate]
A: I'm escalating this to the property manager, your reference is {ticket}. Somebody comes out within a day. | U: Fine, but please hurry.
A: I'm passing this to our emergency engineer with number {ticket}. | U: I hope they really come.
[why_high]
A: What went well? | U: He came on time and cleaned up after himself. I'm very happy with that.
[why_low]
A: What should we do better? | U: Nobody told me that he would be two hours late. That is frustrating.
[survey]
A: The repair was finished last week. I have two quick questions about it. | U: Go ahead.
[decline]
U: I've moved out, so I'm not interested in this any more. | A: Understood, thank you for telling me.
U: We mended it ourselves, it's not for us to wait that long. | A: I see. Thank you, I'll close it.
[in_book]
U: The washing machine in the flat has died. Can you send somebody? | A: Of course, let me look for a time.
U: I'd like to see the two-bedroom flat you have on your website. | A: Gladly. Let me find a time for a viewing.
[in_problem]
U: There's water coming through the bathroom ceiling. | A: I'm sorry, let me deal with that at once.
U: I was charged twice for the service fee this quarter. | A: Let me look at your account.
U: The heating has been off since last night. | A: I'm sorry to hear that, let me see.
[vm_cs]
A: Hello {first}, this is {agent} from {agency} about the repair you reported. We'll try you again tomorrow morning. Goodbye.
"#;
