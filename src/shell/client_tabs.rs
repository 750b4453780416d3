use super::viewer;
use patchbay_access::Action;
use patchbay_shared::ids::ClientId;
use patchbay_ui::{TabItem, tab};

/// The pages about one client. `now` is the one that is open: `overview` or `settings`.
pub fn client_tabs(id: ClientId, now: &str) -> Vec<TabItem> {
    let item = |label: &str, word: &str, path: &str| tab(label, format!("/clients/{id}{path}"), now == word);
    let mut tabs = vec![item("Overview", "overview", ""), item("Settings", "settings", "/settings")];
    if viewer().may(Action::ManageBrand) {
        tabs.push(item("Brand", "brand", "/brand"));
    }
    if viewer().may(Action::ReadAudit) {
        tabs.push(tab("History", format!("/settings/audit?client={id}"), false));
    }
    tabs
}
