//! `routes`: what a carrier asks. `door`: whose question it is. `answer`: who answers a call that comes in. `voice`: bringing the agent to the line. `test_call`: a
//! call to one's own phone. `jobs`: calls of which nothing more was heard.

pub(crate) mod answer;
pub(crate) mod door;
pub mod jobs;
pub mod routes;
pub(crate) mod test_call;
pub(crate) mod voice;
