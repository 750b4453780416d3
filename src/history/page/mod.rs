//! Pages below a voice connection: `/connections/{service}/history`, its imports, one import, and the gaps.

mod gaps;
mod imports;
mod progress;
mod start;

pub use gaps::call_gaps_page;
pub use imports::{history_import_page, history_imports_page};
pub use start::history_page;

use patchbay_connections::model::Provider;
use patchbay_ui::{Crumb, crumb};

/// The address of the past of a service.
pub(crate) fn address(rest: &str) -> String {
    format!("/connections/{}/history{rest}", Provider::Ultravox)
}

/// What stands above a page of the past.
pub(crate) fn above(with_history: bool) -> Vec<Crumb> {
    let service = Provider::Ultravox;
    let mut above =
        vec![crumb("Integrations", "/integrations"), crumb(service.label(), format!("/connections/{service}"))];
    if with_history {
        above.push(crumb("Past calls", address("")));
    }
    above
}
