//! What an agency shows a client beyond calls and results.

use super::support::{Agency, owner_lines, run};

#[test]
fn steps_are_shown_to_a_client_only_when_the_agency_shares_them() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "steps").await;
        // The stand-in's people use no tool in every call: one is written into this one, as the voice service would have told it.
        let sql = format!(
            "insert into call_messages (workspace_id, id, call_id, client_id, position, role, text, tool_name)
             select workspace_id, gen_random_uuid(), id, client_id, 900, 'tool_call', '{{}}', 'look_up_order' from calls where id = '{}'
             returning tool_name",
            works.call
        );
        owner_lines(world, &sql).await;
        let steps = |text: &str| text.contains("look_up_order");
        let call = [("id", works.call.as_str())];
        assert!(steps(&agency.owner.done("get_call", &call).await.text), "the agency sees them");
        for who in [&agency.one.admin, &agency.one.viewer] {
            assert!(!steps(&who.done("get_call", &call).await.text), "unshared at first");
            assert!(!steps(&who.get(&format!("/calls/{}?tab=steps", works.call)).await.text));
        }
        let settings = format!("/clients/{}/settings", agency.one.id);
        agency.owner.filled(&settings, "save_client", &[("shares_steps", "true")]).await;
        for who in [&agency.one.admin, &agency.one.viewer] {
            assert!(steps(&who.done("get_call", &call).await.text), "shared now");
            assert!(steps(&who.get(&format!("/calls/{}?tab=steps", works.call)).await.text));
        }
        let audit_log = agency.owner.done("list_audit_events", &[("query[entity]", "client")]).await.text;
        assert!(audit_log.contains("shares steps"), "{audit_log}");
    });
}
