//! Lists as files: whole, as filtered, and with nothing in them that the list does not show.

use std::collections::BTreeSet;

use super::support::{Agency, run};

#[test]
fn a_list_is_saved_whole_or_as_filtered() {
    run(|world| async move {
        let agency = Agency::new(world, "files-out").await;
        // With the agency's two clients more than are read at a time.
        for at in 0..210 {
            let name = format!("Bulk {at}");
            agency.owner.filled("/clients/new", "save_client", &[("name", &name), ("timezone", "UTC")]).await;
        }
        let file = agency.member.get("/clients.csv").await;
        let rows: BTreeSet<&str> = file.text.lines().skip(1).collect();
        assert_eq!((file.text.lines().count(), rows.len()), (213, 212), "{}", file.text);
        // 1, 10 to 19, 100 to 199.
        let file = agency.member.get("/clients.csv?q=Bulk%201").await;
        assert_eq!(file.text.lines().count(), 112, "{}", file.text);
        let file = agency.member.get("/clients.csv?state=archived").await;
        assert_eq!(file.text.lines().count(), 1, "{}", file.text);
    });
}

#[test]
fn a_clients_file_has_what_its_list_shows() {
    run(|world| async move {
        let (agency, _) = Agency::ready(world, "own-files").await;
        let (ours, theirs) = (agency.owner.get("/campaigns.csv").await, agency.one.viewer.get("/campaigns.csv").await);
        assert!(ours.text.contains(",client,") && !theirs.text.contains(",client,"), "{ours:?} {theirs:?}");
        assert_eq!((ours.text.lines().count(), theirs.text.lines().count()), (2, 2), "{ours:?} {theirs:?}");
        assert_eq!(agency.two.viewer.get("/campaigns.csv").await.text.lines().count(), 1);
        let people = agency.one.admin.get("/settings/users.csv").await;
        assert!(people.text.contains(&agency.one.secret) && !people.text.contains(&agency.two.secret), "{people:?}");
    });
}
