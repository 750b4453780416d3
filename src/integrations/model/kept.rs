//! What is kept of a CRM beside contacts: deals and activities.

use serde::{Deserialize, Serialize};

use super::{IntegrationHead, IntegrationType, REGIONS};
use patchbay_connections::model::Mode;
use patchbay_contacts::ActivityOfContact;
use patchbay_shared::ids::ContactId;
use patchbay_shared::{Page, Stamp};

/// What a contact's activities are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub kind: Option<String>,
    /// `at`: the oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// What was done with a contact, by the systems of its client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivitiesPage {
    pub contact: ContactId,
    pub name: String,
    pub page: Page<ActivityOfContact>,
}

/// A deal of an integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DealRow {
    pub id: String,
    pub name: String,
    pub contact: Option<(ContactId, String)>,
    /// In the service's words.
    pub stage: String,
    pub amount: String,
    pub closes: String,
    pub changed: Option<Stamp>,
    pub remote_id: String,
    /// The record's own page there.
    pub record: Option<String>,
}

/// Deals of an integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DealsPage {
    pub head: IntegrationHead,
    /// The service's values of stages, and what it calls them.
    pub stages: Vec<(String, String)>,
    pub page: Page<DealRow>,
}

/// Where a record has its page at the service. None: the sandbox has none.
pub fn record_address(
    (kind, mode): (IntegrationType, Mode),
    account: Option<&str>,
    region: &str,
    is_deal: bool,
    remote_id: &str,
) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.len() <= 30 && text.bytes().all(|b| b.is_ascii_digit());
    let account = account.filter(|account| digits(account) && digits(remote_id) && mode == Mode::Live)?;
    match kind {
        IntegrationType::Hubspot => {
            let object = if is_deal { "0-3" } else { "0-1" };
            Some(format!("https://app.hubspot.com/contacts/{account}/record/{object}/{remote_id}"))
        }
        IntegrationType::Zoho => {
            let host = match REGIONS.iter().find(|(code, _)| *code == region)?.0 {
                "ca" => "crm.zohocloud.ca".to_owned(),
                code => format!("crm.zoho.{code}"),
            };
            let tab = if is_deal { "Potentials" } else { "Contacts" };
            Some(format!("https://{host}/crm/org{account}/tab/{tab}/{remote_id}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_page_at_the_service() {
        let hubspot = (IntegrationType::Hubspot, Mode::Live);
        let of = |is_deal, id| record_address(hubspot, Some("62515"), "", is_deal, id);
        assert_eq!(of(false, "123").as_deref(), Some("https://app.hubspot.com/contacts/62515/record/0-1/123"));
        assert_eq!(of(true, "900").as_deref(), Some("https://app.hubspot.com/contacts/62515/record/0-3/900"));
        assert_eq!(of(false, "1/../2"), None);
        assert_eq!(record_address((IntegrationType::Hubspot, Mode::Sandbox), Some("1"), "", false, "1"), None);
        let zoho = (IntegrationType::Zoho, Mode::Live);
        let address = record_address(zoho, Some("20071"), "eu", true, "3652397000000690001");
        assert_eq!(address.as_deref(), Some("https://crm.zoho.eu/crm/org20071/tab/Potentials/3652397000000690001"));
        assert_eq!(record_address(zoho, Some("20071"), "evil.test/", false, "1"), None);
        assert_eq!(record_address(zoho, None, "eu", false, "1"), None);
    }
}
