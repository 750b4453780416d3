//! What the owner's walk through all doors does not come by, because it takes more than one step, or somebody else to take it.

use super::super::brand::{LOGO, png};
use super::super::execution_jobs::{command, usual};
use super::super::second_factor::turn_on;
use super::super::support::agency::{invitation, shown_token};
use super::super::support::{Agency, Browser, Works, World};

/// An agency in which all of it was done. `new`: the password that somebody chose.
pub async fn done(world: &World, new: &str) -> Agency {
    let (agency, works) = Agency::worked(world, "rest").await;
    with_people(world, &agency, new).await;
    with_the_agencys_things(&agency).await;
    with_a_clients_things(&agency, &works).await;
    agency
}

async fn with_people(world: &World, agency: &Agency, new: &str) {
    let (owner, member) = (&agency.owner, &agency.member);
    let who = member.rpc("who_am_i", &[]).await.json();
    let (id, email) = (who["user_id"].as_str().expect("an id"), who["email"].as_str().expect("an address"));
    turn_on(member).await;
    owner.done("clear_member_second_factor", &[("id", id)]).await;
    let (here, elsewhere) = (Browser::signed_in(world, email).await, Browser::signed_in(world, email).await);
    let sessions = here.done("list_sessions", &[]).await.json();
    let other = sessions.as_array().expect("sessions").iter().find(|session| session["is_this"] == false);
    here.done("end_session", &[("id", other.expect("another session")["id"].as_str().expect("an id"))]).await;
    drop(elsewhere);
    here.done("sign_out", &[("everywhere", "true")]).await;
    Browser::signed_in(world, email).await.done("sign_out", &[]).await;
    owner.done("change_member_role", &[("id", id), ("role", "agency_admin")]).await;
    for status in ["suspended", "active"] {
        owner.done("set_member_status", &[("id", id), ("status", status)]).await;
    }
    owner.done("make_password_link", &[("id", id)]).await;
    let token = shown_token(owner).await;
    Browser::new(world).done("choose_password", &[("token", &token), ("password", new)]).await;
    invitation(owner, &format!("late@{}.example", agency.name), "agency_member", "").await;
    let open = owner.done("list_invitations", &[("status", "open")]).await.json();
    owner.done("withdraw_invitation", &[("id", open["rows"][0]["id"].as_str().expect("an id"))]).await;
}

async fn with_the_agencys_things(agency: &Agency) {
    let owner = &agency.owner;
    let logo = owner.upload(LOGO, &[("client", "")], "logo.png", png(64, 64, 9)).await;
    assert_eq!(logo.location.as_deref(), Some("/settings/brand?saved=1"), "{logo:?}");
    owner.filled("/connections/ultravox", "save_connection", &[("price_per_minute", "0.07")]).await;
    owner.done("switch_connection", &[("provider", "ultravox")]).await;
    owner.done("switch_connection", &[("provider", "ultravox"), ("on", "true")]).await;
    with_models(owner).await;
    with_jobs(agency).await;
    let team = owner.made_on("/teams/new", "create_team", &[("name", "Short lived"), ("mode", "coordinate")]).await;
    owner.done("switch_team", &[("id", &team)]).await;
    owner.done("switch_team", &[("id", &team), ("on", "true")]).await;
    let first = [("name", "Second prompt"), ("template", "You call. Be brief."), ("production", "true")];
    let prompt = owner.made_on("/prompts/new", "save_prompt", &first).await;
    let second = [("id", prompt.as_str()), ("base_version", "1"), ("name", "Second prompt"), ("template", "Be kind.")];
    owner.done("save_prompt", &second).await;
    let to = |label, version| [("id", prompt.as_str()), ("label", label), ("version", version), ("note", "Better.")];
    owner.done("move_prompt_label", &to("staging", "2")).await;
    owner.done("move_prompt_label", &to("production", "2")).await;
    owner.done("set_prompt_rule", &[("id", &prompt), ("on", "true")]).await;
    for (answers, name, fields) in [
        (&agency.admin, "decide_prompt_move", &[("verdict", "refuse"), ("answer", "Not now.")][..]),
        (owner, "withdraw_prompt_move", &[]),
    ] {
        owner.done("move_prompt_label", &to("production", "1")).await;
        let page = owner.done("get_prompt", &[("id", &prompt)]).await.json();
        let asked = page["waiting"]["id"].as_str().expect("a move that waits").to_owned();
        let fields: Vec<_> = [("id", asked.as_str())].into_iter().chain(fields.iter().copied()).collect();
        answers.done(name, &fields).await;
    }
    owner.done("set_prompt_active", &[("id", &prompt)]).await;
    owner.done("set_prompt_active", &[("id", &prompt), ("on", "true")]).await;
    for status in ["archived", "active"] {
        owner.done("set_client_status", &[("id", &agency.two.id), ("status", status)]).await;
    }
}

/// Nobody works on them: they wait.
async fn with_jobs(agency: &Agency) {
    let (owner, engines) = (&agency.owner, usual(agency).await);
    let other = [("kind", "local"), ("name", "Other"), ("slots", "2"), ("memory_mb", "512"), ("cpu_milli", "1000")];
    let other = owner.made("save_execution_target", &other).await;
    let id = command(agency, &engines.process, "true", &[("target", &engines.target)]).await;
    owner.done("move_execution_job", &[("id", &id), ("target", &other)]).await;
    owner.done("cancel_execution_job", &[("id", &id)]).await;
    owner.done("requeue_execution_job", &[("id", &id)]).await;
}

async fn with_a_clients_things(agency: &Agency, works: &Works) {
    let owner = &agency.owner;
    owner.done("review_call", &[("id", &works.call), ("on", "true")]).await;
    owner.done("review_call", &[("id", &works.call)]).await;
    let import = works.import.as_str();
    owner.filled(&format!("/contacts/imports/{import}/mapping"), "check_import", &[]).await;
    agency.drain().await;
    owner.done("run_import", &[("id", import)]).await;
    agency.drain().await;
    // Somebody whom nobody has called yet.
    agency.contact("+12025550188").await;
    let batch = agency.batch(&works.campaign, 1).await;
    owner.done("stop_batch", &[("id", &batch)]).await;
    agency.drain().await;
    for to in ["paused", "archived", "paused"] {
        owner.done("move_campaign", &[("id", &works.campaign), ("to", to)]).await;
    }
    let answers = [
        ("id", works.number.as_str()),
        ("client_id", &agency.one.id),
        ("agent_id", &works.agent),
        ("direction", "inbound"),
    ];
    owner.done("assign_number", &answers).await;
    owner.done("check_number_route", &[("id", &works.number)]).await;
    let form = owner.done("get_test_call", &[]).await.json();
    let call = form["call"].as_str().expect("an id");
    let test = [("call", call), ("agent_id", works.agent.as_str()), ("client_id", ""), ("to", "+12025550187")];
    owner.done("make_test_call", &test).await;
    agency.drain().await;
    for status in ["inactive", "active"] {
        owner.done("set_number_status", &[("id", &works.number), ("status", status)]).await;
    }
}

/// Chooses, changes and takes back a model; prices one, twice.
async fn with_models(owner: &Browser) {
    let account = [("kind", "anthropic"), ("name", "Claude"), ("mode", "sandbox")];
    let account = owner.made_on("/connections/accounts/new", "save_model_account", &account).await;
    for (account, model) in [(account.as_str(), "claude-sonnet-4-5"), (account.as_str(), "claude-haiku-4-5"), ("", "")]
    {
        owner.done("choose_model", &[("purpose", "judge"), ("account", account), ("model", model)]).await;
    }
    for read in ["3", "4"] {
        let price = [("account", account.as_str()), ("model", "claude-haiku-4-5"), ("from", "2026-01-01")];
        let price = [price.as_slice(), &[("read", read), ("written", "5")]].concat();
        owner.done("set_model_price", &price).await;
    }
}
