//! Ids in forms: one of another client, of another agency, or of nothing is refused at its field, and nothing is written.

use super::support::{Agency, owner_value, run};

#[test]
fn a_form_takes_no_id_of_another_client_or_agency() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "foreign").await;
        let (other, theirs) = Agency::ready(world, "foreign-other").await;
        // An agent and a number of the sister client.
        let fields = [
            ("name", "Sister's agent"),
            ("client_id", agency.two.id.as_str()),
            ("prompt_id", works.prompt.as_str()),
            ("first_speaker", "agent"),
            ("max_minutes", "10"),
        ];
        let sisters_agent = agency.owner.made_on("/agents/new", "save_agent", &fields).await;
        let number = [("number", "+12025550166"), ("country", "US"), ("client_id", agency.two.id.as_str())];
        let sisters_number = agency.owner.made("order_number", &number).await;
        let nothing = uuid::Uuid::now_v7().to_string();
        let campaign = |client: &str, agent: &str, number: &str| {
            let fields = [
                ("client", client),
                ("form[name]", "Planted"),
                ("form[kind]", "sdr"),
                ("form[agent]", agent),
                ("form[number]", number),
                ("form[start]", "00:00"),
                ("form[end]", "24:00"),
                ("form[mon]", "true"),
                ("form[max_attempts]", "1"),
                ("form[retry_minutes]", "60"),
            ];
            fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        };
        let form = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (one, agent, own) = (agency.one.id.as_str(), works.agent.as_str(), works.number.as_str());
        let mut tries = Vec::new();
        for client in [&other.one.id, &nothing] {
            tries.push(("create_campaign", "client", campaign(client, agent, own)));
            tries.push((
                "order_number",
                "client_id",
                form(&[("number", "+12025550167"), ("country", "US"), ("client_id", client)]),
            ));
            let assign = form(&[("id", own), ("client_id", client), ("agent_id", ""), ("direction", "outbound")]);
            tries.push(("assign_number", "client_id", assign));
            let contact = form(&[("client", client), ("form[name]", "Planted"), ("form[phone]", "+12025550168")]);
            tries.push(("create_contact", "client", contact));
            let agent = |client: &str, prompt: &str| {
                let (first, minutes) = (("first_speaker", "agent"), ("max_minutes", "10"));
                let speech = [("language", "en"), ("llm_model", "ultravox-v0.7"), ("temperature", "0.3")];
                let fields = [("name", "Planted"), ("client_id", client), ("prompt_id", prompt), first, minutes];
                form(&[&fields[..], &speech].concat())
            };
            tries.push(("save_agent", "client_id", agent(client, "")));
            tries.push(("save_agent", "prompt_id", agent("", &theirs.prompt)));
            let invite = form(&[("emails", "planted@foreign.example"), ("role", "client_viewer"), ("client", client)]);
            tries.push(("invite_members", "client", invite));
        }
        for foreign in [&sisters_agent, &theirs.agent, &nothing] {
            tries.push(("create_campaign", "agent", campaign(one, foreign, own)));
            let change = campaign(one, foreign, own).into_iter().map(|(name, value)| match name.as_str() {
                "client" => ("id".to_owned(), works.campaign.clone()),
                _ => (name, value),
            });
            tries.push(("change_campaign", "agent", change.collect()));
        }
        for foreign in [&theirs.agent, &nothing] {
            let assign = form(&[("id", own), ("client_id", one), ("agent_id", foreign), ("direction", "outbound")]);
            tries.push(("assign_number", "agent_id", assign));
        }
        for foreign in [&sisters_number, &theirs.number, &nothing] {
            tries.push(("create_campaign", "number", campaign(one, agent, foreign)));
        }
        for foreign in [&theirs.campaign, &nothing] {
            let batch =
                form(&[("campaign", foreign), ("name", "Planted"), ("mode", "immediate"), ("concurrency", "1")]);
            tries.push(("create_batch", "campaign", batch));
        }
        let mut wrong = Vec::new();
        for (function, field, fields) in &tries {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = agency.owner.rpc(function, &fields).await;
            if answer.status != 422 || answer.error_at(field).is_none() {
                wrong.push(format!("{function} with {fields:?}: {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), tries.len(), wrong.join("\n"));
        let written = format!(
            "select (select count(*) from campaigns where name = 'Planted' and workspace_id in ('{0}', '{1}'))
                  + (select count(*) from contacts where name = 'Planted' and workspace_id in ('{0}', '{1}'))
                  + (select count(*) from agents where name = 'Planted' and workspace_id in ('{0}', '{1}'))
                  + (select count(*) from invitations where email = 'planted@foreign.example')
                  + (select count(*) from call_batches where name = 'Planted' and workspace_id in ('{0}', '{1}'))",
            agency.workspace_id, other.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &written).await, 0);
    });
}
