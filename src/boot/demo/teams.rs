//! Teams that have worked: one in which a supervisor decides, one whose members work in order, and jobs of both kinds of engine. All of it is
//! done by the product itself: sessions in which the supervisor asked back, was approved, was refused and was stopped, a script that left a
//! file, and one that took more memory than it had.

use futures::future::try_join_all;
use serde_json::Value;

use super::story::{self, Served};
use super::visit::{Visit, id_in, text};
use patchbay_shared::AppError;

/// A member: its name, what it is told when it is made for the team, and what it is for.
type Member = (&'static str, Option<&'static str>, &'static str);

struct Team {
    client: &'static str,
    name: &'static str,
    description: &'static str,
    mode: &'static str,
    members: &'static [Member],
}

const POLICY: Team = Team {
    client: "Sabarmati Insurance",
    name: "Policy service",
    description: "Changes policies, pays money back and writes what customers need on paper.",
    mode: "supervisor",
    members: &[
        ("Renewals", None, "Renewals: explains the premium and extends a policy by a year"),
        ("Policy desk", None, "Cover: adds cover, removes cover, and corrects an address"),
        (
            "Refunds",
            Some(
                "You look up what a customer has paid, and pay back what is too much. Say how much goes back, and when it is there.",
            ),
            "Refunds: checks payments and pays money back",
        ),
        (
            "Letters",
            Some(
                "You write short letters to customers: confirmations, certificates and answers. Be exact and friendly.",
            ),
            "Letters: writes confirmations, certificates and offers",
        ),
    ],
};

const OFFERS: Team = Team {
    client: "Northbeam Solar",
    name: "Offer desk",
    description: "Makes an offer of what somebody asked for on the telephone.",
    mode: "coordinate",
    members: &[
        ("Lead qualifier", None, "Sums up what the customer wants, and what is not known yet"),
        ("Customer line", None, "Checks it against what was agreed before"),
        (
            "Offer writer",
            Some("You write offers for solar systems: what is built, what it costs, and what happens next."),
            "Writes the offer in five sentences",
        ),
    ],
};

/// Makes the teams and has them work, unless they are there.
pub(crate) async fn make(owner: &Visit, served: &[Served]) -> Result<(), AppError> {
    let of = |team: &Team| served.iter().find(|served| served.client.name == team.client);
    let (Some(policy), Some(offers)) = (of(&POLICY), of(&OFFERS)) else { return Ok(()) };
    let (known, _) = owner.post("list_teams", &[("query[state]", "all")]).await?;
    if known["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    owner.post("add_usual_execution", &[]).await?;
    let (policy, offers) = tokio::try_join!(build(owner, &POLICY, policy), build(owner, &OFFERS, offers))?;
    rules(owner, &policy).await?;
    tokio::try_join!(
        asked_back(owner, &policy),
        decided(owner, &policy, "The April payment was taken twice, please give the refund of one.", "approved", ""),
        decided(
            owner,
            &policy,
            "I want a refund of all payments of the last five years.",
            "rejected",
            "Only this year’s payments can be paid back. Offer that instead."
        ),
        stopped(owner, &policy),
        answered(owner, &policy, "", "Please write a certificate for my landlord."),
        answered(owner, &offers, "", "A house in Fresno, a flat roof, and an electric car that is charged at night."),
        scripts(owner),
    )?;
    keep_case(owner, &policy).await
}

/// The team with its members. Agents that are there for the client's calls work in it, too.
async fn build(owner: &Visit, team: &Team, served: &Served) -> Result<String, AppError> {
    let fields =
        [("name", team.name), ("description", team.description), ("mode", team.mode), ("client", served.id.as_str())];
    let (_, location) = owner.post("create_team", &fields).await?;
    let id = id_in(&location);
    let (catalog, _) = owner.post("get_voice_catalog", &[]).await?;
    for (name, words, role) in team.members {
        let agent = match words {
            Some(words) => new_agent(owner, served, &catalog, name, words).await?,
            None => {
                let (agents, _) = owner.post("client_agents", &[("client", &served.id)]).await?;
                let Some(known) = story::found(agents.as_array(), name) else { continue };
                known
            }
        };
        owner.post("add_team_member", &[("team", &id), ("agent", &agent), ("role", role)]).await?;
    }
    Ok(id)
}

/// An agent without a telephone.
async fn new_agent(
    owner: &Visit,
    served: &Served,
    catalog: &Value,
    name: &str,
    words: &str,
) -> Result<String, AppError> {
    let first = |list: &str| catalog[list].as_array().and_then(|all| all.first()).cloned().unwrap_or_default();
    let (model, voice) = (text(&first("models")), text(&first("voices")["id"]));
    let prompt = format!("{words}\nBusiness: {}", served.client.name);
    let fields = [
        ("id", ""),
        ("name", name),
        ("description", "Works in a team"),
        ("client_id", served.id.as_str()),
        ("language", "en"),
        ("llm_model", model.as_str()),
        ("voice", voice.as_str()),
        ("temperature", "0.3"),
        ("first_speaker", "agent"),
        ("greeting", ""),
        ("max_minutes", "10"),
        ("recording", "on"),
        ("direction", "inbound"),
        ("tags", "team"),
        ("prompt_id", ""),
        ("template", prompt.as_str()),
    ];
    let (_, location) = owner.post("save_agent", &fields).await?;
    let agent = id_in(&location);
    owner.post("set_agent_status", &[("id", &agent), ("status", "active")]).await?;
    Ok(agent)
}

/// Refunds are not begun before somebody has looked at them, nor are scripts; and all may look things up in one collection.
async fn rules(owner: &Visit, team: &str) -> Result<(), AppError> {
    let (page, _) = owner.post("get_team_limits", &[("id", team)]).await?;
    let form = page["form"].as_object().into_iter().flatten();
    let stored = form.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let mut fields: Vec<(String, String)> =
        stored.filter(|(name, _)| name != "note" && name != "instructions").collect();
    let workers = page["workers"].as_array().cloned().unwrap_or_default();
    let refunds = workers.iter().find(|pair| pair[1] == "Refunds").map(|pair| text(&pair[0])).unwrap_or_default();
    let collection = page["collections"].as_array().and_then(|all| all.first()).map(|pair| text(&pair[0]));
    let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    add("instructions", "Policies are changed before money is paid back. When it is not clear what is wanted, ask.");
    add("note", "Refunds and scripts ask a person");
    for (name, value) in [
        ("rule_0_on", "worker"),
        ("rule_0_name", "Refunds"),
        ("rule_0_worker", refunds.as_str()),
        ("rule_0_minutes", "2880"),
        ("rule_0_client", "true"),
        ("rule_1_on", "process"),
        ("rule_1_name", "Scripts"),
        ("rule_1_minutes", "60"),
    ] {
        add(name, value);
    }
    if let Some(collection) = collection {
        add(&format!("collections_{collection}"), "true");
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    owner.post("save_team", &fields).await?;
    Ok(())
}

/// Sends a message, waits until the team is done with it or waits for a person, and gives the session.
async fn asked(owner: &Visit, team: &str, session: &str, message: &str) -> Result<(String, Value), AppError> {
    let fields = [("team", team), ("session", session), ("message", message)];
    let (_, location) = owner.post("ask_team", &fields).await?;
    let session = location.split_once("session=").map(|(_, id)| id.to_owned()).unwrap_or_default();
    let about = [("id", team), ("session", session.as_str())];
    let rests =
        |page: &Value| last(page)["status"] == "completed" || last(page)["status"] == "failed" || open(page).is_some();
    let page = owner.until("A team's answer", "get_playground", &about, rests).await?;
    Ok((session, page))
}

fn last(page: &Value) -> &Value {
    page["runs"].as_array().and_then(|runs| runs.last()).unwrap_or(&Value::Null)
}

/// A question to a person that is open in the newest run.
fn open(page: &Value) -> Option<String> {
    let nodes = last(page)["nodes"].as_array()?.iter();
    let mut approvals = nodes.filter_map(|node| node["Job"]["approvals"].as_array()).flatten();
    approvals.find(|approval| approval["decision"].is_null()).map(|approval| text(&approval["id"]))
}

async fn answered(owner: &Visit, team: &str, session: &str, message: &str) -> Result<(), AppError> {
    asked(owner, team, session, message).await.map(|_| ())
}

/// The supervisor is not sure at first. What it then hands over waits for a person.
async fn asked_back(owner: &Visit, team: &str) -> Result<(), AppError> {
    let (session, _) = asked(owner, team, "", "Something is wrong with my bill.").await?;
    answered(owner, team, &session, "You took two payments on Wednesday. I would like a refund of the second one.")
        .await
}

async fn decided(owner: &Visit, team: &str, message: &str, decision: &str, note: &str) -> Result<(), AppError> {
    let (session, page) = asked(owner, team, "", message).await?;
    let Some(approval) = open(&page) else { return Ok(()) };
    let fields = [("id", approval.as_str()), ("decision", decision), ("note", note)];
    owner.post("decide_approval", &fields).await?;
    let about = [("id", team), ("session", session.as_str())];
    let is_over = |page: &Value| last(page)["status"] == "completed" || last(page)["status"] == "failed";
    owner.until("The end of what was decided", "get_playground", &about, is_over).await?;
    Ok(())
}

/// Somebody stops it while it waits.
async fn stopped(owner: &Visit, team: &str) -> Result<(), AppError> {
    let (_, page) = asked(owner, team, "", "Refund the payments of a policy that I never had.").await?;
    owner.post("cancel_supervisor_run", &[("id", &text(&last(&page)["id"]))]).await?;
    Ok(())
}

/// What was asked in the session that was approved is kept as a case.
async fn keep_case(owner: &Visit, team: &str) -> Result<(), AppError> {
    let (runs, _) = owner.post("list_supervisor_runs", &[("team", team), ("query[q]", "April")]).await?;
    let Some(run) = runs["page"]["rows"][0]["id"].as_str() else { return Ok(()) };
    let (page, _) = owner.post("get_team_case", &[("team", team), ("run", run)]).await?;
    let form = page["form"].as_object().into_iter().flatten();
    let fields: Vec<(&str, &str)> = form
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .filter(|(name, _)| *name != "name")
        .collect();
    owner.post("save_team_case", &[fields.as_slice(), &[("name", "A payment that was taken twice")]].concat()).await?;
    Ok(())
}

/// Leaves a file with what it was told.
const REPORT: &str = "mkdir -p out\necho 'reading the list of payments'\nfor month in Jan Feb Mar Apr May Jun; do echo \"$month,118.40\"; done > out/payments.csv\n\
                      wc -l < out/payments.csv\necho done";
/// Holds a line of ninety million letters in memory, which is more than it may take at first.
const HEAVY: &str = "echo 'reading everything at once'\nhead -c 90000000 /dev/zero | tr '\\0' 'x' | tail -n 1 | wc -c";

/// Two scripts without a team: one that leaves a file, and one that is tried again with more memory.
async fn scripts(owner: &Visit) -> Result<(), AppError> {
    let (engines, _) = owner.post("list_execution_engines", &[]).await?;
    let (targets, _) = owner.post("list_execution_targets", &[]).await?;
    let rows = |list: &Value| list["page"]["rows"].as_array().cloned().unwrap_or_default();
    let engine = rows(&engines).iter().find(|row| row["kind"] == "process").map(|row| text(&row["id"]));
    let target = rows(&targets).first().map(|row| text(&row["id"]));
    let (Some(engine), Some(target)) = (engine, target) else { return Ok(()) };
    let jobs = [("Payments of the year", REPORT, "64"), ("Everything at once", HEAVY, "64")];
    try_join_all(jobs.map(|(title, content, memory)| {
        let fields = [
            ("title", title),
            ("engine", engine.as_str()),
            ("target", target.as_str()),
            ("content", content),
            ("memory_mb", memory),
            ("minutes", "2"),
        ];
        let fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        async move {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let (_, location) = owner.post("run_execution_job", &fields).await?;
            let id = id_in(&location);
            let is_over =
                |page: &Value| ["completed", "failed", "oom"].iter().any(|word| page["job"]["status"] == *word);
            owner.until("A script's end", "get_execution_job", &[("id", &id)], is_over).await.map(|_| ())
        }
    }))
    .await?;
    Ok(())
}
