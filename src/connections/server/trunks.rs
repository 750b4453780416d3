//! Calls on numbers at the agency's own accounts at Twilio and Plivo: the carrier that the voice service dials through, and where that
//! carrier tells how the call went.

use patchbay_access::server::Scope;
use patchbay_providers::Trunk;
use patchbay_providers::voice::Line;
use patchbay_shared::ids::{CallId, IntegrationId};

/// The line of a call that goes out, and where its carrier tells of it. `account`: the carrier of `from` and the account there, when it is
/// not the one that numbers are rented from here; that one tells at `leg_news_url`, if anybody needs to know.
pub fn line(
    scope: &Scope,
    call: CallId,
    (to, from): (String, String),
    account: Option<&(String, IntegrationId)>,
    leg_news_url: Option<String>,
) -> (Line, Option<String>) {
    let found = account.and_then(|(carrier, id)| Some((Trunk::of(carrier)?, *id)));
    let Some((trunk, id)) = found else { return (Line::Phone { to, from, trunk: None }, leg_news_url) };
    let url = status_url(scope, trunk, id);
    (Line::Phone { to, from, trunk: Some(trunk) }, Some(format!("{url}?call={call}")))
}

/// Where a carrier tells how calls on the numbers of this account went.
pub fn status_url(scope: &Scope, trunk: Trunk, account: IntegrationId) -> String {
    let (address, workspace) = (&scope.services().public_url, scope.workspace_id());
    format!("{address}/hooks/{}/{workspace}/{account}/status", trunk.as_str())
}
